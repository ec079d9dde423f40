"""The account's login shell, which runs its start-up files before any command of ours."""

from __future__ import annotations

from dataclasses import dataclass

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


def shell_without_terminal(connection: Connection, nonce: str) -> Shell | None:
    """The account's shell, if it runs our command when there is no terminal; otherwise None."""
    marker = f"{begin_marker(nonce)}shell:"
    for line in (output_of(connection, script_line(script("shell.sh"), (nonce,))) or "").splitlines():
        _, found, path = line.partition(marker)
        if found:
            return Shell(plain(path))
    return None
