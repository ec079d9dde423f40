"""ProxyCommand: what it may be, and that it never outlives its connection."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.key_exchange import handshake
from hermes_tunnel.ssh.proxycommand import ProxyCommand
from hermes_tunnel.ssh.transport import Transport
from tests.ssh.hops import fails, hop, run, to, transport_of
from tests.ssh.sshd import Sshd

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]

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
    with to(*hops) as connection:
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
    with to(*hops) as connection:
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
    with to(replace(configuration, proxy_command=command)) as connection:
        assert run(connection, "echo hello") == b"hello\n"
    failure = fails(replace(configuration, proxy_command="echo no way >&2; exit 1"))
    assert failure.message == "the ProxyCommand did not hand over a connection: no way"


def _words_of(process: psutil.Process) -> list[str]:
    """What a process was called with; nothing if it has ended, which another test's may just have."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_the_death_of_a_proxy_command_costs_nothing(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """We notice it at once; it keeps no processor busy, and leaves no zombie."""
    server = sshd()
    server.accept(key)
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    command = f"{sys.executable} {relay} {server.port}"
    with to(hop(server.port, known(server), key, proxy_command=command)) as connection:
        (child,) = (each for each in psutil.Process().children() if str(relay) in _words_of(each))
        process = connection.start("cat")
        died = time.monotonic()
        child.kill()
        assert process.read(5) == b""
        assert time.monotonic() - died < 0.5
        busy = time.process_time()
        transport_of(connection).join(2)
        with pytest.raises(NetworkFailure, match="was lost"):
            connection.check()
        assert time.process_time() - busy < 0.5
    assert not child.is_running()


def test_pipes_lead_to_a_program_that_cannot_have_a_socket(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """As on Windows, the connection goes through pipes, and when either side ends, both do."""
    server = sshd()
    server.accept(key)
    relay = tmp_path / "relay.py"
    relay.write_text(RELAY)
    configuration = hop(server.port, known(server), key)
    with closing(ProxyCommand(f"exec {sys.executable} {relay} {server.port}", pipes=True)) as proxy:
        transport = Transport(proxy.socket, configuration, ())
        try:
            handshake(transport, configuration)
            assert transport.get_remote_server_key().get_name() == "ssh-ed25519"
            server.close_sessions()
            transport.join(5)
            assert not transport.is_alive()
        finally:
            transport.close()
            transport.join()
    with closing(ProxyCommand("echo no way >&2; exit 1", pipes=True)) as failing:
        assert failing.socket.recv(1) == b""
        assert failing.last_words() == "no way"
    with closing(ProxyCommand("cat", pipes=True)) as echoing:
        echoing.socket.sendall(b"x" * 300_000)
        assert sum(len(echoing.socket.recv(65536)) for _ in range(2)) > 0


@pytest.mark.parametrize("pipes", [False, True])
def test_a_proxy_command_that_will_not_end_is_ended(pipes: bool) -> None:
    """One that ignores the end of its input and SIGTERM is killed; nothing waits long."""
    command = "sh -c 'trap \"\" TERM; echo up; exec sleep 60'"
    with closing(ProxyCommand(command, pipes=pipes)) as stubborn:
        assert stubborn.socket.recv(3) == b"up\n"
        begin = time.monotonic()
    assert time.monotonic() - begin < 2
