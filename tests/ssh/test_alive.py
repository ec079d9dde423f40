"""A connection over time: we notice what falls silent, and do not give up on what only pauses."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import paramiko
import psutil
import pytest

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.question import Question
from tests.ssh.hops import hop, run, to, transport_of
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, resume
from tests.terminal.pseudo_terminal import until

pytestmark = pytest.mark.usefixtures("nothing_left")

SHORT = {"server_alive_interval": 0.1, "server_alive_count_max": 3}


@contextmanager
def suspended(server: Sshd) -> Iterator[None]:
    """Its sessions are suspended meanwhile."""
    processes = server.suspend_sessions()
    assert processes
    try:
        yield
    finally:
        resume(processes)


@pytest.mark.parametrize(
    ("frozen", "words"),
    [
        ("jump", f"jump host {ME}@gate has not answered for 0.3 s"),
        ("inner", f"{ME}@box has not answered for"),
    ],
)
def test_each_hop_that_falls_silent_is_named(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], frozen: str, words: str
) -> None:
    """ServerAlive probes every hop of a chain; the one that has stopped is blamed, not those behind it."""
    servers = {"jump": sshd("jump"), "inner": sshd("inner")}
    for server in servers.values():
        server.accept(key)
    path = known(*servers.values())
    first = replace(hop(servers["jump"].port, path, key, **SHORT), alias="gate")
    with to(first, hop(servers["inner"].port, path, key, **SHORT)) as connection:
        process = connection.start("cat")
        connection.check()
        with suspended(servers[frozen]):
            assert process.read(5) == b""
            with pytest.raises(NetworkFailure, match=words):
                connection.check()


@pytest.mark.parametrize("answered", [True, False])
def test_a_jump_host_may_fall_silent_while_the_next_hop_asks(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], answered: bool
) -> None:
    """ServerAlive starts with the first hop; its silence closes the question that the next hop asks."""
    jump, inner = sshd("jump"), Server(Account())
    jump.accept(key)
    path = known(jump, inner)
    first = replace(hop(jump.port, path, key, **SHORT), alias="gate")
    with ExitStack() as stack:
        stack.callback(inner.close)

        def answer(question: Question, wanted: Callable[[], bool]) -> str | None:
            stack.enter_context(suspended(jump))
            if not answered:
                until(lambda: not wanted())
            return "open sesame" if answered else None

        with pytest.raises(NetworkFailure, match=rf"jump host {ME}@gate has not answered for 0\.3 s"):
            to(first, hop(inner.port, path), ask=answer)


def test_a_jump_host_may_fall_silent_during_the_next_hop_s_key_exchange(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """We notice it long before the next hop's ConnectTimeout."""
    jump = sshd("jump")
    jump.accept(key)
    path = known(jump)
    first = replace(hop(jump.port, path, key, **SHORT), alias="gate")
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as silent:

        def accept() -> None:
            stack.enter_context(silent.accept()[0]).sendall(b"SSH-2.0-silent\r\n")
            stack.enter_context(suspended(jump))

        thread = threading.Thread(target=accept)
        thread.start()
        begin = time.monotonic()
        behind = hop(silent.getsockname()[1], path, connect_timeout=30)
        with pytest.raises(NetworkFailure, match=rf"jump host {ME}@gate has not answered for 0\.3 s"):
            to(first, behind)
        assert time.monotonic() - begin < 5
        thread.join()


