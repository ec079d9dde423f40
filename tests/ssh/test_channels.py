"""Commands and streams on a connection: OpenSSH's servers, and servers that break the rules."""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import MSG_CHANNEL_OPEN, MSG_CHANNEL_REQUEST

from hermes_tunnel.errors import NetworkFailure, RemoteCommandFailure, TerminalRefused
from hermes_tunnel.ssh import channels
from hermes_tunnel.ssh.connection import (
    NO_STATUS,
    Connection,
    Errors,
    NoStream,
    Process,
    StreamRefused,
    Terminal,
    WindowSize,
)
from tests.ssh.hops import connected as to_stage
from tests.ssh.hops import hop, run, to, transport_of
from tests.ssh.server import Account, Deaf, Host, Server
from tests.ssh.sshd import Sshd, gives_terminals
from tests.ssh.test_alive import suspended
from tests.stage.remote_process import RemoteProcess
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("nothing_left")
TERMINAL = Terminal("dumb", WindowSize(90, 30))


def all_of(process: Process, seconds: float = 10) -> bytes:
    """Its output to the end."""
    output = b""
    while data := process.read(seconds):
        output += data
    return output


def begun(connection: Connection) -> Process:
    """A command of ``Host``."""
    process = connection.start("anything")
    process.write(b"x")
    return process


