"""Python's tracebacks among a command's lines: their last line has the fact, the others are for ``-v``."""

from __future__ import annotations

_BEGINNING = "Traceback (most recent call last):"


class Folding:
    """Leaves out the lines of a traceback but its last, which is the first that is not indented."""

    def __init__(self) -> None:
        self._left_out = 0

    def take(self, line: str) -> str | None:
        """What to show once a line has come; None for nothing."""
        if not self._left_out and line.strip() != _BEGINNING:
            return line
        if not self._left_out or not line.strip() or line[0].isspace():
            self._left_out += 1
            return None
        return self._told(line)

    def end(self) -> str | None:
        """What to show at the end of a traceback that was cut off; None if there is none."""
        return self._told("Traceback") if self._left_out else None

    def _told(self, line: str) -> str:
        left_out, self._left_out = self._left_out, 0
        return f"{line} ({left_out} more line{'s' * (left_out > 1)}: -v)"
