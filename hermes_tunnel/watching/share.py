"""The screen's share of the processor.

Drawing takes far longer than printing. So the screen is drawn in small pieces, with a pause after each, as
fast as a small share of a processor allows. Under a flood it falls behind; then what it has not drawn is
dropped but for the end, and it is drawn anew from there once the flood is over.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hermes_tunnel.oauth.sightings import Sighting, Sightings

if TYPE_CHECKING:
    from hermes_tunnel.watching.screen import Screen

MOST_BEHIND = 256 * 1024  # bytes
_KEPT = 16 * 1024  # bytes of them, the last ones: they fill a screen
_PIECE = 512  # bytes: drawn in less than a millisecond
_SHARE = 0.1  # of a processor
_AHEAD = 0.5  # seconds of its time that may be used at once
_REST = 0.05  # seconds of it that have to be earned again once something was dropped
_BREATH = 0.0002  # seconds between two pieces, so that whoever waits for the interpreter gets it
_CLEARS = (b"\x1b[2J", b"\x1b[H\x1b[J", b"\x1bc", b"\x1b[?1049h")

# A thread's own time, so that a busy machine does not matter.
_used = time.thread_time


class Share:
    """Draws a screen, and reads it. All in one thread.

    :param sightings: read what is on it
    """

    def __init__(self, sightings: Sightings, columns: int, rows: int) -> None:
        self._sightings = sightings
        self._size = columns, rows
        self._screen: Screen | None = None
        self._behind = bytearray()
        self._allowed, self._counted_at = _AHEAD, time.monotonic()

    @property
    def pause(self) -> float | None:
        """How many seconds to wait before the next piece is drawn; None if there is none."""
        if not self._behind:
            return None
        self._count()
        return 0 if self._allowed > 0 else -self._allowed / _SHARE + 0.001

    def receive(self, data: bytes) -> None:
        """The program has printed this."""
        self._behind += data
        if len(self._behind) > MOST_BEHIND:
            self._screen = None
            self._allowed = min(self._allowed, -_REST)
            kept = bytes(self._behind[-_KEPT:])
            cleared = max(map(kept.rfind, _CLEARS))
            self._behind[:] = kept[cleared if cleared >= 0 else kept.find(b"\n") + 1 :]

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size, and the program draws anew, or goes on in lines."""
        self._size = columns, rows
        if self._screen:
            self._screen.resize(columns, rows)

    def draw(self) -> list[Sighting]:
        """What is new on the screen once the next piece has been drawn."""
        if self.pause != 0:
            return []
        begun = _used()
        piece = bytes(self._behind[:_PIECE])
        del self._behind[:_PIECE]
        found = self._on_screen(piece)
        self._allowed -= _used() - begun
        if self._behind:
            time.sleep(_BREATH)
        return found

    def _on_screen(self, piece: bytes) -> list[Sighting]:
        if self._screen is None:
            from hermes_tunnel.watching.screen import Screen  # not everybody who imports us has a screen

            self._screen = Screen(*self._size, self._sightings)
        try:
            return self._screen.receive(piece)
        except Exception:  # the terminal emulator's: what no terminal would stumble over begins a new screen
            self._screen = None
            return []

    def _count(self) -> None:
        now = time.monotonic()
        self._allowed = min(self._allowed + (now - self._counted_at) * _SHARE, _AHEAD)
        self._counted_at = now
