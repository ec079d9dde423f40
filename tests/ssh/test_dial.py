"""How the first hop is reached, by any address of its name."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.dial import addresses_of, dial
from tests.ssh.hops import fails, hop, run, to
from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.usefixtures("nothing_left")

NOWHERE = Path(os.devnull)


@contextmanager
def dead() -> Iterator[tuple[Any, ...]]:
    """An address that does not answer, like one behind a firewall: its listener's queue is full."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield address(full.getsockname()[1])


def address(port: int, host: str = "127.0.0.1") -> tuple[Any, ...]:
    """As ``getaddrinfo`` gives it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


def greeting(sock: socket.socket) -> bytes:
    """The first bytes that the server says."""
    with sock:
        return sock.recv(8)


def test_a_dead_address_costs_a_head_start(sshd: Callable[..., Sshd]) -> None:
    """If a dead address comes before a living one, we try the second while the first is silent."""
    with dead() as silent:
        way = [silent, silent, address(sshd().port)]
        begin = time.monotonic()
        sock = dial(hop(22, NOWHERE, connect_timeout=10), way)
        assert greeting(sock) == b"SSH-2.0-"
    assert 0.5 <= time.monotonic() - begin < 2


def test_an_address_that_cannot_be_is_passed_over_at_once(sshd: Callable[..., Sshd]) -> None:
    """No route, a refusal, a family that this machine lacks: we try the next one without waiting."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        way = [
            (12345, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)),
            address(22, "0100::1"),
            address(closed.getsockname()[1]),
            address(sshd().port),
        ]
        begin = time.monotonic()
        assert greeting(dial(hop(22, NOWHERE), way)) == b"SSH-2.0-"
    assert time.monotonic() - begin < 1


def test_a_signal_is_heard_while_a_name_server_is_silent() -> None:
    """The name is looked up in another thread: getaddrinfo(3) itself cannot be interrupted."""
    if sys.platform == "win32":
        pytest.skip("needs a signal of POSIX")
    answered = threading.Event()
    main = threading.main_thread()

    def look_up(*_: object) -> list[tuple[Any, ...]]:
        assert threading.current_thread() is not main
        assert main.ident is not None
        signal.pthread_kill(main.ident, signal.SIGINT)
        answered.wait(10)
        return []

    # It may be ignored where the tests run, as in the background of a script.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            addresses_of(hop(22, NOWHERE), look_up=look_up)
    finally:
        signal.signal(signal.SIGINT, before)
        answered.set()


def test_connection_attempts_are_made_again() -> None:
    """ConnectionAttempts: a server that is about to start is reached by the next attempt."""
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        port = late.getsockname()[1]
        with pytest.raises(NetworkFailure, match="refused"):
            dial(hop(port, NOWHERE), [address(port)])
        with pytest.raises(NetworkFailure, match="refused"):
            dial(hop(port, NOWHERE, connection_attempts=2), [address(port)], pause=0.01)
        start = threading.Timer(0.1, late.listen)
        start.start()
        dial(hop(port, NOWHERE, connection_attempts=100), [address(port)], pause=0.02).close()
        start.join()


@pytest.mark.parametrize(("family", "served"), [("inet", "::1"), ("inet6", "127.0.0.1")])
def test_address_family_is_kept(family: str, served: str) -> None:
    """AddressFamily, and so -4 and -6: only addresses of this family are looked up."""
    kind = socket.AF_INET6 if ":" in served else socket.AF_INET
    with socket.create_server((served, 0), family=kind) as listener:
        port = listener.getsockname()[1]
        configuration = replace(hop(port, NOWHERE), hostname=served)
        either = replace(configuration, address_family="any")
        dial(either, addresses_of(either)).close()
        with pytest.raises(NetworkFailure, match="DNS has no address"):
            addresses_of(replace(configuration, address_family=family))


def test_the_bind_address_is_where_the_connection_comes_from(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """The server sees the connection come from BindAddress."""
    server = sshd()
    server.accept(key)
    configuration = hop(server.port, known(server), key, bind_address="127.0.0.5")
    with to(configuration) as connection:
        assert run(connection, "echo $SSH_CONNECTION").split()[0] == b"127.0.0.5"


@pytest.mark.parametrize("bind_address", ["::1", "192.0.2.1", "nobody.invalid"])
def test_an_impossible_bind_address_is_reported(bind_address: str) -> None:
    """A BindAddress that is of the other family, another machine's or not an address is an error."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failure = fails(hop(listener.getsockname()[1], NOWHERE, bind_address=bind_address))
    assert failure.message.endswith(os.strerror(errno.EADDRNOTAVAIL))


def test_the_bind_interface_is_where_the_connection_comes_from(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """BindInterface: we use an address of that interface; one that does not exist is an error."""
    server = sshd()
    server.accept(key)
    loopback = next(name for _, name in socket.if_nameindex() if name.startswith("lo"))
    configuration = hop(server.port, known(server), key, bind_interface=loopback)
    with to(configuration) as connection:
        assert run(connection, "echo $SSH_CONNECTION").split()[0] == b"127.0.0.1"
    failure = fails(replace(configuration, bind_interface="nothing0"))
    assert failure.message.endswith(os.strerror(errno.EADDRNOTAVAIL))


@pytest.mark.parametrize("wanted", [True, False])
def test_tcp_keep_alive_is_kept(wanted: bool) -> None:
    """TCPKeepAlive sets the socket's option."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        dial(hop(22, NOWHERE, tcp_keep_alive=wanted), [address(listener.getsockname()[1])]) as sock,
    ):
        assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is wanted
