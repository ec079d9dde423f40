"""The tests' connections: hops on 127.0.0.1, and nobody to answer."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.deadlines import Deadline, seconds_of
from hermes_tunnel.errors import Failure
from hermes_tunnel.events import Emit
from hermes_tunnel.question import Ask, Question
from hermes_tunnel.ssh.config.chain import HopConfiguration, Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.connect import ParamikoConnection, connect
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.ssh.dial import TcpSocket
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.waiting import TOLD_SECONDS
from tests.ssh.sshd import ME
from tests.stage.stage import HOST, Stage


def nobody(question: Question, wanted: Callable[[], bool]) -> str | None:
    """Nobody answers."""
    return None


def always() -> bool:
    """An answer is wanted as long as it takes."""
    return True


def hop(port: int, known_hosts: Path, *keys: Path, **more: Any) -> HopConfiguration:
    """A hop on 127.0.0.1."""
    given = HopConfiguration("box", "127.0.0.1", ME, port, connect_timeout=3, identity_agent="")
    files = tuple(map(str, keys))
    return replace(given, identity_files=files, user_known_hosts_files=(str(known_hosts),), **more)


def to(
    *hops: HopConfiguration,
    ask: Ask = nobody,
    emit: Emit = print,
    wanted: Callable[[], bool] = always,
    secret: Callable[[str], object] = repr,
    patience: float = TOLD_SECONDS,
    seconds_of: Callable[[Deadline], float] = seconds_of,
    sock: TcpSocket | None = None,
) -> Connection:
    """A connection through these hops; as it is, nobody answers."""
    return connect(
        hops,
        ask=ask,
        emit=emit,
        wanted=wanted,
        secret=secret,
        patience=patience,
        seconds_of=seconds_of,
        sock=sock,
    )


def fails(
    *hops: HopConfiguration, ask: Ask = nobody, seconds_of: Callable[[Deadline], float] = seconds_of
) -> Failure:
    """The failure to connect."""
    with pytest.raises(Failure) as failure:
        to(*hops, ask=ask, seconds_of=seconds_of).close()
    return failure.value


def run(connection: Connection, command: str) -> bytes:
    """What a command prints."""
    output = b""
    with closing(connection.start(command)) as process:
        while data := process.read(10):
            output += data
    return output


def connected(stage: Stage) -> Connection:
    """A connection to the demo's remote machine."""
    hops = resolve(parse_target(HOST), Options(config_file=str(stage.config_file)))
    return to(*hops)


def transport_of(connection: Connection) -> Transport:
    """The transport below a connection."""
    assert isinstance(connection, ParamikoConnection)
    return connection.transport
