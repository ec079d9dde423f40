"""A connection that nobody wants any more ends soon, whatever it waits for, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel.question import Ask, Question
from hermes_tunnel.ssh.config.chain import HopConfiguration, Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.connection import NotWanted
from hermes_tunnel.ssh.dial import Address, addresses_of
from tests.ports.holding import posix
from tests.ssh.hops import hop, nobody, to
from tests.ssh.server import Account, Server
from tests.ssh.sshd import Sshd
from tests.ssh.test_alive import suspended
from tests.ssh.test_connect import saying
from tests.ssh.test_dial import dead
from tests.ssh.unix import unix_socket
from tests.terminal.pseudo_terminal import until

pytestmark = pytest.mark.usefixtures("nothing_left")
NOWHERE = Path(os.devnull)
AFTER, SOON = 0.3, 0.8  # seconds: until it is no longer wanted, and then until it must have ended


class Whim:
    """Wants something for a while; checks afterwards that the end came soon enough."""

    def __init__(self) -> None:
        self._begin = time.monotonic()

    def wanted(self) -> bool:
        """Whether it is still wanted."""
        return time.monotonic() - self._begin < AFTER

    def check(self) -> None:
        """Raise ``NotWanted`` once it is not."""
        if not self.wanted():
            raise NotWanted

    def __enter__(self) -> Whim:
        self._begin = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        assert AFTER <= time.monotonic() - self._begin < AFTER + SOON


def given_up(*hops: HopConfiguration, ask: Ask = nobody) -> None:
    """Connecting is given up in time."""
    with Whim() as whim, pytest.raises(NotWanted):
        to(*hops, ask=ask, wanted=whim.wanted)


def test_before_it_began() -> None:
    """Nothing is even tried."""
    with pytest.raises(NotWanted):
        to(hop(1, NOWHERE), wanted=lambda: False)


@posix
def test_while_ssh_is_asked_for_its_configuration(tmp_path: Path) -> None:
    """A ``Match exec`` may hang."""
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nsleep 60; true\n")
    program.chmod(0o755)
    with Whim() as whim, pytest.raises(NotWanted):
        resolve(parse_target("box"), Options(), program=str(program), wanted=whim.wanted)


def test_while_a_name_server_is_silent() -> None:
    """The lookup cannot be interrupted, so nobody waits for it."""
    go_on = threading.Event()

    def look_up(*_: object) -> list[Address]:
        go_on.wait(30)
        return []

    with Whim() as whim, pytest.raises(NotWanted):
        addresses_of(hop(22, NOWHERE), whim.check, look_up=look_up)
    go_on.set()


def test_while_an_address_does_not_answer() -> None:
    """An address behind a firewall may never answer."""
    with dead() as silent:
        given_up(hop(silent[4][1], NOWHERE, connect_timeout=30))


def test_between_two_attempts() -> None:
    """The pause between ConnectionAttempts ends too."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        given_up(hop(closed.getsockname()[1], NOWHERE, connection_attempts=100))


@pytest.mark.slow
@posix
@pytest.mark.parametrize("fdpass", [True, False])
def test_while_a_proxy_command_works(fdpass: bool) -> None:
    """A ProxyCommand that hands nothing over, or leads nowhere, is ended."""
    given_up(hop(22, NOWHERE, proxy_command="sleep 60", proxy_use_fdpass=fdpass, connect_timeout=30))


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-silent\r\n"])
def test_while_keys_are_exchanged(words: bytes) -> None:
    """The wait ends both before and after the server has said what it is."""
    with saying(words, then_close=False) as port:
        given_up(hop(port, NOWHERE, connect_timeout=30))


