"""Servers on loopback that end when told, and a second loopback, for a stand-in machine on this one.

Hermes waits on 127.0.0.1 of its machine, and the browser is sent to the same port on the person's. When both
are the same machine, only one of them can have the port. So the stand-in's loopback has port numbers of its
own, and the SSH server knows the real port behind each.
"""

from __future__ import annotations

import os
import secrets
import socket
import socketserver
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeVar

ADDRESS = "127.0.0.1"
# Below every system's ephemeral ports, so that nobody is given one between our check and its use.
_NUMBERS = range(20000, 32000)


class Loopback:
    """The loopback of the stand-in for the remote machine."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._real: dict[int, int] = {}

    def bind(self, real: int) -> int:
        """Give a listener in this process a port on the other machine.

        :param real: its port here
        :return: its port there, which is free on both machines
        """
        with self._lock:
            port = self._free()
            self._real[port] = real
            return port

    def release(self, port: int) -> None:
        """Free a port on the other machine."""
        with self._lock:
            self._real.pop(port, None)

    def find(self, port: int) -> int | None:
        """The port here of whatever listens on a port there; None if nothing does."""
        with self._lock:
            return self._real.get(port)

    def _free(self) -> int:
        while True:
            port = secrets.choice(_NUMBERS)
            if port not in self._real:
                with suppress(OSError), socket.socket() as probe:
                    probe.bind((ADDRESS, port))
                    return port


_Server = TypeVar("_Server", bound="LoopbackServer")


class LoopbackServer(socketserver.TCPServer):
    """Listens on 127.0.0.1, serves one connection at a time, and ends within a moment of ``close``."""

    allow_reuse_address = os.name == "posix"  # on Windows it would let others take the port
    request_queue_size = 64

    def __init__(self, handler: Any = socketserver.BaseRequestHandler) -> None:
        super().__init__((ADDRESS, 0), handler)
        self.port: int = self.server_address[1]
        self._connections: set[socket.socket] = set()
        self._thread = threading.Thread(
            target=self.serve_forever, args=(0.02,), name=type(self).__name__, daemon=True
        )

    def __enter__(self: _Server) -> _Server:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every connection, the listener and their threads."""
        stopping = threading.Thread(target=self.shutdown, daemon=True)
        stopping.start()
        while stopping.is_alive():
            self._cut()  # a handler may be waiting for a browser that says nothing
            stopping.join(0.01)
        self._thread.join()
        self._cut()
        self.server_close()

    def _cut(self) -> None:
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Remember the connection, to end it with the server."""
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection."""
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Show any error, except that a browser left, which is none."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class ThreadingLoopbackServer(socketserver.ThreadingMixIn, LoopbackServer):
    """The same, with a thread for each connection."""

    daemon_threads = False  # so that ``server_close`` waits for them