@pytest.fixture
def connected(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> Iterator[Callable[..., Connection]]:
    """Connects to an sshd with these lines of sshd_config."""
    opened: list[Connection] = []

    def connect_to(*options: str) -> Connection:
        server = sshd("host", *options)
        server.accept(key)
        opened.append(to(hop(server.port, known(server), key)))
        return opened[-1]

    yield connect_to
    for connection in opened:
        connection.close()


@contextmanager
def serving(
    account: Account, known: Callable[..., Path], make: Callable[..., paramiko.Transport] | None = None
) -> Iterator[Connection]:
    """A connection to a server in this process."""
    server = Server(account, make=make)
    with (
        closing(server),
        to(hop(server.port, known(server))) as connection,
    ):
        yield connection


def test_the_exit_status(connected: Callable[..., Connection]) -> None:
    """A command has its output and an exit status, which is unknown until it has ended."""
    with closing(connected().start("echo out; read -r x; exit 3")) as process:
        assert process.read(10) == b"out\n"
        assert process.wait(0) is None
        process.write(b"x\n")
        assert all_of(process) == b""
        assert process.wait(10) == 3


@pytest.mark.parametrize(("name", "number"), [("TERM", 15), ("KILL", 9), ("WINCH", 0), ("SYS", -NO_STATUS)])
def test_a_signal_that_ended_it(connected: Callable[..., Connection], name: str, number: int) -> None:
    """A signal that the server names (RFC 4254 section 6.10) is known by its number; some end nothing."""
    with closing(connected().start(f"kill -{name} $$; exit 0")) as process:
        assert all_of(process) == b""
        assert process.wait(10) == -number


def test_how_it_ended_may_be_unknown(known: Callable[..., Path]) -> None:
    """A channel that is closed without a word has no status; nor has one whose connection is lost."""
    with serving(Host(lambda channel: channel.close()), known) as connection:
        process = begun(connection)
        assert process.read(10) == b""
        assert process.wait(10) == NO_STATUS
    lost = Host(lambda channel: channel.get_transport().close())
    with serving(lost, known) as connection:
        process = begun(connection)
        assert process.read(10) == b""
        assert process.wait(10) is None
        assert not connection.is_up


def test_an_end_by_a_lost_connection_is_seen_as_one(known: Callable[..., Path]) -> None:
    """Channels end before paramiko says that the connection has ended; our reading ends after that."""
    with serving(Host(lambda channel: channel.get_transport().close()), known) as connection:
        process = connection.start("anything")
        other: Any = connection.start("anything")
        seen: list[tuple[bytes, bool]] = []
        reading = threading.Thread(target=lambda: seen.append((process.read(10), connection.is_up)))
        process.write(b"x")
        with other._channel.lock:  # the thread that ends them one after the other waits here
            reading.start()
            reading.join(0.5)
            assert seen == []
        reading.join(10)
        assert seen == [(b"", False)]


def test_what_a_command_leaves_behind_does_not_hold_it(connected: Callable[..., Connection]) -> None:
    """Without EOF, because something still holds the output, the exit status ends it after a moment."""
    began = time.monotonic()
    with closing(connected().start("echo out; sleep 60 & exit 3")) as process:
        assert all_of(process) == b"out\n"
        assert process.wait(0) == 3
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_output_may_come_after_the_exit_status(known: Callable[..., Path]) -> None:
    """A status that overtakes the output cuts nothing off."""

    def behave(channel: paramiko.Channel) -> None:
        channel.send_exit_status(0)
        for _ in range(4):
            threading.Event().wait(0.4)
            channel.sendall(b"x")

    with serving(Host(behave), known) as connection:
        assert all_of(begun(connection)) == b"xxxx"


def test_the_standard_error_holds_nothing_up(connected: Callable[..., Connection]) -> None:
    """Without a terminal it is discarded, however much of it there is."""
    assert run(connected(), "head -c 5000000 /dev/zero >&2; echo done") == b"done\n"


def test_the_standard_error_may_be_heard(connected: Callable[..., Connection]) -> None:
    """It comes in the order in which the server sends it, as on a terminal, and holds nothing up either."""
    with closing(
        connected().start("echo out; sleep 0.1; echo err >&2", errors=Errors.WITH_OUTPUT)
    ) as process:
        assert all_of(process) == b"out\nerr\n"
    with closing(
        connected().start("head -c 5000000 /dev/zero >&2; echo done", errors=Errors.WITH_OUTPUT)
    ) as process:
        assert len(all_of(process)) == 5000005


@gives_terminals
def test_a_terminal(connected: Callable[..., Connection]) -> None:
    """A terminal has the type and size that were asked for, and can be resized later."""
    line = "trap 'stty size; exit' WINCH; echo $TERM; stty size; while :; do sleep 0.05; done"
    with closing(connected().start(line, TERMINAL)) as process:
        output = b""
        while output.count(b"\n") < 2:
            output += process.read(10)
        assert output == b"dumb\r\n30 90\r\n"
        process.resize(WindowSize(100, 40))
        assert all_of(process) == b"40 100\r\n"


def test_a_signal_that_is_sent() -> None:
    """A signal (RFC 4254 section 6.9) reaches the command, and does nothing once the command has ended."""

    def stays(process: RemoteProcess) -> int:
        process.wait_for(lambda: False)
        return 0

    with Stage(around=lambda _: stays) as stage, to_stage(stage) as connection:
        process = connection.start("anything")
        process.signal("TERM")
        assert all_of(process) == b""
        assert process.wait(10) == NO_STATUS
        process.signal("TERM")


def test_a_refused_terminal_is_reported_and_costs_no_session(connected: Callable[..., Connection]) -> None:
    """With PermitTTY no and a single session, the command then runs at once without a terminal."""
    connection = connected("PermitTTY no", "MaxSessions 1")
    with pytest.raises(TerminalRefused, match="refused a terminal"):
        connection.start("echo hello", TERMINAL)
    assert run(connection, "echo hello") == b"hello\n"


def test_a_session_that_is_refused(connected: Callable[..., Connection]) -> None:
    """A server that refuses a session (MaxSessions 0) does not lose us the connection."""
    connection = connected("MaxSessions 0")
    with pytest.raises(RemoteCommandFailure, match="refused a session"):
        connection.start("echo hello")
    connection.check()


def test_a_command_that_is_refused(known: Callable[..., Path]) -> None:
    """Nor does a server that refuses to run a command."""

    class Refusing(Host):
        def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
            return False

    with serving(Refusing(), known) as connection:
        with pytest.raises(RemoteCommandFailure, match="refused to run a command"):
            connection.start("echo hello")
        connection.check()


@pytest.mark.parametrize("terminal", [TERMINAL, None])
def test_a_connection_that_is_lost_is_not_taken_for_a_refusal(
    known: Callable[..., Path], terminal: Terminal | None
) -> None:
    """If the connection ends when the request arrives, the network is to blame, not the server."""

    def make(sock: socket.socket) -> paramiko.Transport:
        return Deaf(sock, MSG_CHANNEL_REQUEST, lambda _: sock.close())

    lost = pytest.raises(NetworkFailure, match="lost before the command could start")
    with serving(Host(), known, make) as connection, lost:
        connection.start("anything", terminal)


@pytest.mark.parametrize("terminal", [TERMINAL, None])
def test_a_server_that_never_replies_is_given_up(
    known: Callable[..., Path], terminal: Terminal | None
) -> None:
    """A server has a limited time to reply to a request."""

    def make(sock: socket.socket) -> paramiko.Transport:
        return Deaf(sock, MSG_CHANNEL_REQUEST, lambda _: None)

    given_up = pytest.raises(NetworkFailure, match=r"did not answer the request .* within 0\.3 s")
    with serving(Host(), known, make) as connection, given_up:
        channels.start(transport_of(connection), "anything", terminal, 0.3)


def test_what_cannot_be_written_is_reported(connected: Callable[..., Connection]) -> None:
    """Writing fails if nobody reads in time, if the command has ended, and after the end of the input."""
    connection = connected()
    with closing(connection.start("sleep 60")) as process, pytest.raises(TimeoutError):
        process.write(bytes(8_000_000), 0.5)
    with closing(connection.start("exit 0")) as process:
        assert process.wait(10) == 0
        all_of(process)
        with pytest.raises(BrokenPipeError):
            process.write(bytes(1_000_000))
    with closing(connection.start("cat")) as process:
        process.write(b"to the end")
        process.end_input()
        process.end_input()
        with pytest.raises(BrokenPipeError):
            process.write(b"more")
        assert all_of(process) == b"to the end"
    process.end_input()
    process.signal("TERM")
    process.resize(WindowSize(1, 1))
    with pytest.raises(BrokenPipeError):
        process.write(b"x")
    assert process.read(1) == b""


def test_two_threads_may_use_it(connected: Callable[..., Connection]) -> None:
    """One may read and one write, each with a time limit of its own; closing ends the reading."""
    with closing(connected().start("cat")) as process:
        read: list[bytes] = []

        def reading() -> None:
            while data := process.read():
                read.append(data)

        thread = threading.Thread(target=reading)
        thread.start()
        for _ in range(20):
            process.write(b"x" * 50_000, 5)
        process.close()
        thread.join(5)
        assert not thread.is_alive()


def test_a_stream(connected: Callable[..., Connection]) -> None:
    """A stream carries bytes to a port there and back, and each direction ends by itself."""
    connection = connected()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stream = connection.open_stream("127.0.0.1", listener.getsockname()[1])
        with closing(stream), listener.accept()[0] as client:
            stream.write(b"question")
            stream.end_input()
            with client.makefile("rb") as questions:
                assert questions.read() == b"question"
            with pytest.raises(TimeoutError):
                stream.read(0.1)
            client.sendall(b"answer")
            assert stream.read(10) == b"answer"
            client.shutdown(socket.SHUT_WR)
            assert stream.read(10) == b""


def test_why_there_is_no_stream(connected: Callable[..., Connection]) -> None:
    """A server's setting, a port where nobody listens and a lost connection are three different reasons."""

    def reason(connection: Connection) -> NoStream:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            with pytest.raises(StreamRefused) as refused:
                connection.open_stream("127.0.0.1", free.getsockname()[1])
        return refused.value.reason

    connection = connected()
    assert reason(connection) is NoStream.NOBODY_LISTENS
    assert reason(connected("AllowTcpForwarding no")) is NoStream.FORBIDDEN
    connection.close()
    assert reason(connection) is NoStream.LOST


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED, NoStream.FORBIDDEN),
        (paramiko.common.OPEN_FAILED_CONNECT_FAILED, NoStream.NOBODY_LISTENS),
        (paramiko.common.OPEN_FAILED_UNKNOWN_CHANNEL_TYPE, NoStream.FORBIDDEN),
        (paramiko.common.OPEN_FAILED_RESOURCE_SHORTAGE, NoStream.FORBIDDEN),
    ],
)
def test_each_reason_of_the_protocol(known: Callable[..., Path], answer: int, reason: NoStream) -> None:
    """RFC 4254 section 5.1: a server that knows no forwards, or has no room for one, forbids it."""
    with serving(Host(answer=answer), known) as connection:
        with pytest.raises(StreamRefused) as refused:
            connection.open_stream("127.0.0.1", 1)
        assert refused.value.reason is reason
        connection.check()


