"""The way to the first hop, begun before there is an SSH library."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hermes_tunnel import events
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.first_hop import begin
from tests.ssh.hops import always, hop, to
from tests.ssh.server import Account, Server

pytestmark = pytest.mark.usefixtures("nothing_left")


def found(*hops: HopConfiguration) -> Callable[..., tuple[HopConfiguration, ...]]:
    """Finds these hops."""
    return lambda *_: hops


def test_the_first_hop_is_dialled(tmp_path: Path) -> None:
    """The person hears of the address and the dialling, and of what the configuration has them know."""
    told: list[events.Event] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        first = hop(listener.getsockname()[1], tmp_path, warnings=("mind the gap",))
        with closing(begin(found(first, hop(1, tmp_path)), told.append, always)) as begun:
            assert begun.sock is not None
            listener.accept()[0].close()
    assert isinstance(told[0], events.Notice)
    assert told[0].text == "mind the gap"
    assert [each.name for each in told[1::2] if isinstance(each, events.Phase)] == ["address", "dial"]


def test_a_proxy_command_is_left_to_whoever_speaks_ssh_through_it(tmp_path: Path) -> None:
    """Nothing is dialled."""
    first = hop(1, tmp_path, proxy_command="exit 1")
    assert begin(found(first), lambda _: None, always).sock is None


def test_a_silent_first_hop_is_named(tmp_path: Path) -> None:
    """The failure is that of any connection; a jump host is called one."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(NetworkFailure, match="jump host"):
        begin(found(hop(port, tmp_path), hop(1, tmp_path)), lambda _: None, always)


def test_the_connection_goes_on_where_the_dialling_ended(known: Callable[..., Path]) -> None:
    """The server is connected to once, and the person told once."""
    told: list[events.Event] = []
    server = Server(Account(steps=()))
    with closing(server):
        first = hop(server.port, known(server))
        with (
            closing(begin(found(first), told.append, always)) as begun,
            to(*begun.hops, emit=told.append, sock=begun.sock) as connection,
        ):
            assert connection.is_up
    names = [each.name for each in told if isinstance(each, events.Phase) and each.seconds is None]
    assert names == ["address", "dial", "key exchange", "host key", "authentication"]
