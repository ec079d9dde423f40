"""The agent's protocol, with a real ssh-agent and with sockets that misbehave."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hermes_tunnel.ssh.authentication.agent import Agent, AgentProblem
from hermes_tunnel.ssh.public_key import parse_public_line
from hermes_tunnel.ssh.waiting import nothing
from tests.ssh.sshd import keygen, public
from tests.ssh.unix import unix_socket

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_the_keys_of_an_agent(agent: Callable[..., str], tmp_path: Path) -> None:
    """The agent's keys come in its order, with their comments."""
    keys = [keygen(tmp_path / name) for name in ("one", "two")]
    with closing(Agent(agent(*keys))) as reached:
        listed = reached.keys()
    assert [key.comment for key in listed] == ["one", "two"]
    assert [key.blob for key in listed] == [parse_public_line(public(key).encode()) for key in keys]


def test_an_agent_that_hangs_is_given_up(tmp_path: Path) -> None:
    """An agent that accepts a connection but never answers runs into a time limit."""
    with unix_socket() as hung:
        hung.bind(str(tmp_path / "hung"))
        hung.listen()
        with (
            closing(Agent(str(tmp_path / "hung"), seconds=0.3)) as agent,
            pytest.raises(AgentProblem, match="in time"),
        ):
            agent.keys()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"\0\0\0\0",
        b"\xff\xff\xff\xff",
        b"\0\0\0\1\5",
        b"\0\0\0\5\x0c\0\0\0\1",
        b"\0\0\0\5\x0c\xff\xff\xff\xff",
    ],
)
def test_nonsense_from_an_agent_is_a_problem_not_a_crash(tmp_path: Path, answer: bytes) -> None:
    """An agent that hangs up, refuses or sends nonsense raises an ``AgentProblem``."""
    with unix_socket() as listener:
        listener.bind(str(tmp_path / "odd"))
        listener.listen()

        def serve() -> None:
            with listener.accept()[0] as client:
                client.recv(100)
                client.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with closing(Agent(str(tmp_path / "odd"))) as agent, pytest.raises(AgentProblem):
            agent.keys()
        thread.join()


@pytest.mark.slow
def test_who_waits_for_a_touch_is_told_once(tmp_path: Path) -> None:
    """A signature may take as long as it is wanted; after a second, the person is told of the wait."""
    with unix_socket() as hung:
        hung.bind(str(tmp_path / "hung"))
        hung.listen()
        waits = iter(range(10))
        told: list[str] = []
        with closing(Agent(str(tmp_path / "hung"))) as agent, pytest.raises(StopIteration):
            agent.sign(b"blob", b"data", "ssh-ed25519", lambda: next(waits), lambda: told.append("approve"))
    assert told == ["approve"]


def test_an_agent_that_confirms_each_use_may_refuse(agent: Callable[..., str], tmp_path: Path) -> None:
    """A key that has since been removed is refused, and the problem is that key's alone."""
    path = agent()
    key = keygen(tmp_path / "key")
    blob = parse_public_line(public(key).encode()) or b""
    with closing(Agent(path)) as reached, pytest.raises(AgentProblem, match="refused"):
        reached.sign(blob, b"data", "ssh-ed25519", nothing, nothing)
    assert subprocess.run(["ssh-add", "-l"], env={"SSH_AUTH_SOCK": path}, check=False).returncode == 1
