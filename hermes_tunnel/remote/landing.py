"""Where the credential landed: its file is looked at before and after the command, and never read.

The script that runs the command looks, in the same session and as the same account. So nothing has to be
connected to or asked for again, and a change is seen by comparison, not by a clock. The person is told the
file's owner and mode, which people stumble over: a credential under the wrong account, or a file that the
gateway's account cannot read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hermes_tunnel.remote.call import begin_marker
from hermes_tunnel.text import plain

_PRESENT = re.compile(r"landed:([^:]+):([0-7]{3,5}):([0-9]{1,20},[0-9]{1,20},[0-9.]{1,40}):(.+)")
_ABSENT = re.compile(r"landed:absent:(.+)")


@dataclass(frozen=True)
class Landing:
    """The credential's file, which the command wrote: its path, its owner, its mode as octal digits."""

    path: str
    owner: str
    mode: str

    def __str__(self) -> str:
        return f"{self.path} (owner {self.owner}, mode {self.mode})"


@dataclass(frozen=True)
class Unchanged:
    """The command left the credential's file as it was; ``there`` is false if there is none."""

    path: str
    there: bool


@dataclass(frozen=True)
class NotSeen:
    """Why the file could not be looked at."""

    reason: str


def landed(
    looks: Sequence[str], again: Callable[[], str | None], nonce: str
) -> Landing | Unchanged | NotSeen:
    """What became of the credential's file.

    :param looks: what the script reported before and after the command
    :param again: runs the ``landing_line``, for a command that ended together with its script; returns what
        it printed, or None if it could not run
    """
    if not looks:
        return NotSeen("we do not know where it keeps its credential")
    if len(looks) > 1:
        return _compared(looks[0], looks[-1])
    printed = again()
    lines = (printed or "").splitlines()
    found = [after for _, marker, after in (line.partition(begin_marker(nonce)) for line in lines) if marker]
    if not found:
        said = next((text for text in map(plain, reversed(lines)) if text.strip()), "")
        return NotSeen(said or "no second command could be run there")
    return _compared(looks[0], found[-1])


def _compared(before: str, after: str) -> Landing | Unchanged | NotSeen:
    before, after = plain(before), plain(after)
    if absent := _ABSENT.fullmatch(after):
        return Unchanged(absent[1], there=False)
    now = _PRESENT.fullmatch(after)
    if now is None:
        return NotSeen("its credential's file cannot be looked at there")
    then = _PRESENT.fullmatch(before)
    if then is None and not _ABSENT.fullmatch(before):
        return NotSeen("its credential's file could not be looked at there before the command ran")
    owner, mode, state, path = now.groups()
    if then is not None and then[3] == state:
        return Unchanged(path, there=True)
    return Landing(path, owner, mode)
