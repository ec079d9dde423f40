"""Private key files, read with ``cryptography``: OpenSSH's own format, PEM and PKCS#8."""

from __future__ import annotations

import base64
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from hermes_tunnel.ssh.config.hop import allows
from hermes_tunnel.ssh.public_key import key_type, parse_public_line
from hermes_tunnel.ssh.wire import Reader, mpint, packed

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_BEGIN, _END = (f"-----{word} OPENSSH PRIVATE KEY-----".encode() for word in ("BEGIN", "END"))
_MAGIC = b"openssh-key-v1\0"
_LARGEST = 1 << 16
_RSA_HASHES: dict[str, hashes.HashAlgorithm] = {
    "rsa-sha2-512": hashes.SHA512(),
    "rsa-sha2-256": hashes.SHA256(),
    "ssh-rsa": hashes.SHA1(),  # noqa: S303 - for an old server, if PubkeyAcceptedAlgorithms allows it
}
_CURVE_HASHES: dict[str, hashes.HashAlgorithm] = {
    "secp256r1": hashes.SHA256(),
    "secp384r1": hashes.SHA384(),
    "secp521r1": hashes.SHA512(),
}


class UnusableKey(Exception):
    """A file that cannot serve as a private key.

    :param reason: why, a phrase that follows the file's name
    :param hint: what to type
    :param only_here: whether ssh itself, or an agent, could use it
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
            self._data = read(path)
        except FileNotFoundError:
            # The private half may be in the agent, or on a token behind it.
            self._data = read(path + ".pub")

    def public_blob(self) -> bytes | None:
        """The public half (RFC 4253 section 6.6), if it can be read without a passphrase."""
        own = _openssh_public_blob(self._data) or parse_public_line(self._data)
        if own is not None:
            return own
        try:
            return parse_public_line(read(self.path + ".pub"))
        except OSError:
            return None

    def is_public(self) -> bool:
        """Whether only the public half is here."""
        return parse_public_line(self._data) is not None

    def unlock(self, passphrase: bytes | None = None) -> bytes:
        """Read the private half; gives the public blob.

        :raises PassphraseNeeded: it is encrypted, and no passphrase was given
        :raises WrongPassphrase: the one that was given does not decrypt it
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
            return packed(name.encode(), key.sign(data, padding.PKCS1v15(), _RSA_HASHES[name]))
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(key.sign(data, ec.ECDSA(_CURVE_HASHES[key.curve.name])))
            return packed(name.encode(), packed(mpint(r), mpint(s)))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return packed(name.encode(), key.sign(data))
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
                shlex.join(("chmod", "600", self.path)),
            )


def signature_algorithm(kind: str, allowed: Sequence[str], server_signs: Sequence[str] | None) -> str | None:
    """What a key signs with, chosen as in OpenSSH's ``key_sig_algorithm``; None if nothing will do.

    :param kind: the type of the key or of its certificate; RSA has several algorithms (RFC 8332)
    :param allowed: PubkeyAcceptedAlgorithms
    :param server_signs: the server's ``server-sig-algs`` (RFC 8308 section 3.1); None if it has none
    """
    if not kind.startswith("ssh-rsa"):
        return kind if allows(allowed, kind) else None
    suffix = kind.removeprefix("ssh-rsa")
    # A server that does not say so does not know SHA-2; and SHA-1 signs only on request.
    possible = ["ssh-rsa"] if server_signs is None else [each for each in _RSA_HASHES if each in server_signs]
    own = [each + suffix for each in possible if allows(allowed, each + suffix)]
    if kind in own and kind not in [each.lstrip("+^") for each in allowed]:
        own.remove(kind)
    return min(own, key=lambda each: allowed.index(each) if each in allowed else 0, default=None)


def read(path: str) -> bytes:
    """What a file holds, up to a size too large for a key."""
    with Path(path).open("rb") as file:
        return file.read(_LARGEST)


def _load(path: str, data: bytes, passphrase: bytes | None) -> PrivateKey:
    armour = data.lstrip()
    if armour.startswith(b"PuTTY-User-Key-File"):
        new = shlex.quote(f"{path}.openssh")
        raise UnusableKey(
            "is PuTTY's format", f"puttygen {shlex.quote(path)} -O private-openssh -o {new}, then -i {new}"
        )
    public = _openssh_public_blob(data)
    if public is not None and key_type(public).startswith("sk-"):
        raise UnusableKey("is on a security key that only an agent can use", only_here=True)
    key: object
    try:
        if public is not None:
            key = serialization.load_ssh_private_key(armour, passphrase)
        elif b"-----BEGIN " in armour:  # PEM may have text above (RFC 7468 section 2)
            key = serialization.load_pem_private_key(armour, passphrase)
        else:
            raise UnusableKey("is empty" if not armour else "is not a private key")
    except TypeError:
        # No passphrase for an encrypted key, or one for a key that is not.
        if passphrase is None:
            raise PassphraseNeeded from None
        return _load(path, data, None)
    except UnsupportedAlgorithm as problem:
        raise UnusableKey("is of a kind or a cipher that we cannot read", only_here=True) from problem
    except (ValueError, InvalidTag) as problem:
        if passphrase is not None:
            raise WrongPassphrase from None
        raise UnusableKey("is damaged", shlex.join(("ssh-keygen", "-y", "-f", path))) from problem
    if not isinstance(key, PrivateKey):
        raise UnusableKey("is of a kind no longer used", "ssh-keygen -t ed25519")
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name not in _CURVE_HASHES:
        raise UnusableKey("is on a curve that SSH does not have")
    return key


def _openssh_public_blob(data: bytes) -> bytes | None:
    """The public half that OpenSSH's format carries in the clear (PROTOCOL.key)."""
    armoured, ended, _ = data.partition(_BEGIN)[2].partition(_END)
    if not ended:
        return None
    try:
        binary = base64.b64decode(armoured)
        if not binary.startswith(_MAGIC):
            return None
        reader = Reader(binary[len(_MAGIC) :])
        _cipher, _kdf, _kdf_options = reader.string(), reader.string(), reader.string()
        return reader.string() if reader.number() == 1 else None
    except ValueError:
        return None
