"""The demo's Hermes, and what it checks before it believes a callback."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.stage import demonstration
from tests.stage.client import LOGIN_LINE, SECONDS, Command, approved, callback, connected, redirect_port


def test_a_callback_with_another_state_fails() -> None:
    """The command compares the state, as RFC 6749 section 10.12 requires."""
    with demonstration(None) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        port = redirect_port(command.url())
        assert callback(transport, port, "/favicon.ico") == 404
        assert callback(transport, port, "/callback") == 400
        assert callback(transport, port, "/callback?code=c&state=s") == 200
        assert command.read_all().endswith(
            "hermes_cli.auth.AuthError: the demo authorization failed: state mismatch.\r\n"
        )
        assert command.status() == 1


def test_a_code_that_the_server_never_issued_fails() -> None:
    """The code is really exchanged, after the browser has been told that all is well."""
    with demonstration(None) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        state = parse_qs(urlsplit(url).query)["state"][0]
        target = f"/callback?{urlencode({'code': 'guessed', 'state': state})}"
        assert callback(transport, redirect_port(url), target) == 200
        assert "token exchange failed (HTTP 400): The code is unknown" in command.read_all()


def test_a_connection_that_says_nothing_keeps_the_callback_out() -> None:
    """It serves one connection at a time, as most releases do."""
    with demonstration(Answer.APPROVE) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        port = redirect_port(url)
        idle = transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)
        waiting = transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)
        waiting.sendall(f"GET /callback?{urlencode(approved(url))} HTTP/1.1\r\n\r\n".encode())
        waiting.settimeout(0.2)
        with pytest.raises(socket.timeout):
            waiting.recv(1)
        idle.close()
        waiting.settimeout(SECONDS)
        assert waiting.recv(8) == b"HTTP/1.0"
        waiting.close()
        command.read_all()
        assert command.status() == 0
