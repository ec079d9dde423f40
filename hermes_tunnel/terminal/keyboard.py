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

from hermes_tunnel.terminal.mode import TerminalMode
from hermes_tunnel.terminal.windows_console import read_line

_WINDOWS = sys.platform == "win32"
_LOOK_SECONDS = 0.2  # whether the terminal is still, or again, as it was set
_LONGEST_LINE = 64 * 1024


class Keyboard:
    """The person's input.

    :param stream: standard input, a terminal or not
    """

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self.is_terminal = stream is not None and not stream.closed and stream.isatty()
        self._mode = TerminalMode(stream.fileno()) if stream and self.is_terminal and not _WINDOWS else None
        self._rest = b""
        self._cancelled = threading.Event()
        self._wanted: Callable[[], bool] = lambda: True
        self._wake: tuple[int, int] | None = None
        self._waking = threading.Lock()  # a descriptor that was closed may be somebody else's by now

    def read_line(
        self,
        *,
        hidden: bool,
        ready: Callable[[], None] = lambda: None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> str | None:
        """The next line without its end; None at the end of the input or if it was given up.

        :param ready: called when what is typed begins to count, and when it does again after the program was
            stopped: the time to show the prompt
        :param wanted: whether to wait on; a terminal's reader asks a few times a second
        """
        if self._stream is None or self._stream.closed:
            return None
        self._wanted = wanted
        try:
            with self._reading(hidden=hidden):
                ready()
                return self._read(hidden=hidden, ready=ready)
        finally:
            self._wanted = lambda: True

    def read_hidden_lines(self, *, offered: bool) -> Generator[str, None, None]:
        """Line after line, none of them shown, until the end of the input or until it was cancelled.

        What is pasted at once, more than one line of it, is all taken.

        :param offered: whether nobody has to type: then Ctrl-D is nothing, and in the background nothing is
            read, so that the program is not stopped there (SIGTTIN)
        """
        if self._stream is None or self._stream.closed:
            return
        with self._reading(hidden=True, offered=offered):
            while (line := self._read(hidden=True, offered=offered)) is not None:
                yield line

    def heed_stops(self) -> None:
        """Give the terminal back while the program is stopped by Ctrl-Z. For the main thread."""
        if self._mode is not None:
            self._mode.heed_stops()

    def _reading(self, *, hidden: bool, offered: bool = False) -> contextlib.AbstractContextManager[None]:
        if self._mode is None:
            return contextlib.nullcontext()
        self._rest = b""
        return self._mode.reading(hidden=hidden, offered=offered)

    def _read(
        self, *, hidden: bool, offered: bool = False, ready: Callable[[], None] = lambda: None
    ) -> str | None:
        if _WINDOWS:
            return self._read_console(hidden, offered) if self.is_terminal else self._read_stream()
        return self._read_descriptor(hidden, offered, ready)

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

    def _read_descriptor(self, hidden: bool, offered: bool, ready: Callable[[], None]) -> str | None:
        descriptor = self._stream.fileno()  # type: ignore[union-attr]
        wake = os.pipe()
        with self._waking:
            self._wake = wake
        try:
            with _woken_by_signals(wake[1]):
                return self._read_line(descriptor, wake[0], hidden, offered, ready)
        finally:
            with self._waking:
                self._wake = None
            for end in wake:
                os.close(end)

    def _read_line(
        self, descriptor: int, wake: int, hidden: bool, offered: bool, ready: Callable[[], None]
    ) -> str | None:
        while b"\n" not in self._rest:
            if not self._goes_on() or len(self._rest) > _LONGEST_LINE:
                return None
            if self._mode is not None and self._mode.keep():
                ready()
            awaited = [descriptor, wake] if self._is_ours(offered) else [wake]
            readable, _, _ = select.select(awaited, [], [], _LOOK_SECONDS if self._mode else None)
            if wake in readable:
                os.read(wake, 64)  # cancelled, or a signal, whose handler has had its say by now
            elif readable and self._is_ours(offered):
                with _not_stopped() if offered else contextlib.nullcontext():
                    data = _data(descriptor)
                if hidden and self._mode is not None:
                    self._rest, ended = edited(self._rest, data)
                else:
                    self._rest, ended = self._rest + data, not data
                if ended and not (offered and self._is_there(descriptor)):
                    return self._take(len(self._rest)) if self._rest else None
        return self._take(self._rest.index(b"\n") + 1)

    def _goes_on(self) -> bool:
        return not self._cancelled.is_set() and self._wanted()

    def _is_ours(self, offered: bool) -> bool:
        """Whether what is typed may be read: what is offered in the background is read by the shell."""
        return not offered or self._mode is None or self._mode.in_foreground

    def _is_there(self, descriptor: int) -> bool:
        """Whether an end of the input was Ctrl-D, and the terminal goes on."""
        return self._mode is not None and os.isatty(descriptor)

    def _take(self, length: int) -> str:
        line, self._rest = self._rest[:length], self._rest[length:]
        return line.decode("utf-8", "replace").rstrip("\r\n")

    def _read_console(self, hidden: bool, offered: bool) -> str | None:
        import msvcrt

        return read_line(msvcrt, self._goes_on, hidden=hidden, offered=offered)  # type: ignore[arg-type]

    def _read_stream(self) -> str | None:
        line = self._stream.readline()  # type: ignore[union-attr]
        return line.rstrip("\r\n") if line else None


def edited(before: bytes, typed: bytes) -> tuple[bytes, bool]:
    """What a terminal makes of keys, for a line that comes as it is typed: Backspace, Ctrl-U, Ctrl-D, Enter.

    :return: what stands there, and whether the input has ended: by Ctrl-D where there is no line to end
    """
    ended = not typed
    for key in typed:
        line_begins = before.rfind(b"\n") + 1
        if key in b"\x7f\b":
            line = before[line_begins:].decode("utf-8", "ignore")
            before = before[:line_begins] + line[:-1].encode()
        elif key in b"\x15":
            before = before[:line_begins]
        elif key in b"\x04" and line_begins == len(before):
            ended = not before
        else:
            before += b"\n" if key in b"\r\n\x04" else bytes([key])
    return before, ended


def _data(descriptor: int) -> bytes:
    """What was typed; nothing at the end of the input, or where the terminal has gone, or is not ours."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@contextlib.contextmanager
def _not_stopped() -> Iterator[None]:
    """Reading in the background fails (EIO) and does not stop the program.

    What could be read a moment ago may be gone, because Ctrl-Z drops it, and more may come in the background.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


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
