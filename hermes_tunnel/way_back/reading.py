"""One request, as it comes in on a browser's connection: first its head, then a form if it has one."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable

from hermes_tunnel.oauth.callback import Reject, judge_beginning

_CHUNK = 4096


class Reading:
    """Reads one request.

    :param begun: called once its first bytes have come, and before they are read
    :param seconds: how long it may take to come
    """

    def __init__(self, connection: socket.socket, begun: Callable[[], object], seconds: float) -> None:
        self._connection = connection
        self._begun = begun
        self._deadline = time.monotonic() + seconds
        self._received = bytearray()
        self._is_silent = True

    def head(self) -> bytes | Reject | None:
        """The head; None from a connection that asked nothing, or closed halfway through.

        We close one that was opened ahead of need without a word: a browser that uses it at that moment
        would take a word for the answer, but takes silence as a reason to ask again on a new connection.
        """
        received, end = self._received, -1
        while end < 0:
            seen = len(received)
            if (reject := self._receive("the request head did not come")) is not None or self._ended(seen):
                return reject
            if refused := judge_beginning(received):
                return refused
            end = received.find(b"\r\n\r\n", max(0, seen - 3))  # it may span two chunks
        head = bytes(received[: end + 4])
        del received[: end + 4]
        return head

    def body(self, length: int) -> bytes | Reject | None:
        """What follows the head; None if it ends too early."""
        while (seen := len(self._received)) < length:
            if (reject := self._receive("the form did not come")) is not None or self._ended(seen):
                return reject
        return bytes(self._received[:length])

    def _receive(self, late: str) -> Reject | None:
        """Some more of it, if the connection has not ended; a ``Reject`` if none comes in time."""
        try:
            self._connection.settimeout(max(self._deadline - time.monotonic(), 0.001))
            # Its first bytes stay where they are until it is known to have begun. In between it would seem
            # idle, and a crowd makes room by ending who is idle.
            if self._is_silent and self._connection.recv(1, socket.MSG_PEEK):
                self._is_silent = False
                self._begun()
            chunk = self._connection.recv(_CHUNK)
        except TimeoutError:
            return None if self._is_silent else Reject(408, late)
        except OSError:
            return None
        self._received += chunk
        return None

    def _ended(self, seen: int) -> bool:
        return len(self._received) == seen
