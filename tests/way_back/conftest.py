"""The servers and keys of the tests of the SSH connection: a relay is tried over OpenSSH's sshd too."""

from tests.ssh.conftest import key, known, sshd

__all__ = ["key", "known", "sshd"]
