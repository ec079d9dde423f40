"""The servers and keys of the SSH connection's tests: relays also run over OpenSSH's sshd."""

from tests.ssh.conftest import key, known, sshd

__all__ = ["key", "known", "sshd"]
