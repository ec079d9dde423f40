"""What is sent before the reply to what came before it: how many flights a login takes, and to whom."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import paramiko
import pytest

from hermes_tunnel.errors import TerminalRefused
from hermes_tunnel.ssh.connection import Connection, Terminal, WindowSize
from tests.ssh.flights import Wire
from tests.ssh.hops import fails, hop, run, to
from tests.ssh.server import Account, Server
from tests.ssh.sshd import Sshd, gives_terminals

pytestmark = pytest.mark.usefixtures("nothing_left")
OPENSSH, OTHER = "SSH-2.0-OpenSSH_9.2p1", "SSH-2.0-dropbear_2022.83"
counted = pytest.mark.skipif(sys.platform != "linux", reason="the wire looks into /proc")
TERMINAL = Terminal("dumb", WindowSize(90, 30))


class Box(Account):
    """Takes these keys, and answers any command with a word."""

    def __init__(self, *keys: paramiko.PKey) -> None:
        super().__init__(steps=("publickey",), keys=[key.asbytes() for key in keys])

    def check_channel_pty_request(self, *_: object) -> bool:
        """Allow a terminal."""
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Accept any command."""
        threading.Thread(target=channel.sendall, args=(b"out",)).start()
        return True


@pytest.fixture
def private(tmp_path: Path) -> Callable[[str], tuple[Path, paramiko.PKey]]:
    """Makes key files; also gives the keys."""

    def make(name: str) -> tuple[Path, paramiko.PKey]:
        key = paramiko.ECDSAKey.generate()
        path = tmp_path / name
        key.write_private_key_file(str(path))
        path.with_name(f"{name}.pub").write_text(f"{key.get_name()} {key.get_base64()}\n")
        return path, key

    return make


@pytest.fixture
def wired(tmp_path: Path) -> Iterator[Callable[[Server], tuple[Wire, Path]]]:
    """Puts a wire before a server, under the name of which known_hosts has it."""
    with ExitStack() as opened:

        def wire(server: Server) -> tuple[Wire, Path]:
            one = Wire(server.port)
            opened.callback(one.close)
            opened.callback(server.close)  # first: the wire ends with its connection
            known = tmp_path / f"known_hosts{one.port}"
            known.write_text(server.known_hosts_line().replace(str(server.port), str(one.port)))
            return one, known

        yield wire


def first_output(connection: Connection, flights: Callable[[], int] = int) -> tuple[bytes, int]:
    """What a command on a terminal says first, and how many flights it took."""
    with closing(connection.start("anything", TERMINAL, guarded=True)) as process:
        return process.read(10), flights()


@counted
@pytest.mark.parametrize(("version", "flights"), [(OPENSSH, 5), (OTHER, 7)])
def test_the_flights_of_a_login(
    private: Callable[[str], tuple[Path, paramiko.PKey]],
    wired: Callable[[Server], tuple[Wire, Path]],
    version: str,
    flights: int,
) -> None:
    """With one key file: the version; the algorithms and the key exchange; the service, and ``none``; the
    signature and the session; the terminal and the command. A server that is not OpenSSH is asked for the
    session, the terminal and the command one after the other.

    A change that adds a flight fails here.
    """
    path, key = private("key")
    wire, known = wired(Server(Box(key), version=version))
    with to(hop(wire.port, known, path)) as connection:
        assert first_output(connection, lambda: wire.flights) == (b"out", flights)


@counted
@pytest.mark.parametrize(("version", "flights"), [(OPENSSH, 7), (OTHER, 9)])
def test_the_flights_with_a_wrong_key_first(
    private: Callable[[str], tuple[Path, paramiko.PKey]],
    wired: Callable[[Server], tuple[Wire, Path]],
    version: str,
    flights: int,
) -> None:
    """The server is asked about each of several keys, one at a time, before one signs: a flight for each."""
    wrong, _ = private("wrong")
    path, key = private("key")
    wire, known = wired(Server(Box(key), version=version))
    with to(hop(wire.port, known, wrong, path)) as connection:
        assert first_output(connection, lambda: wire.flights) == (b"out", flights)


@counted
@pytest.mark.parametrize(("version", "flights"), [(OPENSSH, 4), (OTHER, 5)])
def test_the_flights_to_the_next_hop(
    private: Callable[[str], tuple[Path, paramiko.PKey]],
    wired: Callable[[Server], tuple[Wire, Path]],
    version: str,
    flights: int,
) -> None:
    """A jump host is asked for the way to the next hop behind the signature that ought to let us in."""
    asked_at: list[int] = []

    class Jump(Box):
        def check_channel_direct_tcpip_request(self, *_: object) -> int:
            asked_at.append(wire.flights)
            return paramiko.common.OPEN_FAILED_CONNECT_FAILED

    path, key = private("key")
    wire, known = wired(Server(Jump(key), version=version))
    failure = fails(hop(wire.port, known, path), hop(1, known, path))
    assert "cannot connect to 127.0.0.1:1" in failure.message
    assert asked_at == [flights]


def test_a_channel_that_came_too_early_is_asked_for_again(
    private: Callable[[str], tuple[Path, paramiko.PKey]],
    key: Path,
    sshd: Callable[..., Sshd],
    known: Callable[..., Path],
) -> None:
    """OpenSSH takes no channel behind a signature that is not enough; the login goes on as any other."""
    server = sshd("host", "AuthenticationMethods publickey,publickey")
    first, _ = private("first")
    for each in (first, key):
        server.accept(each)
    with to(hop(server.port, known(server), first, key)) as connection:
        assert run(connection, "echo out") == b"out\n"
        assert run(connection, "echo again") == b"again\n"


def test_the_early_session_is_that_of_the_first_command(
    private: Callable[[str], tuple[Path, paramiko.PKey]], known: Callable[..., Path]
) -> None:
    """None is left open beside it; the second command asks for one of its own."""
    sessions: list[int] = []

    class Counting(Box):
        def check_channel_request(self, kind: str, chanid: int) -> int:
            sessions.append(chanid)
            return super().check_channel_request(kind, chanid)

    path, key = private("key")
    server = Server(Counting(key), version=OPENSSH)
    with closing(server), to(hop(server.port, known(server), path)) as connection:
        assert first_output(connection) == (b"out", 0)
        assert len(sessions) == 1
        assert first_output(connection) == (b"out", 0)
        assert len(sessions) == 2


@gives_terminals
def test_a_guarded_command_may_be_sent_along_with_the_request_for_its_terminal(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """It has the terminal; where that is refused, OpenSSH runs it all the same, so it must do nothing."""
    server = sshd("host")
    server.accept(key)
    line = f"[ -t 0 ] || exit 126; echo on; touch {tmp_path}/ran"
    with (
        to(hop(server.port, known(server), key)) as connection,
        closing(connection.start(line, TERMINAL, guarded=True)) as process,
    ):
        assert process.read(10) == b"on\r\n"
        assert process.wait(10) == 0
    (tmp_path / "ran").unlink()
    without = sshd("without", "PermitTTY no")
    without.accept(key)
    with to(hop(without.port, known(without), key)) as connection:
        with pytest.raises(TerminalRefused):
            connection.start(line, TERMINAL, guarded=True)
        assert run(connection, "echo out") == b"out\n"
    assert not (tmp_path / "ran").exists()
