"""One port that is carried as it is: over OpenSSH's sshd, with programs that talk in every order."""

from __future__ import annotations

import hashlib
import os
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.connection import Connection, NoStream
from hermes_tunnel.ssh.forward import LocalForward
from hermes_tunnel.way_back.plain_forward import MOST_CONNECTIONS, PlainForward
from tests.ssh.hops import hop, to
from tests.ssh.sshd import Sshd

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]
SECONDS = 20.0
MEGABYTE = 1024 * 1024


@contextmanager
def serving(behave: Callable[[socket.socket], None], address: str = "127.0.0.1") -> Iterator[int]:
    """A program on the remote machine that serves any number of connections at once."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                self.request.settimeout(SECONDS)
                behave(self.request)

    class Server(socketserver.ThreadingTCPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET
        request_queue_size = 64

    with Server((address, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class Forwarded:
    """A plain forward of a port there; as it is the same machine here, it listens on another port."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.refused: list[NoStream] = []

    def _connected(self) -> Connection:
        if not self.connection.is_up:
            raise NetworkFailure("the connection is lost")
        return self.connection

    @contextmanager
    def open(self, port: int) -> Iterator[int]:
        """The port here; afterwards nothing of it is left."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            here = free.getsockname()[1]
        plain = PlainForward(self._connected, port, lambda reason, _: self.refused.append(reason))
        with LocalForward(("127.0.0.1",), here, plain.serve, plain.end):
            yield here


@pytest.fixture
def forwarded(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> Iterator[Callable[..., Forwarded]]:
    """Connects to an sshd with these options."""
    with ExitStack() as opened:

        def connect_to(*options: str) -> Forwarded:
            server = sshd("host", *options)
            server.accept(key)
            return Forwarded(opened.enter_context(to(hop(server.port, known(server), key))))

        yield connect_to


def knock(port: int) -> socket.socket:
    """A connection to a port here."""
    return socket.create_connection(("127.0.0.1", port), SECONDS)


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def echo(client: socket.socket) -> None:
    """Says what it hears."""
    while data := client.recv(65536):
        client.sendall(data)


def ignore(_: object) -> None:
    """Whatever it was."""


def digest(client: socket.socket) -> None:
    """Says what all that it heard comes to, once the other side has ended."""
    heard = hashlib.sha256()
    while data := client.recv(65536):
        heard.update(data)
    client.sendall(heard.hexdigest().encode())


def test_every_byte_goes_both_ways(forwarded: Callable[..., Forwarded]) -> None:
    """As it is, whatever it is."""
    with serving(echo) as port, forwarded().open(port) as here, knock(here) as client:
        for data in (b"GET / HTTP/1.1\r\nCookie: a=b\r\n\r\n", b"\x16\x03\x01", bytes(range(256)) * 16):
            client.sendall(data)
            heard = b""
            while len(heard) < len(data):
                heard += client.recv(65536)
            assert heard == data


def test_a_large_upload_and_a_half_close(forwarded: Callable[..., Forwarded]) -> None:
    """32 MB arrive whole; the end of what the client sends is not the end of what it gets."""
    data = os.urandom(MEGABYTE)
    with serving(digest) as port, forwarded().open(port) as here, knock(here) as client:
        for _ in range(32):
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).decode() == hashlib.sha256(data * 32).hexdigest()


def test_the_program_may_end_first(forwarded: Callable[..., Forwarded]) -> None:
    """What the client sends after that still arrives."""
    heard = threading.Event()

    def end_and_listen(client: socket.socket) -> None:
        client.sendall(b"all")
        client.shutdown(socket.SHUT_WR)
        if client.recv(10) == b"thanks":
            heard.set()

    with serving(end_and_listen) as port, forwarded().open(port) as here, knock(here) as client:
        assert read_all(client) == b"all"
        client.sendall(b"thanks")
        assert heard.wait(SECONDS)


def test_many_at_once(forwarded: Callable[..., Forwarded]) -> None:
    """Each connection is carried by itself, and a silent one delays nobody."""
    with serving(echo) as port, forwarded("MaxSessions 1").open(port) as here, ExitStack() as opened:
        clients = [opened.enter_context(knock(here)) for _ in range(30)]
        for number, client in reversed([*enumerate(clients[1:])]):
            client.sendall(str(number).encode())
            assert client.recv(10) == str(number).encode()


def test_a_program_that_pauses_is_waited_for(forwarded: Callable[..., Forwarded]) -> None:
    """An upload that it does not read for a while goes on when it does."""
    go = threading.Event()

    def pause(client: socket.socket) -> None:
        assert go.wait(SECONDS)
        digest(client)

    data = os.urandom(16 * MEGABYTE)
    with serving(pause) as port, forwarded().open(port) as here, knock(here) as client:
        sending = threading.Thread(target=client.sendall, args=(data,))
        sending.start()
        sending.join(1.0)
        assert sending.is_alive()
        go.set()
        sending.join()
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).decode() == hashlib.sha256(data).hexdigest()


def test_the_other_family_is_tried_after_a_refusal(forwarded: Callable[..., Forwarded]) -> None:
    """The program may listen on ::1 alone."""
    with serving(echo, "::1") as port, forwarded().open(port) as here, knock(here) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"


def test_nobody_listens(forwarded: Callable[..., Forwarded]) -> None:
    """The client's connection ends, the person is told once, and later it may work."""
    there = forwarded()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with there.open(port) as here:
        for _ in range(2):
            with knock(here) as client:
                assert read_all(client) == b""
        assert there.refused == [NoStream.NOBODY_LISTENS]


