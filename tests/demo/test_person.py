"""The person at a browser."""

from __future__ import annotations

import queue
import socket
import time

import pytest

from hermes_tunnel.demo.authorization_server import AuthorizationServer
from hermes_tunnel.demo.oauth_client import Attempt, Client
from hermes_tunnel.demo.person import Person


def test_a_person_goes_nowhere_but_here() -> None:
    """Any address but http on this machine is not opened."""
    person = Person()
    for url in ("https://127.0.0.1:1/", "http://example.test/", "file:///etc/passwd", "nonsense"):
        assert not person.open(url)
    with pytest.raises(queue.Empty):
        person.wait(0)


def test_a_page_that_cannot_be_loaded_is_an_error_page() -> None:
    """As in a browser: the visit ends with no status."""
    with AuthorizationServer({"c": "Hermes"}) as server:
        person = Person()
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            closed = nobody.getsockname()[1]
        url = Client(server, "c").authorization_url(Attempt(f"http://127.0.0.1:{closed}/callback"))
        assert person.open(url)
        visit = person.wait()
        assert visit.status == 0
        assert url not in repr(visit)
        person.close()


def test_a_person_can_leave_while_a_page_loads() -> None:
    """Leaving does not wait for a server that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        person = Person()
        person.open(f"http://127.0.0.1:{silent.getsockname()[1]}/")
        connection, _ = silent.accept()
        with connection:
            assert connection.recv(3) == b"GET"
            started = time.monotonic()
            person.close()
            assert time.monotonic() - started < 1
        assert person.wait(0).status == 0
