"""The packets of a transport (RFC 4253 section 6), and what a server says before them."""

from __future__ import annotations

import time
from typing import Any

import paramiko
from paramiko import Message

# RFC 4253 section 4.2 sets no limit to the lines before the identification string.
_MOST_BEFORE_IDENTIFICATION = 1 << 16


class Packets(paramiko.packet.Packetizer):
    """Counts what comes before the identification string, and knows when the server was last heard from."""

    def __init__(self, sock: Any) -> None:
        super().__init__(sock)
        self.heard = time.monotonic()
        self.first_line = ""
        self._before = 0

    def start_handshake(self, timeout: float) -> None:
        """Start no timer, whose thread would outlive the connection: ``handshake`` has a deadline."""

    def readline(self, timeout: float) -> str:
        """A line of the identification exchange.

        :raises ConnectionAbortedError: it is a web server's
        """
        line = super().readline(timeout)
        self.first_line = self.first_line or line
        if line.startswith(("HTTP/", "<")):
            raise ConnectionAbortedError
        return line

    def _read_timeout(self, timeout: float) -> bytes:
        data: bytes = super()._read_timeout(timeout)  # type: ignore[misc]
        self._before += len(data)
        if self._before > _MOST_BEFORE_IDENTIFICATION:
            raise ConnectionAbortedError
        return data

    def read_message(self) -> tuple[int, Message]:
        """The next message, with its number; waits for it."""
        message = super().read_message()
        self.heard = time.monotonic()
        return message
