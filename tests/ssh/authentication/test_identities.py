"""Which keys a server is shown, and in which order, compared with ssh itself by sshd's log."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel.errors import AuthenticationFailure
from hermes_tunnel.ssh.authentication.keys import signature_algorithm
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.public_key import parse_public_line
from hermes_tunnel.ssh.wire import packed
from tests.ssh.answering import Answering
from tests.ssh.hops import fails, hop, to
from tests.ssh.security_key import SecurityKey
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, certify, keygen, public

pytestmark = [
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here"),
]

SETTINGS = [
    "IdentityFile a,IdentityFile n1,IdentityFile n2,IdentityFile b",
    "IdentityFile a,IdentityFile n1,IdentityFile n2,IdentityFile b,IdentitiesOnly yes",
    "IdentityFile n1,IdentityFile c,IdentityFile a,CertificateFile certificate",
    "IdentityFile n1,IdentityFile away,IdentityFile a,IdentitiesOnly yes",
    "IdentityFile n1.pub,IdentityFile b,IdentitiesOnly yes",
    "IdentityFile rsa,IdentityFile both",
    "IdentityFile rsa,IdentityFile both,PubkeyAcceptedAlgorithms rsa-sha2-256*",
    "IdentityFile rsa,IdentityFile both,IdentityFile a,PubkeyAcceptedAlgorithms *cert*",
    "IdentityFile rsa,IdentityFile short,IdentityFile a,RequiredRSASize 2048",
    "IdentityFile a,IdentityFile n1,IdentityAgent none",
]


@pytest.fixture
def rsa(tmp_path: Path) -> Path:
    """An RSA key pair."""
    return keygen(tmp_path / "rsa", "-t", "rsa", "-b", "2048")


@pytest.fixture
def keys(agent: Callable[..., str], tmp_path: Path) -> str:
    """The agent and the key files of a person who has too many of both; returns the agent."""
    authority = keygen(tmp_path / "authority")
    for name in ("a", "b", "c", "n1", "n2", "o1", "o2", "away"):
        keygen(tmp_path / name)
    for name in ("rsa", "both", "short"):
        keygen(tmp_path / name, "-t", "rsa", "-b", "1024" if name == "short" else "2048")
    for name in ("a", "n1", "c", "both", "away"):
        certify(tmp_path / name, authority)
    (tmp_path / "c-cert.pub").rename(tmp_path / "certificate")
    path = agent(*(tmp_path / name for name in ("o1", "n2", "o2", "both", "away")))
    (tmp_path / "n1-cert.pub").rename(tmp_path / "aside")
    agent(tmp_path / "n1")
    (tmp_path / "aside").rename(tmp_path / "n1-cert.pub")
    (tmp_path / "away").unlink()
    return path


@pytest.mark.parametrize("settings", SETTINGS)
def test_the_keys_and_their_order_are_those_of_ssh(
    sshd: Callable[..., Sshd], known: Callable[..., Path], keys: str, tmp_path: Path, settings: str
) -> None:
    """Certificates, named agent keys, other agent keys, files, in that order; none that may not sign."""
    server = sshd("host", "MaxAuthTries 99")
    lines = [line.split(" ", 1) for line in settings.split(",")]
    config = tmp_path / "config"
    config.write_text(
        "".join(
            f"{keyword} {tmp_path / value if keyword.endswith('File') else value}\n"
            for keyword, value in lines
        )
        + f"IdentityAgent {keys}\nUserKnownHostsFile {known(server)}\nPort {server.port}\nUser {ME}\n"
    )

    def shown() -> list[str]:
        server.wait_for("Connection closed by authenticating user")
        found = re.findall(r"Failed publickey for .* ssh2: (\S+ SHA256:\S+)", server.log)
        server.forget()
        return found

    subprocess.run(
        ["ssh", "-F", str(config), "-o", "BatchMode=yes", "127.0.0.1", "true"],
        check=False,
        capture_output=True,
    )
    by_ssh = shown()
    hops = resolve(parse_target("127.0.0.1"), Options(config_file=str(config)))
    with pytest.raises(AuthenticationFailure):
        to(*hops)
    assert shown() == by_ssh
    assert by_ssh


def test_a_full_agent_does_not_keep_a_key_file_out(
    sshd: Callable[..., Sshd],
    known: Callable[..., Path],
    agent: Callable[..., str],
    key: Path,
    tmp_path: Path,
) -> None:
    """If an agent's seven keys are one too many, a second connection shows the file, at each hop."""
    gate, inner = sshd("gate"), sshd("inner")
    for server in (gate, inner):
        server.accept(key)
    path = agent(*(keygen(tmp_path / f"k{n}") for n in range(7)))
    hops = [hop(server.port, known(gate, inner), key, identity_agent=path) for server in (gate, inner)]
    person = Answering()
    to(*hops, emit=person.events.append).close()
    assert (
        person.told
        == [f"{ME}@box takes no more of the agent's keys; connecting again with key files only."] * 2
    )
    inner.authorized_keys.write_text("")
    assert "accepted none of" in fails(*hops).message


