"""How the first hop is reached: every address of its name, and commands in the place of a connection."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.config import Options, resolve
from hermes_tunnel.ssh.connection import connect
from hermes_tunnel.ssh.dial import ProxyCommand, dial
from hermes_tunnel.ssh.target import parse_target
from tests.ssh.hops import fails, hop, nobody, run
from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.usefixtures("nothing_left")

NOWHERE = Path(os.devnull)


@contextmanager
def dead() -> Iterator[tuple[Any, ...]]:
    """An address that does not answer, as one behind a firewall: the queue of its listener is full."""
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        yield address(full.getsockname()[1])


def address(port: int, host: str = "127.0.0.1") -> tuple[Any, ...]:
    """As ``getaddrinfo`` gives it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


def greeting(sock: socket.socket) -> bytes:
    """The first bytes that the server says."""
    with sock:
        return sock.recv(8)


def test_a_dead_address_costs_a_head_start(sshd: Callable[..., Sshd]) -> None:
    """A name with a dead address before a living one: the second is tried while the first is silent."""
    with dead() as silent:
        way = [silent, silent, address(sshd().port)]
        begin = time.monotonic()
        sock = dial(hop(22, NOWHERE, connect_timeout=10), look_up=lambda *_: way)
        assert greeting(sock) == b"SSH-2.0-"
    assert 0.5 <= time.monotonic() - begin < 2


def test_an_address_that_cannot_be_is_passed_over_at_once(sshd: Callable[..., Sshd]) -> None:
    """No route, a refusal, a family that this machine lacks: the next one is tried without waiting."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        way = [
            (12345, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1)),
            address(22, "0100::1"),
            address(closed.getsockname()[1]),
            address(sshd().port),
        ]
        begin = time.monotonic()
        assert greeting(dial(hop(22, NOWHERE), look_up=lambda *_: way)) == b"SSH-2.0-"
    assert time.monotonic() - begin < 1


def test_connection_attempts_are_made_again() -> None:
    """ConnectionAttempts: a server that is about to start is reached by the next attempt."""
    with socket.socket() as late:
        late.bind(("127.0.0.1", 0))
        port = late.getsockname()[1]
        with pytest.raises(NetworkFailure, match="refused"):
            dial(hop(port, NOWHERE))
        with pytest.raises(NetworkFailure, match="refused"):
            dial(hop(port, NOWHERE, connection_attempts=2), pause=0.01)
        start = threading.Timer(0.1, late.listen)
        start.start()
        dial(hop(port, NOWHERE, connection_attempts=100), pause=0.02).close()
        start.join()


@pytest.mark.parametrize(("family", "served"), [("inet", "::1"), ("inet6", "127.0.0.1")])
def test_address_family_is_kept(family: str, served: str) -> None:
    """AddressFamily, and so -4 and -6: only addresses of this family are looked up."""
    kind = socket.AF_INET6 if ":" in served else socket.AF_INET
    with socket.create_server((served, 0), family=kind) as listener:
        port = listener.getsockname()[1]
        configuration = replace(hop(port, NOWHERE), hostname=served)
        dial(replace(configuration, address_family="any")).close()
        with pytest.raises(NetworkFailure, match="DNS has no address"):
            dial(replace(configuration, address_family=family))


def test_the_bind_address_is_where_the_connection_comes_from(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """BindAddress, as the server sees it."""
    server = sshd()
    server.accept(key)
    configuration = hop(server.port, known(server), key, bind_address="127.0.0.5")
    with connect([configuration], ask=nobody, tell=print) as connection:
        assert run(connection, "echo $SSH_CONNECTION").split()[0] == b"127.0.0.5"


@pytest.mark.parametrize("bind_address", ["::1", "192.0.2.1", "nobody.invalid"])
def test_a_bind_address_that_cannot_be_is_said(bind_address: str) -> None:
    """Of the other family, of another machine, or no address at all."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        failure = fails(hop(listener.getsockname()[1], NOWHERE, bind_address=bind_address))
    assert failure.message.endswith(os.strerror(errno.EADDRNOTAVAIL))


@pytest.mark.parametrize("wanted", [True, False])
def test_tcp_keep_alive_is_kept(wanted: bool) -> None:
    """TCPKeepAlive sets the socket's option."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        dial(hop(listener.getsockname()[1], NOWHERE, tcp_keep_alive=wanted)) as sock,
    ):
        assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)) is wanted


RELAY = """\
import os, socket, sys, threading
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
def up():
    while data := os.read(0, 65536): s.sendall(data)
    os._exit(0)
