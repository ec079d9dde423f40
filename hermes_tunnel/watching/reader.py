"""The reader beside a session: it gets a copy of what is printed, and never holds anything up.

Lines are read as they come. The screen is drawn as fast as its share of the processor allows; if it falls
behind, what it has not drawn is dropped but for the end, and it begins anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from hermes_tunnel.oauth.sightings import Sighting, Sightings
from hermes_tunnel.watching.lines import Lines
from hermes_tunnel.watching.share import Share

MOST_WAITING = 8 * 1024 * 1024  # bytes not read yet; only lines full of addresses take so long
_AT_ONCE = 32  # sightings told at once, and ...
_IN_A_SECOND = 8  # ... in each second: more is a flood of addresses, and its reader must not become one


class Reader:
    """Reads a session's output in a thread of its own.

    :param post: is told each sighting, in that thread
    :param columns: how wide the session's terminal is, and how many ``rows`` it has; 0 if it has none
    """

    def __init__(self, post: Callable[[Sighting], object], columns: int, rows: int) -> None:
        self._post = post
        self._changed = threading.Condition()
        self._received: list[bytes] = []
        self._length = 0
        self._dropped = self._closed = False
        self._size: tuple[int, int] | None = None
        self._sightings = Sightings(columns)
        self._lines = Lines(self._sightings)
        self._screen = Share(self._sightings, columns, rows) if columns and rows else None
        self._may_tell, self._told_at = float(_AT_ONCE), time.monotonic()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    def receive(self, data: bytes) -> None:
        """The session has printed this. Returns at once."""
        with self._changed:
            if self._length + len(data) > MOST_WAITING:
                self._received, self._length, self._dropped = [], 0, True
            self._received.append(data)
            self._length += len(data)
            self._changed.notify()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size now."""
        with self._changed:
            self._size = columns, rows
            self._changed.notify()

    def close(self) -> None:
        """Stop reading, whatever is left."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _read(self) -> None:
        while (data := self._next()) is not None:
            found = self._lines.receive(data) if data else []
            if self._screen:
                self._screen.receive(data)
                found += self._screen.draw()
            self._tell(found)

    def _next(self) -> bytes | None:
        """What has been received; nothing if there is something to draw first; None if that was all."""
        with self._changed:
            while not (self._received or self._size or self._closed):
                pause = self._screen.pause if self._screen else None
                if pause == 0:
                    break
                self._changed.wait(pause)
            if self._closed:
                return None
            received, self._received, self._length = self._received, [], 0
            size, self._size = self._size, None
            dropped, self._dropped = self._dropped, False
        if size:
            self._sightings.resize(size[0])
            if self._screen:
                self._screen.resize(*size)
        if dropped:
            self._lines.pass_over()
        return b"".join(received)

    def _tell(self, found: list[Sighting]) -> None:
        now = time.monotonic()
        self._may_tell = min(self._may_tell + (now - self._told_at) * _IN_A_SECOND, _AT_ONCE)
        self._told_at = now
        for one in found[: int(self._may_tell)]:
            self._post(one)
        self._may_tell -= min(len(found), int(self._may_tell))
