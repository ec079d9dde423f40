"""Waits where ssh has no clock: as long as ssh would wait, with a word to the person, and an end for all."""

from __future__ import annotations

import base64
import shutil
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from paramiko.common import OPEN_FAILED_CONNECT_FAILED

from hermes_tunnel import events
from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.ssh.config.chain import HopConfiguration, Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.connection import NotWanted
from hermes_tunnel.ssh.dial import Address, addresses_of
from tests.ports.holding import posix
from tests.ssh.answering import Answering
from tests.ssh.hops import hop, run, to
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, public, resume
from tests.terminal.pseudo_terminal import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]

with_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh reads the configuration")

# A slow way to a port: so many seconds before the identification, and so many before the key exchange.
SLOW = """\
import os, socket, sys, threading, time
port, before, then = int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
s = socket.create_connection(('127.0.0.1', port))
def up():
    while data := os.read(0, 65536): s.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
head = b''
while not head.endswith(b'\\n'): head += s.recv(1)
time.sleep(before)
os.write(1, head)
time.sleep(then)
def say():
    while not os.path.exists(os.path.join(os.path.dirname(sys.argv[0]), 'say')): time.sleep(0.05)
    sys.stderr.write('on my way\\n'); sys.stderr.flush()
threading.Thread(target=say, daemon=True).start()
while data := s.recv(65536): os.write(1, data)
"""


def notices(told: list[events.Event]) -> list[str]:
    """What the person is told in our words."""
    return [each.text for each in told if isinstance(each, events.Notice) and not each.detail]


def said(told: list[events.Event]) -> list[tuple[str, str]]:
    """What others are quoted with."""
    return [(each.who, each.text) for each in told if isinstance(each, events.ServerSaid)]


