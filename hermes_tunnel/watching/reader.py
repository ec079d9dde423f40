"""The reader beside a session: it gets a copy of what is printed, and never holds anything up.

Lines are read as they come, the screen as fast as its share of the processor allows. Lines have a share,
too, but it is only used up by far more addresses than anybody prints for a person; then we look for requests
alone. An address may be the last thing that is printed, and look as if it went on: then a silence ends it.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from hermes_tunnel.oauth.sightings import Sighting, Sightings
from hermes_tunnel.watching.backlog import Backlog
from hermes_tunnel.watching.lines import Lines
from hermes_tunnel.watching.share import Share

MOST_WAITING = 4 * 1024 * 1024  # bytes not read yet; more are dropped
_BLOCK = 32 * 1024  # bytes read at once, if they came in pieces
_PART = 0.1  # of a processor, for lines
_OVERDRAWN = -0.1  # seconds of its time: then they are not read at all
_BREATH = 0.0002  # seconds between two pieces, so that whoever waits for the interpreter gets it
_SILENCE = 1.5  # seconds; nothing else waits for it than an address that the next bytes might go on with
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
        self._received: deque[bytes] = deque()
        self._length = 0
        self._dropped = self._closed = self._settles = self._silent = False
        self._size: tuple[int, int] | None = None
        self._sightings = Sightings(columns)
        self._lines, self._share = Lines(self._sightings), Share(_PART)
        self._backlog = Backlog(self._sightings, columns, rows) if columns and rows else None
        self._may_tell, self._told_at = float(_AT_ONCE), time.monotonic()
        self._thread = threading.Thread(target=self._read, name="reader", daemon=True)
        self._thread.start()

    def receive(self, data: bytes) -> None:
        """The session has printed this. Returns at once."""
        with self._changed:
            if self._length + len(data) > MOST_WAITING:
                self._received.clear()
                self._length, self._dropped = 0, True
            self._received.append(data)
            self._length += len(data)
            if len(self._received) == 1:
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
            found = self._read_lines(data) if data else []
            if self._silent and not data:
                found += self._lines.settle()
            if self._backlog:
                self._backlog.add(data)
                if self._backlog.pause == 0:
                    found += self._backlog.draw()
                    time.sleep(_BREATH)
            self._tell(found)

    def _read_lines(self, data: bytes) -> list[Sighting]:
        left = self._share.left
        if left < _OVERDRAWN:
            self._lines.pass_over()
            return []
        with self._share.used():
            return self._lines.receive(data, only_requests=left < 0)

    def _next(self) -> bytes | None:
        """What has been received; nothing if something is to be drawn first, or after a silence; None if that
        was all.
        """
        with self._changed:
            self._silent = False
            while not (self._received or self._size or self._closed):
                pause = self._backlog.pause if self._backlog else None
                if pause == 0 or self._silent:
                    return b""
                settles = self._settles and pause is None
                if not self._changed.wait(_SILENCE if settles else pause) and settles:
                    self._settles, self._silent = False, True
            if self._closed:
                return None
            chunks = [self._received.popleft()] if self._received else []
            self._settles = True
            length = sum(map(len, chunks))
            while self._received and length + len(self._received[0]) <= _BLOCK:
                chunks.append(self._received.popleft())
                length += len(chunks[-1])
            self._length -= length
            size, self._size = self._size, None
            dropped, self._dropped = self._dropped, False
        if size:
            self._sightings.resize(size[0])
            if self._backlog:
                self._backlog.resize(*size)
        if dropped:
            self._lines.pass_over()
        return b"".join(chunks)

    def _tell(self, found: list[Sighting]) -> None:
        now = time.monotonic()
        self._may_tell = min(self._may_tell + (now - self._told_at) * _IN_A_SECOND, _AT_ONCE)
        self._told_at = now
        for one in found[: int(self._may_tell)]:
            self._post(one)
        self._may_tell -= min(len(found), int(self._may_tell))
