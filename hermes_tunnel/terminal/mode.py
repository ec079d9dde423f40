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
from collections.abc import Iterator
from types import FrameType
from typing import Any, TextIO

if sys.platform != "win32":
    import termios


def in_foreground(descriptor: int) -> bool:
    """Whether what is typed is meant for us; so, too, at a terminal that no shell controls us from."""
    try:
        return sys.platform == "win32" or os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError:
        return True


def columns_of(stream: TextIO) -> int:
    """The width of the window, which may change at any time; 0 where there is none, or nobody knows."""
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 0


class TerminalMode:
    """The mode of one terminal; as it was where nobody reads.

    :param descriptor: the terminal
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._readers: list[list[bool]] = []  # whether the line is hidden; who reads is last
        self._before: list[Any] | None = None
        self._lost = False
        self._lock = threading.RLock()  # a signal's handler may come in the middle

    @contextlib.contextmanager
    def reading(self, *, hidden: bool, offered: bool) -> Iterator[None]:
        """Echo as the line needs it; what was typed before does not count.

        :param offered: whether nobody has to type: in the background that waits, where a question stops us
            as it would stop any program (SIGTTOU)
        """
        reader = [hidden]
        try:
            with self._lock:
                self._readers.append(reader)
                if self.in_foreground or not offered:
                    self._set(termios.TCSAFLUSH)
            yield
        finally:
            with self._lock:
                self._readers = [one for one in self._readers if one is not reader]
                if self.in_foreground:
                    self._set(termios.TCSADRAIN)

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
        if signal.getsignal(signal.SIGTSTP) == signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._stop)

    def _stop(self, number: int, _: FrameType | None) -> None:
        with self._lock:
            if self._before is not None and self.in_foreground:
                self._put(self._before, termios.TCSANOW)
                self._before = None
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here it stops, until fg or bg
        signal.signal(number, self._stop)
        with self._lock:
            self._lost = bool(self._readers)
            self._set_again()

    def _set_again(self) -> None:
        if self._readers and self.in_foreground:
            with contextlib.suppress(termios.error):  # the terminal has gone
                now = termios.tcgetattr(self._descriptor)
                if now[3] != self._wanted(now)[3]:
                    self._lost = True
                    self._set(termios.TCSANOW)

    def _set(self, when: int) -> None:
        with contextlib.suppress(termios.error):  # the terminal has gone
            if self._readers:
                now = termios.tcgetattr(self._descriptor)
                self._before = self._before or now
                self._put(self._wanted(now), when)
            elif self._before is not None:
                before, self._before = self._before, None
                self._put(before, when)

    def _wanted(self, now: list[Any]) -> list[Any]:
        """A hidden line comes as it is typed: a terminal that edits it would cut it at 1024 or 4096 bytes."""
        flags, control = now[3] | termios.ISIG, list(now[6])
        if not self._readers[-1][0]:
            return [*now[:3], flags | termios.ICANON | termios.ECHO, *now[4:]]
        control[termios.VMIN], control[termios.VTIME] = 1, 0
        return [*now[:3], flags & ~(termios.ICANON | termios.ECHO), *now[4:6], control]

    def _put(self, mode: list[Any], when: int) -> None:
        termios.tcsetattr(self._descriptor, when, mode)