def test_a_client_that_is_gone(forwarded: Callable[..., Forwarded]) -> None:
    """The program hears of it, though it has more to say."""
    ended = threading.Event()

    def talk(client: socket.socket) -> None:
        try:
            while True:
                client.sendall(b"a" * 65536)
        finally:
            ended.set()

    with serving(talk) as port, forwarded().open(port) as here:
        with knock(here) as client:
            client.recv(10)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert ended.wait(SECONDS)


def test_open_connections_end_with_the_forward(forwarded: Callable[..., Forwarded]) -> None:
    """Within a moment, silent or busy, and the program hears of it."""
    gone = threading.Semaphore(0)

    def listen(client: socket.socket) -> None:
        read_all(client)
        gone.release()

    with serving(listen) as port, ExitStack() as opened:
        with forwarded().open(port) as here:
            clients = [opened.enter_context(knock(here)) for _ in range(3)]
            clients[0].sendall(b"hello")
            time.sleep(0.2)
            began = time.monotonic()
        assert time.monotonic() - began < 2
        for client in clients:
            with suppress(ConnectionError):
                assert client.recv(1) == b""
        assert gone.acquire(timeout=SECONDS)


def test_a_program_that_never_ends_keeps_nothing_here(forwarded: Callable[..., Forwarded]) -> None:
    """Though it does not care that the other side has ended, the forward and its threads do."""
    go = threading.Event()
    with serving(lambda _: ignore(go.wait(SECONDS))) as port:
        with forwarded().open(port) as here, knock(here) as client:
            threads = {one for one in threading.enumerate() if one.name == "forward"}
            client.sendall(b"hello")
            while not threads:
                threads = {one for one in threading.enumerate() if one.name == "forward"}
        for one in threads:
            one.join(2)
            assert not one.is_alive()
        go.set()


def test_a_connection_that_is_lost(forwarded: Callable[..., Forwarded]) -> None:
    """The clients' connections end."""
    there = forwarded()
    with serving(echo) as port, there.open(port) as here, knock(here) as client:
        client.sendall(b"hello")
        assert client.recv(10) == b"hello"
        there.connection.close()
        with suppress(ConnectionError):
            assert client.recv(1) == b""
        with knock(here) as late, suppress(ConnectionError):
            assert late.recv(1) == b""
        assert there.refused == [NoStream.LOST]


def test_so_many_connections_at_a_time(forwarded: Callable[..., Forwarded]) -> None:
    """One too many is ended at once, and that is told once; when another has ended, there is room again."""

    def echo(client: socket.socket) -> None:
        while data := client.recv(100):
            client.sendall(data)

    def is_carried(client: socket.socket) -> bool:
        with suppress(OSError):
            client.settimeout(SECONDS)
            client.sendall(b"x")
            return client.recv(1) == b"x"
        return False

    to_there = forwarded()
    with serving(echo) as port, to_there.open(port) as here, ExitStack() as opened:

        def connect() -> socket.socket:
            return opened.enter_context(socket.create_connection(("127.0.0.1", here)))

        clients = [connect() for _ in range(MOST_CONNECTIONS)]
        assert all(map(is_carried, clients))
        assert not is_carried(connect())
        assert not is_carried(connect())
        assert to_there.refused == [NoStream.FORBIDDEN]
        clients[0].close()
        until = time.monotonic() + SECONDS
        while not is_carried(connect()):
            assert time.monotonic() < until
