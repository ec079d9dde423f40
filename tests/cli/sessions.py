"""The programs of the scenes that show a ``run``: each begins a sign-in, and waits until a line is typed.

They echo nothing, so that what a person types does not mix with what is compared.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from urllib.parse import urlencode

from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.stage import HOST

OPENS = ("--browser", "test -n")
"""A browser that is always there, and shows nothing."""


def authorization_url(endpoint: str, port: int) -> str:
    """The address of a sign-in page whose answer comes to a port."""
    query = {
        "response_type": "code",
        "client_id": "an-app",
        "redirect_uri": f"http://127.0.0.1:{port}/callback",
        "state": "s" * 32,
    }
    return f"{endpoint}?{urlencode(query)}"


def sign_ins(_: int) -> Command:
    """A page that opens, one that does not, and a code."""

    def command(process: RemoteProcess) -> int:
        process.echo = False
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
            ports = [each.getsockname()[1] for each in (one, other)]
        process.print("Starting local login server. If your browser did not open, go to:\n")
        process.print(authorization_url("https://auth.openai.com/oauth/authorize", ports[0]))
        process.read_line()
        process.print(f"Open {authorization_url('https://mcp.example.com/authorize', ports[1])}")
        process.read_line()
        process.print("First copy your one-time code: BCDF-GHJK")
        process.print("Open this URL to continue in your web browser: https://github.com/login/device")
        process.read_line()
        process.print("Logged in")
        return 0

    return command


def one_sign_in(port: int) -> Command:
    """A page whose answer comes to that port."""

    def command(process: RemoteProcess) -> int:
        process.echo = False
        process.print("Open this URL:")
        process.print(authorization_url("https://auth.openai.com/oauth/authorize", port))
        process.read_line()
        return 0

    return command


def nothing(_: int) -> Command:
    """No page at all."""

    def command(process: RemoteProcess) -> int:
        process.echo = False
        process.print("$")
        process.read_line()
        return 0

    return command


Session = Callable[[int], Command]
"""Makes the program of a session from the port that is held."""
RUN = ("run", HOST, *OPENS, "--", "an-app")
