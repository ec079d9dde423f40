"""A program on a pseudo-terminal, and a person who answers it."""

from __future__ import annotations

import codecs
import os
import re
import select
import subprocess
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from tests.terminal.pseudo_terminal import echoes, modes_of, open_pair, resize

_WHERE, _THERE = b"\x1b[6n", "\x1b[1;1R"


class Terminal:
    """A program that runs on a terminal of its own, a wide one, in a session of its own (setsid(2)).

    ``output`` is everything that it printed, decoded as UTF-8. ``chunks`` has each read as it came, with the
    seconds since the start. Asked where the cursor is, the terminal answers (ECMA-48, DSR). Leaving the
    context hangs up: the program gets SIGHUP as from a closed window, and SIGKILL if it does not then end.
    Further parameters are subprocess.Popen's.
    """

    def __init__(self, argv: Sequence[str], *, columns: int = 400, rows: int = 50, **popen: Any) -> None:
        self.output = ""
        self.chunks: list[tuple[float, bytes]] = []
        self._mark = 0
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._master, slave = open_pair()
        resize(slave, columns, rows)
        self._started = time.monotonic()
        try:
            # setsid(1) makes its standard input the controlling terminal, then becomes argv; signals that
            # the tests' own parent ignores, as nohup(1) does, are not ignored in a new window.
            window = ["setsid", "--ctty", "env", "--default-signal=HUP,INT,QUIT,TERM"]
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                [*window, *argv], stdin=slave, stdout=slave, stderr=slave, **popen
            )
        except BaseException:
            os.close(self._master)
            raise
        finally:
            os.close(slave)

    def expect(self, pattern: str, deadline: float = 20) -> re.Match[str]:
        """Wait until ``pattern`` is in what has come since the last match.

        AssertionError, with all the output, if it is not there after ``deadline`` seconds.
        """
        until = time.monotonic() + deadline
        while True:
            if match := re.compile(pattern, re.MULTILINE).search(self.output, self._mark):
                self._mark = match.end()
                return match
            if not self.read(until):
                raise AssertionError(f"no {pattern!r} in the output:\n{self.output}")

    def rest(self, seconds: float) -> None:
        """Read on for some time."""
        until = time.monotonic() + seconds
        while self.read(until):
            pass

    def send(self, text: str) -> None:
        r"""Type ``text``: "yes\n" is an answer, "\x03" is Ctrl-C."""
        os.write(self._master, text.encode())

    def wait(self, deadline: float = 20) -> int:
        """Wait until the program has ended and return its exit status.

        AssertionError, with all the output, if it has not ended after ``deadline`` seconds.
        """
        until = time.monotonic() + deadline
        while self.read(until):
            pass
        try:
            return self.process.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end:\n{self.output}") from None

    @property
    def echoes(self) -> bool:
        """Whether the terminal echoes (termios(3))."""
        return echoes(self._master)

    @property
    def modes(self) -> list[object]:
        """The terminal's settings (termios(3))."""
        return modes_of(self._master)

    def read(self, until: float) -> bool:
        """Add what comes next to ``output``; False at its end, or when time is up."""
        if not select.select([self._master], [], [], max(0.0, until - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the terminal open any more (Linux)
            return False
        self.chunks.append((round(time.monotonic() - self._started, 3), data))
        self.output += self._decode(data)
        for _ in range(data.count(_WHERE)):
            self.send(_THERE)
        return bool(data)

    def close(self) -> None:
        """Hang up, and make sure that the program ends."""
        os.close(self._master)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