def test_a_jump_host_that_is_gone_is_named_and_not_the_hop_behind_it(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """If a hop is lost while the next one asks, the failure is about the lost one."""
    jump, inner = sshd("jump"), Server(Account())
    jump.accept(key)
    path = known(jump, inner)

    def answer(*_: object) -> str:
        jump.close_sessions()
        return "open sesame"

    first = replace(hop(jump.port, path, key), alias="gate")
    try:
        with pytest.raises(NetworkFailure, match=f"the connection to jump host {ME}@gate was lost"):
            to(first, hop(inner.port, path), ask=answer)
    finally:
        inner.close()


def test_silence_is_counted_from_the_last_packet(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """We notice it after ServerAliveInterval times ServerAliveCountMax, and not an interval earlier."""
    server = sshd()
    server.accept(key)
    slower = {"server_alive_interval": 0.8, "server_alive_count_max": 3}
    with to(hop(server.port, known(server), key, **slower)) as connection:
        with suspended(server):
            begin = time.monotonic()
            transport_of(connection).join(5)
            assert 1.5 < time.monotonic() - begin < 2.6
        with pytest.raises(NetworkFailure, match=rf"{ME}@box has not answered for 2\.4 s"):
            connection.check()


def test_keys_are_exchanged_again_meanwhile(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """If a server rekeys often (RekeyLimit) while ServerAlive probes, no byte of a large output is lost."""
    server = sshd("host", "RekeyLimit 64K", "LogLevel DEBUG1")
    server.accept(key)
    often = {"server_alive_interval": 0.01, "server_alive_count_max": 500}  # on a busy machine sshd may pause
    configuration = hop(server.port, known(server), key, **often)
    with to(configuration) as connection:
        assert run(connection, "head -c 1000000 /dev/zero") == bytes(1_000_000)
        assert run(connection, "echo still here") == b"still here\n"
        connection.check()
    assert server.log.count("rekey in") + server.log.count("rekey out") + server.log.count("set_newkeys") > 10


def test_a_server_may_fall_silent_while_keys_are_exchanged(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """We cannot probe then, but the silence counts all the same."""
    server = sshd()
    server.accept(key)
    with to(hop(server.port, known(server), key, **SHORT)) as connection:

        def renegotiate() -> None:
            with suppress(OSError, EOFError, paramiko.SSHException):
                transport_of(connection).renegotiate_keys()

        with suspended(server):
            begin = time.monotonic()
            thread = threading.Thread(target=renegotiate)
            thread.start()
            thread.join()
            assert time.monotonic() - begin < 5
        with pytest.raises(NetworkFailure, match=rf"{ME}@box has not answered for 0\.3 s"):
            connection.check()


CLIENT = """\
import sys
from pathlib import Path
from hermes_tunnel.errors import NetworkFailure
from tests.ssh.hops import hop, run, to, transport_of

port, known, key, seconds = sys.argv[1:]
configuration = hop(int(port), Path(known), Path(key), server_alive_interval=0.1, server_alive_count_max=3)
with to(configuration, emit=repr) as connection:
    process = connection.start("cat")
    print("connected", flush=True)
    sys.stdin.readline()
    try:
        transport_of(connection).join(float(seconds))
        connection.check()
        print(run(connection, "echo alive").decode(), flush=True)
    except NetworkFailure as lost:
        print(lost, flush=True)
"""


@contextmanager
def sleeping_laptop(server: Sshd, known: Path, key: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A client in a process of its own, connected, then stopped as a laptop is by closing its lid."""
    argv = [sys.executable, "-c", CLIENT, str(server.port), str(known), str(key), str(seconds)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as client:
        assert client.stdout is not None
        try:
            assert client.stdout.readline() == "connected\n"
            psutil.Process(client.pid).suspend()
            yield client
        finally:
            client.kill()


def test_a_short_sleep_is_survived(sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]) -> None:
    """A laptop's sleep that outlasts ServerAlive is not mistaken for a dead server."""
    server = sshd()
    server.accept(key)
    with sleeping_laptop(server, known(server), key, 0.5) as client:
        with pytest.raises(subprocess.TimeoutExpired):
            client.wait(1)  # three times ServerAliveInterval times CountMax
        psutil.Process(client.pid).resume()
        output, _ = client.communicate("go\n", timeout=10)
    assert output.strip() == "alive"


def test_a_sleep_that_the_server_did_not_wait_for_is_noticed_on_waking(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """If the server gave up on the sleeper (ClientAliveInterval), the client says so as soon as it wakes."""
    server = sshd()
    server.accept(key)
    with sleeping_laptop(server, known(server), key, 10) as client:
        server.close_sessions()
        psutil.Process(client.pid).resume()
        output, _ = client.communicate("go\n", timeout=10)
    assert f"the connection to {ME}@box was lost" in output


def test_a_probe_is_no_burden(sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]) -> None:
    """An idle connection with ServerAlive uses next to no processor time."""
    server = sshd()
    server.accept(key)
    process = psutil.Process()
    with to(hop(server.port, known(server), key, **SHORT)) as connection:
        busy = process.cpu_times()
        quiet = connection.start("cat")
        with pytest.raises(TimeoutError):
            quiet.read(1)
        now = process.cpu_times()
        assert now.user + now.system - busy.user - busy.system < 0.3
        connection.check()
