"""Public keys as SSH has them (RFC 4253 section 6.6): what a blob is, and what people call it."""

from __future__ import annotations

import base64
import hashlib
import re

from hermes_tunnel.ssh.wire import Reader

_LINE = re.compile(rb"\s*([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)\s")
# What ssh calls a key of this type, and the number of strings in its blob.
_KEYS = {
    "ssh-ed25519": ("ED25519", 2),
    "ssh-rsa": ("RSA", 3),
    "ecdsa-sha2-nistp256": ("ECDSA", 3),
    "ecdsa-sha2-nistp384": ("ECDSA", 3),
    "ecdsa-sha2-nistp521": ("ECDSA", 3),
    "sk-ssh-ed25519@openssh.com": ("ED25519-SK", 3),
    "sk-ecdsa-sha2-nistp256@openssh.com": ("ECDSA-SK", 4),
    "ssh-dss": ("DSA", 5),
}


def key_type(blob: bytes) -> str:
    """The type that a public key blob begins with.

    :raises ValueError: it does not even have that
    """
    return Reader(blob).string().decode("ascii", "replace")


def whole_type(blob: bytes) -> str | None:
    """The type of a well-formed key of a known kind, with nothing missing and nothing after it."""
    reader, values = Reader(blob), 0
    try:
        kind = key_type(blob)
        while not reader.at_end:
            reader.string()
            values += 1
    except ValueError:
        return None
    return kind if kind in _KEYS and _KEYS[kind][1] == values else None


def rsa_bits(blob: bytes) -> int | None:
    """The size of an RSA key (RFC 4253 section 6.6); None for anything else."""
    reader = Reader(blob)
    try:
        if reader.string() != b"ssh-rsa":
            return None
        _exponent, modulus = reader.string(), reader.string()
    except ValueError:
        return None
    return int.from_bytes(modulus, "big").bit_length()


def parse_public_line(data: bytes) -> bytes | None:
    """The blob of a public key or certificate line (``ssh-ed25519 AAAA... comment``), if it is one."""
    match = _LINE.match(data + b"\n")
    if not match:
        return None
    try:
        blob = base64.b64decode(match[2], validate=True)
        return blob if key_type(blob) == match[1].decode() else None
    except ValueError:
        return None


def fingerprint(blob: bytes) -> str:
    """``SHA256:`` and the hash of a key, as ssh prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def called(key_type: str) -> str:
    """What ssh calls a key of this type: ``ED25519`` for ``ssh-ed25519``."""
    return _KEYS[key_type][0] if key_type in _KEYS else key_type


def describe(key_type: str, blob: bytes) -> str:
    """A key in words: ``ED25519 SHA256:...``."""
    return f"{called(key_type)} {fingerprint(blob)}"
