"""Keys in an agent: one that needs a touch, agents in odd places, agents that are no help."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel import events
from hermes_tunnel.errors import AuthenticationFailure
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from tests.ssh.answering import Answering
from tests.ssh.hops import fails, hop, to
from tests.ssh.security_key import SecurityKey
from tests.ssh.sshd import ME, Sshd, keygen
from tests.ssh.unix import unix_socket

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.fixture
def security_key(tmp_path: Path) -> Iterator[SecurityKey]:
    """A security key that nobody has touched yet."""
    with closing(SecurityKey(str(tmp_path / "security_key"))) as token:
        yield token


def test_who_has_to_touch_it_is_told(
    sshd: Callable[..., Sshd], known: Callable[..., Path], security_key: SecurityKey
) -> None:
    """The agent says nothing until the key is touched, so we tell the person; after the touch they are in."""
    server = sshd()
    server.authorized_keys.write_text(security_key.public_line)
    told: list[str] = []

    def hears(event: events.Event) -> None:
        if isinstance(event, events.Notice) and not event.detail:
            told.append(event.text)
            security_key.touched.set()

    configuration = hop(server.port, known(server), identity_agent=security_key.path)
    to(configuration, emit=hears).close()
    assert told == [f"Approve agent key 'security key' in your agent, for {ME}@box."]
    server.wait_for(f"Accepted publickey for {ME} from 127.0.0.1")
    assert "ED25519-SK" in server.log


def test_a_touch_that_comes_too_late(
    sshd: Callable[..., Sshd], known: Callable[..., Path], security_key: SecurityKey
) -> None:
    """If LoginGraceTime passes first, the agent is not blamed."""
    server = sshd("host", "LoginGraceTime 3")
    server.authorized_keys.write_text(security_key.public_line)
    failure = fails(hop(server.port, known(server), identity_agent=security_key.path))
    assert isinstance(failure, AuthenticationFailure)
    assert failure.message == f"{ME}@box stopped waiting for the answer and closed the connection"


def test_a_touch_that_is_refused(
    sshd: Callable[..., Sshd], known: Callable[..., Path], security_key: SecurityKey, key: Path
) -> None:
    """The refusal is given as the reason, unless another key gets in."""
    server = sshd()
    server.authorized_keys.write_text(security_key.public_line)
    security_key.refuses = True
    security_key.touched.set()
    failure = fails(hop(server.port, known(server), identity_agent=security_key.path))
    assert failure.message == (
        f"{ME}@box would take agent key 'security key', which the agent did not sign with: it refused to sign"
    )
    server.accept(key)
    configuration = hop(server.port, known(server), key, identity_agent=security_key.path)
    to(configuration).close()


def test_a_socket_in_a_place_with_spaces(
    sshd: Callable[..., Sshd],
    agent: Callable[..., str],
    known: Callable[..., Path],
    key: Path,
    tmp_path: Path,
) -> None:
    """As a password manager sets it up: IdentityAgent in quotes, IdentitiesOnly, and only a public half."""
    server = sshd()
    server.accept(key)
    place = tmp_path / "Group Containers" / "t"
    place.mkdir(parents=True)
    (place / "agent.sock").symlink_to(agent(key))
    key.unlink()
    (tmp_path / "config").write_text(
        f"Host box\n Hostname 127.0.0.1\n User {ME}\n Port {server.port}\n"
        f' IdentityAgent "{place}/agent.sock"\n IdentityFile {key}\n IdentitiesOnly yes\n'
        f" UserKnownHostsFile {known(server)}\n"
    )
    hops = resolve(parse_target("box"), Options(config_file=str(tmp_path / "config")))
    to(*hops).close()


def test_an_agent_that_is_no_help_does_not_hinder(
    sshd: Callable[..., Sshd],
    known: Callable[..., Path],
    key: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A socket left behind by an agent costs no time, an agent that hangs 5 s; then the key file gets in."""
    server = sshd()
    server.accept(key)
    configuration = hop(server.port, known(server), key, identity_agent=None)
    person = Answering()
    with unix_socket() as listener:
        listener.bind(str(tmp_path / "left"))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "left"))
        began = time.monotonic()
        to(configuration, emit=person.events.append).close()
        assert time.monotonic() - began < 2
        assert person.told == []
        listener.listen()
        to(configuration, emit=person.events.append).close()
        assert time.monotonic() - began < 8
    assert person.told == ["Warning: going on without the ssh agent: it did not answer in time."]


