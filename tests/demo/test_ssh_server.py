"""The SSH server: what it does and refuses, seen from a plain client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import paramiko
import pytest

from hermes_tunnel.demo.authorization_server import AuthorizationServer
from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.loopback import Loopback
from hermes_tunnel.demo.remote_process import Command as ServerCommand
from hermes_tunnel.demo.remote_process import RemoteProcess
from hermes_tunnel.demo.ssh_server import SshServer
from tests.stage.client import SECONDS, Command, dial, end

CONNECT_FAILED = 2
USER = "somebody"
KEY = read_private_key(new_private_key())


@contextmanager
def serving(command: ServerCommand, loopback: Loopback | None = None) -> Iterator[paramiko.Transport]:
    """A server with one command, and a connection to it."""
    with SshServer(command, USER, KEY, loopback) as server:
        transport = dial(server.port)
        try:
            transport.connect(hostkey=server.host_key, username=USER, pkey=KEY)
            yield transport
        finally:
            end(transport)


def stays(process: RemoteProcess) -> int:
    """A command that says it is there, and never ends by itself."""
    process.print("here")
    process.wait_for(lambda: False)
    return 0


@pytest.mark.parametrize("status", [0, 1, 2, 127, 255])
def test_a_status_arrives_even_if_the_command_ends_at_once(status: int) -> None:
    """A command that ends before the client hears of its start loses neither output nor status."""

    def ends(process: RemoteProcess) -> int:
        process.print("bye")
        return status

    with serving(ends) as transport:
        command = Command(transport, "anything")
        assert (command.read_all(), command.status()) == ("bye\r\n", status)


def test_lines_end_as_on_a_terminal_only_on_one() -> None:
    """There a line feed becomes a carriage return and a line feed; elsewhere it stays a line feed."""

    def talks(process: RemoteProcess) -> int:
        process.print(process.line)
        return 0

    with serving(talks) as transport:
        assert Command(transport, "on a terminal").read_all() == "on a terminal\r\n"
        assert Command(transport, "on none", pty=False).read_all() == "on none\n"


def test_control_c_ends_a_command_on_a_terminal() -> None:
    """A command that a signal ended has no exit status."""
    with serving(stays) as transport:
        command = Command(transport, "anything")
        command.read_until("here")
        command.channel.sendall(b"\x03")
        command.read_all()
        assert command.status() == -1


def test_the_end_of_the_server_ends_a_command() -> None:
    """It ends even one that has lost its client, and has no terminal."""
    processes: list[RemoteProcess] = []

    def watched(process: RemoteProcess) -> int:
        processes.append(process)
        return stays(process)

    with serving(watched) as transport:
        Command(transport, "anything", pty=False).read_until("here")
        end(transport)
        assert not processes[0].ended.is_set()
    assert processes[0].ended.is_set()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "example.test"])
def test_a_port_where_nobody_listens_cannot_be_connected_to(host: str) -> None:
    """A closed port and an unknown host are both reported as a failed connection."""
    with serving(stays, Loopback()) as transport:
        with pytest.raises(paramiko.ChannelException) as refusal:
            transport.open_channel("direct-tcpip", (host, 22), ("127.0.0.1", 0))
        assert refusal.value.code == CONNECT_FAILED


def test_a_forwarded_connection_is_half_closed_as_tcp_is() -> None:
    """The answer to a request arrives even after the client has said that it will send no more."""
    loopback = Loopback()
    with AuthorizationServer({}) as web, serving(stays, loopback) as transport:
        there = loopback.bind(web.port)
        channel = transport.open_channel("direct-tcpip", ("localhost", there), ("127.0.0.1", 0))
        channel.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{web.port}\r\n\r\n".encode())
        channel.shutdown_write()
        answer = b""
        while data := channel.recv(4096):
            answer += data
        assert answer.startswith(b"HTTP/1.0 404 ")
        assert answer.endswith(b"</html>\n")


def test_another_key_and_another_user_are_refused() -> None:
    """Only the one key is accepted, and only for its user."""
    with SshServer(stays, USER, KEY) as server:
        transport = dial(server.port)
        transport.start_client(timeout=SECONDS)
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey(USER, read_private_key(new_private_key()))
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey("another", KEY)
        end(transport)
