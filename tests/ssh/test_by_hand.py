"""What a person is told to type: it works when it is pasted into a shell."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hermes_tunnel.ssh.by_hand import by_ssh, shell_line, ssh_add, ssh_copy_id, without_proxy_jump
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.config.target import Hop, Target, parse_target
from tests.ssh.sshd import ME, Sshd, keygen

pytestmark = [
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here"),
]

NAMES = ("gate", "middle", "inner")


def pasted(command: str) -> subprocess.CompletedProcess[str]:
    """A command as the shell runs it, without an agent in the environment."""
    environment = {name: value for name, value in os.environ.items() if name != "SSH_AUTH_SOCK"}
    return subprocess.run(
        ["sh", "-c", command],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def test_the_ssh_of_a_hint_reaches_the_hop_that_it_is_about(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path
) -> None:
    """Through the jump hosts for the destination, without them for the first hop; spaces do not matter."""
    gate, inner = sshd("gate"), sshd("inner")
    key = keygen(tmp_path / "my key")
    gate.accept(key)
    inner.accept(key)
    config = tmp_path / "config"  # with a space in its name, ssh itself cannot do -J
    config.write_text(
        f"Host *\n Hostname 127.0.0.1\n UserKnownHostsFile {known(gate, inner)}\n IdentityAgent none\n"
        f'Host gate\n IdentityFile "{key}"\n'
    )
    options = Options(str(config), ("BatchMode=yes",), (str(key),), "inet")
    target = parse_target(f"{ME}@inner:{inner.port}", [f"{ME}@gate:{gate.port}"])
    for hop, server in zip(resolve(target, options), (gate, inner), strict=True):
        done = pasted(f"{by_ssh(hop)} 'echo $SSH_CONNECTION'")
        assert done.stdout.split()[-1:] == [str(server.port)], (by_ssh(hop), done.stderr)


def test_an_ssh_without_proxy_jump_gets_there_too(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path
) -> None:
    """Through two jump hosts, a ProxyCommand within a ProxyCommand."""
    servers = [sshd(name) for name in NAMES]
    key = keygen(tmp_path / "key")
    for server in servers:
        server.accept(key)
    config = tmp_path / "config"
    config.write_text(
        f"Host *\n Hostname 127.0.0.1\n UserKnownHostsFile {known(*servers)}\n IdentityAgent none\n"
        f" BatchMode yes\n IdentityFile {key}\n"
    )
    gate, middle, inner = (f"{ME}@{name}:{each.port}" for name, each in zip(NAMES, servers, strict=True))
    hops = resolve(parse_target(inner, [gate, middle]), Options(str(config)))
    line = shell_line("ssh", *without_proxy_jump(hops), "echo $SSH_CONNECTION")
    done = pasted(line)
    assert "-J" not in line
    assert done.stdout.split()[-1:] == [str(servers[-1].port)], (line, done.stderr)


def test_ssh_copy_id_is_called_as_it_wants_to_be() -> None:
    """ssh-copy-id has no -J, -l or -4, and takes one key."""
    options = Options("my config", ("BatchMode=yes",), ("one", "two"), "inet")
    given = HopConfiguration("box", "127.0.0.1", "me", way=(*options.as_words(), "-J", "a,b", "me@box"))
    assert ssh_copy_id(given) == (
        "ssh-copy-id -F 'my config' -o BatchMode=yes -i one -o AddressFamily=inet -o ProxyJump=a,b me@box"
    )
    given = HopConfiguration("box", "127.0.0.1", "me", way=Target(Hop("me", "box", 22)).as_words())
    assert ssh_copy_id(given) == "ssh-copy-id -p 22 me@box"
    assert ssh_copy_id(HopConfiguration("box", "127.0.0.1", "me", 2022)) == "ssh-copy-id -p 2022 me@box"


def test_ssh_add_speaks_to_the_agent_that_was_asked(
    agent: Callable[..., str], key: Path, tmp_path: Path
) -> None:
    """It speaks to the agent of IdentityAgent, wherever that is, or else of the environment."""
    spaced = tmp_path / "Group Containers"
    spaced.symlink_to(agent(key))
    asked = HopConfiguration("box", "127.0.0.1", "me", identity_agent=str(spaced))
    assert "ED25519" in pasted(ssh_add(asked, "-l")).stdout
    assert ssh_add(HopConfiguration("box", "127.0.0.1", "me"), "my key") == "ssh-add 'my key'"