RSA = ("rsa-sha2-512", "rsa-sha2-256")
TABLE = [
    # kind, PubkeyAcceptedAlgorithms, server-sig-algs, algorithm
    ("ssh-ed25519", (), None, "ssh-ed25519"),
    ("ssh-ed25519", RSA, None, None),
    ("ssh-rsa", (), RSA, "rsa-sha2-512"),
    ("ssh-rsa", (), ("ssh-rsa", "rsa-sha2-256"), "rsa-sha2-256"),
    ("ssh-rsa", ("rsa-sha2-256", "rsa-sha2-512"), RSA, "rsa-sha2-256"),
    ("ssh-rsa", ("ssh-ed25519", "rsa-sha2-256"), RSA, "rsa-sha2-256"),
    ("ssh-rsa", (), None, None),
    ("ssh-rsa", (), ("ssh-rsa",), None),
    ("ssh-rsa", (), ("",), None),
    ("ssh-rsa", ("+ssh-rsa",), ("ssh-rsa",), "ssh-rsa"),
    ("ssh-rsa", ("+ssh-rsa",), ("ssh-rsa", *RSA), "rsa-sha2-512"),
    ("ssh-rsa", (*RSA, "ssh-rsa"), None, "ssh-rsa"),
    ("ssh-rsa", ("ssh-rsa", *RSA), ("ssh-rsa", *RSA), "ssh-rsa"),
    ("ssh-rsa", ("-rsa-sha2-512",), RSA, "rsa-sha2-256"),
    (
        "ssh-rsa-cert-v01@openssh.com",
        ("rsa-sha2-256-cert-v01@openssh.com", "rsa-sha2-512"),
        RSA,
        "rsa-sha2-256-cert-v01@openssh.com",
    ),
    ("ssh-rsa-cert-v01@openssh.com", RSA, RSA, None),
    ("ssh-rsa-cert-v01@openssh.com", (), RSA, "rsa-sha2-512-cert-v01@openssh.com"),
]


@pytest.mark.parametrize(("kind", "allowed", "server_signs", "expected"), TABLE)
def test_what_a_key_signs_with(
    kind: str, allowed: Sequence[str], server_signs: Sequence[str] | None, expected: str | None
) -> None:
    """The first of PubkeyAcceptedAlgorithms that the server has too; SHA-1 only where it is asked for."""
    assert signature_algorithm(kind, allowed, server_signs) == expected


ONLY_256 = ("rsa-sha2-256", "rsa-sha2-256-cert-v01@openssh.com")


