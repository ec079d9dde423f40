"""Signals, and bugs in any thread: each sets a flag and posts an item for the decider. Nothing is raised.

An exception raised by a signal's handler comes out wherever the main thread happens to be: in a callback of
the interpreter's, which prints and forgets it, or in an import, which stays half done. A flag cannot be lost.
"""

from __future__ import annotations

import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path
    from types import FrameType, TracebackType
    from typing import Any

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those that the system has


class Signals:
    """Listens for signals and bugs while it is entered; after that everything has been said.

    The first signal asks for an end, and a second one ends the program at once. ``directory`` says what not
    even that may leave behind: the demo has a key in there.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        """The first signal that arrived."""
        self.fault: BaseException | None = None
        """The first fault in a thread that nobody waits for."""
        self.status: int | None = None
        """What the program ends with, when that is settled."""
        self.directory: Callable[[], Path | None] = lambda: None
        self._hear_signal: Callable[[int], object] = lambda _: None
        self._hear_fault: Callable[[BaseException], object] = lambda _: None
        self._heard: list[int] = []
        self._came = False
        self._over = False
        self._terminal: list[Any] | None = None

    def heard_by(
        self, on_signal: Callable[[int], object], on_fault: Callable[[BaseException], object]
    ) -> None:
        """Pass on what arrives, and what has arrived already.

        :param on_signal: called in the middle of whatever the main thread does, so it must take no lock
        :param on_fault: called in the thread with the bug
        """
        self._hear_signal, self._hear_fault = on_signal, on_fault
        if self.number is not None:
            on_signal(self.number)
        if self.fault is not None:
            on_fault(self.fault)

    def hear_no_more(self) -> None:
        """The end is about to be said; what comes from now on does not change it.

        A second signal ends the program at once all the same: whoever reads what is said may have stopped.
        """
        import threading

        self._over = True
        threading.excepthook = lambda _: None

    def __enter__(self) -> Signals:
        for name in _NAMES:
            number = getattr(signal, name, None)
            # One that is ignored on purpose (nohup) stays ignored.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self._on_signal)
                self._heard.append(number)
        import threading

        threading.excepthook = self._on_fault
        self._terminal = _terminal_mode()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        import threading

        for number in self._heard:
            signal.signal(number, signal.SIG_IGN)
        threading.excepthook = lambda _: None

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._came:
            self._end_at_once(128 + number if self.status is None else self.status)
        self._came = True
        if not self._over:
            self.number = number
            self._hear_signal(number)

    def _end_at_once(self, status: int) -> None:
        """Nothing may prevent it: the terminal may be gone, and imports only half done."""
        try:
            give_back = getattr(sys.modules.get("hermes_tunnel.terminal.mode"), "give_back", None)
            if give_back is not None:
                give_back()
            if (directory := self.directory()) is not None:
                import shutil

                shutil.rmtree(directory, ignore_errors=True)
            _restore(self._terminal)
        finally:
            os._exit(status)

    def _on_fault(self, arguments: threading.ExceptHookArgs) -> None:
        if self.fault is None and arguments.exc_value is not None:
            self.fault = arguments.exc_value
            self._hear_fault(arguments.exc_value)


def _terminal_mode() -> list[Any] | None:
    if sys.platform == "win32":
        return None
    import termios

    try:
        return termios.tcgetattr(sys.stdin.fileno())
    except (OSError, ValueError, AttributeError, termios.error):
        return None


def _restore(mode: list[Any] | None) -> None:
    """Not in the background: there the terminal is the shell's, and touching it would stop us (SIGTTOU)."""
    if sys.platform == "win32" or mode is None:
        return
    if os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp():
        import termios

        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, mode)
