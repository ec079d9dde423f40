"""The demo's person at a browser."""

from __future__ import annotations

import socket
import time

from hermes_tunnel.demo.person import Person


def test_a_person_goes_nowhere_but_here() -> None:
    """Only an http address on this machine is opened."""
    person = Person()
    for url in ("https://127.0.0.1:1/", "http://example.test/", "file:///etc/passwd", "nonsense"):
        assert not person.open(url)
    person.close()


def test_a_person_leaves_when_the_servers_do() -> None:
    """A half-loaded page holds nobody: when its server ends, so does the visit."""
    person = Person()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        person.open(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(3) == b"GET"
    started = time.monotonic()
    person.close()
    assert time.monotonic() - started < 1
