"""Where any thread posts what happened, for the one thread that decides."""

from __future__ import annotations

import sys
import threading
import time
from collections import deque
from contextlib import suppress

# On Windows a signal does not end a wait: its handler runs once the wait is over.
_LONGEST_WAIT = 0.2 if sys.platform == "win32" else threading.TIMEOUT_MAX


class Mailbox:
    """What happened, in order.

    ``put`` may be called by any thread and by a signal's handler, also where that interrupts ``get`` or
    another ``put``: it takes no lock that anybody holds.
    """

    def __init__(self) -> None:
        self._items: deque[object] = deque()
        self._bell = threading.Lock()  # released to ring; only the waiting thread ever acquires it
        self._bell.acquire()

    def put(self, item: object) -> None:
        """Post an item."""
        self._items.append(item)
        with suppress(RuntimeError):  # it is ringing already
            self._bell.release()

    def get(self, seconds: float) -> object | None:
        """The next item; None if none comes in that time. For one thread only."""
        until = time.monotonic() + seconds
        while not self._items:
            left = until - time.monotonic()
            if left <= 0:
                return None
            self._bell.acquire(timeout=min(left, _LONGEST_WAIT))
        return self._items.popleft()