def test_while_a_jump_host_connects(sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]) -> None:
    """A jump host may not answer the request for a channel."""
    jump = sshd()
    jump.accept(key)
    path = known(jump)
    with ExitStack() as stack:

        class Suspending:
            """Stops the jump host when the next hop is about to be reached."""

            def __init__(self) -> None:
                self.begin = 0.0

            def wanted(self) -> bool:
                if not self.begin and "Accepted publickey" in jump.log:
                    stack.enter_context(suspended(jump))
                    self.begin = time.monotonic()
                return not self.begin or time.monotonic() - self.begin < AFTER

        whim = Suspending()
        first = replace(hop(jump.port, path, key, connect_timeout=30), server_alive_interval=100.0)
        with pytest.raises(NotWanted):
            to(first, replace(first, alias="behind"), wanted=whim.wanted)
        assert AFTER <= time.monotonic() - whim.begin < AFTER + SOON


@contextmanager
def hung_agent(tmp_path: Path) -> Iterator[str]:
    """An agent that accepts and says nothing."""
    with unix_socket() as listener:
        listener.bind(str(tmp_path / "hung"))
        listener.listen()
        yield str(tmp_path / "hung")


@posix
def test_while_an_agent_lists_its_keys(tmp_path: Path, known: Callable[..., Path]) -> None:
    """Nobody waits for the five seconds that an agent has."""
    with closing(Server(Account(steps=["publickey"]))) as server, hung_agent(tmp_path) as path:
        given_up(hop(server.port, known(server), identity_agent=path))


@posix
def test_while_an_agent_waits_for_a_touch(
    sshd: Callable[..., Sshd],
    key: Path,
    known: Callable[..., Path],
    tmp_path: Path,
    agent: Callable[..., str],
) -> None:
    """Nobody waits for the touch, whose only time limit is the server's."""
    server = sshd()
    server.accept(key)
    listener = unix_socket()
    listener.bind(str(tmp_path / "slow"))
    listener.listen()
    real = agent(key)

    def serve() -> None:
        """Bind and list like the real one, and say nothing when asked to sign."""
        client, _ = listener.accept()
        with client, unix_socket() as behind:
            behind.connect(real)
            with client.makefile("rb") as requests, behind.makefile("rb") as replies:
                while head := requests.read(4):
                    body = requests.read(int.from_bytes(head, "big"))
                    if body[0] == 13:
                        continue
                    behind.sendall(head + body)
                    head = replies.read(4)
                    client.sendall(head + replies.read(int.from_bytes(head, "big")))

    thread = threading.Thread(target=serve)
    thread.start()
    given_up(hop(server.port, known(server), identity_agent=str(tmp_path / "slow")))
    thread.join(5)
    listener.close()


def test_while_a_server_does_not_reply(known: Callable[..., Path]) -> None:
    """A request of the authentication protocol may go unanswered."""
    go_on = threading.Event()

    class Silent(Account):
        """Thinks about the first request for ever."""

        def check_auth_none(self, username: str) -> int:
            go_on.wait(30)
            return super().check_auth_none(username)

    with closing(Server(Silent())) as server:
        given_up(hop(server.port, known(server)))
        go_on.set()


@pytest.mark.parametrize("waits", ["host key", "password"])
def test_while_the_person_is_asked(known: Callable[..., Path], waits: str) -> None:
    """Whoever asks the question withdraws it, as for a server that has left."""

    def stands(question: Question, wanted: Callable[[], bool]) -> str | None:
        until(lambda: not wanted())
        return None

    with closing(Server(Account())) as server:
        given_up(hop(server.port, known(server) if waits == "password" else known()), ask=stands)


@pytest.mark.slow
@posix
def test_while_a_program_asks(
    known: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program of SSH_ASKPASS is ended."""
    program = tmp_path / "askpass"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(program))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    with closing(Server(Account())) as server:
        given_up(hop(server.port, known(server)))


@pytest.mark.slow
@posix
def test_while_a_list_of_revoked_keys_is_read(
    known: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ssh-keygen that reads the list is ended."""
    program = tmp_path / "ssh-keygen"
    program.write_text("#!/bin/sh\nsleep 60; true\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "revoked").write_bytes(b"SSHKRL\n\0")
    with closing(Server(Account())) as server:
        given_up(hop(server.port, known(server), revoked_host_keys=str(tmp_path / "revoked")))
