"""What a screen has not drawn yet.

Drawing takes far longer than printing. Under a flood the screen falls behind; then what it has not drawn is
dropped but for the end, and it is drawn anew from there: from where it was cleared, if it was.
"""

from __future__ import annotations

from collections.abc import Callable

from hermes_tunnel.oauth.sightings import Sighting, Sightings
from hermes_tunnel.watching.share import Share

MOST = 256 * 1024  # bytes
_KEPT = 16 * 1024  # bytes of them, the last ones: they fill a screen
_PIECE = 512  # bytes: drawn in less than a millisecond
_PART = 0.1  # of a processor
_CALM = 0.05  # seconds of the processor's time: as long as it takes to earn them, nothing is drawn in a flood
_CLEARS = (b"\x1b[2J", b"\x1b[H\x1b[J", b"\x1bc", b"\x1b[?1049h")


class Backlog:
    """The bytes that a screen has still to draw; used in one thread.

    :param sightings: read what is on the screen
    """

    def __init__(self, sightings: Sightings, columns: int, rows: int) -> None:
        self._sightings = sightings
        self._size = columns, rows
        self._receive: Callable[[bytes], list[Sighting]] | None = None
        self._bytes = bytearray()
        self._dropped = False
        self._share = Share(_PART)

    @property
    def pause(self) -> float | None:
        """Seconds to wait until some of them may be drawn; None if there are none."""
        return self._share.pause if self._bytes else None

    def add(self, data: bytes) -> None:
        """The program has printed this."""
        self._bytes += data
        if len(self._bytes) > MOST:
            self._drop()
            self._dropped = True
            self._share.give_up(_CALM)

    def _drop(self) -> None:
        kept = bytes(self._bytes[-_KEPT:])
        cleared = max(map(kept.rfind, _CLEARS))
        self._bytes[:] = kept[cleared if cleared >= 0 else kept.find(b"\n") + 1 :]
        self._receive = None

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size: what it shows is drawn again, or is broken as nobody knows."""
        self._size, self._receive = (columns, rows), None

    def draw(self) -> list[Sighting]:
        """What is new on the screen once some more is drawn."""
        if self._dropped:  # and more was printed since
            self._drop()
            self._dropped = False
        piece = bytes(self._bytes[:_PIECE])
        del self._bytes[:_PIECE]
        with self._share.used():
            try:
                return self._screen(piece)
            except Exception:  # the emulator stumbles where no terminal would: we begin a new screen
                self._receive = None
                return []

    def _screen(self, piece: bytes) -> list[Sighting]:
        if self._receive is None:
            from hermes_tunnel.watching.screen import Screen  # not every session has one

            self._receive = Screen(*self._size, self._sightings).receive
        return self._receive(piece)
