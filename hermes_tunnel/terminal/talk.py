"""What the command says: which of its lines are shown, and when."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable

from hermes_tunnel.terminal.traceback import Folding

_LAST_LINES = 8
# ssh -N -L [bind_address:]port:host:hostport, as ssh(1) has it.
_SSH = re.compile(r"\bssh\s")
_LOCAL_FORWARD = re.compile(r"(?<=\s)-[A-Za-z0-9]{0,8}L\s*(?:[^\s:]{1,64}:)?(\d{1,5}):[^\s:]+:\d")
_FARTHEST = 200  # characters from the one to the other


class Talk:
    """The lines of one run of the command. Each waits for the next one, because an error may quote the last.

    :param tell: is given each line that is due
    :param all_at_once: whether each line is due as soon as it comes (``-v``)
    """

    def __init__(self, tell: Callable[[str], object], *, all_at_once: bool) -> None:
        self._tell = tell
        self._all_at_once = all_at_once
        self._tracebacks = Folding()
        self._last: tuple[str, str] | None = None  # as it is shown, and as it came
        self._told: deque[str] = deque(maxlen=_LAST_LINES)
        self._advised: int | None = None
        self.denied = False
        """Whether the provider said no. What the command makes of that is the same fact again."""

    def hear(self, line: str, *, detail: bool) -> None:
        """A line has come.

        :param detail: whether the person can do without it
        """
        if self._all_at_once or not detail:
            self._advised = _tunnel_advised(line) or self._advised
        if self._all_at_once:
            self._tell(line)
        elif not (detail or self.denied):
            shown = self._tracebacks.take(line)
            if shown is not None and shown.strip():
                self.pause()
                self._last = (shown, line)

    def pause(self) -> None:
        """The command has finished talking for now."""
        last, self._last = self._last, None
        if last is not None:
            self._told.append(last[0])
            self._tell(last[0])

    def asked_for_tunnel(self, port: int | None) -> bool:
        """Whether it told the person to forward this port; said once."""
        asked = self._advised is not None and self._advised == port
        if asked:
            self._advised = None
        return asked

    def end(self, quoted: Callable[[str], bool]) -> list[str]:
        """The run is over.

        :param quoted: whether the error quotes this line, which need not be shown as well
        :return: the last lines, at most eight: they have the reason of a failure, unless that is in the error
        """
        if (cut_off := self._tracebacks.end()) is not None:
            self.pause()
            self._last = (cut_off, cut_off)
        if self._last is not None and quoted(self._last[1]):
            self._last = None
        self.pause()
        told = list(self._told)
        self._told.clear()
        return told


def _tunnel_advised(line: str) -> int | None:
    """The local port in an ssh command for a local forward, if the line has one."""
    for found in _LOCAL_FORWARD.finditer(line):
        if _SSH.search(line, max(0, found.start() - _FARTHEST), found.start()):
            return int(found[1])
    return None
