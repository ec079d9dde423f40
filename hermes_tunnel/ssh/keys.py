"""Private key files, read with ``cryptography``: OpenSSH's own format, PEM and PKCS#8, and certificates."""

from __future__ import annotations

import base64
import binascii
import os
import re
import struct
import sys
from datetime import datetime, timezone
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_MAGIC = b"openssh-key-v1\0"
_LARGEST = 1 << 16
_CURVE_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


class UnusableKey(Exception):
    """A file that cannot serve as a private key.

    :param reason: why, a phrase that follows the file's name
    :param hint: what to type
    :param only_here: whether ssh itself could use it
    """

    def __init__(self, reason: str, hint: str = "", *, only_here: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.only_here = only_here


class PassphraseNeeded(Exception):
    """The private key is encrypted."""


class WrongPassphrase(Exception):
    """The passphrase does not decrypt the private key."""


class KeyFile:
    """A file that ssh_config or ``-i`` names as an identity.

    :raises FileNotFoundError: neither the file nor its ``.pub`` exists
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._private: PrivateKey | None = None
        try:
            self._data = _read(path)
        except FileNotFoundError:
            # The private half may be in the agent, or on a token behind it.
            self._data = _read(path + ".pub")

    def public_blob(self) -> bytes | None:
        """The public half (RFC 4253 section 6.6), as far as it can be had without a passphrase."""
        own = _openssh_public_blob(self._data) or parse_public_line(self._data)
        if own is not None:
            return own
        try:
            return parse_public_line(_read(self.path + ".pub"))
        except OSError:
            return None

    def is_public(self) -> bool:
        """Whether there is only the public half."""
        return parse_public_line(self._data) is not None

    def unlock(self, passphrase: bytes | None = None) -> bytes:
        """Read the private half; gives the public blob.

        :raises PassphraseNeeded: it is encrypted, and no passphrase was given
        :raises WrongPassphrase: the one that was given is not the one
        :raises UnusableKey: no passphrase would help
        """
        self._check_permissions()
        self._private = _load(self.path, self._data, passphrase)
        line = self._private.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        return base64.b64decode(line.split()[1])

    def sign(self, data: bytes, algorithm: str) -> bytes:
        """The signature blob of an unlocked key (RFC 4253, RFC 5656, RFC 8332, RFC 8709)."""
        key = self._private
        name = algorithm.removesuffix("-cert-v01@openssh.com")
        if isinstance(key, rsa.RSAPrivateKey):
            digest = hashes.SHA512() if name == "rsa-sha2-512" else hashes.SHA256()
            return _strings(name.encode(), key.sign(data, padding.PKCS1v15(), digest))
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_CURVE_HASHES[key.curve.name])))
            return _strings(name.encode(), _strings(_mpint(r), _mpint(s)))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return _strings(name.encode(), key.sign(data))
        raise PassphraseNeeded

    def _check_permissions(self) -> None:
        if sys.platform == "win32":
            return
        try:
            status = Path(self.path).stat()
        except OSError as problem:
            raise UnusableKey(f"cannot be read: {problem.strerror}") from problem
        if status.st_uid == os.getuid() and status.st_mode & 0o077:
            raise UnusableKey(
                f"is readable by others (mode {status.st_mode & 0o777:04o}), so ssh would not use it either",
                f"chmod 600 {self.path}",
            )


def key_type(blob: bytes) -> str:
    """The type that a public key blob begins with."""
    (length,) = struct.unpack_from(">I", blob)
    return blob[4 : 4 + length].decode("ascii", "replace")


def rsa_bits(blob: bytes) -> int | None:
    """The size of an RSA key (RFC 4253 section 6.6); None for a key of another kind."""
    if key_type(blob) != "ssh-rsa":
        return None
    offset = 0
    for _ in ("ssh-rsa", "e"):
        offset += 4 + int.from_bytes(blob[offset : offset + 4], "big")
    return int.from_bytes(blob[offset + 4 :], "big").bit_length()


def parse_public_line(data: bytes) -> bytes | None:
    """The blob of a public key or certificate line (``ssh-ed25519 AAAA... comment``), if it is one."""
    match = re.match(rb"\s*([a-z0-9@.-]+)[ \t]+([A-Za-z0-9+/]+=*)\s", data + b"\n")
    if not match:
        return None
    try:
        blob = base64.b64decode(match[2], validate=True)
        return blob if key_type(blob) == match[1].decode() else None
    except (binascii.Error, struct.error):
        return None


class Certificate:
    """An OpenSSH user certificate, as ``-cert.pub`` files have it."""

    def __init__(self, path: str) -> None:
        self.path = path
        data = _read(path)
        certificate = serialization.load_ssh_public_identity(data.strip())
        blob = parse_public_line(data)
        if not isinstance(certificate, serialization.SSHCertificate) or blob is None:
            raise ValueError(path)
        self.blob = blob
        line = certificate.public_key().public_bytes(
            serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH
        )
        self.public_blob = base64.b64decode(line.split()[1])
        self._valid_before = certificate.valid_before

    def expired(self, now: datetime) -> str:
        """When it expired, as a date and time; empty where it has not."""
        if self._valid_before > now.timestamp():
            return ""
        return f"{datetime.fromtimestamp(self._valid_before, timezone.utc):%Y-%m-%d %H:%M} UTC"


def _read(path: str) -> bytes:
    with Path(path).open("rb") as file:
        return file.read(_LARGEST)


def _load(path: str, data: bytes, passphrase: bytes | None) -> PrivateKey:
    armour = data.lstrip()
    if armour.startswith(b"PuTTY-User-Key-File"):
        raise UnusableKey("is PuTTY's format", f"puttygen {path} -O private-openssh -o NEW, then -i NEW")
    public = _openssh_public_blob(data)
    if public is not None and key_type(public).startswith("sk-"):
        raise UnusableKey(
            "is on a security key, which only an agent can ask to sign", f"ssh-add {path}", only_here=True
        )
    key: object
    try:
        if public is not None:
            key = serialization.load_ssh_private_key(armour, passphrase)
        elif armour.startswith(b"-----BEGIN "):
            key = serialization.load_pem_private_key(armour, passphrase)
        else:
            raise UnusableKey("is empty" if not armour else "is not a private key")
    except TypeError:
        # No passphrase for an encrypted key, or one for a key that is not.
        if passphrase is None:
            raise PassphraseNeeded from None
        return _load(path, data, None)
    except UnsupportedAlgorithm as problem:
        raise UnusableKey(
            "is of a kind or a cipher that cannot be read here", f"ssh-add {path}", only_here=True
        ) from problem
    except (ValueError, InvalidTag) as problem:
        if passphrase is not None:
            raise WrongPassphrase from None
        raise UnusableKey("is damaged", f"ssh-keygen -y -f {path}") from problem
    if not isinstance(key, PrivateKey):
        raise UnusableKey("is of a kind that is not used any more", "ssh-keygen -t ed25519")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVE_HASHES:
        raise UnusableKey("is on a curve that SSH does not have")
    return key


def _openssh_public_blob(data: bytes) -> bytes | None:
    """The public half that OpenSSH's format carries in the clear (PROTOCOL.key)."""
    match = re.search(
        rb"-----BEGIN OPENSSH PRIVATE KEY-----(.*?)-----END OPENSSH PRIVATE KEY-----", data, re.DOTALL
    )
    if not match:
        return None
    try:
        binary = base64.b64decode(match[1])
        if not binary.startswith(_MAGIC):
            return None
        offset = len(_MAGIC)
        for _ in ("cipher", "kdf", "kdf options"):
            (length,) = struct.unpack_from(">I", binary, offset)
            offset += 4 + length
        count, length = struct.unpack_from(">II", binary, offset)
    except (binascii.Error, struct.error):
        return None
    blob = binary[offset + 8 : offset + 8 + length]
    return blob if count == 1 and len(blob) == length else None


def _strings(*values: bytes) -> bytes:
    return b"".join(struct.pack(">I", len(value)) + value for value in values)


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1, "big")
