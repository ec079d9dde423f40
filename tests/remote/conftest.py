"""The servers of the tests of the SSH connection: a command is tried on one that breaks the rules too."""

from tests.ssh.conftest import known

__all__ = ["known"]
