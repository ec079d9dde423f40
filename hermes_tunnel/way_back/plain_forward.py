"""A plain forward of one port, as ``ssh -L`` does: every byte both ways, and nothing is judged.

For a program whose own page has to run in the browser, with scripts and further requests. Each connection has
two threads, one a direction, and an end of the bytes in one direction does not end the other.
"""

from __future__ import annotations

import math
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.connection import Connection, NoStream, Stream, StreamRefused

HOSTS = ("127.0.0.1", "::1")
"""Where the program may listen, tried in turn."""
MOST_CONNECTIONS = 100
"""At a time: anybody on this machine can open some, and each costs us a descriptor and two threads."""
_CHUNK = 32 * 1024


class PlainForward:
    """Carries connections to one port of the remote's loopback.

    :param connection: returns the connection to the remote machine, or raises ``NetworkFailure``
    :param port: the port there
    :param refused: told why there is no way there, and in words, once for each reason; called in a
        connection's thread
    """

    def __init__(
        self, connection: Callable[[], Connection], port: int, refused: Callable[[NoStream, str], object]
    ) -> None:
        self._connection = connection
        self._port = port
        self._refused = refused
        self._told: set[NoStream] = set()
        self._connections = 0
        self._streams: set[Stream] = set()
        self._changing = threading.Lock()
        self._ended = False

    def serve(self, client: socket.socket) -> None:
        """Carry one accepted connection, until both sides have ended; none beyond ``MOST_CONNECTIONS``."""
        with self._place() as there_is_one:
            if there_is_one:
                self._serve(client)
            else:
                self._tell(NoStream.FORBIDDEN, f"{MOST_CONNECTIONS} connections to it are open already")

    @contextmanager
    def _place(self) -> Iterator[bool]:
        with self._changing:
            self._connections += 1
            there_is_one = self._connections <= MOST_CONNECTIONS
        try:
            yield there_is_one
        finally:
            with self._changing:
                self._connections -= 1

    def _serve(self, client: socket.socket) -> None:
        try:
            stream = self._open()
        except StreamRefused as refused:
            self._tell(refused.reason, refused.words)
            return
        except NetworkFailure as failure:
            self._tell(NoStream.LOST, failure.message)
            return
        with closing(stream):
            with self._changing:
                self._streams.add(stream)
                is_late = self._ended
            try:
                if not is_late:
                    self._carry(client, stream)
            finally:
                with self._changing:
                    self._streams.discard(stream)

    def end(self) -> None:
        """End every connection, so that its threads end."""
        with self._changing:
            self._ended = True
            streams = tuple(self._streams)
        for stream in streams:
            stream.close()

    def _open(self) -> Stream:
        """A stream to whoever listens; the other family only after a refusal."""
        first, second = HOSTS
        try:
            return self._connection().open_stream(first, self._port)
        except StreamRefused as refused:
            if refused.reason is not NoStream.NOBODY_LISTENS:
                raise
        return self._connection().open_stream(second, self._port)

    def _tell(self, reason: NoStream, words: str) -> None:
        with self._changing:
            known = reason in self._told
            self._told.add(reason)
        if not known:
            self._refused(reason, words)

    def _carry(self, client: socket.socket, stream: Stream) -> None:
        back = threading.Thread(target=_carry_back, args=(stream, client), name="forward", daemon=True)
        back.start()
        with suppress(OSError):  # either side has left
            client.settimeout(None)
            while data := client.recv(_CHUNK):
                stream.write(data, math.inf)
        stream.end_input()
        back.join()


def _carry_back(stream: Stream, client: socket.socket) -> None:
    """What comes from there. If nobody takes it here any more, the program there hears of it."""
    try:
        while data := stream.read():
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    except OSError:
        with suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        stream.close()
