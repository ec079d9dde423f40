"""A share of the processor: who reads beside a session must not slow it down.

It is measured in the thread's own time, so that a busy machine does not matter. What was not used is saved
up, so that nothing waits when little is printed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_SAVED = 0.5  # seconds of the processor's time, at most


class Share:
    """What may be used of a processor.

    :param part: of one processor's time, 0 to 1
    """

    def __init__(self, part: float) -> None:
        self._part = part
        self._left, self._counted_at = _SAVED, time.monotonic()

    @property
    def left(self) -> float:
        """Seconds of the processor's time that may be used now; less than 0 if too many were."""
        now = time.monotonic()
        self._left = min(self._left + (now - self._counted_at) * self._part, _SAVED)
        self._counted_at = now
        return self._left

    @property
    def pause(self) -> float:
        """Seconds to wait until something may be used again."""
        return max(-self.left / self._part, 0)

    def give_up(self, seconds: float) -> None:
        """Use nothing until so many seconds have been earned from now on."""
        self._left = min(self.left, -seconds)

    @contextmanager
    def used(self) -> Iterator[None]:
        """What is done in here is paid for."""
        begun = time.thread_time()
        try:
            yield
        finally:
            self._left -= time.thread_time() - begun
