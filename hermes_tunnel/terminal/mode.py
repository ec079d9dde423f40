"""How the person's terminal behaves while a line is read (termios(3)), and how it is given back.

A terminal belongs to whoever is in its foreground: it is set for us only there, given back to the shell
while we are stopped (Ctrl-Z), and set again when we go on. Not for Windows.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any, TextIO

if sys.platform != "win32":
    import termios
else:
    termios: Any = None

_USUAL_COLUMNS = 80
_modes: weakref.WeakSet[TerminalMode] = weakref.WeakSet()


def in_foreground(descriptor: int) -> bool:
    """Whether what is typed is meant for us; so, too, at a terminal that no shell controls us from."""
    try:
        return sys.platform == "win32" or os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def columns_of(stream: TextIO | None) -> int:
    """The width of the window, which may change at any time; 0 where there is none.

    A terminal that does not know its width is taken for one of 80 columns.
    """
    if stream is None or stream.closed or not stream.isatty():
        return 0
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_COLUMNS
    except (OSError, ValueError):
        return _USUAL_COLUMNS


def give_back() -> None:
    """Give back every terminal that was set, for good: for a signal's handler that ends us at once."""
    for mode in list(_modes):
        mode.end()


class TerminalMode:
    """The mode of one terminal, which is as it was while nobody reads.

    :param descriptor: the terminal
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._hidden: bool | None = None  # None: nobody reads
        self._before: list[Any] | None = None
        self._lost = False
        self._lock = threading.RLock()  # a signal's handler may come in the middle
        _modes.add(self)

    def begin(self, *, hidden: bool, offered: bool) -> None:
        """Set the echo for a line that is about to be read, and forget what was typed before.

        :param offered: whether nobody has to type: in the background that waits, where a question stops us
            as it would stop any program (SIGTTOU)
        """
        with self._lock:
            self._hidden, self._lost = hidden, False
            if self.in_foreground or not offered:
                with contextlib.suppress(termios.error):  # the terminal has gone
                    termios.tcflush(self._descriptor, termios.TCIFLUSH)  # in the background it stops here
                self._set()

    def end(self) -> None:
        """Give the terminal back as it was; in any thread."""
        with self._lock:
            self._hidden = None
            self._give_back()

    @property
    def in_foreground(self) -> bool:
        """Whether what is typed is meant for us."""
        return in_foreground(self._descriptor)

    def keep(self) -> bool:
        """Set it again where it is not as it was set, now that we are in the foreground.

        :return: whether that was so since the last time, and a question should be shown again
        """
        with self._lock:
            self._set_again()
            lost, self._lost = self._lost, False
            return lost

    def heed_stops(self) -> None:
        """Give the terminal back while the program is stopped by Ctrl-Z. For the main thread."""
        if sys.platform != "win32" and signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._stop)

    def heed_quit(self) -> None:
        """Give the terminal back before SIGQUIT (Ctrl-backslash) ends us, until ``heed_no_quit``.

        In another thread than the main one, which alone can do that, nothing changes.
        """
        if sys.platform != "win32" and signal.getsignal(signal.SIGQUIT) == signal.SIG_DFL and _is_main():
            signal.signal(signal.SIGQUIT, self._quit)

    def heed_no_quit(self) -> None:
        """SIGQUIT ends us at once, as it ends any program."""
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
            with contextlib.suppress(termios.error):  # the terminal has gone
                now = termios.tcgetattr(self._descriptor)
                if now[3] != self._wanted(now)[3]:
                    self._lost = True
                    self._set()

    def _set(self) -> None:
        with contextlib.suppress(termios.error):  # the terminal has gone
            now = termios.tcgetattr(self._descriptor)
            self._before = self._before or now
            self._put(self._wanted(now))

    def _give_back(self) -> None:
        before, self._before = self._before, None
        if before is not None and self.in_foreground:
            with contextlib.suppress(termios.error):  # the terminal has gone
                self._put(before)

    def _wanted(self, now: list[Any]) -> list[Any]:
        """A hidden line comes as it is typed: a terminal that edits it would cut it at 1024 or 4096 bytes."""
        flags, control = now[3] | termios.ISIG, list(now[6])
        if not self._hidden:
            return [*now[:3], flags | termios.ICANON | termios.ECHO, *now[4:]]
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        return [*now[:3], flags & ~(termios.ICANON | termios.ECHO), *now[4:6], control]

    def _put(self, mode: list[Any]) -> None:
        """At once: to wait until the output is drained would take until Ctrl-Q after a Ctrl-S."""
        termios.tcsetattr(self._descriptor, termios.TCSANOW, mode)


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()