@pytest.mark.parametrize(
    ("server_takes", "allowed"), [("rsa-sha2-256", ONLY_256), ("ssh-rsa", ("ssh-rsa",)), ("rsa-sha2-512", ())]
)
@pytest.mark.parametrize("place", ["file", "agent"])
def test_an_rsa_key_signs_with_what_is_allowed(
    sshd: Callable[..., Sshd],
    known: Callable[..., Path],
    agent: Callable[..., str],
    rsa: Path,
    *,
    server_takes: str,
    allowed: tuple[str, ...],
    place: str,
) -> None:
    """Whether in a file or in an agent, the key signs with what is allowed, even SHA-1 for an old server."""
    server = sshd("host", f"PubkeyAcceptedAlgorithms {server_takes}")
    server.accept(rsa)
    configuration = hop(server.port, known(server), pubkey_accepted_algorithms=allowed)
    if place == "file":
        configuration = replace(configuration, identity_files=(str(rsa),))
    else:
        configuration = replace(configuration, identity_agent=agent(rsa))
    to(configuration).close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server_signs", "reason"),
    [
        ("ssh-rsa", f"could sign for {ME}@box with SHA-1 only, which ssh does not do unasked"),
        ("ssh-ed25519", f"is ssh-rsa, of which {ME}@box takes no signature"),
        ("", f"is ssh-rsa, of which {ME}@box takes no signature"),
    ],
)
def test_an_rsa_key_that_the_server_would_not_take_is_not_shown(
    known: Callable[..., Path], rsa: Path, server_signs: str, reason: str
) -> None:
    """The server says what keys may sign with; as with ssh, a key that is not shown uses up no try."""
    with closing(Server(Account(["publickey"]), signs=server_signs)) as server:
        failure = fails(hop(server.port, known(server), rsa))
        assert server.account.seen == ["none"]
    assert failure.message.endswith(f"; {rsa} {reason}")
    assert ("PubkeyAcceptedAlgorithms=+ssh-rsa" in failure.hint) == ("SHA-1" in reason)


@pytest.mark.slow
def test_openssh_7_4_takes_more_and_less_than_it_says(known: Callable[..., Path], rsa: Path) -> None:
    """RSA keys sign with SHA-2, which it does not list; their certificates cannot. ssh does the same."""
    blob = parse_public_line(public(rsa).encode()) or b""
    certificate = certify(rsa, keygen(rsa.with_name("authority"))).rename(rsa.with_name("certificate"))
    account = Account(["publickey"], keys=[blob])
    with closing(Server(account, signs="ssh-ed25519,ssh-rsa", version="SSH-2.0-OpenSSH_7.4")) as server:
        to(hop(server.port, known(server), rsa)).close()
        account.keys = []
        failure = fails(hop(server.port, known(server), rsa, certificate_files=(str(certificate),)))
    assert f"certificate {certificate} could sign for {ME}@box with SHA-1 only" in failure.message


@pytest.mark.parametrize("place", ["beside", "CertificateFile", "agent"])
def test_a_certificate_of_a_security_key_gets_in(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path, place: str
) -> None:
    """It gets in whether its agent holds only the key or the certificate too (PROTOCOL.certkeys)."""
    authority = keygen(tmp_path / "authority")
    server = sshd("host", f"TrustedUserCAKeys {authority}.pub")
    with closing(SecurityKey(str(tmp_path / "agent"))) as token:
        token.touched.set()
        key = tmp_path / "token"
        Path(f"{key}.pub").write_text(token.public_line)
        certificate = certify(key, authority)
        configuration = hop(server.port, known(server), identity_agent=token.path)
        if place == "agent":
            token.holds(certificate.read_text())
        elif place == "beside":
            configuration = replace(configuration, identity_files=(str(key),))
        else:
            configuration = replace(configuration, certificate_files=(str(certificate),))
        to(configuration).close()
    assert "ED25519-SK-CERT" in server.log


@pytest.mark.parametrize("kind", ["host certificate", "no certificate", "cut off", "unknown", "not there"])
def test_what_is_not_a_certificate_is_passed_over(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    """A host certificate, a plain key or an unknown kind is named, and the key is used without it."""
    server = sshd()
    key = keygen(tmp_path / "key")
    certificate = certify(key, keygen(tmp_path / "authority"), *(["-h"] if kind.startswith("host") else []))
    if kind == "no certificate":
        certificate.write_text(public(key))
    elif kind == "cut off":
        blob = base64.b64decode(certificate.read_text().split()[1])
        certificate.write_text(
            f"ssh-ed25519-cert-v01@openssh.com {base64.b64encode(blob[:100]).decode()} cut\n"
        )
    elif kind == "unknown":
        blob = packed(b"ssh-new-cert-v01@openssh.com", b"nonce")
        certificate.write_text(f"ssh-new-cert-v01@openssh.com {base64.b64encode(blob).decode()} new\n")
    elif kind == "not there":
        certificate.unlink()
    configuration = hop(server.port, known(server), key, certificate_files=(str(certificate),))
    failure = fails(configuration)
    words = "does not exist" if kind == "not there" else "is not a certificate that can be used"
    assert f"{certificate} {words}" in failure.message
    server.accept(key)
    to(configuration).close()
