"""The mode of the person's terminal while a line is read (termios(3)), and how the terminal is given back.

A terminal belongs to the job in its foreground. Its mode is ours only there: the shell gets it back while
Ctrl-Z stops us, and we set it again when we go on. Not for Windows.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any, Protocol, TextIO

if sys.platform != "win32":
    import termios
else:
    termios: Any = None

_USUAL_COLUMNS = 80
_modes: weakref.WeakSet[Changed] = weakref.WeakSet()


class Changed(Protocol):
    """A terminal whose mode was changed."""

    def end(self) -> None:
        """Restore the mode; any thread may do that."""


def remember(changed: Changed) -> None:
    """Have ``give_back`` restore this one too."""
    _modes.add(changed)


def in_foreground(descriptor: int) -> bool:
    """Whether what is typed is meant for us; always so on a terminal that is not our controlling one."""
    try:
        return sys.platform == "win32" or os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def columns_of(stream: TextIO | None) -> int:
    """The width of the window, which may change at any time; 0 if the stream is no terminal.

    A terminal that does not know its width is taken to have 80 columns.
    """
    if stream is None or stream.closed or not stream.isatty():
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS


def give_back() -> None:
    """Restore every terminal's mode, for good: for a signal's handler that is about to end the program."""
    for mode in list(_modes):
        mode.end()


class TerminalMode:
    """The mode of one terminal: changed by ``begin``, restored by ``end``.

    :param descriptor: the terminal
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hidden: bool | None = None  # None: nobody reads
        self._before: list[Any] | None = None
        self._lost = False
        self._lock = threading.RLock()  # a signal's handler may interrupt whoever holds it
        remember(self)

    def begin(self, *, hidden: bool, offered: bool) -> None:
        """Set the mode for a line that is about to be read, and drop what was typed before.

        :param hidden: whether to switch off the echo
        :param offered: whether the person may just as well type nothing: then a job in the background waits
            until it is in the foreground; else it is stopped, like any program that asks there (SIGTTOU)
        """
        with self._lock:
            self._hidden, self._lost = hidden, False
            if self.in_foreground or not offered:
                with contextlib.suppress(termios.error):  # the terminal is gone
                    # A job in the background is stopped by this, before it looks at the shell's own mode.
                    termios.tcflush(self._descriptor, termios.TCIFLUSH)
                self._set()

    def end(self) -> None:
        """Restore the mode; any thread may do that."""
        with self._lock:
            self._hidden = None
            self._give_back()

    @property
    def in_foreground(self) -> bool:
        """Whether what is typed is meant for us."""
        return in_foreground(self._descriptor)

    def keep(self) -> bool:
        """Set the mode again if it was changed meanwhile and we are in the foreground.

        :return: whether it was changed since the last call, so that the question has to be shown again
        """
        with self._lock:
            self._set_again()
            lost, self._lost = self._lost, False
            return lost

    def heed_stops(self) -> None:
        """Give the terminal back while Ctrl-Z stops the program. For the main thread."""
        if sys.platform != "win32" and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._stop)

    def heed_quit(self) -> None:
        """Until ``heed_no_quit``, restore the mode before SIGQUIT (Ctrl-backslash) ends the program.

        Only the main thread can see to that; in another one this has no effect.
        """
        if sys.platform != "win32" and signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL and _is_main():
            signal.signal(signal.SIGQUIT, self._quit)

    def heed_no_quit(self) -> None:
        """Let SIGQUIT end the program directly, as it ends any program."""
        if sys.platform != "win32" and signal.getsignal(signal.SIGQUIT) == self._quit and _is_main():
            signal.signal(signal.SIGQUIT, signal.SIG_DFL)

    def _quit(self, number: int, _: FrameType | None) -> None:
        self.end()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _stop(self, number: int, _: FrameType | None) -> None:
        with self._lock:
            self._give_back()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here it stops, until fg or bg
        signal.signal(number, self._stop)
        with self._lock:
            self._lost = self._hidden is not None
            self._set_again()

    def _set_again(self) -> None:
        if self._hidden is not None and self.in_foreground:
            with contextlib.suppress(termios.error):  # the terminal is gone
                now = termios.tcgetattr(self._descriptor)
                if now[3] != self._wanted(now)[3]:
                    self._lost = True
                    self._set()

    def _set(self) -> None:
        with contextlib.suppress(termios.error):  # the terminal is gone
            now = termios.tcgetattr(self._descriptor)
            self._before = self._before or now
            self._put(self._wanted(now))

    def _give_back(self) -> None:
        before, self._before = self._before, None
        if before is not None and self.in_foreground:
            with contextlib.suppress(termios.error):  # the terminal is gone
                self._put(before)

    def _wanted(self, now: list[Any]) -> list[Any]:
        """A hidden line is read key by key: a terminal cuts a line that it edits at 1024 or 4096 bytes."""
        flags, control = now[3] | termios.ISIG, list(now[6])
        if not self._hidden:
            return [*now[:3], flags | termios.ICANON | termios.ECHO, *now[4:]]
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        return [*now[:3], flags & ~(termios.ICANON | termios.ECHO), *now[4:6], control]

    def _put(self, mode: list[Any]) -> None:
        """At once: after Ctrl-S, waiting for the output to drain would take until Ctrl-Q."""
        termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
