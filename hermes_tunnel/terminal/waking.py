"""Waking the thread that waits for what is typed: when it is to wait no longer, and by signals.

A signal's handler is run by the main thread, when it gets to it. The system's own part of it writes at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading


class Waking:
    """A pipe that wakes whoever waits for ``descriptor`` to become readable. Not for Windows."""

    def __init__(self) -> None:
        self.descriptor, self._bell = os.pipe()
        self._before: int | None = None  # what signals woke before
        if sys.platform != "win32":
            os.set_blocking(self._bell, False)

    def wake(self) -> None:
        """Wake it."""
        with contextlib.suppress(BlockingIOError):  # so many did before that it wakes anyway
            os.write(self._bell, b"\0")

    def woken_by(self) -> bytes:
        """The numbers of the signals that woke it, and zeros; empties the pipe."""
        return os.read(self.descriptor, 64)

    def heed_signals(self) -> None:
        """Let every signal that has a handler wake it too. Heard by the main thread only."""
        if threading.current_thread() is threading.main_thread() and self._before is None:
            self._before = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)

    def close(self) -> bool:
        """Close it; whether that could be: only the main thread can where signals wake it."""
        if self._before is not None:
            if threading.current_thread() is not threading.main_thread():
                return False
            signal.set_wakeup_fd(self._before)
        os.close(self.descriptor)
        os.close(self._bell)
        return True
