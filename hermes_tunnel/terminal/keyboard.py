"""Lines from the person, shown or hidden, read by one thread and handed over as they come.

A question may become pointless while the person types (the login ended, the time is over). It is given up
then, and the terminal's mode is restored in every case. There is never a second reader: where a read cannot
be woken, what it brings is the next question's.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from hermes_tunnel.terminal.mode import TerminalMode
from hermes_tunnel.terminal.windows_console import Keys, forget_typed, read_line

_LOOK_SECONDS = 0.2  # how often it is looked whether the terminal is still, or again, as it was set
_END_SECONDS = 1.0  # what a thread that was woken needs is a moment
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, eq=False)
class _Reading:
    """What is read, and for whom; ``Keyboard.read`` says more."""

    took: Callable[[str | None], object]
    hidden: bool
    many: bool
    offered: bool
    again: Callable[[], object]


def _nothing() -> None:
    """Nobody has to be told."""


class Keyboard:
    """The person's input. ``read`` and ``stop`` are for one thread, best the main one.

    :param stream: standard input, a terminal or not
    :param keys: the console that it is, on Windows
    :param selectable: whether it can be waited for together with something else (select(2)); if not, the
        thread that reads it cannot be woken
    """

    def __init__(
        self, stream: TextIO | None, *, keys: Keys | None = None, selectable: bool = sys.platform != "win32"
    ) -> None:
        self._stream = stream if stream is not None and not stream.closed else None
        self.is_terminal = self._stream is not None and self._stream.isatty()
        self._keys = keys
        self._selectable = selectable
        self._encoding = "utf-8" if selectable or self._stream is None else self._stream.encoding
        self._mode: TerminalMode | None = None
        if sys.platform == "win32":
            if self.is_terminal and keys is None:
                import msvcrt

                self._keys = msvcrt
        elif self._stream is not None and self.is_terminal and keys is None:
            self._mode = TerminalMode(self._stream.fileno())
        self._rest = b""  # what was read and is no line yet, or is not handed over yet
        self._reading: _Reading | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._wake: tuple[int, int] | None = None
        self._woken_by_signals: int | None = None  # what was woken by them before

    @property
    def reads(self) -> bool:
        """Whether somebody still waits for what is typed."""
        return self._reading is not None

    def read(
        self,
        took: Callable[[str | None], object],
        *,
        hidden: bool,
        many: bool = False,
        offered: bool = False,
        ready: Callable[[], object] = _nothing,
        again: Callable[[], object] = _nothing,
    ) -> None:
        """Begin to read a line, and give up what was read before.

        :param took: gets the line without its end, or None at the end of the input, in the reading thread and
            when the terminal is as it was; where there is no input, None at once
        :param hidden: whether the line is not shown
        :param many: whether line after line is read, until ``stop`` or the end of the input
        :param offered: whether nobody has to type: then Ctrl-D is nothing, and in the background nothing is
            read, so that the program is not stopped there (SIGTTIN)
        :param ready: called when what is typed begins to count: the time to show the prompt
        :param again: called in the reading thread when that begins anew, after the program was stopped
        """
        self.stop()
        if self._stream is None:
            took(None)
            return
        try:
            self._set_up(hidden=hidden, offered=offered)
            ready()
            with self._lock:
                self._reading = _Reading(took, hidden, many, offered, again)
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="keyboard", daemon=True)
                    self._thread.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Give up what is read: when this returns, nothing is handed over and the terminal is as it was."""
        with self._lock:
            self._end()
            thread = self._thread
            if thread is not None and not thread.is_alive():
                thread = self._thread = None  # a signal came while it was started
            if self._wake is not None:
                with contextlib.suppress(BlockingIOError):  # it is full, and wakes without that
                    os.write(self._wake[1], b"\0")
        can_be_woken = self._selectable or self._keys is not None
        if thread is not None and can_be_woken and thread is not threading.current_thread():
            thread.join(_END_SECONDS)
        self._put_away()

    def heed_stops(self) -> None:
        """Give the terminal back while the program is stopped by Ctrl-Z. For the main thread."""
        if self._mode is not None:
            self._mode.heed_stops()

    def _set_up(self, *, hidden: bool, offered: bool) -> None:
        if self._keys is not None:
            forget_typed(self._keys)
        elif sys.platform != "win32" and self._selectable and self._wake is None:
            self._wake = os.pipe()
            os.set_blocking(self._wake[1], False)
        if self._mode is not None:
            self._heed_signals(self._mode)
            with self._lock:
                self._rest = b""
                self._mode.begin(hidden=hidden, offered=offered)

    def _heed_signals(self, mode: TerminalMode) -> None:
        """SIGQUIT may not leave the terminal as it was set: that is its handler's task, and that of the
        reading thread, which it wakes, where the main thread is too busy to run the handler.
        """
        if threading.current_thread() is threading.main_thread() and self._wake is not None:
            mode.heed_quit()
            self._woken_by_signals = signal.set_wakeup_fd(self._wake[1], warn_on_full_buffer=False)

    def _put_away(self) -> None:
        """What only a reading thread needs; a thread that hangs keeps it."""
        with self._lock:
            is_main = threading.current_thread() is threading.main_thread()
            if self._woken_by_signals is not None and self._mode is not None and is_main:
                signal.set_wakeup_fd(self._woken_by_signals)
                self._mode.ignore_quit()
                self._woken_by_signals = None
            if self._thread is None and self._woken_by_signals is None and self._wake is not None:
                wake, self._wake = self._wake, None
                for end in wake:
                    os.close(end)

    # -- the reading thread ----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while (reading := self._next()) is not None:
                self._receive(reading)
        except BaseException:
            with self._lock:
                self._end()
                self._thread = None
            raise

    def _next(self) -> _Reading | None:
        """Hand over the lines that are there; then, what is to be read for."""
        with self._lock:
            while (reading := self._reading) is not None and b"\n" in self._rest:
                self._give(reading, self._take(self._rest.index(b"\n") + 1))
            if reading is None:
                self._thread = None
            elif len(self._rest) > _LONGEST_LINE:
                self._give(reading, None)
                return self._next()
            elif self._mode is not None and self._mode.keep():
                reading.again()
            return reading

    def _receive(self, reading: _Reading) -> None:
        """Wait for what is typed, and for the end of waiting."""
        if self._keys is not None:
            line = read_line(
                self._keys,
                lambda: self._reading is reading,
                hidden=reading.hidden,
                offered=reading.offered,
            )
            with self._lock:
                if self._reading is reading:
                    self._give(reading, line)
        elif self._is_readable(reading):
            with _not_stopped() if reading.offered else contextlib.nullcontext():
                data = _data(self._descriptor)
            with self._lock:
                self._typed(data)

    def _is_readable(self, reading: _Reading) -> bool:
        if self._wake is None:
            return True  # nothing else can be waited for
        wake = self._wake[0]
        awaited = [self._descriptor, wake] if self._is_ours(reading) else [wake]
        readable, _, _ = select.select(awaited, [], [], _LOOK_SECONDS if self._mode else None)
        if wake in readable:
            self._woken(os.read(wake, 64))
            return False
        return bool(readable) and self._is_ours(reading)

    def _woken(self, numbers: bytes) -> None:
        """By ``stop``, or by signals, whose numbers these are."""
        if sys.platform != "win32" and self._mode is not None and signal.SIGQUIT in numbers:
            self._mode.end()

    def _typed(self, data: bytes) -> None:
        """Add what came. It is the present question's, whoever was there when the reading of it began."""
        reading = self._reading
        if reading is None:
            if self._mode is None:
                self._rest += data  # what a pipe brings is still wanted by the next question
            return
        if reading.hidden and self._mode is not None:
            self._rest, ended = edited(self._rest, data)
        else:
            self._rest, ended = self._rest + data, not data
        if ended and not (reading.offered and self._is_there()):
            self._give(reading, self._take(len(self._rest)) if self._rest else None)

    def _give(self, reading: _Reading, line: str | None) -> None:
        if line is None or not reading.many:
            self._end()
        reading.took(line)

    def _end(self) -> None:
        self._reading = None
        if self._mode is not None:
            self._mode.end()

    @property
    def _descriptor(self) -> int:
        return -1 if self._stream is None else self._stream.fileno()

    def _is_ours(self, reading: _Reading) -> bool:
        """Whether what is typed may be read: what is offered in the background is read by the shell."""
        return not reading.offered or self._mode is None or self._mode.in_foreground

    def _is_there(self) -> bool:
        """Whether an end of the input was Ctrl-D, and the terminal goes on."""
        return self._mode is not None and os.isatty(self._descriptor)

    def _take(self, length: int) -> str:
        line, self._rest = self._rest[:length], self._rest[length:]
        return line.decode(self._encoding, "replace").rstrip("\r\n")


def edited(before: bytes, typed: bytes) -> tuple[bytes, bool]:
    """What a terminal makes of keys, for a line that comes as it is typed: Backspace, Ctrl-U, Ctrl-D, Enter.

    :return: what stands there, and whether the input has ended: by Ctrl-D where there is no line to end
    """
    ended, stands = not typed, bytearray(before)
    line_begins = stands.rfind(b"\n") + 1
    for key in typed:
        if key in b"\x7f\b":
            while len(stands) > line_begins and stands.pop() & 0xC0 == 0x80:
                pass  # what follows the first byte of a character
        elif key in b"\x15":
            del stands[line_begins:]
        elif key in b"\x04" and line_begins == len(stands):
            ended = not stands
        elif key in b"\r\n\x04":
            stands += b"\n"
            line_begins = len(stands)
        else:
            stands.append(key)
    return bytes(stands), ended


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
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
