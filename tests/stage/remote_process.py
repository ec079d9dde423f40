"""A command that has input, a terminal that echoes, and signals, which it may ignore.

Without a terminal nothing is echoed, and a lost connection leaves the command running.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from hermes_tunnel.demo import remote_process
from hermes_tunnel.demo.ssh_transport import GONE

KILL = "KILL"


@dataclass(frozen=True)
class Pty:
    """A pseudo-terminal as the client asked for it (RFC 4254 section 6.2)."""

    term: str
    width: int
    height: int


class RemoteProcess(remote_process.RemoteProcess):
    """A running command.

    :param pty: its terminal, None if none was asked for
    """

    def __init__(self, line: str, send: Callable[[bytes], object], pty: Pty | None) -> None:
        super().__init__(line, send, on_terminal=pty is not None)
        self.pty = pty
        self.echo = pty is not None
        self.lifeline = False
        """Whether the end of its input ends it, as without a terminal the script's lifeline does."""
        self.ignored: set[str] = set()
        self.signals: list[str] = []
        self._typed = b""
        self._lines: deque[str] = deque()
        self._end_of_input = False

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
        """Wait until a condition is true; whoever makes it true calls ``changed``.

        :raises TimeoutError: it did not become true in time (seconds)
        :raises Ended: a signal came first
        """
        with self._changed:
            if not self._changed.wait_for(lambda: happened() or self.ended.is_set(), timeout):
                raise TimeoutError
        super().wait_for(happened)

    def signal(self, name: str) -> None:
        """Take a signal (RFC 4254 section 6.9): it ends the command, unless the command ignores it."""
        self.signals.append(name)
        if name == KILL or name not in self.ignored:
            super().end()
        self.changed()

    def end(self) -> None:
        """End the command, whatever it ignores."""
        self.signal(KILL)

    def receive(self, typed: bytes) -> None:
        """Input from the client, in any chunking."""
        if self.pty is None:
            self._take(typed)
            return
        before, interrupt, after = typed.replace(b"\r", b"\n").partition(b"\x03")
        if self.echo:
            shown = before + (b"^C" if interrupt else b"")
            with suppress(*GONE):
                self._send(shown.replace(b"\n", b"\r\n"))
        self._take(before)
        if interrupt:
            self.signal("INT")
            self._take(after)

    def end_of_input(self) -> None:
        """The client sends no more."""
        self._end_of_input = True
        self.changed()
        if self.lifeline:
            self.signal("TERM")

    def _take(self, typed: bytes) -> None:
        *lines, self._typed = (self._typed + typed).split(b"\n")
        self._lines.extend(line.rstrip(b"\r").decode("utf-8", "replace") for line in lines)
        self.changed()


Command = Callable[[RemoteProcess], int]
"""What runs on a request: prints, reads, and returns its exit status."""
