"""The line that says what we are waiting for and how long, rewritten in place as the time passes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TextIO

from hermes_tunnel.terminal.layout import Layout
from hermes_tunnel.terminal.mode import in_foreground
from hermes_tunnel.terminal.words import waiting


class StatusLine:
    """The last line of the screen, if it may be rewritten; it never wraps.

    :param stream: where it stands
    :param write: writes there
    :param moves: whether a line may be rewritten there
    """

    def __init__(
        self, stream: TextIO, layout: Layout, write: Callable[[str], object], *, moves: bool
    ) -> None:
        self._stream = stream
        self._layout = layout
        self._write = write
        self._moves = moves
        self._shown = ""

    @property
    def is_ours(self) -> bool:
        """Whether it may be rewritten now: in the background it is the shell's."""
        return self._moves and in_foreground(self._stream.fileno())

    def show(self, what: str, seconds_left: float | None, beside: Iterable[str]) -> None:
        """Show it, or refresh it.

        :param what: in words that follow "Waiting for"
        :param seconds_left: None if there is no limit
        :param beside: an offer to stand there too, in its forms; the longest first
        """
        minutes, seconds = divmod(max(0, round(seconds_left or 0)), 60)
        left = "" if seconds_left is None else f", {minutes}:{seconds:02d} left"
        room = self._layout.room
        forms = list(waiting(what, left, beside))
        text = next((one for one in forms if len(one) <= room), forms[-1])
        blanks = " " * (min(len(self._shown), room) - len(text))
        self._write("\r" + self._layout.dim(text[:room]) + blanks)
        self._shown = text

    def clear(self) -> None:
        """Take it away, if it stands."""
        if self._shown and self.is_ours:
            self._write("\r" + " " * min(len(self._shown), self._layout.room) + "\r")
        self._shown = ""
