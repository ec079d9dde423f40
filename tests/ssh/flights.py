"""A wire that counts flights: how often the client waits for an answer before it says more.

That is what a login costs on a long line, whatever the machine. What the server says is held back until the
client has fallen silent; then all of it is handed over, and what the client says next is its next flight.
"""

from __future__ import annotations

import select
import socket
import threading
from contextlib import suppress
from pathlib import Path

_LOOK_SECONDS, _LOOKS = 0.05, 5
"""Client and server are silent if, in so many looks, nothing comes from either and neither does anything."""


def _works() -> bool:
    """Whether any other thread of this process runs, or would if it had a processor (proc(5))."""
    me = threading.get_native_id()
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended
            state = (task / "stat").read_text().rpartition(")")[2].split()[0]
            if state in ("R", "D") and task.name != str(me):
                return True
    return False


class Wire:
    """Carries one connection to a port of 127.0.0.1.

    :param port: of the server; this wire's own is ``port``
    """

    def __init__(self, port: int) -> None:
        self.flights = 0
        self._server_port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """End it, once the connection has ended."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):  # nobody came, or somebody hung up
            client, _ = self._listener.accept()
            with client, socket.create_connection(("127.0.0.1", self._server_port)) as server:
                for each in (client, server):
                    each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self._carry(client, server)

    def _carry(self, client: socket.socket, server: socket.socket) -> None:
        held, looks, answered = b"", 0, True
        while True:
            ready, _, _ = select.select([client, server], [], [], _LOOK_SECONDS)
            looks = 0 if ready or _works() else looks + 1
            if client in ready:
                data = client.recv(65536)
                if not data:
                    return
                self.flights += answered
                answered = False
                server.sendall(data)
            if server in ready:
                data = server.recv(65536)
                if not data:
                    client.sendall(held)
                    return
                held += data
            if held and looks >= _LOOKS:
                client.sendall(held)
                held, looks, answered = b"", 0, True
