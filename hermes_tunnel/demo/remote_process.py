"""A command on a server, as a plain function, and what it sees of its terminal.

What matters to a login is as a real terminal has it: typed input is echoed, a line feed becomes a
carriage return and a line feed, Ctrl-C is a signal, and a lost connection hangs up. Without a terminal
none of it happens, and a lost connection leaves the command running.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import paramiko

KILL = "KILL"


@dataclass(frozen=True)
class Pty:
    """A pseudo-terminal as the client asked for it (RFC 4254 section 6.2)."""

    term: str
    width: int
    height: int


class Ended(Exception):
    """A signal ends the command; raised by whatever the command does next.

    :param signal: the signal's name as in RFC 4254 section 6.10
    """

    def __init__(self, signal: str) -> None:
        super().__init__(signal)
        self.signal = signal


class RemoteProcess:
    """A running command.

    :param line: the command line as it was requested
    :param pty: its terminal, None if none was asked for
    :param send: where its output goes; raises OSError or EOFError when nobody is there any more
    """

    def __init__(self, line: str, pty: Pty | None, send: Callable[[bytes], object]) -> None:
        self.line = line
        self.pty = pty
        self.echo = pty is not None
        self.lifeline = False
        """Whether the end of its input ends it, as without a terminal the script's lifeline does."""
        self.ignored: set[str] = set()
        self.signals: list[str] = []
        self.ended = threading.Event()
        self._send = send
        self._changed = threading.Condition()
        self._ended_by = ""
        self._typed = b""
        self._lines: deque[str] = deque()
        self._end_of_input = False

    def write(self, output: bytes) -> None:
        """Print; with a terminal every line feed becomes a carriage return and a line feed."""
        self._check()
        if self.pty is not None:
            output = output.replace(b"\n", b"\r\n")
        try:
            self._send(output)
        except (OSError, EOFError, paramiko.SSHException):
            self.signal("PIPE")
            raise Ended("PIPE") from None

    def print(self, line: str = "") -> None:
        """Print a line."""
        self.write(f"{line}\n".encode())

    def read_line(self, timeout: float | None = None) -> str:
        """The next line of input, without its end.

        :raises EOFError: there is no more input
        :raises TimeoutError: none came in time (seconds)
        """
        self.wait_for(lambda: bool(self._lines) or self._end_of_input, timeout)
        if not self._lines:
            raise EOFError
        return self._lines.popleft()

    @property
    def has_line(self) -> bool:
        """Whether a line of input waits to be read."""
        return bool(self._lines)

    def wait_for(self, happened: Callable[[], bool], timeout: float | None = None) -> None:
        """Wait until something is so; whoever makes it so calls ``changed``.

        :raises TimeoutError: it did not become so in time (seconds)
        :raises Ended: a signal came first
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._changed:
            while not happened():
                self._check()
                left = None if deadline is None else deadline - time.monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                self._changed.wait(left)

    def changed(self) -> None:
        """Let ``wait_for`` look again."""
        with self._changed:
            self._changed.notify_all()

    def signal(self, name: str) -> None:
        """What a signal does: it ends the command, unless that ignores it."""
        with self._changed:
            self.signals.append(name)
            if name == KILL or name not in self.ignored:
                self._ended_by = self._ended_by or name
                self.ended.set()
            self._changed.notify_all()

    def receive(self, typed: bytes) -> None:
        """Input from the client, in any chunking."""
        if self.pty is not None:
            typed = typed.replace(b"\r", b"\n")
            before, interrupt, typed_after = typed.partition(b"\x03")
            if self.echo:
                shown = before + (b"^C" if interrupt else b"")
                with suppress(OSError, EOFError, paramiko.SSHException):
                    self._send(shown.replace(b"\n", b"\r\n"))
            typed = before
            if interrupt:
                self._take(before)
                self.signal("INT")
                typed = typed_after
        self._take(typed)

    def end_of_input(self) -> None:
        """The client sends no more."""
        with self._changed:
            self._end_of_input = True
            self._changed.notify_all()
        if self.lifeline:
            self.signal("TERM")

    def _take(self, typed: bytes) -> None:
        with self._changed:
            *lines, self._typed = (self._typed + typed).split(b"\n")
            self._lines.extend(line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)
            self._changed.notify_all()

    def _check(self) -> None:
        if self.ended.is_set():
            raise Ended(self._ended_by)


Command = Callable[[RemoteProcess], int]
"""What runs on a request: prints, reads, and returns its exit status."""


def run(command: Command, process: RemoteProcess) -> int | None:
    """Run a command to its end.

    :return: its exit status; None if a signal ended it
    """
    try:
        return command(process)
    except Ended:
        return None
    except Exception:
        # What Python does with an exception that nobody expects; Hermes lets many end this way.
        try:
            process.write(traceback.format_exc().encode())
        except Ended:
            return None
        return 1
