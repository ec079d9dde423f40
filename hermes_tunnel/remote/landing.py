"""Where the credential landed: looked up on the remote machine after the login, never read.

The file's owner and mode are what people stumble over (a credential under the wrong account, a file that
the gateway's account cannot read), so they are said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from hermes_tunnel.remote.call import begin_marker
from hermes_tunnel.remote.command import output_of
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.text import plain

_LANDED = re.compile(r"landed:([^:]+):([0-7]{3,5}):([0-9]{1,12}):([0-9]{1,12}):(.+)")


@dataclass(frozen=True)
class Landing:
    """A credential's file: its path, owner, mode as octal digits, and age in seconds by its own clock."""

    path: str
    owner: str
    mode: str
    age: int

    def __str__(self) -> str:
        return f"{self.path} (owner {self.owner}, mode {self.mode})"


def look(connection: Connection, line: str, nonce: str) -> Landing | None:
    """Run the ``landing_line`` in a session of its own; None where nothing was to be learned."""
    answer = output_of(connection, line)
    return None if answer is None else read_landing(answer, nonce)


def read_landing(answer: str, nonce: str) -> Landing | None:
    """The landing in what the script printed, or None."""
    for line in answer.splitlines():
        if found := _LANDED.fullmatch(plain(line.partition(begin_marker(nonce))[2])):
            owner, mode, changed, now, path = found.groups()
            return Landing(path, owner, mode, int(now) - int(changed))
    return None
