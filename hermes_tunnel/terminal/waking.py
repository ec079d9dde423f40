"""Interrupting the thread that waits for the person to type.

Signals can interrupt it too. Python runs a signal's handler in the main thread, as soon as that is free; the
byte that announces the signal (``signal.set_wakeup_fd``) is written at once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading


class Waking:
    """A pipe: whoever waits for ``descriptor`` to become readable is woken through it. Not for Windows."""

    def __init__(self) -> None:
        self.descriptor, self._bell = os.pipe()
        self._before: int | None = None  # where signals were announced before
        if sys.platform != "win32":
            os.set_blocking(self._bell, False)

    def wake(self) -> None:
        """Interrupt the wait that is going on, or the next one."""
        with contextlib.suppress(BlockingIOError):  # a full pipe interrupts it as well
            os.write(self._bell, b"\0")

    def woken_by(self) -> bytes:
        """Take back what interrupted the wait: the numbers of signals, and a zero for each ``wake``."""
        return os.read(self.descriptor, 64)

    def heed_signals(self) -> None:
        """Let each signal that has a handler interrupt it too. Works in the main thread only."""
        if threading.current_thread() is threading.main_thread() and self._before is None:
            self._before = signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)

    def close(self) -> bool:
        """Close the pipe, unless signals still write to it: only the main thread can change that.

        :return: whether it was closed
        """
        if self._before is not None:
            if threading.current_thread() is not threading.main_thread():
                return False
            signal.set_wakeup_fd(self._before)
        os.close(self.descriptor)
        os.close(self._bell)
        return True
