"""What ssh_config may contain but a login never acts on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from tests.ssh.hops import run, to
from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_nothing_is_run_forwarded_or_shared(
    sshd: Callable[..., Sshd],
    agent: Callable[..., str],
    key: Path,
    known: Callable[..., Path],
    tmp_path: Path,
) -> None:
    """Not LocalCommand, RemoteCommand, agent or X11 forwarding, ControlMaster, forwards or SetEnv."""
    server = sshd("host", "AcceptEnv *", "AllowAgentForwarding yes", "X11Forwarding yes", "PermitTunnel yes")
    server.accept(key)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "config").write_text(
        f"""
        Host box
          Hostname 127.0.0.1
          Port {server.port}
          UserKnownHostsFile {known(server)}
          IdentityAgent {agent(key)}
          PermitLocalCommand yes
          LocalCommand touch {tmp_path}/local
          RemoteCommand touch {tmp_path}/remote
          RequestTTY force
          ForwardAgent yes
          ForwardX11 yes
          ForwardX11Trusted yes
          ControlMaster yes
          ControlPath {tmp_path}/control
          ControlPersist yes
          LocalForward {port} 127.0.0.1:1
          DynamicForward {port + 1}
          RemoteForward {port + 2} 127.0.0.1:1
          ExitOnForwardFailure yes
          SetEnv SECRET=x
          SendEnv *
          Tunnel yes
          AddKeysToAgent yes
        """
    )
    hops = resolve(parse_target("box"), Options(config_file=str(tmp_path / "config")))
    with to(*hops) as connection:
        seen = run(connection, "env; tty")
        listening = {
            tuple(each.laddr)[1]
            for each in psutil.Process().net_connections("tcp")
            if each.status == psutil.CONN_LISTEN
        }
    assert b"not a tty" in seen
    assert not [name for name in (b"SECRET", b"SSH_AUTH_SOCK", b"DISPLAY") if name + b"=" in seen]
    assert not listening & {port, port + 1, port + 2}
    assert not [name for name in ("local", "remote", "control") if (tmp_path / name).exists()]
