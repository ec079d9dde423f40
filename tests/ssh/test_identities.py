"""Which keys a server is shown, and in which order: beside ssh itself, as sshd logs it."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel.errors import AuthenticationFailure
from hermes_tunnel.ssh.config import Options, resolve
from hermes_tunnel.ssh.connection import connect
from hermes_tunnel.ssh.target import parse_target
from hermes_tunnel.ssh.wire import packed
from tests.ssh.hops import fails, hop, nobody
from tests.ssh.security_key import SecurityKey
from tests.ssh.sshd import Sshd, certify, keygen, public

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
    "IdentityFile rsa,IdentityFile short,IdentityFile a,RequiredRSASize 2048",
    "IdentityFile a,IdentityFile n1,IdentityAgent none",
]


@pytest.fixture
def keys(agent: Callable[..., str], tmp_path: Path) -> str:
    """An agent and the files of a person who has more of both than is good for them; gives the agent."""
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
    """Certificates, agent keys that are named, other agent keys, files; none that may not sign."""
    server = sshd("host", "MaxAuthTries 99")
    lines = [line.split(" ", 1) for line in settings.split(",")]
    config = tmp_path / "config"
    config.write_text(
        "".join(
            f"{keyword} {tmp_path / value if keyword.endswith('File') else value}\n"
            for keyword, value in lines
        )
        + f"IdentityAgent {keys}\nUserKnownHostsFile {known(server)}\nPort {server.port}\nUser root\n"
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
        connect(hops, ask=nobody, tell=print)
    assert shown() == by_ssh
    assert by_ssh


@pytest.mark.parametrize("place", ["beside", "CertificateFile", "agent"])
def test_a_certificate_of_a_security_key_gets_in(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path, place: str
) -> None:
    """Its agent has the key, or the certificate too (PROTOCOL.certkeys)."""
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
        connect([configuration], ask=nobody, tell=print).close()
    assert "ED25519-SK-CERT" in server.log


@pytest.mark.parametrize("kind", ["host certificate", "no certificate", "cut off", "unknown", "not there"])
def test_a_certificate_that_is_none_is_passed_over(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    """One of a host, a plain key, one of a kind that nobody knows: it is named, and the key does without."""
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
    connect([configuration], ask=nobody, tell=print).close()
