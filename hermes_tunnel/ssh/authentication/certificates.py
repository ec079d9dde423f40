"""OpenSSH's user certificates, as found in ``-cert.pub`` files (PROTOCOL.certkeys)."""

from __future__ import annotations

from datetime import datetime, timezone

from hermes_tunnel.ssh.authentication.keys import read
from hermes_tunnel.ssh.public_key import parse_public_line
from hermes_tunnel.ssh.wire import Reader, packed

# How many values a public key has after its type.
_VALUES = {
    "ssh-rsa": 2,
    "ssh-ed25519": 1,
    "ecdsa-sha2-nistp256": 2,
    "ecdsa-sha2-nistp384": 2,
    "ecdsa-sha2-nistp521": 2,
    "sk-ssh-ed25519": 2,
    "sk-ecdsa-sha2-nistp256": 3,
}
_USER = 1


class Certificate:
    """A certificate, with which an authority vouches for a public key.

    Parsed here because ``cryptography`` does not know the certificates of security keys.

    :param blob: as shown to the server
    :raises ValueError: it is not a certificate, is not for a user, or is of an unknown kind
    """

    def __init__(self, blob: bytes) -> None:
        self.blob = blob
        reader = Reader(blob)
        kind, is_certificate, _ = reader.string().decode("ascii").partition("-cert-v01@openssh.com")
        if not is_certificate or kind not in _VALUES:
            raise ValueError("it is not a certificate of a known kind")
        _nonce = reader.string()
        plain_type = f"{kind}@openssh.com" if kind.startswith("sk-") else kind
        values = [reader.string() for _ in range(_VALUES[kind])]
        self.public_blob = packed(plain_type.encode(), *values)
        _serial = reader.number(8)
        if reader.number() != _USER:
            raise ValueError("it is not for a user")
        _identifier, _principals, _valid_after = reader.string(), reader.string(), reader.number(8)
        self._valid_before = reader.number(8)

    def expired(self, now: datetime) -> str:
        """When it expired, as a date and time; empty if it has not."""
        if self._valid_before > now.timestamp():
            return ""
        return f"{datetime.fromtimestamp(self._valid_before, timezone.utc):%Y-%m-%d %H:%M} UTC"


def read_certificate(path: str) -> Certificate:
    """The certificate in a file.

    :raises ValueError: it has no usable one
    :raises OSError: it cannot be read
    """
    return Certificate(parse_public_line(read(path)) or b"")


def certified(blob: bytes) -> bytes:
    """The public key that a certificate is for; of anything else, itself."""
    try:
        return Certificate(blob).public_blob
    except ValueError:
        return blob
