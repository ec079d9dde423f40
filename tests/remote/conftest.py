"""The servers of the tests of the SSH connection: a command is tried on one that breaks the rules too."""

from tests.ssh.conftest import key, known, nothing_left, sshd

__all__ = ["key", "known", "nothing_left", "sshd"]
