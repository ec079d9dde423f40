"""A command on a real SSH server: what we hear from it, and that it leaves nothing behind."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import paramiko
import pytest

from hermes_tunnel.errors import Failure, NetworkFailure, RemoteCommandFailure
from hermes_tunnel.oauth.states import Exited
from hermes_tunnel.oauth.transcript import LONGEST_OUTPUT
from hermes_tunnel.remote.command import Output, RemoteCommand
from tests.ssh.hops import connected, hop, to
from tests.ssh.server import Host, Server
from tests.stage.remote_process import RemoteProcess
from tests.stage.ssh_server import Settings
from tests.stage.stage import Stage

SECONDS = 10
Post = Output | Exited | Failure
Process = Callable[[RemoteProcess], int]


class Told:
    """What a command's reader reported."""

    def __init__(self) -> None:
        self.posts: queue.SimpleQueue[Post] = queue.SimpleQueue()
        self.output = b""

    def until(self, text: bytes) -> None:
        """Until some text was printed."""
        while text not in self.output:
            post = self.posts.get(timeout=SECONDS)
            assert isinstance(post, Output)
            self.output += post.data

    def end(self) -> Post:
        """What was reported after the last output."""
        while isinstance(post := self.posts.get(timeout=SECONDS), Output):
            self.output += post.data
        return post


@contextmanager
def running(
    process: Process, settings: Settings | None = None, *, terminal: bool = True
) -> Iterator[tuple[RemoteCommand, Told, Stage]]:
    """A command that is about to run on a server of its own; after the test it has ended there."""
    threads, told = set(threading.enumerate()), Told()
    with Stage(around=lambda _: process, settings=settings) as stage, connected(stage) as connection:
        yield RemoteCommand(connection, "anything", told.posts.put, terminal=terminal), told, stage
        left = [thread for thread in threading.enumerate() if thread.name == "remote-command"]
        assert not set(left) - threads


def test_output_and_status() -> None:
    """Its output is reported as it comes, then its status; its terminal is wide and dumb."""

    def talks(process: RemoteProcess) -> int:
        process.print(f"{process.pty}")
        process.print(f"you said {process.read_line(SECONDS)}")
        return 3

    with running(talks) as (command, told, _), command:
        told.until(b"height=50)\r\n")
        assert b"term='dumb', width=4000" in told.output
        command.answer("ä answer")
        assert told.end() == Exited(3)
        assert told.output.decode().endswith("you said ä answer\r\n")
        command.answer("too late")


@pytest.mark.slow
@pytest.mark.parametrize("deaf", [(), ("INT",), ("INT", "TERM")], ids=["INT", "TERM", "HUP"])
def test_end(deaf: tuple[str, ...]) -> None:
    """A running command is ended as by Ctrl-C, then by SIGTERM, then by closing its terminal."""
    processes: queue.SimpleQueue[RemoteProcess] = queue.SimpleQueue()

    def stays(process: RemoteProcess) -> int:
        process.ignored = set(deaf)
        processes.put(process)
        process.print("here")
        process.wait_for(lambda: False)
        return 0

    with running(stays) as (command, told, _):
        with command:
            told.until(b"here")
            process = processes.get(timeout=SECONDS)
        assert process.ended.wait(SECONDS)
        assert process.signals == ["INT", "TERM", "HUP"][: len(deaf) + 1]
        assert isinstance(told.end(), Exited)


@pytest.mark.slow
@pytest.mark.parametrize("deaf", [False, True])
def test_end_without_a_terminal(deaf: bool) -> None:
    """Its input ends, and its lifeline with it; a command that ignores that gets sshd's signal, too.
    Nothing is typed, as that would be input.
    """
    processes: queue.SimpleQueue[RemoteProcess] = queue.SimpleQueue()
    typed: list[str] = []

    def stays(process: RemoteProcess) -> int:
        process.lifeline = not deaf
        processes.put(process)
        process.print(f"here, {process.pty}")
        with suppress(EOFError):
            typed.append(process.read_line())
        process.wait_for(lambda: False)
        return 0

    with running(stays, Settings(permit_tty=False), terminal=False) as (command, told, _):
        with command:
            told.until(b"here, None\n")
            process = processes.get(timeout=SECONDS)
        assert process.ended.wait(SECONDS)
        assert process.signals == ["TERM"]
        assert isinstance(told.end(), Exited)
    assert typed == []


