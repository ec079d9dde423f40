"""A command on a server, which is a plain function, and its terminal.

The terminal does what matters to a login: it turns a line feed into a carriage return and a line feed, and
Ctrl-C ends the command.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from hermes_tunnel.demo.ssh_transport import GONE


class Ended(Exception):
    """A signal ends the command; raised by whatever the command does next."""


class RemoteProcess:
    """A running command.

    :param line: the requested command line
    :param on_terminal: whether it has a pseudo-terminal (RFC 4254 section 6.2)
    :param send: where its output goes; raises one of ``GONE`` once the client has gone
    """

    def __init__(self, line: str, send: Callable[[bytes], object], *, on_terminal: bool) -> None:
        self.line = line
        self.on_terminal = on_terminal
        self.ended = threading.Event()
        self._send = send
        self._changed = threading.Condition()

    def write(self, output: bytes) -> None:
        """Print bytes; a terminal turns each line feed into a carriage return and a line feed."""
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
        """Wait until something has happened; whoever makes it happen calls ``changed``.

        :raises Ended: a signal came first
        """
        with self._changed:
            self._changed.wait_for(lambda: happened() or self.ended.is_set())
        if not happened():
            self._check()

    def changed(self) -> None:
        """Make ``wait_for`` look again."""
        with self._changed:
            self._changed.notify_all()

    def receive(self, typed: bytes) -> None:
        """Take input from the client; the command reads none, but Ctrl-C ends it."""
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
"""What a request runs: a function that prints, and returns its exit status."""
