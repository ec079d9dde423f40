"""Reading what the person types, line by line, shown or hidden, in a thread that does nothing else.

A question may become pointless while the person types: the login ended, or time ran out. Then it is given up
and the terminal's mode restored. There is never more than one reader: a read that cannot be interrupted goes
on, and what it brings belongs to the next question.
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

from hermes_tunnel.terminal.editing import edit
from hermes_tunnel.terminal.mode import TerminalMode
from hermes_tunnel.terminal.waking import Waking
from hermes_tunnel.terminal.windows_console import Keys, forget_typed, read_line

_LOOK_SECONDS = 0.2  # how often the terminal's mode is checked
_END_SECONDS = 1.0  # a thread that was woken ends in a moment
_LONGEST_LINE = 64 * 1024


@dataclass(frozen=True, eq=False)
class _Reading:
    """What is read, and for whom: the parameters of ``Keyboard.read``."""

    took: Callable[[str | None], object]
    hidden: bool
    many: bool
    offered: bool
    again: Callable[[], object]


class Keyboard:
    """The person's input. One thread calls ``read`` and ``stop``; it should be the main one, to heed SIGQUIT.

    :param stream: standard input, a terminal or not
    :param keys: Windows' console, if that is what the stream is
    :param selectable: whether select(2) can wait for the stream; if not, a read cannot be interrupted
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
        self._rest = bytearray()  # read, but not handed over yet
        self._reading: _Reading | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.RLock()
        self._waking: Waking | None = None

    def read(
        self,
        took: Callable[[str | None], object],
        *,
        hidden: bool,
        many: bool = False,
        offered: bool = False,
        ready: Callable[[], object] = lambda: None,
        again: Callable[[], object] = lambda: None,
    ) -> None:
        """Start reading a line; an earlier ``read`` is given up.

        :param took: called in the reading thread with the line, without its end, or with None at the end of
            the input; the terminal's mode has been restored by then. Called at once if there is no input
        :param hidden: whether to switch off the echo
        :param many: whether to go on line by line, until ``stop`` or the end of the input
        :param offered: whether the person may just as well type nothing: then Ctrl-D has no effect, and a job
            in the background does not read, which would stop it (SIGTTIN)
        :param ready: called as soon as what is typed counts: it shows the prompt
        :param again: called in the reading thread when the prompt has to be shown again, because the program
            was stopped in between
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
        """Give up reading. On return the terminal's mode is restored, and no line is handed over any more."""
        with self._lock:
            self._end()
            thread = self._thread
            if thread is not None and not thread.is_alive():
                thread = self._thread = None  # an exception came while it was being started
            if self._waking is not None:
                self._waking.wake()
        can_be_woken = self._selectable or self._keys is not None
        if thread is not None and can_be_woken and thread is not threading.current_thread():
            thread.join(_END_SECONDS)
        self._put_away()

    def heed_stops(self) -> None:
        """Give the terminal back while Ctrl-Z stops the program. For the main thread."""
        if self._mode is not None:
            self._mode.heed_stops()

    def _set_up(self, *, hidden: bool, offered: bool) -> None:
        if self._keys is not None:
            forget_typed(self._keys)
        elif self._selectable and self._waking is None:
            self._waking = Waking()
        if self._mode is not None and self._waking is not None:
            self._mode.heed_quit()
            self._waking.heed_signals()
            with self._lock:
                self._rest.clear()
                self._mode.begin(hidden=hidden, offered=offered)

    def _put_away(self) -> None:
        """Release what only the reading thread needs, unless that thread is stuck in a read."""
        if self._mode is not None:
            self._mode.heed_no_quit()
        with self._lock:
            if self._thread is None and self._waking is not None and self._waking.close():
                self._waking = None

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
        """Hand over the lines that have come. Returns what to read next, or None if nothing is wanted."""
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
        """Wait until something is typed, or until the wait is interrupted."""
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
        waking = self._waking
        if waking is None:
            return True  # the read itself waits
        awaited = [waking.descriptor, *([self._descriptor] if self._is_ours(reading) else [])]
        readable, _, _ = select.select(awaited, [], [], _LOOK_SECONDS if self._mode else None)
        if waking.descriptor in readable:
            numbers = waking.woken_by()
            if sys.platform != "win32" and self._mode is not None and signal.SIGQUIT in numbers:
                self._mode.end()  # the handler runs in the main thread, which may be busy
            return False
        return bool(readable) and self._is_ours(reading)

    def _typed(self, data: bytes) -> None:
        """Add what came. It answers the current question, even if the read was started for an earlier one."""
        reading = self._reading
        if reading is None:
            if self._mode is None:
                self._rest += data  # a pipe's lines are kept for the next question
            return
        if reading.hidden and self._mode is not None:
            ended = edit(self._rest, data)
        else:
            ended = not data
            self._rest += data
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
        """Whether to read what is typed: in the background it is meant for the shell."""
        return not reading.offered or self._mode is None or self._mode.in_foreground

    def _is_there(self) -> bool:
        """Whether the end of the input was only Ctrl-D, on a terminal that is still there."""
        return self._mode is not None and os.isatty(self._descriptor)

    def _take(self, length: int) -> str:
        line = bytes(self._rest[:length])
        del self._rest[:length]
        return line.decode(self._encoding, "replace").rstrip("\r\n")


def _data(descriptor: int) -> bytes:
    """What was typed; nothing at the end of the input, or if the terminal is gone or is not ours."""
    try:
        return os.read(descriptor, 4096)
    except OSError:
        return b""


@contextlib.contextmanager
def _not_stopped() -> Iterator[None]:
    """Let a read in the background fail (EIO) instead of stopping the program.

    The program may have moved there since select(2) said that there is something to read.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
