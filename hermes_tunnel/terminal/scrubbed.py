"""What a program prints, as lines for whoever shows them scrubbed: where its bytes have no terminal."""

from __future__ import annotations

import codecs
import select
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

_LONGEST = 4096  # characters of a line; the rest of it is another
_MOST_AHEAD = 64  # lines printed and not yet shown; then the program has to wait
_SECONDS = 1.0


@dataclass(frozen=True)
class Printed:
    """A line of the program's, as it came; ``shown`` has to be called once it has been dealt with."""

    line: str = field(repr=False)
    shown: Callable[[], object]


class Scrubbed:
    """Takes a program's output in place of a ``Display``. One thread writes.

    :param post: told each line, without what a carriage return has it begin again
    :param descriptor: where the lines are shown; -1 if it is closed
    """

    def __init__(self, post: Callable[[Printed], object], descriptor: int) -> None:
        self._post = post
        self._descriptor = descriptor
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._line = ""
        self._ahead = threading.Semaphore(_MOST_AHEAD)

    def write(self, data: bytes) -> None:
        """Take bytes of the program's.

        :raises OSError: nobody reads them any more
        """
        if _has_lost_its_reader(self._descriptor):
            raise BrokenPipeError
        *lines, self._line = (self._line + self._decode(data)).split("\n")
        for line in lines:
            self._give(line)
        while len(self._line) > _LONGEST:
            line, self._line = self._line[:_LONGEST], self._line[_LONGEST:]
            self._give(line)

    def show(self, data: bytes) -> None:
        """What would be shown on a terminal."""

    def pause(self) -> None:
        """The program prints nothing just now: what it has printed of a line may be a question."""
        line, self._line = self._line, ""
        if line.strip():
            self._give(line)

    def _give(self, line: str) -> None:
        self._ahead.acquire(timeout=_SECONDS)
        self._post(Printed(line.rstrip("\r").rpartition("\r")[2], self._ahead.release))


def _has_lost_its_reader(descriptor: int) -> bool:
    """Whether a pipe, or a terminal, has nobody at its other end; on Windows that cannot be asked."""
    if descriptor < 0 or sys.platform == "win32":
        return False
    poll = select.poll()
    poll.register(descriptor, 0)
    return any(seen & select.POLLERR for _, seen in poll.poll(0))
