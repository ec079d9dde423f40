"""The account's login shell, which runs its start-up files before any command of ours."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.remote.call import begin_marker
from hermes_tunnel.remote.command import output_of
from hermes_tunnel.remote.line import script, script_line
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.text import plain

_STARTUP_FILES = {
    "bash": "~/.bashrc",
    "csh": "~/.cshrc",
    "fish": "~/.config/fish/config.fish",
    "tcsh": "~/.tcshrc",
    "zsh": "~/.zshenv",
}
_GUARDS = {
    "csh": "if ($?prompt) exec ...",
    "fish": "status is-interactive; and exec ...",
    "tcsh": "if ($?prompt) exec ...",
}


@dataclass(frozen=True)
class Shell:
    """A login shell.

    :param path: as passwd(5) has it
    """

    path: str

    @property
    def startup_file(self) -> str:
        """The account's file that it reads even to run a single command."""
        return _STARTUP_FILES.get(self.path.rpartition("/")[2], "its start-up file")

    @property
    def guard(self) -> str:
        """How a line there lets interactive shells alone become something else."""
        return _GUARDS.get(self.path.rpartition("/")[2], "case $- in *i*) exec ...;; esac")


class NoShell(Enum):
    """Why nothing is known of the shell."""

    REPLACED = "something else ran in place of our command, and ended"
    UNSEEN = "our command could not be run, or nothing ended in time"


def shell_without_terminal(connection: Connection, nonce: str) -> Shell | NoShell:
    """The account's shell, if it runs our command when there is no terminal."""
    output = output_of(connection, script_line(script("shell.sh"), (nonce,)))
    if output is None:
        return NoShell.UNSEEN
    marker = f"{begin_marker(nonce)}shell:"
    for line in output.splitlines():
        _, found, path = line.partition(marker)
        if found:
            return Shell(plain(path))
    return NoShell.REPLACED
