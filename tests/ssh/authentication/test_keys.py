"""Private key files that can be tested without a server."""

from __future__ import annotations

from pathlib import Path

import pytest

from hermes_tunnel.ssh.authentication.keys import KeyFile, PassphraseNeeded, UnusableKey, WrongPassphrase
from hermes_tunnel.ssh.public_key import parse_public_line
from tests.ssh.sshd import keygen, public, security_key_file


@pytest.mark.slow
def test_a_key_encrypted_with_gcm_can_be_read(tmp_path: Path) -> None:
    """We read aes256-gcm, which paramiko itself cannot, and recognise a wrong passphrase."""
    key = keygen(tmp_path / "key", "-Z", "aes256-gcm@openssh.com", passphrase="correct horse")
    file = KeyFile(str(key))
    with pytest.raises(PassphraseNeeded):
        file.unlock()
    with pytest.raises(WrongPassphrase):
        file.unlock(b"wrong")
    assert file.unlock(b"correct horse") == file.public_blob() == parse_public_line(public(key).encode())


@pytest.mark.slow
def test_a_cipher_that_cannot_be_read_is_one_for_the_agent(tmp_path: Path) -> None:
    """The failure says that a key encrypted with ChaCha20-Poly1305 cannot be read here, but can be by ssh."""
    key = keygen(tmp_path / "key", "-Z", "chacha20-poly1305@openssh.com", passphrase="correct horse")
    with pytest.raises(UnusableKey, match="of a kind or a cipher") as problem:
        KeyFile(str(key)).unlock(b"correct horse")
    assert problem.value.only_here


def test_a_key_on_a_security_key_is_one_for_the_agent(tmp_path: Path) -> None:
    """An sk- key file holds no key, only a handle, so only an agent can use it."""
    path = security_key_file(tmp_path / "id_ed25519_sk")
    file = KeyFile(str(path))
    assert file.public_blob() == parse_public_line(public(path).encode())
    with pytest.raises(UnusableKey, match="on a security key") as problem:
        file.unlock()
    assert problem.value.only_here


@pytest.mark.parametrize(
    "data",
    [b"", b"junk", b"ssh-ed25519 !!!", b"ssh-ed25519 AAAA x", b"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA== x",
     b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----",
     b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA/////w==\n-----END OPENSSH PRIVATE KEY-----"],
)  # fmt: skip
def test_what_is_not_a_key_has_no_public_half(tmp_path: Path, data: bytes) -> None:
    """Empty, junk and truncated files have no public half, and raise nothing."""
    (tmp_path / "file").write_bytes(data)
    assert KeyFile(str(tmp_path / "file")).public_blob() is None
