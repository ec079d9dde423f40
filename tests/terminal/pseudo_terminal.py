"""A pseudo-terminal, for tests of what is shown and asked on one."""

from __future__ import annotations

import os
import select
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TextIO

import pytest

if sys.platform != "win32":
    import fcntl
    import termios
else:
    fcntl: Any = None
    termios: Any = None

SECONDS = 5


def until(happened: Callable[[], bool]) -> None:
    """Poll until something is true; for what gives no notice, such as a terminal's mode."""
    deadline, never = time.monotonic() + SECONDS, threading.Event()
    while not happened():
        assert time.monotonic() < deadline
        never.wait(0.001)


def open_pair() -> tuple[int, int]:
    """A pseudo-terminal: the person's end and the program's."""
    if sys.platform == "win32":
        pytest.skip("there are no pseudo-terminals")
    return os.openpty()


def modes_of(descriptor: int) -> list[object]:
    """A terminal's settings (termios(3)), of which a caller sees only whether they are the same."""
    modes: list[object] = termios.tcgetattr(descriptor)
    return modes


def echoes(descriptor: int) -> bool:
    """Whether the terminal echoes (termios(3))."""
    return bool(termios.tcgetattr(descriptor)[3] & termios.ECHO)


def silence(descriptor: int) -> None:
    """Switch the echo off, as a program may have left it."""
    modes = termios.tcgetattr(descriptor)
    modes[3] &= ~termios.ECHO
    termios.tcsetattr(descriptor, termios.TCSANOW, modes)


def resize(descriptor: int, columns: int, rows: int = 24) -> None:
    """Give the window another size."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


class Terminal:
    """A pseudo-terminal: ``reader`` and ``writer`` are the program's ends, the rest is the person's."""

    def __init__(self, master: int, reader: TextIO, writer: TextIO) -> None:
        self._master = master
        self.reader = reader
        self.writer = writer

    @property
    def modes(self) -> list[object]:
        """The terminal's settings (termios(3)), of which a caller sees only whether they are the same."""
        return modes_of(self.reader.fileno())

    @property
    def echoes(self) -> bool:
        """Whether it echoes."""
        return echoes(self.reader.fileno())

    def silence(self) -> None:
        """Switch the echo off, as a program may have left it."""
        silence(self.reader.fileno())

    def resize(self, columns: int) -> None:
        """Give the window another width."""
        resize(self._master, columns)

    def type(self, text: str) -> None:
        """Type, as a person does."""
        os.write(self._master, text.encode())

    def shown(self) -> str:
        """What has been written to the screen since the last look."""
        data = b""
        while select.select([self._master], [], [], 0)[0]:
            data += os.read(self._master, 65536)
        return data.decode()

    def wait_for(self, text: str) -> str:
        """Everything that is shown up to some text."""
        data = ""
        while text not in data:
            assert select.select([self._master], [], [], SECONDS)[0], data
            data += os.read(self._master, 65536).decode()
        return data

    @property
    def is_there(self) -> bool:
        """Whether the window is still open."""
        return self._master >= 0

    def hang_up(self) -> None:
        """The window is closed."""
        if self._master >= 0:
            os.close(self._master)
            self._master = -1


@contextmanager
def terminal() -> Iterator[Terminal]:
    """A pseudo-terminal of its own."""
    master, slave = open_pair()
    with os.fdopen(slave) as reader:
        writer = os.fdopen(os.dup(slave), "w")
        opened = Terminal(master, reader, writer)
        try:
            yield opened
            with suppress(OSError):
                writer.flush()
        finally:
            opened.hang_up()
            with suppress(OSError):  # what can no longer be written
                writer.close()
