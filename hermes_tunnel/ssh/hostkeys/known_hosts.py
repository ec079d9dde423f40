"""known_hosts: the keys that servers are known by, read and written as in OpenSSH (sshd(8)).

As in ssh, lines that make no sense are skipped. Only one line is ever written, at the end. Keys are
compared as the blobs of RFC 4253 section 6.6.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from hermes_tunnel.ssh.config.patterns import in_list
from hermes_tunnel.ssh.public_key import describe, whole_type

_LINE = re.compile(
    rb"[ \t]*(?:(@revoked|@cert-authority)[ \t]+|(?!#))(?!@)([^ \t]+)[ \t]+([^ \t]+)[ \t]+([^ \t]+)"
)
# RFC 8332's signature algorithms, which may stand for the type of an RSA key.
_RSA_SHA2 = (b"rsa-sha2-256", b"rsa-sha2-512")
SSH_PORT = 22
_SALT_BYTES = 20  # as many as HMAC-SHA1 has
# Names that ssh would not write down: a line with one of them could mean other hosts too.
_NOT_A_NAME = re.compile(r"[@?*#\[\]|'\"\\!,\s\x00-\x1f\x7f]|^$")


class Verdict(Enum):
    """What known_hosts says of a host key; ``ONLY_AUTHORITY``: only a @cert-authority matches."""

    KNOWN = auto()
    UNKNOWN = auto()
    CHANGED = auto()
    REVOKED = auto()
    ONLY_AUTHORITY = auto()


@dataclass(frozen=True)
class Line:
    """A line of known_hosts about the host.

    :param place: ``file:line``
    :param marker: ``@revoked``, ``@cert-authority`` or empty
    """

    place: str
    marker: str
    key_type: str
    blob: bytes

    def __str__(self) -> str:
        """The key and its place."""
        return f"{describe(self.key_type, self.blob)} in {self.place}"


@dataclass(frozen=True)
class Finding:
    """A verdict and the lines it rests on: those with the key, or those that contradict it."""

    verdict: Verdict
    lines: tuple[Line, ...] = ()


class KnownHosts:
    """The lines of some known_hosts files.

    :param lines: pairs of a place and a line
    """

    def __init__(self, lines: Iterable[tuple[str, bytes]]) -> None:
        self._lines = [
            (place, match) for place, line in lines if (match := _LINE.match(line.partition(b"\0")[0]))
        ]

    @classmethod
    def read(cls, user_files: Iterable[str | Path], global_files: Iterable[str | Path]) -> KnownHosts:
        """What UserKnownHostsFile and GlobalKnownHostsFile hold; a file that cannot be read holds nothing."""
        return cls(
            (f"{path}:{number}", line)
            for path in (*user_files, *global_files)
            for number, line in enumerate(_content(Path(path)).split(b"\n"), 1)
        )

    def find(self, host: str, port: int, blob: bytes) -> Finding:
        """What is known of a server's key.

        As in ssh, a key known for the bare name is good for another port too, but a different key for the
        bare name says nothing about that port.

        :param host: the name or address that ssh looks up: HostName, or HostKeyAlias with port 22
        :param blob: the key that the server proved to have
        """
        finding = self._judge(known_name(host, port), blob)
        if port != SSH_PORT and finding.verdict in (Verdict.UNKNOWN, Verdict.ONLY_AUTHORITY):
            bare = self._judge(known_name(host, SSH_PORT), blob)
            if bare.verdict not in (Verdict.UNKNOWN, Verdict.CHANGED):
                return bare
        return finding

    def known_types(self, host: str, port: int) -> list[str]:
        """The types of the keys that a host is known by; its server is asked for these first.

        As in ssh, the bare name does not count for another port here, nor does a type whose first key is
        revoked.
        """
        lines = list(self._about(known_name(host, port)))
        revoked = {line.blob for line in lines if line.marker == "@revoked"}
        first: dict[str, bytes] = {}
        for line in lines:
            if not line.marker:
                first.setdefault(line.key_type, line.blob)
        return [key_type for key_type, blob in first.items() if blob not in revoked]

    def _judge(self, name: str, blob: bytes) -> Finding:
        lines = tuple(self._about(name))
        same = tuple(line for line in lines if line.blob == blob)
        revoked = tuple(line for line in same if line.marker == "@revoked")
        if revoked:
            return Finding(Verdict.REVOKED, revoked)
        known = tuple(line for line in lines if not line.marker)
        if known:
            equal = tuple(line for line in same if not line.marker)
            return Finding(Verdict.KNOWN, equal) if equal else Finding(Verdict.CHANGED, known)
        authorities = tuple(line for line in lines if line.marker == "@cert-authority")
        return Finding(Verdict.ONLY_AUTHORITY, authorities) if authorities else Finding(Verdict.UNKNOWN)

    def _about(self, name: str) -> Iterator[Line]:
        wanted = _encoded(name)
        for place, match in self._lines:
            marker, hosts, label, text = match.groups(b"")
            if not _is_about(hosts, wanted):
                continue
            blob = _decoded(text.translate(None, b"\r\v\f"))
            key_type = whole_type(blob)
            label = b"ssh-rsa" if label in _RSA_SHA2 else label
            if key_type and label == key_type.encode():
                yield Line(place, marker.decode(), key_type, blob)


def append(path: str | Path, host: str, port: int, key_type: str, blob: bytes, *, hashed: bool) -> None:
    """Add one line to a known_hosts file; everything there stays as it is, byte for byte.

    A missing file is created, for the person alone; a symbolic link is followed.

    :param hashed: hash the name, as for HashKnownHosts
    :raises OSError: it cannot be written
    :raises ValueError: the name has characters with another meaning there
    """
    if _NOT_A_NAME.search(host):
        raise ValueError("the name has characters that known_hosts cannot hold")
    path = Path(path)
    name = _encoded(known_name(host, port))
    hosts = _hashed(name, os.urandom(_SALT_BYTES)) if hashed else name
    line = b" ".join((hosts, key_type.encode(), base64.b64encode(blob)))
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "ab+", buffering=0, opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            line = line if file.read() == b"\n" else b"\n" + line
        # In one call, so that a line that another program appends at the same time stays whole.
        file.write(line + b"\n")


def known_name(host: str, port: int) -> str:
    """What known_hosts calls a server: ``host``, or ``[host]:port``."""
    return host if port == SSH_PORT else f"[{host}]:{port}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _encoded(name: str) -> bytes:
    # Only ASCII letters have two cases here.
    return name.encode("utf-8", "surrogatepass").lower()


def _is_about(hosts: bytes, name: bytes) -> bool:
    if hosts.startswith(b"|"):
        salt = _decoded(hosts[3:].partition(b"|")[0])
        return len(salt) == _SALT_BYTES and _hashed(name, salt) == hosts
    return in_list(hosts.lower().split(b","), name)


def _hashed(name: bytes, salt: bytes) -> bytes:
    digest = hmac.digest(salt, name, "sha1")
    return b"|1|" + base64.b64encode(salt) + b"|" + base64.b64encode(digest)


def _decoded(text: bytes) -> bytes:
    """What base64 stands for; empty if it is not in canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return data if base64.b64encode(data) == text else b""
