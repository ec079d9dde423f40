"""How long a key exchange may take; its other outcomes are tested with the connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from hermes_tunnel.deadlines import KEY_EXCHANGE
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.key_exchange import handshake
from hermes_tunnel.ssh.transport import Transport
from tests.ssh.hops import hop

pytestmark = pytest.mark.usefixtures("nothing_left")


@contextmanager
def slow(before: float, then: float | None) -> Iterator[int]:
    """A server that takes its time to say what it is, and then to exchange keys; None: for ever."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            client, _ = listener.accept()
            with client:
                over.wait(before)
                if then is None:
                    client.sendall(b"SSH-2.0-slow\r\n")
                    over.wait(30)
                    return
                transport = paramiko.Transport(client)
                transport.add_server_key(paramiko.ECDSAKey.generate())
                kex_init = transport._send_kex_init  # type: ignore[attr-defined]
                transport._send_kex_init = lambda: over.wait(then) or kex_init()  # type: ignore[attr-defined]
                transport.start_server(threading.Event())
                over.wait(30)
                transport.close()
                transport.join()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


def exchanged(
    port: int, timeout: float, *, took: float = 0.0, seconds: float = KEY_EXCHANGE.seconds
) -> paramiko.PKey:
    """The server's key, with this ConnectTimeout."""
    configuration = hop(port, Path("/dev/null"), connect_timeout=timeout)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        transport = Transport(sock, configuration, ())
        try:
            return handshake(transport, configuration, took=took, seconds=seconds)
        finally:
            transport.close()
            sock.close()
            transport.join()


@pytest.mark.slow
def test_it_has_a_limit_of_its_own() -> None:
    """It counts from the server's first word, and ConnectTimeout no longer does, as with ssh."""
    with slow(0.7, 1.5) as port:
        assert exchanged(port, 1).get_name().startswith("ecdsa-")
    begin = time.monotonic()
    with slow(0.7, None) as port, pytest.raises(NetworkFailure) as failure:
        exchanged(port, 1, seconds=1)
    assert failure.value.message == f"127.0.0.1:{port} stalled during the key exchange for 1 s"
    assert 1.7 <= time.monotonic() - begin < 4


@pytest.mark.slow
def test_connect_timeout_ends_with_the_identification() -> None:
    """What dialling took of it is gone, as with ssh."""
    for took, least in ((0.0, 1.0), (0.6, 0.4)):
        begin = time.monotonic()
        with slow(5, None) as port, pytest.raises(NetworkFailure) as failure:
            exchanged(port, 1, took=took)
        assert failure.value.message.endswith("did not speak SSH within 1 s")
        assert least <= time.monotonic() - begin < least + 0.6
