"""How the agent is reached, on this system and on one that is not here."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.ssh.authentication.agent import Agent, AgentProblem
from hermes_tunnel.ssh.authentication.agent_socket import Blocking, _on_windows, _Pipe, reach
from hermes_tunnel.ssh.public_key import parse_public_line
from hermes_tunnel.ssh.waiting import nothing
from tests.interrupted import interrupted
from tests.ssh.sshd import keygen, public
from tests.ssh.unix import unix_socket

pytestmark = pytest.mark.usefixtures("nothing_left")

OPENSSH = r"\\.\pipe\openssh-ssh-agent"
NOTHING: dict[str, str] = {}


def connected(path: str) -> socket.socket:
    """A socket without a time limit, like a Windows pipe."""
    connection = unix_socket()
    connection.connect(path)
    return connection


def test_without_a_name_there_is_none() -> None:
    """If SSH_AUTH_SOCK is unset or empty, there is no agent."""
    for environment in (NOTHING, {"SSH_AUTH_SOCK": ""}):
        with pytest.raises(AgentProblem, match="there is none"):
            reach(None, 1, environment=environment, windows=False)


def test_a_path_may_have_spaces(agent: Callable[..., str], tmp_path: Path) -> None:
    """The path to an agent's socket may contain spaces, as in an application's own folder."""
    spaced = tmp_path / "Group Containers" / "agent.sock"
    spaced.parent.mkdir()
    spaced.symlink_to(agent(keygen(tmp_path / "key")))
    with closing(Agent(str(spaced))) as reached:
        (listed,) = reached.keys()
        assert listed.comment == "key"


def test_the_first_pipe_that_opens_is_taken(agent: Callable[..., str]) -> None:
    """Windows tries the named pipe, then OpenSSH's own, then Pageant; an MSYS path is not a pipe."""
    real = agent()
    tried: list[str] = []

    def pipe(path: str) -> Any:
        tried.append(path)
        if "here" not in path:
            raise FileNotFoundError(path)
        return connected(real)

    def pageant() -> Any:
        tried.append("Pageant")
        return connected(real)

    named = r"\\.\pipe\here"
    for name, others, expected in (
        (named, True, [named]),
        ("//./pipe/away", True, ["//./pipe/away", OPENSSH, "Pageant"]),
        ("/tmp/ssh-x/agent.1", True, [OPENSSH, "Pageant"]),
        (None, True, [OPENSSH, "Pageant"]),
        (named, False, [named]),
    ):
        tried.clear()
        _on_windows(name, others=others, pipe=pipe, pageant=pageant).close()
        assert tried == expected
    with pytest.raises(AgentProblem, match="away cannot be opened"):
        _on_windows("away", others=False, pipe=pipe, pageant=pageant)
    with pytest.raises(AgentProblem, match="there is none"):
        _on_windows(None, others=True, pipe=pipe, pageant=lambda: None)


def test_a_pipe_is_opened_as_a_file_is(tmp_path: Path) -> None:
    """Writing sends and reading receives; a pipe that is not there is an error at once."""
    (tmp_path / "pipe").write_bytes(b"")
    with closing(_Pipe(str(tmp_path / "pipe"))) as pipe:
        pipe.send(b"request")
        assert pipe.recv(10) == b""
    assert (tmp_path / "pipe").read_bytes() == b"request"
    with pytest.raises(FileNotFoundError):
        _Pipe(str(tmp_path / "nothing"))


def test_a_thread_waits_where_a_wait_cannot_be_given_up(agent: Callable[..., str], tmp_path: Path) -> None:
    """A real agent behind a connection without a time limit lists and signs like any other."""
    key = keygen(tmp_path / "key")
    real = agent(key)
    with closing(Agent(None, connect=lambda *_: Blocking(connected(real)))) as reached:
        (listed,) = reached.keys()
        assert listed.comment == "key"
        blob = parse_public_line(public(key).encode()) or b""
        signature = reached.sign(blob, b"data", "ssh-ed25519", nothing, nothing)
    assert signature.startswith(b"\0\0\0\x0bssh-ed25519")


def test_a_pipe_that_hangs_is_given_up() -> None:
    """Nobody waits longer than for any other agent; the thread ends once its read does."""
    ours, theirs = socket.socketpair()
    begin = time.monotonic()
    with (
        closing(Agent(None, seconds=0.3, connect=lambda *_: Blocking(ours))) as hung,
        pytest.raises(AgentProblem, match="in time"),
    ):
        hung.keys()
    assert time.monotonic() - begin < 2
    theirs.close()
    for thread in threading.enumerate():
        if thread.name == "ssh-agent":
            thread.join(5)
    ours.close()


def test_a_wait_for_an_answer_can_be_given_up_even_after_a_signal() -> None:
    """The wait can still be given up after Ctrl-Z has stopped the program and it has resumed."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        blocking = Blocking(ours)
        blocking.send(b"request")
        with interrupted(lambda: theirs.shutdown(socket.SHUT_RDWR)), pytest.raises(TimeoutError):
            blocking.recv(4)
        theirs.shutdown(socket.SHUT_RDWR)
