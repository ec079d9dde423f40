"""Key pairs for one run: the servers' host keys, and the person's key."""

from __future__ import annotations

import io

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def new_private_key() -> str:
    """A new Ed25519 key, in the text of a private key file."""
    return (
        Ed25519PrivateKey.generate()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        .decode("ascii")
    )


def read_private_key(text: str) -> paramiko.PKey:
    """The key in the text of a private key file."""
    return paramiko.Ed25519Key(file_obj=io.StringIO(text))