threading.Thread(target=up, daemon=True).start()
while data := s.recv(65536): os.write(1, data)
"""
HAND_OVER = """\
import socket, sys
with socket.create_connection(('127.0.0.1', int(sys.argv[1]))) as s, socket.socket(fileno=1) as ssh:
    socket.send_fds(ssh, [b'x'], [s.fileno()])
"""


@pytest.mark.parametrize(
    "form",
    [
        "exec {python} '{relay}' %p",
        '{python} "{relay}" $((%p + 0)) 2>/dev/null | cat',
        'sh -c \'PORT=x%p; exec {python} "{relay}" "${{PORT#x}}"\' # %%h',
    ],
)
def test_a_proxy_command_is_the_shell_s(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path, form: str
) -> None:
    """exec, quotes, pipes, arithmetic, redirections and comments mean what they mean to the shell."""
    server = sshd()
    server.accept(key)
    relay = tmp_path / "a relay.py"
    relay.write_text(RELAY)
    (tmp_path / "config").write_text(
        f"Host box\n Hostname 127.0.0.1\n Port {server.port}\n IdentityFile {key}\n IdentityAgent none\n"
        f" UserKnownHostsFile {known(server)}\n"
        f" ProxyCommand {form.format(python=sys.executable, relay=relay)}\n"
    )
    hops = resolve(parse_target("box"), Options(config_file=str(tmp_path / "config")))
    with connect(hops, ask=nobody, tell=print) as connection:
        assert run(connection, "echo hello") == b"hello\n"


def test_a_jump_host_by_an_old_ssh(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """``ProxyCommand ssh -W %h:%p jump``, as it was written before ProxyJump; tokens in it are expanded."""
    jump, server = sshd("jump"), sshd()
    server.accept(key)
    jump.accept(key)
    config = tmp_path / "config"
    config.write_text(
        f"Host box jump\n Hostname 127.0.0.1\n IdentityFile {key}\n IdentityAgent none\n"
        f" UserKnownHostsFile {known(server, jump)}\n"
        f"Host jump\n Port {jump.port}\n"
        f"Host box\n Port {server.port}\n ProxyCommand ssh -F {config} -W %h:%p jump\n"
    )
    hops = resolve(parse_target("box"), Options(config_file=str(config)))
    assert len(hops) == 1
    with connect(hops, ask=nobody, tell=print) as connection:
        assert run(connection, "echo hello") == b"hello\n"
        assert "Accepted publickey" in jump.log


def test_a_proxy_command_may_hand_its_connection_over(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """ProxyUseFdpass: the command passes a connected socket on and ends; one that does not is named."""
    server = sshd()
    server.accept(key)
    script = tmp_path / "hand_over.py"
    script.write_text(HAND_OVER)
    configuration = hop(server.port, known(server), key, proxy_use_fdpass=True)
    command = f"{sys.executable} -I -S {script} {server.port}"
    with connect([replace(configuration, proxy_command=command)], ask=nobody, tell=print) as connection:
        assert run(connection, "echo hello") == b"hello\n"
    failure = fails(replace(configuration, proxy_command="echo no way >&2; exit 1"))
    assert failure.message == "the ProxyCommand handed no connection over: no way"


def test_the_death_of_a_proxy_command_costs_nothing(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """It is noticed at once, no processor is kept busy by it, and no zombie stays."""
    server = sshd()
    server.accept(key)
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    command = f"{sys.executable} {relay} {server.port}"
    with connect(
        [hop(server.port, known(server), key, proxy_command=command)], ask=nobody, tell=print
    ) as connection:
        (child,) = (each for each in psutil.Process().children() if str(relay) in each.cmdline())
        channel = connection.transport.open_session()
        channel.exec_command("cat")
        channel.settimeout(5)
        died = time.monotonic()
        child.kill()
        assert channel.recv(1) == b""
        assert time.monotonic() - died < 0.5
        busy = time.process_time()
        connection.transport.join(2)
        with pytest.raises(NetworkFailure, match="was lost"):
            connection.check()
        assert time.process_time() - busy < 0.5
    assert not child.is_running()


def test_a_proxy_command_that_will_not_end_is_ended() -> None:
    """One that ignores the end of its input and SIGTERM is killed; nothing waits for long."""
    with closing(ProxyCommand("sh -c 'trap \"\" TERM; echo up; exec sleep 60'")) as stubborn:
        assert stubborn.socket.recv(3) == b"up\n"
        begin = time.monotonic()
    assert time.monotonic() - begin < 2
