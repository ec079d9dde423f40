"""One line at a time from the person, shown or hidden, and given up when it is no longer wanted.

A prompt may become pointless while the person types (the login ended, the time is over), so waiting for
the line can be cancelled from another thread; the terminal's mode is restored in every case.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from typing import TextIO

_WINDOWS = sys.platform == "win32"
_POLL_SECONDS = 0.05  # Windows only: a console can be asked, not waited for together with anything else
_LONGEST_LINE = 64 * 1024


class Keyboard:
    """The person's input.

    :param stream: standard input, a terminal or not
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = stream is not None and not stream.closed and stream.isatty()
        self._rest = b""
        self._cancelled = threading.Event()
        self._wake: tuple[int, int] | None = None
        self._waking = threading.Lock()  # a descriptor that was closed may be somebody else's by now

    def read_line(self, *, hidden: bool, ready: Callable[[], None] = lambda: None) -> str | None:
        """The next line without its end; None at the end of the input or if it was cancelled.

        :param ready: called when what is typed begins to count: the time to show the prompt
        """
        if self._stream is None or self._stream.closed:
            return None
        with self._mode(hidden):
            ready()
            return self._read(hidden)

    def read_hidden_lines(self) -> Generator[str, None, None]:
        """Line after line, none of them shown, until the end of the input or until it was cancelled.

        What is pasted at once, more than one line of it, is all taken.
        """
        if self._stream is None or self._stream.closed:
            return
        with self._mode(True):
            while (line := self._read(True)) is not None:
                yield line

    def _read(self, hidden: bool) -> str | None:
        if _WINDOWS:
            return self._read_console(hidden) if self.is_terminal else self._read_stream()
        return self._read_descriptor()

    @property
    def cancelled(self) -> bool:
        """Whether the line that is waited for was given up."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """Give up the line that another thread waits for, or is about to; ``renew`` ends that."""
        with self._waking:
            self._cancelled.set()
            if self._wake is not None:
                os.write(self._wake[1], b"\0")

    def renew(self) -> None:
        """Lines are wanted again."""
        self._cancelled.clear()

    @contextlib.contextmanager
    def _mode(self, hidden: bool) -> Iterator[None]:
        """Echo off where the line is hidden; what was typed before the prompt does not count."""
        if _WINDOWS or not self.is_terminal or self._stream is None:
            yield
            return
        import termios

        descriptor = self._stream.fileno()
        before = termios.tcgetattr(descriptor)
        now = termios.tcgetattr(descriptor)
        now[3] |= termios.ICANON | termios.ISIG
        now[3] = now[3] & ~termios.ECHO if hidden else now[3] | termios.ECHO
        try:
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, now)
            yield
        finally:
            with contextlib.suppress(termios.error):  # the terminal has gone
                termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def _read_descriptor(self) -> str | None:
        descriptor = self._stream.fileno()  # type: ignore[union-attr]
        wake = os.pipe()
        with self._waking:
            self._wake = wake
        try:
            with _woken_by_signals(wake[1]):
                return self._read_line(descriptor, wake[0])
        finally:
            with self._waking:
                self._wake = None
            for end in wake:
                os.close(end)

    def _read_line(self, descriptor: int, wake: int) -> str | None:
        while b"\n" not in self._rest:
            if self._cancelled.is_set() or len(self._rest) > _LONGEST_LINE:
                return None
            ready, _, _ = select.select([descriptor, wake], [], [])
            if wake in ready:
                os.read(wake, 64)  # cancelled, or a signal, whose handler has had its say by now
                continue
            try:
                data = os.read(descriptor, 4096)
            except OSError:  # the terminal has gone
                return None
            if not data:
                return self._take(len(self._rest)) if self._rest else None
            self._rest += data
        return self._take(self._rest.index(b"\n") + 1)

    def _take(self, length: int) -> str:
        line, self._rest = self._rest[:length], self._rest[length:]
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _read_stream(self) -> str | None:
        line = self._stream.readline()  # type: ignore[union-attr]
        return line.rstrip("\r\n") if line else None

    def _read_console(self, hidden: bool) -> str | None:
        import msvcrt

        line = ""
        while not self._cancelled.is_set():
            if not msvcrt.kbhit():  # type: ignore[attr-defined]
                self._cancelled.wait(_POLL_SECONDS)
                continue
            key = msvcrt.getwch()  # type: ignore[attr-defined]
            if key in "\r\n":
                return line
            if key == "\x03":
                raise KeyboardInterrupt
            if key == "\x1a":
                return None
            line = line[:-1] if key == "\b" else line + key
            if not hidden:
                msvcrt.putwch(key)  # type: ignore[attr-defined]
        return None


@contextlib.contextmanager
def _woken_by_signals(descriptor: int) -> Iterator[None]:
    """A signal writes to the descriptor: else one that comes just before a wait begins would not end it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    os.set_blocking(descriptor, False)
    before = signal.set_wakeup_fd(descriptor, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(before)