def test_a_key_that_is_restricted_to_hosts(
    sshd: Callable[..., Sshd],
    agent: Callable[..., str],
    known: Callable[..., Path],
    key: Path,
) -> None:
    """A key added with ``ssh-add -h`` signs only for the named hosts, and each hop of a chain is one."""
    gate, inner, other = sshd("gate"), sshd("inner"), sshd("other")
    for server in (gate, inner, other):
        server.accept(key)
    path = agent()
    hosts = [word for server in (gate, inner) for word in ("-h", f"[127.0.0.1]:{server.port}")]
    command = ["ssh-add", "-q", "-H", str(known(gate, inner, other)), *hosts, str(key)]
    subprocess.run(command, check=True, env={**os.environ, "SSH_AUTH_SOCK": path}, timeout=10)
    hops = [
        hop(server.port, known(gate, inner, other), identity_agent=path) for server in (gate, inner, other)
    ]
    to(*hops[:2]).close()
    assert fails(hops[2]).message == f"nothing here to show {ME}@box (it takes publickey)"


def test_each_hop_has_its_own_agent(
    sshd: Callable[..., Sshd],
    agent: Callable[..., str],
    known: Callable[..., Path],
    security_key: SecurityKey,
    key: Path,
) -> None:
    """The jump host gets the agent of its own IdentityAgent, and the destination that of its own."""
    gate, inner = sshd("gate"), sshd("inner")
    gate.authorized_keys.write_text(security_key.public_line)
    inner.accept(key)
    security_key.touched.set()
    servers = known(gate, inner)
    hops = [
        hop(gate.port, servers, identity_agent=security_key.path),
        hop(inner.port, servers, identity_agent=agent(key)),
    ]
    to(*hops).close()
    swapped = [replace(hops[0], identity_agent=hops[1].identity_agent), hops[1]]
    words = f"jump host {ME}@box accepted none of: agent key 'key' (it takes publickey)"
    assert fails(*swapped).message == words


def test_an_agent_that_dies_before_it_has_signed(
    sshd: Callable[..., Sshd], known: Callable[..., Path], security_key: SecurityKey, key: Path
) -> None:
    """The agent's death is given as the reason, and a key file still gets in."""
    server = sshd()
    server.authorized_keys.write_text(security_key.public_line)
    security_key.dies = True
    security_key.touched.set()
    failure = fails(hop(server.port, known(server), identity_agent=security_key.path))
    assert failure.message == (
        f"{ME}@box would take agent key 'security key', which the agent did not sign with: it went away"
    )
    server.accept(key)
    configuration = hop(server.port, known(server), key, identity_agent=security_key.path)
    to(configuration).close()


def test_what_an_agent_calls_a_key_is_shown_without_its_escape_sequences(
    sshd: Callable[..., Sshd], agent: Callable[..., str], known: Callable[..., Path], tmp_path: Path
) -> None:
    """A key's comment may come from anybody."""
    server = sshd()
    path = agent(keygen(tmp_path / "key", "-C", "\x1b]0;owned\x07at \x1b[31mwork\u202e"))
    failure = fails(hop(server.port, known(server), identity_agent=path))
    assert failure.message == f"{ME}@box accepted none of: agent key 'at work' (it takes publickey)"


def test_a_passphrase_is_asked_for_each_hop(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path
) -> None:
    """As with ssh, which runs a process for each hop; the prompt says which hop it is for."""
    gate, inner = sshd("gate"), sshd("inner")
    key = keygen(tmp_path / "key", passphrase="correct horse")
    gate.accept(key)
    inner.accept(key)
    hops = [
        replace(hop(server.port, known(gate, inner), key), alias=server.directory.name)
        for server in (gate, inner)
    ]
    person = Answering("correct horse", "correct horse")
    to(*hops, ask=person.ask).close()
    prompts = [f"Enter passphrase for key '{key}' ({ME}@{name}):" for name in ("gate", "inner")]
    assert person.asked == [(prompt, True) for prompt in prompts]
