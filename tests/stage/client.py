"""A plain paramiko client for the stage's servers, and a local forward with nothing clever in it."""

from __future__ import annotations

import http.client
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import paramiko

from hermes_tunnel.demo.stage import HOST, USER, Stage
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider

NONCE = "0123456789abcdef"
_XAI = provider("xai-oauth")
LOGIN_LINE = Call().login_line(replace(_XAI, credential=None), NONCE)
LANDING_LINE = Call().landing_line(_XAI, NONCE)
SECONDS = 10


class Command:
    """A remote command, its output line by line."""

    def __init__(self, transport: paramiko.Transport, line: str, *, pty: bool = True) -> None:
        self.channel = transport.open_session(timeout=SECONDS)
        self.channel.settimeout(SECONDS)
        if pty:
            self.channel.get_pty("dumb", 4000, 50)
        self.channel.set_combine_stderr(True)
        self.channel.exec_command(line)
        self.output = b""

    def read_until(self, what: str) -> str:
        """All output up to the end of ``what``, decoded."""
        while what.encode() not in self.output:
            data = self.channel.recv(4096)
            assert data, f"the output ended without {what!r}: {self.output!r}"
            self.output += data
        return self.output.decode()

    def read_all(self) -> str:
        """All output to its end."""
        while data := self.channel.recv(4096):
            self.output += data
        return self.output.decode()

    def status(self) -> int:
        """The exit status; -1 if a signal ended the command."""
        assert self.channel.status_event.wait(SECONDS)
        return self.channel.recv_exit_status()

    def url(self) -> str:
        """The authorization URL in the output."""
        lines = self.read_until("code_challenge_method=S256").splitlines()
        return next(line.strip() for line in lines if "redirect_uri=" in line)

    def end(self) -> None:
        """Close the channel."""
        self.channel.close()


def redirect_port(url: str) -> int:
    """The port in a URL's redirect_uri."""
    return urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0]).port or 0


def approved(url: str) -> dict[str, str]:
    """What an authorization server sends back for a URL that it approves by itself."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=SECONDS)
    connection.request("GET", f"{parts.path}?{parts.query}")
    location = connection.getresponse().headers["Location"]
    connection.close()
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def dial(port: int) -> paramiko.Transport:
    """A connection on which nothing has been said."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return paramiko.Transport(connection)


@contextmanager
def connected(stage: Stage) -> Iterator[paramiko.Transport]:
    """An authenticated connection to the stage's server, past its jump host."""
    server = stage.servers[HOST]
    transport = dial(server.port)
    try:
        transport.start_client(timeout=SECONDS)
        assert transport.get_remote_server_key() == server.host_key
        transport.auth_publickey(USER, paramiko.Ed25519Key.from_private_key_file(str(stage.key_file)))
        yield transport
    finally:
        end(transport)


def end(transport: paramiko.Transport) -> None:
    """End a connection and its thread, which would notice only after a while."""
    with suppress(OSError):
        transport.sock.shutdown(socket.SHUT_RDWR)
    transport.close()
    transport.join()


def callback(transport: paramiko.Transport, port: int, target: str) -> int:
    """The status of a GET over a channel to a port of the other machine."""
    channel = transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)
    with channel:
        channel.settimeout(SECONDS)
        channel.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        return int(channel.makefile("rb").readline().split()[1])


@contextmanager
def forwarded(transport: paramiko.Transport, port: int) -> Iterator[None]:
    """Listen on a port here and take each request to the same port there."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            request = b""
            while b"\r\n\r\n" not in request:
                request += self.request.recv(4096)
            channel = transport.open_channel("direct-tcpip", ("127.0.0.1", port), ("127.0.0.1", 0), timeout=5)
            with channel:
                channel.sendall(request)
                channel.shutdown_write()
                while data := channel.recv(4096):
                    self.request.sendall(data)

    class Server(socketserver.TCPServer):
        allow_reuse_address = True

    server: Any = Server(("127.0.0.1", port), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
