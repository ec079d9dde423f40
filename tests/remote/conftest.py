"""The servers of the SSH connection's tests: commands also run on one that breaks the rules."""

from tests.ssh.conftest import key, known, nothing_left, sshd

__all__ = ["key", "known", "nothing_left", "sshd"]
