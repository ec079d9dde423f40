"""Where everything that happens is put, by any thread, for the one thread that decides."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress

# A signal does not end a wait on Windows; its handler runs when the wait is over.
_LONGEST_WAIT = 0.2 if sys.platform == "win32" else threading.TIMEOUT_MAX


class Mailbox:
    """What happened, in order.

    ``put`` may be called by any thread and by a signal's handler, also where that interrupts ``get`` or
    another ``put``: it takes no lock that anybody holds.
    """

    def __init__(self) -> None:
        self._items: deque[object] = deque()
        self._bell = threading.Lock()  # rung by its release; nobody holds it but who waits for that
        self._bell.acquire()

    def put(self, item: object) -> None:
        """Something happened."""
        self._items.append(item)
        with suppress(RuntimeError):  # it rings already
            self._bell.release()

    def get(self, seconds: float) -> object | None:
        """The next thing that happened; None if nothing does in that time. For one thread."""
        until = time.monotonic() + seconds
        while not self._items:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._bell.acquire(timeout=min(left, _LONGEST_WAIT))
        return self._items.popleft()
