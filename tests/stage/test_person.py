"""The stage's person, who can tell where a visit ended."""

from __future__ import annotations

import socket

from hermes_tunnel.demo.authorization_server import AuthorizationServer
from hermes_tunnel.demo.oauth_client import Attempt, Client
from tests.stage.person import Person


def test_a_page_that_cannot_be_loaded_is_an_error_page() -> None:
    """The visit ends without a status, as in a browser."""
    person = Person()
    with AuthorizationServer({"c": "Hermes"}) as server:
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            closed = nobody.getsockname()[1]
        url = Client(server, "c").authorization_url(Attempt(f"http://127.0.0.1:{closed}/callback"))
        assert person.open(url)
        visit = person.wait()
        assert visit.status == 0
        assert url not in repr(visit)
    person.close()
