"""What a program prints, straight to where the person reads it; between its lines, at times, one of ours.

The bytes are the program's, as ssh shows them. We only listen to them for where the cursor is: a line of ours
comes at the beginning of a line, and never into a screen that the program is drawing.
"""

from __future__ import annotations

import os
import re
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

_LONGEST_SEQUENCE = 32  # bytes of a control sequence that is heeded
# DEC private modes (xterm's control sequences), several in one sequence, set or reset.
_PRIVATE_MODES = re.compile(rb"\x1b\[\?([0-9;]{1,24})([hl])")
_ALTERNATE_SCREENS = {b"47", b"1047", b"1049"}
_CURSOR = b"25"
# What a program sets and resets, and what makes a terminal unusable if it could not: the cursor keys'
# application mode, the mouse, focus events, bracketed paste, besides the alternate screens.
_TO_RESET = {b"1", b"9", b"1000", b"1002", b"1003", b"1004", b"1006", b"1015", b"2004", *_ALTERNATE_SCREENS}
# A line feed, and then nothing but what moves no cursor: colours, erasing, modes.
_AT_BEGINNING = re.compile(rb"\n(?:\r|\x1b\[[0-9;?]{0,24}[mKhl])*\Z")
# An operating system command (ECMA-48, OSC): a title, a link, the clipboard, a page for a browser. The cursor
# stays where it was. It may be long: of one that has only begun, the beginning alone is kept.
_COMMAND = re.compile(rb"\x1b\][^\x07\x18\x1a\x1b]*(?:[\x07\x18\x1a]|\x1b\\)")
_COMMAND_BEGUN = re.compile(rb"\x1b\][^\x07\x18\x1a\x1b]*(\x1b?)\Z")
# A row that is drawn again, as a spinner does it: the cursor returns, and the row is erased.
_REDRAWN = re.compile(rb"(?:(?:\r|\x1b\[1?G)\x1b\[[02]?K|\x1b\[2K(?:\r|\x1b\[1?G))")
_UP = re.compile(rb"\x1b\[[0-9]*[AF]")
PATIENCE = 1.0  # seconds
_MOST_NEWS = 20  # lines that wait: a program that fills the screen for hours may have many told
_STOPPED = 1.0  # seconds without a byte taken: whoever reads has stopped, as a window can be


class Display:
    """Where a program's output goes. One thread writes; any may tell.

    :param descriptor: standard output or error; -1 if it is closed
    :param is_terminal: whether it is a terminal that the program has for itself
    :param patience: seconds that a line waits for the program to pause
    """

    def __init__(self, descriptor: int, *, is_terminal: bool = False, patience: float = PATIENCE) -> None:
        self._descriptor = descriptor
        self._is_terminal = is_terminal
        self._patience = patience
        self._tail = b"\n"
        self._set_modes: set[bytes] = set()
        self._cursor_hidden = self._styled = False
        self._news: deque[tuple[float, str]] = deque(maxlen=_MOST_NEWS)
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Show bytes of the program's.

        :raises OSError: nobody reads them any more
        """
        overdue = bool(self._news) and time.monotonic() - self._news[0][0] > self._patience
        if overdue and (erased := self._erased(data)):
            with self._lock:
                _write(self._descriptor, data[:erased])
                self._tail = b"\n"
            self.pause()
            data = data[erased:]
        with self._lock:
            _write(self._descriptor, data)
            if self._is_terminal and data:
                self._listen(data)
        if overdue:
            self.pause()

    def _erased(self, data: bytes) -> int:
        """After how many bytes the cursor is at the beginning of a row that was erased, and drawn alone."""
        is_apart = self._is_terminal and not self._is_drawing and b"\x1b]" not in self._tail
        found = _REDRAWN.match(data) if is_apart else None
        return 0 if found is None or _UP.search(self._tail + data) else found.end()

    def tell(self, line: str) -> None:
        """Show one line of ours at the next moment when it disturbs nothing.

        :param line: scrubbed, without its end
        """
        self._news.append((time.monotonic(), line))

    def show(self, data: bytes) -> None:
        """Show bytes of ours at once, in the middle of whatever is there: the echo of an escape. If nobody
        takes what is written, they are not shown: who types, or decides, must not wait for that.
        """
        with self._taken() as is_taken:
            if is_taken:
                _write(self._descriptor, data)
                self._tail = (self._tail + data)[-_LONGEST_SEQUENCE:]

    def pause(self) -> None:
        """The program prints nothing just now. For the thread that writes, as a terminal may block."""
        with self._lock:
            while self._news and self._is_moment:
                _, line = self._news.popleft()
                _write(self._descriptor, f"\r{line}\r\n".encode(errors="replace"))

    def end(self, *, lost: bool) -> list[str]:
        """The program is over: what is written next begins a line, unless nobody takes what is written.

        :param lost: whether it could not tidy up: then its screen and what else it has set are reset
        :return: what was to be told and had no moment
        """
        with self._taken() as is_taken:
            after = b""
            if self._is_terminal and lost:
                left = sorted(self._set_modes & _TO_RESET)
                after += b"".join(b"\x1b[?%sl" % mode for mode in left)
                after += b"\x1b[?25h" if self._cursor_hidden else b""
                after += b"\x1b[0m" if self._styled else b""
            if self._is_terminal and lost and not _AT_BEGINNING.search(self._tail):
                after += b"\r\n"
            if after and is_taken:
                _write(self._descriptor, after)
            told = [line for _, line in self._news]
            self._news.clear()
            return told

    @contextmanager
    def _taken(self) -> Iterator[bool]:
        """Nothing else is written in here; gives whether what is written is taken. The thread that writes
        may wait for that forever, and with the lock.
        """
        is_ours = self._lock.acquire(timeout=_STOPPED)
        try:
            yield is_ours and _takes(self._descriptor)
        finally:
            if is_ours:
                self._lock.release()

    @property
    def _is_moment(self) -> bool:
        """Whether the cursor is at the beginning of a line that nobody draws on."""
        return not self._is_drawing and bool(_AT_BEGINNING.search(self._tail))

    @property
    def _is_drawing(self) -> bool:
        return self._cursor_hidden or bool(self._set_modes & _ALTERNATE_SCREENS)

    def _listen(self, data: bytes) -> None:
        heard = self._tail + data
        if b"\x1b]" in heard:
            heard = _COMMAND_BEGUN.sub(b"\x1b]\\1", _COMMAND.sub(b"", heard))
        self._styled = self._styled or b"\x1b[" in heard
        if b"\x1b[?" in heard:
            for found in _PRIVATE_MODES.finditer(heard):
                self._set(set(found[1].split(b";")), on=found[2] == b"h")
        self._tail = heard[-_LONGEST_SEQUENCE:]

    def _set(self, modes: set[bytes], *, on: bool) -> None:
        if _CURSOR in modes:
            self._cursor_hidden = not on
        self._set_modes = self._set_modes | modes if on else self._set_modes - modes


def _takes(descriptor: int) -> bool:
    """Whether something can be written now. Windows' console always takes it, and cannot be asked."""
    if descriptor < 0 or sys.platform == "win32":
        return True
    return bool(select.select([], [descriptor], [], _STOPPED)[1])


def _write(descriptor: int, data: bytes) -> None:
    """All of it, even if the descriptor does not block because another program has set it so."""
    rest = memoryview(data if descriptor >= 0 else b"")
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:
            select.select([], [descriptor], [])
