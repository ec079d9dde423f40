"""A command on a server, as a plain function, and what it sees of its terminal.

What matters to a login is as a real terminal has it: a line feed becomes a carriage return and a line feed,
and Ctrl-C ends the command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hermes_tunnel.demo.ssh_transport import GONE


class Ended(Exception):
    """A signal ends the command; raised by whatever the command does next."""


class RemoteProcess:
    """A running command.

    :param line: the command line as it was requested
    :param on_terminal: whether it has a pseudo-terminal (RFC 4254 section 6.2)
    :param send: where its output goes; raises one of ``GONE`` when nobody is there any more
    """

    def __init__(self, line: str, send: Callable[[bytes], object], *, on_terminal: bool) -> None:
        self.line = line
        self.on_terminal = on_terminal
        self.ended = threading.Event()
        self._send = send
        self._changed = threading.Condition()

    def write(self, output: bytes) -> None:
        """Print; with a terminal every line feed becomes a carriage return and a line feed."""
        self._check()
        if self.on_terminal:
            output = output.replace(b"\n", b"\r\n")
        try:
            self._send(output)
        except GONE:
            self.end()
            raise Ended from None

    def print(self, line: str = "") -> None:
        """Print a line."""
        self.write(f"{line}\n".encode())

    def wait_for(self, happened: Callable[[], bool]) -> None:
        """Wait until something is so; whoever makes it so calls ``changed``.

        :raises Ended: a signal came first
        """
        with self._changed:
            self._changed.wait_for(lambda: happened() or self.ended.is_set())
        if not happened():
            self._check()

    def changed(self) -> None:
        """Let ``wait_for`` look again."""
        with self._changed:
            self._changed.notify_all()

    def receive(self, typed: bytes) -> None:
        """Input from the client: the command reads none, but Ctrl-C ends it."""
        if self.on_terminal and b"\x03" in typed:
            self.end()

    def end(self) -> None:
        """End the command by a signal."""
        self.ended.set()
        self.changed()

    def _check(self) -> None:
        if self.ended.is_set():
            raise Ended


Command = Callable[[RemoteProcess], int]
"""What runs on a request: prints, and returns its exit status."""
