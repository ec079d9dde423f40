"""The same known_hosts files put to this program and to a real OpenSSH client and server."""

from __future__ import annotations

import base64
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hermes_tunnel.errors import AuthenticationFailure, HostKeyFailure
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.hostkeys.known_hosts import KnownHosts, Verdict, append
from hermes_tunnel.ssh.public_key import fingerprint
from tests.ssh.hops import to
from tests.ssh.sshd import PROGRAM, Sshd, keygen, public

pytestmark = pytest.mark.slow

# Connects, and hands the connection to ssh: any name and port lead to the one server.
_CONNECT = """
import socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as server, socket.socket(fileno=1) as ssh:
    socket.send_fds(ssh, [b"x"], [server.fileno()])
"""
# What ssh says, the strongest first.
_SAYS = {
    "REVOKED HOST KEY DETECTED": Verdict.REVOKED,
    "REMOTE HOST IDENTIFICATION HAS CHANGED": Verdict.CHANGED,
    "host key is known for": Verdict.UNKNOWN,  # No ... host key is known for ...
    "Permission denied": Verdict.KNOWN,
}


@dataclass(frozen=True)
class Stage:
    """The server, and keys by the names that the cases use."""

    server: Sshd
    directory: Path
    keys: dict[str, str]

    def write(self, name: str, text: str) -> Path:
        """A known_hosts file; ``{ED}`` and so on stand for keys, ``{#name}`` for a hashed name."""
        for key, value in self.keys.items():
            text = text.replace("{" + key + "}", value)
        text = re.sub(r"\{#([^}]+)\}", lambda match: self._hashed(match[1]), text)
        path = self.directory / name
        path.write_bytes(text.encode("latin-1"))
        return path

    def ssh(self, host: str, port: int, *options: str) -> tuple[Verdict, tuple[str, str]]:
        """What ssh makes of the server's host key: a verdict, and the key's type and fingerprint."""
        command = ["ssh", "-F", "none", "-T", "-v", "-p", str(port)]
        for option in (
            *options,
            "StrictHostKeyChecking=yes",
            "BatchMode=yes",
            "PubkeyAuthentication=no",
            "KexAlgorithms=curve25519-sha256",
            "ConnectTimeout=5",
        ):
            command += ["-o", option]
        ended = subprocess.run(
            [*command, "--", host, "true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        key = re.search(r"Server host key: (\S+) (SHA256:\S+)", ended.stderr)
        said = [verdict for words, verdict in _SAYS.items() if words in ended.stderr]
        assert key is not None, ended.stderr
        assert said, ended.stderr
        return said[0], (key[1], key[2])

    def _hashed(self, name: str) -> str:
        host, _, port = name.partition(" ")
        file = self.directory / "hashed"
        file.unlink(missing_ok=True)
        file.write_text(f"{f'[{host}]:{port}' if port else host} {self.keys['ED']}\n")
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
        return file.read_text().split()[0]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server with an Ed25519, an ECDSA and an RSA key, which lets nobody in."""
    if PROGRAM is None or shutil.which("ssh") is None or sys.platform == "win32":
        pytest.skip("OpenSSH's ssh and sshd are needed")
    directory = tmp_path_factory.mktemp("hostkeys")
    kinds = {
        "ED": ("-t", "ed25519"),
        "EC": ("-t", "ecdsa"),
        "RSA": ("-t", "rsa", "-b", "2048"),
        "OTHER": ("-t", "ed25519"),
        "OTHER_EC": ("-t", "ecdsa"),
        "EC384": ("-t", "ecdsa", "-b", "384"),
    }
    files = {name: keygen(directory / name, *options) for name, options in kinds.items()}
    options = [f"HostKey {files[name]}" for name in ("ED", "EC", "RSA")]
    version = re.search(
        r"OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)",
        subprocess.run(["ssh", "-V"], capture_output=True, text=True, check=True).stderr,
    )
    if version and (int(version[1]), int(version[2])) >= (9, 8):
        # So many refusals from one address would make the server shut its door.
        options.append("PerSourcePenalties no")
    server = Sshd(directory / "server", *options)
    keys = {name: " ".join(public(file).split()[:2]) for name, file in files.items()}
    keys |= {f"{name}_BLOB": key.split()[1] for name, key in keys.items()}
    try:
        yield Stage(server, directory, keys)
    finally:
        server.close()


# The known_hosts file; the name; the port; the expected verdict. {ED} is a key that the server has,
# {OTHER} one that it does not have.
_CASES: dict[str, tuple[str, str, int, Verdict]] = {
    "empty": ("", "srv", 22, Verdict.UNKNOWN),
    "plain": ("srv {ED}\n", "srv", 22, Verdict.KNOWN),
    "no newline at the end": ("srv {ED}", "srv", 22, Verdict.KNOWN),
    "comment behind": ("srv {ED} me@here now\n", "srv", 22, Verdict.KNOWN),
    "another name": ("srv2 {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "part of a name": ("srv.example {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "another key": ("srv {OTHER}\n", "srv", 22, Verdict.CHANGED),
    "upper case in the file": ("SRV.Example {ED}\n", "srv.example", 22, Verdict.KNOWN),
    "upper case typed": ("srv.example {ED}\n", "SRV.Example", 22, Verdict.KNOWN),
    "upper case typed, hashed": ("{#srv.example} {ED}\n", "SRV.Example", 22, Verdict.KNOWN),
    "list, first": ("srv,10.0.0.1 {ED}\n", "srv", 22, Verdict.KNOWN),
    "list, last": ("10.0.0.1,srv {ED}\n", "srv", 22, Verdict.KNOWN),
    "list, empty places": (",,srv, {ED}\n", "srv", 22, Verdict.KNOWN),
    "list with a blank": ("a, srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "IPv4": ("192.0.2.7 {ED}\n", "192.0.2.7", 22, Verdict.KNOWN),
    "IPv6": ("2001:db8::7 {ED}\n", "2001:db8::7", 22, Verdict.KNOWN),
    "IPv6 with a port": ("[2001:db8::7]:2222 {ED}\n", "2001:db8::7", 2222, Verdict.KNOWN),
    "IPv6 in brackets without a port": ("[2001:db8::7] {ED}\n", "2001:db8::7", 22, Verdict.UNKNOWN),
    "hashed": ("{#srv} {ED}\n", "srv", 22, Verdict.KNOWN),
    "hashed, another key": ("{#srv} {OTHER}\n", "srv", 22, Verdict.CHANGED),
    "hashed, another name": ("{#srv2} {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "hashed with a port": ("{#srv 2222} {ED}\n", "srv", 2222, Verdict.KNOWN),
    "hashed, never a list": ("{#srv},srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "hashed, behind a name": ("x,{#srv} {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "hashed, broken salt": ("|1|!!!!|AAAA {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "hashed, short salt": ("|1|AAAA|AAAA {ED}\nsrv {ED}\n", "srv", 22, Verdict.KNOWN),
    "hashed with ten bytes of salt": (
        "|1|AAAAAAAAAAAAAA==|7RX2EReQaiohIOkoPPAkTomGhNo= {ED}\n",
        "srv",
        22,
        Verdict.UNKNOWN,
    ),
    "hashed, other magic": ("|2|AAAA|AAAA {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "port": ("[srv]:2222 {ED}\n", "srv", 2222, Verdict.KNOWN),
    "port, another key": ("[srv]:2222 {OTHER}\n", "srv", 2222, Verdict.CHANGED),
    "another port": ("[srv]:2223 {ED}\n", "srv", 2222, Verdict.UNKNOWN),
    "port 22 in brackets": ("[srv]:22 {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "bare name, same key": ("srv {ED}\n", "srv", 2222, Verdict.KNOWN),
    "bare name, hashed": ("{#srv} {ED}\n", "srv", 2222, Verdict.KNOWN),
    "bare name, another key": ("srv {OTHER}\n", "srv", 2222, Verdict.UNKNOWN),
    "bare name, but changed": ("srv {ED}\n[srv]:2222 {OTHER}\n", "srv", 2222, Verdict.CHANGED),
    "bare name, revoked": ("srv {ED}\n@revoked srv {ED}\n", "srv", 2222, Verdict.REVOKED),
    "name with a port, bare typed": ("[srv]:2222 {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "star": ("* {ED}\n", "srv", 22, Verdict.KNOWN),
    "star, another key": ("* {OTHER}\n", "srv", 22, Verdict.CHANGED),
    "star, any port": ("* {ED}\n", "srv", 2222, Verdict.KNOWN),
    "star, ports": ("[srv]:* {ED}\n", "srv", 2222, Verdict.KNOWN),
    "star in the middle": ("s*v.*.org {ED}\n", "srv.example.org", 22, Verdict.KNOWN),
    "star for nothing": ("srv* {ED}\n", "srv", 22, Verdict.KNOWN),
    "question mark": ("sr? {ED}\n", "srv", 22, Verdict.KNOWN),
    "question mark for nothing": ("srv? {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "a class is no pattern": ("sr[uv] {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "star at a dot's place": ("srv.example.org {ED}\n", "srvxexample.org", 22, Verdict.UNKNOWN),
    "not": ("!srv,* {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "not, behind": ("*,!srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "not, another": ("*,!srv2 {ED}\n", "srv", 22, Verdict.KNOWN),
    "not, alone": ("!srv2 {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "not, then another line": ("!srv,* {OTHER}\nsrv {ED}\n", "srv", 22, Verdict.KNOWN),
    "two keys": ("srv {OTHER}\nsrv {ED}\n", "srv", 22, Verdict.KNOWN),
    "two keys, the other way round": ("srv {ED}\nsrv {OTHER}\n", "srv", 22, Verdict.KNOWN),
    "two wrong keys": ("srv {OTHER}\nsrv {OTHER_EC}\n", "srv", 22, Verdict.CHANGED),
    "ECDSA alone": ("srv {EC}\n", "srv", 22, Verdict.KNOWN),
    "RSA alone": ("srv {RSA}\n", "srv", 22, Verdict.KNOWN),
    "RSA, called rsa-sha2-512": ("srv rsa-sha2-512 {RSA_BLOB}\n", "srv", 22, Verdict.KNOWN),
    "RSA and a wrong Ed25519": ("srv {RSA}\nsrv {OTHER}\n", "srv", 22, Verdict.CHANGED),
    "only a type that the server has not": ("srv {EC384}\n", "srv", 22, Verdict.CHANGED),
    "a type that ssh does not know": ("srv ssh-new {ED_BLOB}\n", "srv", 22, Verdict.UNKNOWN),
    "revoked": ("@revoked srv {ED}\n", "srv", 22, Verdict.REVOKED),
    "revoked everywhere": ("srv {ED}\n@revoked * {ED}\n", "srv", 22, Verdict.REVOKED),
    "revoked and another known": ("srv {OTHER}\n@revoked srv {ED}\n", "srv", 22, Verdict.REVOKED),
    "another revoked": ("srv {ED}\n@revoked srv {OTHER}\n", "srv", 22, Verdict.KNOWN),
    "only another revoked": ("@revoked srv {OTHER}\n", "srv", 22, Verdict.UNKNOWN),
    "revoked elsewhere": ("srv {ED}\n@revoked srv2 {ED}\n", "srv", 22, Verdict.KNOWN),
    "revoked, hashed": ("srv {ED}\n@revoked {#srv} {ED}\n", "srv", 22, Verdict.REVOKED),
    "revoked, of a comment's name": ("@revoked #,srv {ED}\n", "srv", 22, Verdict.REVOKED),
    "authority": ("@cert-authority srv {ED}\n", "srv", 22, Verdict.ONLY_AUTHORITY),
    "authority of all": ("@cert-authority * {OTHER}\n", "srv", 2222, Verdict.ONLY_AUTHORITY),
    "authority of the bare name": ("@cert-authority srv {OTHER}\n", "srv", 2222, Verdict.ONLY_AUTHORITY),
    "authority and the key": ("@cert-authority * {OTHER}\nsrv {ED}\n", "srv", 22, Verdict.KNOWN),
    "authority and another key": ("@cert-authority * {ED}\nsrv {OTHER}\n", "srv", 22, Verdict.CHANGED),
    "another marker, a list": ("@other,srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "another marker": ("@trusted srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "two markers": ("@revoked @revoked srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "marker in capitals": ("@REVOKED srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "tabs and blanks": ("  \tsrv\t \t{ED}\tcomment\n", "srv", 22, Verdict.KNOWN),
    "CR LF": ("srv {ED}\r\n", "srv", 22, Verdict.KNOWN),
    "a comment": ("# srv {ED}\n#srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "a comment that looks like a list": ("#,srv {ED}\n", "srv", 22, Verdict.UNKNOWN),
    "no key": ("srv\nsrv ssh-ed25519\nsrv ssh-ed25519 \n", "srv", 22, Verdict.UNKNOWN),
    "a comment for a key": ("srv #{ED}\n", "srv", 22, Verdict.UNKNOWN),
    "broken base64": ("srv ssh-ed25519 AAAA*\nsrv ssh-ed25519 AAA\n", "srv", 22, Verdict.UNKNOWN),
    "bits to spare in the base64": ("srv {SPARE_BITS}\n", "srv", 22, Verdict.UNKNOWN),
    "half a key": ("srv ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\n", "srv", 22, Verdict.UNKNOWN),
    "a key and more": ("srv ssh-ed25519 {ED_AND_MORE}\n", "srv", 22, Verdict.UNKNOWN),
    "another type's name": ("srv ssh-rsa {ED_BLOB}\n", "srv", 22, Verdict.UNKNOWN),
    "broken, then good": ("srv ssh-ed25519 AAAA\n\xff\xfe \x00\nsrv {ED}\n", "srv", 22, Verdict.KNOWN),
    "NUL before the key": ("srv \x00{ED}\n", "srv", 22, Verdict.UNKNOWN),
    "NUL behind the key": ("srv {ED}\x00junk\n", "srv", 22, Verdict.KNOWN),
    "bytes that are no text": ("\xe4\xf6,srv {ED} \xfc\n", "srv", 22, Verdict.KNOWN),
}


@pytest.mark.parametrize("case", _CASES)
def test_verdict_is_that_of_ssh(stage: Stage, case: str) -> None:
    """We read from known_hosts what ssh reads from it, and ask for the same key."""
    text, host, port, expected = _CASES[case]
    ed = base64.b64decode(stage.keys["ED"].split()[1])
    for name, value in {
        "SPARE_BITS": re.sub(r"(.)=$", lambda last: f"{chr(ord(last[1]) + 1)}=", stage.keys["EC"]),
        "ED_AND_MORE": base64.b64encode(ed + bytes(4)).decode(),
    }.items():
        text = text.replace("{" + name + "}", value)
    file = stage.write("known_hosts", text)
    verdict, key = _ssh(stage, host, port, f"UserKnownHostsFile={file}", "GlobalKnownHostsFile=none")
    # To ssh, who understands host certificates, a server without one is unknown to the authority.
    assert verdict is {Verdict.ONLY_AUTHORITY: Verdict.UNKNOWN}.get(expected, expected)
    _agrees(stage, KnownHosts.read([file], []), (host, port), expected, key)


_NAMES = (
    *("srv", "SRV", "srv.example", "*", "s?v", "s*", "*.example", "?", "[srv]:2222", "[srv]:*", "[*]:2222"),
    *("!srv", "!s*", "![srv]:2222", "!*.example", "10.0.0.1", "", "{#srv}", "{#srv 2222}", "{#srv.example}"),
    *("srv.", "*.", "2001:db8::7", "2001:DB8::7", "2001:db8::*", "[2001:db8::7]:2222", "{#2001:db8::7 2222}"),
    *(
        "[srv]",
        "[srv]:22",
        "srv:2222",
        "[SRV]:2222",
        "*:*",
        "[*",
        "!",
        "*,!{#srv}",
        "srv\x0b",
        "\xe9",
        "a" * 300,
    ),
)
# No tab after a marker: ssh then overlooks the marker, and so a revoked key.
_MARKERS = (
    *[""] * 8,
    *("@revoked ", "@cert-authority ", "@revoked  ", "@revoked", " ", "# ", "@unknown "),
    *("\t", "@Revoked ", "@revoked @cert-authority ", "@revoked # ", "\x00"),
)
_BLOBS = (
    *(
        "{ED}",
        "{EC}",
        "{RSA}",
        "{OTHER}",
        "{OTHER_EC}",
        "{EC384}",
        "{ED} me",
        "{ED}\t# c",
        "{ED}=",
        "{ED}==",
        "",
    ),
    *("ssh-rsa AAAA", "ssh-rsa {ED_BLOB}", "rsa-sha2-256 {RSA_BLOB}", "SSH-ED25519 {ED_BLOB}", "{ED}{ED}"),
    *(
        "ssh-ed25519 #{ED_BLOB}",
        "1024 35 123456789",
        "{EC} \x00",
        "ssh-ed25519-cert-v01@openssh.com {ED_BLOB}",
    ),
)
_SERVERS = (
    *(("srv", 22), ("srv", 2222), ("srv.example", 22), ("Srv", 22), ("srv.", 22), ("SRV.Example", 2222)),
    *(("2001:db8::7", 22), ("2001:DB8::7", 2222), ("10.0.0.1", 22)),
)


def _generated(chance: random.Random) -> str:
    """A file made up of everything that a known_hosts file can hold."""
    lines = []
    for _ in range(chance.randint(1, 5)):
        names = ",".join(chance.choices(_NAMES, k=chance.choice((1, 1, 1, 2, 3))))
        blank = chance.choice((" ", " ", "  ", "\t"))
        end = chance.choice(("\n", "\n", "\n", "\r\n"))
        lines.append(f"{chance.choice(_MARKERS)}{names}{blank}{chance.choice(_BLOBS)}{end}")
    return "".join(lines)


@pytest.mark.parametrize("number", range(100))
def test_generated_files_mean_what_they_mean_to_ssh(stage: Stage, number: int) -> None:
    """So does any mixture of names, patterns, markers, keys and broken lines; the number is its seed."""
    chance = random.Random(number)
    (host, port), alias = chance.choice(_SERVERS), chance.choice(("", "", "", "srv", "SRV.Example"))
    mine = stage.write("mine", _generated(chance))
    ours = stage.write("ours", _generated(chance) if chance.random() < 0.5 else "")
    options = [f"UserKnownHostsFile={mine}", f"GlobalKnownHostsFile={ours}"]
    verdict, key = _ssh(stage, host, port, *options, *([f"HostKeyAlias={alias}"] if alias else []))
    known, looked_up = KnownHosts.read([mine], [ours]), (alias, 22) if alias else (host, port)
    finding = known.find(*looked_up, _blobs(stage)[key[1]])
    if finding.verdict is Verdict.ONLY_AUTHORITY:
        # To ssh, who understands host certificates, a server without one is unknown to the authority.
        assert verdict is Verdict.UNKNOWN
    else:
        _agrees(stage, known, looked_up, verdict, key)


@pytest.mark.parametrize(
    ("user", "everybody", "expected"),
    [
        ("", "srv {ED}\n", Verdict.KNOWN),
        ("srv {OTHER}\n", "srv {ED}\n", Verdict.KNOWN),
        ("srv {ED}\n", "srv {OTHER}\n", Verdict.KNOWN),
        ("srv {ED}\n", "@revoked * {ED}\n", Verdict.REVOKED),
        ("", "srv {OTHER}\n", Verdict.CHANGED),
        ("", "", Verdict.UNKNOWN),
    ],
)
def test_all_files_count(stage: Stage, user: str, everybody: str, expected: Verdict) -> None:
    """The person's files and the machine's count alike; a missing file or a directory counts as empty."""
    mine, ours = stage.write("mine", user), stage.write("ours", everybody)
    missing, directory = stage.directory / "missing", stage.directory
    verdict, key = _ssh(
        stage,
        "srv",
        22,
        f"UserKnownHostsFile={missing} {mine}",
        f"GlobalKnownHostsFile={directory} {ours}",
    )
    assert verdict is expected
    _agrees(stage, KnownHosts.read([missing, mine], [directory, ours]), ("srv", 22), expected, key)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod {ED}\n", Verdict.KNOWN),
        ("[prod]:2222 {ED}\n", Verdict.UNKNOWN),
        ("srv {ED}\n", Verdict.UNKNOWN),
        ("prod {OTHER}\nsrv {ED}\n", Verdict.CHANGED),
    ],
)
@pytest.mark.parametrize("alias", ["prod", "PROD"])
def test_alias_stands_bare(stage: Stage, text: str, expected: Verdict, alias: str) -> None:
    """HostKeyAlias is looked up instead of the name, without the port, in lower case."""
    file = stage.write("known_hosts", text)
    verdict, key = _ssh(
        stage, "srv", 2222, f"UserKnownHostsFile={file}", "GlobalKnownHostsFile=none", f"HostKeyAlias={alias}"
    )
    assert verdict is expected
    _agrees(stage, KnownHosts.read([file], []), (alias, 22), expected, key)


@pytest.mark.parametrize("hashed", [False, True])
@pytest.mark.parametrize("host", ["127.0.0.1", "LOCALHOST"])
def test_ssh_knows_what_was_added(stage: Stage, tmp_path: Path, host: str, hashed: bool) -> None:
    """A server that was added here is known to ssh, which dials it by itself this time."""
    file, port = tmp_path / "new" / "known_hosts", stage.server.port
    key_type, text = stage.keys["EC"].split()
    append(file, host, port, key_type, base64.b64decode(text), hashed=hashed)
    options = (f"UserKnownHostsFile={file}", "GlobalKnownHostsFile=none")
    verdict, key = stage.ssh(host, port, *options)
    assert (verdict, key[0]) == (Verdict.KNOWN, key_type)


@pytest.mark.parametrize("alias", ["", "Prod-Key"])
@pytest.mark.parametrize(
    ("host", "port"),
    [("srv", 22), ("SRV.Example", 2222), ("srv.example.", 22), ("192.0.2.7", 22), ("192.0.2.7", 2222),
     ("2001:DB8::7", 22), ("2001:db8::7", 2222)],
)  # fmt: skip
def test_the_line_that_is_added_is_ssh_s(stage: Stage, host: str, port: int, alias: str) -> None:
    """We append what ssh would, byte for byte; an unfinished last line is ended first."""
    before = "# mine\nsrv2 {ED} me\r\n"
    file = stage.write("added", before)
    options = (f"HostKeyAlias={alias}",) if alias else ()
    given = ("StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={file}", "GlobalKnownHostsFile=none")
    verdict, (key_type, shown) = _ssh(stage, host, port, *options, *given)
    assert verdict is Verdict.KNOWN
    by_ssh = file.read_bytes()
    for text in (before, before.rstrip("\n")):
        file = stage.write("added", text)
        looked_up = (alias, 22) if alias else (host, port)
        append(file, *looked_up, key_type, _blobs(stage)[shown], hashed=False)
        assert file.read_bytes() == by_ssh


@pytest.mark.parametrize(
    ("options", "text", "accepted"),
    [
        ("NoHostAuthenticationForLocalhost=yes", "", True),
        ("NoHostAuthenticationForLocalhost=yes", "@revoked * {ED}\n* {OTHER}\n", True),
        ("NoHostAuthenticationForLocalhost=yes RevokedHostKeys={revoked}", "", False),
        ("NoHostAuthenticationForLocalhost=yes RevokedHostKeys=/does/not/exist", "* {ED}\n", False),
        ("NoHostAuthenticationForLocalhost=yes HostKeyAlias=other", "", False),
        ("NoHostAuthenticationForLocalhost=yes HostKeyAlias=other", "other {ED}\n", True),
        ("NoHostAuthenticationForLocalhost=no", "", False),
        ("RevokedHostKeys={revoked}", "* {ED}\n", False),
        ("RevokedHostKeys={others}", "* {ED}\n", True),
        ("RevokedHostKeys={binary}", "* {ED}\n", False),
        ("UserKnownHostsFile=none StrictHostKeyChecking=no", "", False),
        ("UserKnownHostsFile=none StrictHostKeyChecking=accept-new", "", False),
        ("StrictHostKeyChecking=accept-new", "", True),
        ("StrictHostKeyChecking=no", "", True),
        ("StrictHostKeyChecking=ask", "", False),
        ("StrictHostKeyChecking=accept-new", "* {OTHER}\n", False),
        ("HostKeyAlgorithms=ssh-rsa,rsa-sha2-512 RequiredRSASize=4096", "* {RSA}\n", False),
        ("HostKeyAlgorithms=ssh-rsa,rsa-sha2-512 RequiredRSASize=2048", "* {RSA}\n", True),
    ],
)
def test_options_decide_as_they_do_for_ssh(
    stage: Stage, tmp_path: Path, options: str, text: str, accepted: bool
) -> None:
    """Under each host key option, we let the same servers through to authentication as ssh does."""
    for name, key in (("revoked", "ED"), ("others", "OTHER")):
        (tmp_path / name).write_text(stage.keys[key])
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", tmp_path / "binary", tmp_path / "revoked"], check=True)
    names = {name: str(tmp_path / name) for name in ("revoked", "others", "binary")}
    file = stage.write("known_hosts", text)
    given = (
        *options.format(**names).split(),
        *(
            f"UserKnownHostsFile={file}",
            "GlobalKnownHostsFile=none",
            "PubkeyAuthentication=no",
            "BatchMode=yes",
        ),
    )
    words = [word for option in given for word in ("-o", option)]
    port = str(stage.server.port)
    done = subprocess.run(
        ["ssh", "-F", "none", "-T", *words, "-p", port, "127.0.0.1", "true"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip
    assert ("Permission denied" in done.stderr) is accepted, done.stderr
    file = stage.write("known_hosts", text)  # ssh may have added to it
    hops = resolve(parse_target(f"127.0.0.1:{port}"), Options("none", given))
    with pytest.raises(AuthenticationFailure if accepted else HostKeyFailure):
        to(*hops, ask=lambda *_: None)


def _ssh(stage: Stage, host: str, port: int, *options: str) -> tuple[Verdict, tuple[str, str]]:
    connect = stage.directory / "connect.py"
    connect.write_text(_CONNECT)
    proxy = f"{sys.executable} -I -S {connect} {stage.server.port}"
    return stage.ssh(host, port, *options, f"ProxyCommand={proxy}", "ProxyUseFdpass=yes")


def _blobs(stage: Stage) -> dict[str, bytes]:
    """The server's keys by their fingerprints."""
    blobs = (base64.b64decode(stage.keys[name].split()[1]) for name in ("ED", "EC", "RSA"))
    return {fingerprint(blob): blob for blob in blobs}


def _agrees(
    stage: Stage, known: KnownHosts, server: tuple[str, int], expected: Verdict, key: tuple[str, str]
) -> None:
    key_type, shown = key
    assert known.find(*server, _blobs(stage)[shown]).verdict is expected
    # If the server has a key of a known type, ssh asked for that type, and so must we.
    types = set(known.known_types(*server)) & {stage.keys[name].split()[0] for name in ("ED", "EC", "RSA")}
    assert not types or key_type in types