def test_a_stream_that_opens_too_late_is_closed(known: Callable[..., Path]) -> None:
    """Otherwise it would be an idle connection to a listener that serves one at a time."""
    go_on = threading.Event()
    seen: list[paramiko.Transport] = []

    def make(sock: socket.socket) -> paramiko.Transport:
        seen.append(Deaf(sock, MSG_CHANNEL_OPEN, lambda _: go_on.wait(10)))
        return seen[0]

    with serving(Host(), known, make) as connection:
        with pytest.raises(StreamRefused, match=r"did not answer within 0\.2 s") as refused:
            connection.open_stream("127.0.0.1", 1, 0.2)
        assert refused.value.reason is NoStream.LOST
        go_on.set()
        late = seen[0].accept(10)
        assert late is not None
        assert late.status_event.wait(10)
        assert late.closed


@pytest.mark.parametrize("broken", ["socket", "key exchange"])
def test_what_breaks_below_is_reported_in_our_words(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], broken: str
) -> None:
    """Whatever is called then, a broken socket or a stalled key exchange is a failure of ours."""
    server = sshd()
    server.accept(key)
    never = {"server_alive_interval": 1000.0}
    with to(hop(server.port, known(server), key, **never)) as connection:
        transport: Any = transport_of(connection)
        process, other = connection.start("cat"), connection.start("cat")
        with suspended(server):
            if broken == "socket":
                transport.sock.shutdown(socket.SHUT_WR)
            else:
                transport.clear_to_send_timeout = 0.2
                transport._send_kex_init()
            with pytest.raises(StreamRefused) as refused:
                connection.open_stream("127.0.0.1", 1, 0.5)
            assert refused.value.reason is NoStream.LOST
            with pytest.raises(NetworkFailure):
                channels.start(transport, "cat", None, 0.5)
            with pytest.raises(BrokenPipeError):
                process.write(bytes(1_000_000))
            other.resize(WindowSize(1, 1))
            other.end_input()
            other.close()
            process.signal("TERM")
            assert process.read(5) == b""
            assert process.wait(5) is None


def test_what_is_written_while_keys_are_exchanged_is_sent_afterwards(
    connected: Callable[..., Connection], tmp_path: Path
) -> None:
    """If there is no limit: paramiko gives up after half a minute, and a person's keyboard would be dead."""
    connection = connected(f"SetEnv HOME={tmp_path} BASH_ENV= ENV=")
    transport = transport_of(connection)
    with closing(connection.start("head -c 5")) as process:
        transport.clear_to_send_timeout = 0.2
        transport.clear_to_send.clear()
        writer = threading.Thread(target=process.write, args=(b"typed", math.inf))
        writer.start()
        writer.join(1)
        assert writer.is_alive()
        transport.clear_to_send.set()
        writer.join(5)
        assert all_of(process) == b"typed"