@pytest.fixture
def behind(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> Callable[..., HopConfiguration]:
    """A server behind a slow proxy."""
    server = sshd()
    server.accept(key)
    script = tmp_path / "slow.py"
    script.write_text(SLOW)

    def slow(before: float, then: float, **more: object) -> HopConfiguration:
        command = f"{sys.executable} {script} {server.port} {before} {then}"
        return replace(hop(server.port, known(server), key, **more), proxy_command=command)

    return slow


def test_a_key_exchange_may_be_slower_than_connect_timeout(behind: Callable[..., HopConfiguration]) -> None:
    """As with ssh, whose ConnectTimeout ends with the identification; the person is told of the wait."""
    told: list[events.Event] = []
    configuration = behind(0, 2, connect_timeout=1)
    with to(configuration, emit=told.append, patience=0.5) as connection:
        assert run(connection, "echo hello") == b"hello\n"
    assert notices(told) == [f"Still waiting for {configuration.address} to exchange keys ..."]


def test_without_connect_timeout_a_server_may_be_slow_to_speak(
    behind: Callable[..., HopConfiguration],
) -> None:
    """As with ssh; until it has spoken, what is waited for is the ProxyCommand."""
    told: list[events.Event] = []
    configuration = replace(behind(1.5, 0), connect_timeout=None)
    with to(configuration, emit=told.append, patience=0.5) as connection:
        assert run(connection, "echo hello") == b"hello\n"
    command = str(configuration.proxy_command)[:200]
    assert notices(told) == [f"Still waiting for the ProxyCommand of {ME}@box: {command} ..."]


def test_a_proxy_command_is_heard_as_long_as_it_runs(
    behind: Callable[..., HopConfiguration], tmp_path: Path
) -> None:
    """It may have something to say when the connection is up, as with ssh."""
    told: list[events.Event] = []
    with to(behind(0, 0), emit=told.append) as connection:
        assert run(connection, "echo hello") == b"hello\n"
        (tmp_path / "say").touch()
        until(lambda: ("ProxyCommand", "on my way") in said(told))


def test_a_slow_answer_to_who_somebody_is_is_told_of(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """The server may wait for a yes on the person's telephone."""
    server = sshd()
    server.accept(key)
    told: list[events.Event] = []
    resumed = threading.Event()

    def emit(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.Phase) and event.name == "host key" and event.seconds is not None:
            stopped = server.suspend_sessions()

            def go_on() -> None:
                resume(stopped)
                resumed.set()

            threading.Timer(1.5, go_on).start()

    with to(hop(server.port, known(server), key), emit=emit, patience=0.5):
        assert resumed.wait(5)
    assert notices(told) == [f"Still waiting for {ME}@box to let you in ..."]


@pytest.mark.parametrize("version", ["SSH-2.0-OpenSSH_9.2p1", "SSH-2.0-test"])
def test_a_jump_host_that_takes_its_time_is_told_of(
    key: Path, known: Callable[..., Path], version: str
) -> None:
    """It is still connecting to the next hop, whether it was asked to early or not."""
    go_on = threading.Event()

    class Slow(Account):
        def check_channel_direct_tcpip_request(self, *_: object) -> int:
            go_on.wait(10)
            return OPEN_FAILED_CONNECT_FAILED

    blob = base64.b64decode(public(key).split()[1])
    jump = Server(Slow(steps=("publickey",), keys=[blob]), version=version)
    told: list[events.Event] = []
    first = hop(jump.port, known(jump), key)
    second = replace(first, alias="behind")

    def wanted() -> bool:
        return not notices(told)

    with closing(jump):
        with pytest.raises(NotWanted):
            to(first, second, emit=told.append, patience=0.3, wanted=wanted)
        go_on.set()
    assert notices(told) == [f"Still waiting for jump host {ME}@box to connect to {second.address} ..."]


def test_a_silent_name_server_is_told_of() -> None:
    """What getaddrinfo waits for may be waited for long."""
    go_on = threading.Event()

    def look_up(*_: object) -> list[Address]:
        go_on.wait(1)
        return []

    person = Answering()
    asking = replace(person.person, patience=0.2)
    assert addresses_of(hop(22, Path()), asking.waiting_for("the address of 'box'"), look_up=look_up) == []
    assert person.told == ["Still waiting for the address of 'box' ..."]
    go_on.set()


@posix
@with_ssh
def test_a_match_exec_may_wait_for_somebody(tmp_path: Path) -> None:
    """What it says is shown as it says it, and after a while what is waited for; its answer counts."""
    config, go = tmp_path / "config", tmp_path / "go"
    command = f"echo touch the key >&2; while test ! -e {go}; do sleep 0.1; done"
    config.write_text(f'Match exec "{command}"\n  User somebody\n')
    told: list[events.Event] = []

    def emit(event: events.Event) -> None:
        told.append(event)
        if isinstance(event, events.Notice):
            go.touch()

    (found,) = resolve(parse_target("box"), Options(config_file=str(config)), emit=emit, patience=0.5)
    assert found.user == "somebody"
    assert notices(told) == [f"Still waiting for a Match exec of ssh_config: {command} ..."]
    assert said(told) == [("ssh", "touch the key")]


@posix
@with_ssh
@pytest.mark.parametrize("why", ["limit", "given up"])
def test_a_match_exec_that_is_given_up_is_ended_with_all_it_started(tmp_path: Path, why: str) -> None:
    """Also what it has in the background, and what ignores SIGTERM."""
    config, pids = tmp_path / "config", tmp_path / "pids"
    script = tmp_path / "script"
    script.write_text(
        f"trap '' TERM; (echo $$ >>{pids}; exec sleep 60) &\nsh -c 'echo $$ >>{pids}; sleep 60; true'\n"
    )
    config.write_text(f'Match exec "sh {script}"\n  User somebody\n')
    begin = time.monotonic()

    def asked() -> None:
        resolve(
            parse_target("box"),
            Options(config_file=str(config)),
            seconds=1 if why == "limit" else 60,
            patience=0.5,
            wanted=lambda: time.monotonic() - begin < 1,
        )

    if why == "limit":
        begin += 60
        with pytest.raises(ConfigurationFailure) as failure:
            asked()
        assert failure.value.message == (
            f"ssh did not say how to reach 'box' within 1 s; its Match exec runs sh {script}"
        )
    else:
        with pytest.raises(NotWanted):
            asked()
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    until(lambda: not any(map(_runs, started)))


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@posix
def test_a_proxy_command_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """It shares our process group, as it may ask at the terminal; so what it started is looked for."""
    pids = tmp_path / "pids"
    command = (
        f'sh -c \'sh -c "trap : TERM; echo \\$\\$ >>{pids}; while :; do sleep 0.1; done" & '
        f"echo $$ >>{pids}; sleep 60; true'"
    )
    begin = time.monotonic()
    with pytest.raises(NotWanted):
        to(
            hop(22, Path(), proxy_command=command, connect_timeout=30),
            wanted=lambda: time.monotonic() - begin < 1,
        )
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    until(lambda: not any(map(_runs, started)))