def test_killed_there() -> None:
    """A command that was ended there by a signal has a negative status."""

    def dies(process: RemoteProcess) -> int:
        process.signal("KILL")
        process.print("not seen")
        return 0

    with running(dies) as (command, told, _), command:
        end = told.end()
        assert isinstance(end, Exited)
        assert end.status < 0


def test_flood() -> None:
    """Nothing beyond what a login prints is read: the flood waits in the server's window."""
    block = b"x" * 1023 + b"\n"

    def floods(process: RemoteProcess) -> int:
        while True:
            process.write(block)

    with running(floods) as (command, told, _):
        with command:
            received = 0
            while received <= LONGEST_OUTPUT:
                post = told.posts.get(timeout=SECONDS)
                assert isinstance(post, Output)
                received += len(post.data)
        assert told.posts.empty()
        assert received < LONGEST_OUTPUT + 64 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("talks_on", [False, True])
def test_what_a_command_leaves_behind_does_not_delay_us(known: Callable[..., Path], talks_on: bool) -> None:
    """An exit status without EOF or close is the end, whatever a daemon goes on printing."""

    def behave(channel: paramiko.Channel) -> None:
        channel.sendall(b"failed\r\n")
        channel.send_exit_status(1)
        with suppress(OSError):
            while talks_on and not channel.closed:
                channel.sendall(b".")
                channel.status_event.wait(0.1)

    told = Told()
    with (
        closing(Server(Host(behave))) as server,
        to(hop(server.port, known(server))) as connection,
        RemoteCommand(connection, "anything", told.posts.put, status_seconds=0.5) as command,
    ):
        command.answer("go on")
        assert told.end() == Exited(1)
        assert told.output.startswith(b"failed\r\n")


def test_lost_connection() -> None:
    """A connection that is lost while the command runs is reported as lost."""

    def stays(process: RemoteProcess) -> int:
        process.print("here")
        process.wait_for(lambda: False)
        return 0

    with running(stays) as (command, told, stage), command:
        told.until(b"here")
        stage.server.drop()
        end = told.end()
        assert isinstance(end, NetworkFailure)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (Settings(max_sessions=0), "refused a session"),
        (Settings(permit_tty=False), "refused a terminal"),
    ],
)
def test_refused(settings: Settings, message: str) -> None:
    """The error names what the server refuses, and the setting to look at."""
    with (
        running(lambda _: 0, settings) as (command, _, _),
        pytest.raises(RemoteCommandFailure, match=message) as caught,
    ):
        command.__enter__()
    assert "sshd_config" in caught.value.hint


def test_gone_before_it_starts() -> None:
    """If the connection is gone when the command should start, that is a network failure."""
    with Stage() as stage, connected(stage) as connection:
        connection.close()
        with pytest.raises(NetworkFailure, match="lost before the command could start"):
            RemoteCommand(connection, "anything", lambda _: None).__enter__()


def test_answer_does_not_end_the_output() -> None:
    """An answer that times out is not taken for the end of the output."""

    def repeats(process: RemoteProcess) -> int:
        for _ in range(20):
            process.print(process.read_line(SECONDS))
        return 0

    with running(repeats) as (command, told, _), command:
        for number in range(20):
            command.answer(f"line {number}")
        assert told.end() == Exited(0)


def test_no_secret_in_reprs() -> None:
    """No repr shows the output."""
    assert "SECRET" not in repr(Output(b"SECRET"))
