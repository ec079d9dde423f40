"""A connection from the first socket to the last thread: real servers, dead addresses, lost peers."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from pathlib import Path

import paramiko
import psutil
import pytest

from hermes_tunnel import events
from hermes_tunnel.deadlines import KEY_EXCHANGE
from hermes_tunnel.errors import (
    AuthenticationFailure,
    ConfigurationFailure,
    Failure,
    HostKeyFailure,
    NetworkFailure,
)
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.terminal.words import sentences
from tests.ssh.hops import fails, hop, run, to, transport_of
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, fingerprint, keygen, public, resume
from tests.terminal.pseudo_terminal import until

pytestmark = pytest.mark.usefixtures("nothing_left")


def test_a_connection_runs_a_command_and_leaves_nothing(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """With a known host and an accepted key it connects, without Nagle's delay, and closes completely."""
    server = sshd()
    server.accept(key)
    with to(hop(server.port, known(server), key)) as connection:
        assert run(connection, "echo hello") == b"hello\n"
        assert (connection.destination, connection.via) == (f"{ME}@box", ())
        sock = transport_of(connection).sock
        assert isinstance(sock, socket.socket)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.check()
    with pytest.raises(NetworkFailure, match=f"the connection to {ME}@box was lost"):
        connection.check()


def test_a_chain_of_jump_hosts_with_keys_and_users_of_their_own(
    sshd: Callable[..., Sshd], tmp_path: Path, known: Callable[..., Path]
) -> None:
    """ProxyJump over two hosts: each hop has its own user, key and verified host key; ssh_config decides."""
    servers = {name: sshd(name) for name in ("outer", "middle", "inner")}
    text = ""
    for name, server in servers.items():
        server.accept(keygen(tmp_path / f"key-{name}"))
        text += (
            f"Host {name}\n HostName 127.0.0.1\n Port {server.port}\n IdentityFile {tmp_path}/key-{name}\n"
        )
    text += "Host inner\n ProxyJump middle\nHost middle\n ProxyJump outer\n"
    text += f"Host *\n IdentityAgent none\n UserKnownHostsFile {known(*servers.values())}\n"
    (tmp_path / "config").write_text(text)
    hops = resolve(parse_target("inner"), Options(config_file=str(tmp_path / "config")))
    with to(*hops) as connection:
        assert connection.via == (f"{ME}@outer", f"{ME}@middle")
        assert run(connection, "echo $SSH_CONNECTION").split()[3] == str(servers["inner"].port).encode()


def test_the_curious_hear_how_it_connects(
    sshd: Callable[..., Sshd], agent: Callable[..., str], tmp_path: Path, known: Callable[..., Path]
) -> None:
    """With -v, each hop's address, host key, the keys it was shown and the method have a line each."""
    gate, inner = sshd("gate"), Server(Account())
    wrong, right = keygen(tmp_path / "wrong"), keygen(tmp_path / "right")
    gate.accept(right)
    path, told = known(gate, inner), list[events.Event]()
    first = replace(hop(gate.port, path, identity_agent=agent(wrong, right)), alias="gate")
    try:
        hops = [first, hop(inner.port, path)]
        to(*hops, ask=lambda *_: "open sesame", emit=told.append).close()
    finally:
        inner.close()
    lines = [sentence.text for event in told for sentence in sentences(event, 1)]
    lines = [re.sub(r" \(\d\.\d\d s\)", "", line) for line in lines]
    assert [re.sub(r": [a-z0-9@.-]+, aes128-[a-z@.]+", "", line) for line in lines] == [
        f"Found {ME}@gate at 127.0.0.1",
        f"Connecting to {ME}@gate at 127.0.0.1:{gate.port}",
        f"Reached {ME}@gate at 127.0.0.1",
        f"Exchanged keys with {ME}@gate",
        f"Accepted the host key of {ME}@gate: ED25519 {fingerprint(gate.host_key)}",
        f"{ME}@gate does not take agent key 'wrong': ED25519 {fingerprint(wrong)}.",
        f"{ME}@gate takes agent key 'right': ED25519 {fingerprint(right)}.",
        f"Authenticated to {ME}@gate by publickey",
        f"Connecting to {ME}@box at 127.0.0.1:{inner.port}, through {ME}@gate",
        f"Reached {ME}@box",
        f"Exchanged keys with {ME}@box",
        f"Accepted the host key of {ME}@box: ECDSA {inner.host_key.fingerprint}",
        f"Authenticated to {ME}@box by password",
    ]
    assert not [event for event in told if isinstance(event, events.Phase) and list(sentences(event, 0))]


def test_each_phase_of_a_hop_begins_and_ends(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """Phases come in order, hop by hop, each with its time; the session, when a command starts."""
    gate, inner = sshd("gate"), sshd("inner")
    gate.accept(key)
    inner.accept(key)
    path, told = known(gate, inner), list[events.Event]()
    first = replace(hop(gate.port, path, key), alias="gate")
    with to(first, hop(inner.port, path, key), emit=told.append) as connection:
        run(connection, "echo hello")
    phases = [event for event in told if isinstance(event, events.Phase)]
    begun, ended = phases[::2], phases[1::2]
    assert [(one.hop, one.name) for one in begun] == [
        *((f"{ME}@gate", name) for name in events.PHASES[:-1]),
        *((f"{ME}@box", name) for name in events.PHASES[1:]),
    ]
    assert [(one.hop, one.name) for one in ended] == [(one.hop, one.name) for one in begun]
    assert all(one.seconds is None for one in begun)
    assert all(one.seconds is not None and 0 <= one.seconds < 30 for one in ended)


def test_a_phase_that_fails_does_not_end() -> None:
    """The last phase that began is the one that failed."""
    told = list[events.Event]()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        configuration = hop(free.getsockname()[1], Path(os.devnull))
        with pytest.raises(NetworkFailure):
            to(configuration, emit=told.append)
    last = told[-1]
    assert isinstance(last, events.Phase)
    assert (last.name, last.seconds) == ("dial", None)


def test_no_credential_reaches_a_host_that_is_not_the_known_one(
    sshd: Callable[..., Sshd], tmp_path: Path, key: Path, known: Callable[..., Path]
) -> None:
    """Changed, of another type, or unknown without a terminal: we refuse it before we show anything."""
    server, other = sshd(), sshd("other")
    server.accept(key)
    path = known()
    lines = [f"[127.0.0.1]:{server.port} {other.known_hosts_line().split(' ', 1)[1]}", ""]
    for line in lines:
        path.write_text(line)
        failure = fails(hop(server.port, path, key))
        assert isinstance(failure, HostKeyFailure)
    path.write_text(f"[127.0.0.1]:{server.port} ssh-rsa {paramiko.RSAKey.generate(2048).get_base64()}\n")
    assert isinstance(fails(hop(server.port, path, key)), HostKeyFailure)
    assert "publickey" not in server.log
    assert "userauth" not in server.log


def test_the_host_key_of_a_jump_host_is_verified_too(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """An unknown jump host is refused by name, and the destination is never contacted."""
    jump, inner = sshd("jump"), sshd("inner")
    jump.accept(key)
    inner.accept(key)
    path = known(inner)
    hops = [replace(hop(jump.port, path, key), alias="gate"), hop(inner.port, path, key)]
    failure = fails(*hops)
    assert isinstance(failure, HostKeyFailure)
    assert str(jump.port) in failure.message + failure.hint or "gate" in failure.message
    assert "Connection from" not in inner.log


def test_a_known_type_of_host_key_is_asked_for_first(
    sshd: Callable[..., Sshd], key: Path, tmp_path: Path
) -> None:
    """A server with keys of all types is recognised by the one that is known, whichever it is."""
    keys = [keygen(tmp_path / kind, "-t", kind) for kind in ("rsa", "ecdsa", "ed25519")]
    server = sshd("host", *(f"HostKey {each}" for each in keys))
    server.accept(key)
    path = tmp_path / "known_hosts"
    for each in keys:
        path.write_text(f"[127.0.0.1]:{server.port} {public(each)}")
        with to(hop(server.port, path, key)) as connection:
            shown = transport_of(connection).get_remote_server_key().get_base64()
        assert shown in public(each)


def test_a_known_type_comes_first_in_the_order_that_was_set_too(
    sshd: Callable[..., Sshd], key: Path, tmp_path: Path
) -> None:
    """HostKeyAlgorithms says which types may be used; of these, we ask for the known one first."""
    rsa = keygen(tmp_path / "rsa", "-t", "rsa")
    server = sshd("host", f"HostKey {rsa}")
    server.accept(key)
    path = tmp_path / "known_hosts"
    path.write_text(f"[127.0.0.1]:{server.port} {public(rsa)}")
    order = ("ssh-ed25519", "rsa-sha2-512")
    with to(hop(server.port, path, key, host_key_algorithms=order)) as connection:
        assert transport_of(connection).get_remote_server_key().get_base64() in public(rsa)
    failure = fails(hop(server.port, path, key, host_key_algorithms=order[:1]))
    assert isinstance(failure, HostKeyFailure)


def test_a_host_key_alias_stands_bare_in_known_hosts(tmp_path: Path) -> None:
    """HostKeyAlias is what known_hosts is asked for, without the port."""
    server = Server(Account())
    path = tmp_path / "known_hosts"
    path.write_text(f"other-name {server.known_hosts_line().split(' ', 1)[1]}")
    try:
        configuration = hop(server.port, path, host_key_alias="other-name")
        to(configuration, ask=lambda *_: "open sesame").close()
    finally:
        server.close()


LOST = (NetworkFailure, f"the connection to {ME}@box was lost")
WAITED = (AuthenticationFailure, f"{ME}@box stopped waiting for the answer and closed the connection")


@pytest.mark.parametrize(
    ("question", "reason"),
    [("fingerprint", LOST), ("passphrase", WAITED), ("password", WAITED), ("code", WAITED)],
)
def test_a_question_is_given_up_when_the_server_waits_no_longer(
    question: str,
    reason: tuple[type[Failure], str],
    sshd: Callable[..., Sshd],
    tmp_path: Path,
    known: Callable[..., Path],
) -> None:
    """LoginGraceTime is the reason if a credential was asked for; before that, the connection was lost."""
    key = keygen(tmp_path / "locked", passphrase="correct horse")
    code = Account(steps=["keyboard-interactive"], rounds=[("", "", [("Code: ", False)], ["1"])])
    asked: list[str] = []
    with ExitStack() as stack:
        server: Sshd | Server
        if question == "code":
            server = Server(code)
            stack.callback(server.close)
        else:
            server = sshd("host", "LoginGraceTime 1", "PasswordAuthentication yes")
            if question == "passphrase":
                server.accept(key)

        def stands(asking: Question, wanted: Callable[[], bool]) -> str | None:
            asked.append(asking.text.lower())
            if isinstance(server, Server):
                server.hang_up()
            until(lambda: not wanted())
            return None

        path = known() if question == "fingerprint" else known(server)
        failure = fails(hop(server.port, path, key), ask=stands)
    assert (type(failure), failure.message) == reason
    assert [question in each for each in asked] == [True]


@pytest.mark.parametrize("answered", [False, True])
@pytest.mark.parametrize("question", ["host key", "password"])
@pytest.mark.parametrize("how", ["goodbye", "reset"])
def test_how_a_server_leaves_while_the_person_is_asked(
    how: str, question: str, answered: bool, known: Callable[..., Path]
) -> None:
    """A goodbye during authentication is the server's choice; everything else is the network."""
    server = Server(Account())

    def leaves(asking: Question, wanted: Callable[[], bool]) -> str | None:
        server.say_goodbye() if how == "goodbye" else server.reset()
        until(lambda: not wanted())
        return "yes" if answered else None

    with closing(server):
        path = known() if question == "host key" else known(server)
        failure = fails(hop(server.port, path), ask=leaves)
    kind, words = WAITED if (how, question) == ("goodbye", "password") else LOST
    assert type(failure) is kind
    assert words in failure.message


@pytest.mark.parametrize("question", ["host key", "password"])
def test_a_jump_host_that_is_lost_while_the_person_is_asked(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], question: str
) -> None:
    """The jump host is named, and the hop behind it is not said to have run out of patience."""
    jump, inner = sshd("jump"), Server(Account())
    jump.accept(key)

    def loses(asking: Question, wanted: Callable[[], bool]) -> str | None:
        jump.close_sessions()
        until(lambda: not wanted())
        return None

    path = known(jump, inner) if question == "password" else known(jump)
    with closing(inner):
        failure = fails(replace(hop(jump.port, path, key), alias="gate"), hop(inner.port, path), ask=loses)
    assert isinstance(failure, NetworkFailure)
    assert failure.message == f"the connection to jump host {ME}@gate was lost"


@pytest.mark.slow
@pytest.mark.parametrize(("ends", "reason"), [("os._exit(1)", LOST), ("os._exit(0)", WAITED)])
def test_a_proxy_command_that_ends_while_the_person_is_asked(
    known: Callable[..., Path], tmp_path: Path, ends: str, reason: tuple[type[Failure], str]
) -> None:
    """Its failure is not put down to the server's patience; its good end is what the server did."""
    server = Server(Account())
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
        f"{ends}\n"
    )

    def leaves(asking: Question, wanted: Callable[[], bool]) -> str | None:
        server.hang_up()
        until(lambda: not wanted())
        return None

    with closing(server):
        command = f"{sys.executable} {relay} {server.port}"
        failure = fails(hop(server.port, known(server), proxy_command=command), ask=leaves)
    assert (type(failure), failure.message) == reason


def test_a_name_without_an_address() -> None:
    """The failure names DNS and the host; a label that is too long does not crash us."""
    for name in ("does-not-exist.invalid", "x" * 70 + ".invalid"):
        failure = fails(replace(hop(22, Path(os.devnull)), hostname=name))
        assert isinstance(failure, NetworkFailure)
        assert f"DNS has no address for '{name}'" in failure.message


def test_a_port_where_nobody_listens() -> None:
    """The failure names host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        assert fails(hop(port, Path(os.devnull))).message == f"127.0.0.1:{port} refused the connection"


@pytest.mark.slow
def test_an_address_that_does_not_answer() -> None:
    """ConnectTimeout holds: a listener with a full queue lets a connection hang as a dead address does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        begin = time.monotonic()
        failure = fails(hop(port, Path(os.devnull), connect_timeout=1))
        for filler in fillers:
            filler.close()
    assert failure.message == f"connecting to 127.0.0.1:{port} timed out after 1 s"
    assert time.monotonic() - begin < 2


def test_a_dead_address_does_not_hide_a_living_one() -> None:
    """If a name has several addresses and one refuses, we try the next."""
    server = Server(Account(), address="127.0.0.1")
    try:
        failure = fails(replace(hop(server.port, Path(os.devnull)), hostname="localhost"))
    finally:
        server.close()
    assert isinstance(failure, HostKeyFailure)


@contextmanager
def saying(words: bytes, *, then_close: bool) -> Iterator[int]:
    """A port that says this to everybody, then closes or falls silent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        kept: list[socket.socket] = []

        def serve() -> None:
            client = listener.accept()[0]
            client.sendall(words)
            if then_close:
                client.recv(1000)
                client.close()
            else:
                kept.append(client)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()
        for client in kept:
            client.close()


@pytest.mark.parametrize(
    ("words", "then_close", "message"),
    [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            True,
            "is not an SSH server: it said 'HTTP/1.1 400 Bad Request'",
        ),
        (b"<!DOCTYPE HTML>\n", False, "is not an SSH server: it said '<!DOCTYPE HTML>'"),
        (b"\x1b[2Jgarbage\r\n", True, "is not an SSH server: it said 'garbage'"),
        (b"", True, "closed the connection before it identified itself"),
        (b"Exceeded MaxStartups\r\n", True, "as an SSH server: Exceeded MaxStartups"),
        (b"", False, "did not speak SSH within 0.5 s"),
        (b"A" * 100_000, False, "before it identified itself"),
        (b"SSH-1.5-old\r\n", True, "speaks another version of SSH"),
        (b"SSH-2.0-x\r\n", True, "closed the connection during the key exchange"),
        (b"SSH-2.0-x\r\n", False, "stalled during the key exchange for 0.5 s"),
        (b"SSH-2.0-x\r\n" + b"\xff" * 100, True, "closed the connection during the key exchange"),
    ],
)
def test_what_is_not_an_ssh_server_is_named(words: bytes, then_close: bool, message: str) -> None:
    """The failure says in which phase it ended, and quotes what the other side said, scrubbed."""
    with saying(words, then_close=then_close) as port:
        failure = fails(hop(port, Path(os.devnull), connect_timeout=0.5), seconds_of=lambda _: 0.5)
    assert isinstance(failure, NetworkFailure)
    assert message in failure.message
    assert f"127.0.0.1:{port}" in failure.message


@pytest.mark.parametrize(
    ("option", "name", "theirs"),
    [
        ("KexAlgorithms diffie-hellman-group14-sha1", "key exchange", "diffie-hellman-group14-sha1"),
        ("Ciphers chacha20-poly1305@openssh.com", "cipher", "chacha20-poly1305@openssh.com"),
        ("MACs umac-64@openssh.com", "MAC", "umac-64@openssh.com"),
    ],
)
def test_no_common_algorithm_shows_both_lists(
    sshd: Callable[..., Sshd], known: Callable[..., Path], option: str, name: str, theirs: str
) -> None:
    """The failure lists what the server offers and what we offer, and says how ssh itself could connect."""
    server = sshd("host", option)
    failure = fails(hop(server.port, known(server)))
    assert f"have no {name} algorithm in common: it offers {theirs}" in failure.message
    assert f"ssh -N -L PORT:127.0.0.1:PORT -p {server.port} {ME}@box" in failure.hint


def test_what_only_the_configuration_excludes_is_no_reason_for_ssh(
    sshd: Callable[..., Sshd], known: Callable[..., Path]
) -> None:
    """The failure names the keyword that leaves nothing in common, and what to add to it."""
    server = sshd("host", "Ciphers aes256-ctr")
    failure = fails(hop(server.port, known(server), ciphers=("aes128-ctr",)))
    assert failure.message.endswith("it offers aes256-ctr; Ciphers allows aes128-ctr")
    assert failure.hint == "to allow what both have: -o Ciphers=+aes256-ctr"


def test_ssh_too_has_to_be_told_to_talk_to_an_old_server(
    sshd: Callable[..., Sshd], known: Callable[..., Path]
) -> None:
    """The line adds what ssh itself would not offer; the list has only names of algorithms."""
    server = sshd("host", "KexAlgorithms diffie-hellman-group14-sha1")
    failure = fails(hop(server.port, known(server), kex_algorithms=("curve25519-sha256",)))
    assert "it offers diffie-hellman-group14-sha1; hermes-tunnel has" in failure.message
    assert f"PORT -o KexAlgorithms=+diffie-hellman-group14-sha1 -p {server.port} {ME}@box" in failure.hint


@pytest.mark.parametrize("keyword", ["kex_algorithms", "host_key_algorithms", "ciphers", "macs"])
def test_a_configuration_that_only_ssh_can_follow(
    sshd: Callable[..., Sshd], known: Callable[..., Path], keyword: str
) -> None:
    """A list with nothing that we support is refused, with the ssh line to type."""
    server = sshd("host")
    failure = fails(hop(server.port, known(server), **{keyword: ("only-ssh-has-it",)}))
    assert isinstance(failure, ConfigurationFailure)
    assert f"ssh -N -L PORT:127.0.0.1:PORT -p {server.port} {ME}@box" in failure.hint


def test_a_jump_host_that_forbids_or_cannot_reach(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """The failure names the jump host, and the setting that would have to change."""
    open_jump, closed_jump = sshd("open"), sshd("closed", "AllowTcpForwarding no")
    path = known(open_jump, closed_jump)
    for jump in (open_jump, closed_jump):
        jump.accept(key)
    first = replace(hop(closed_jump.port, path, key), alias="gate")
    failure = fails(first, hop(1, path, key))
    assert failure.message == f"jump host {ME}@gate does not allow a connection to 127.0.0.1:1"
    assert "AllowTcpForwarding" in failure.hint
    failure = fails(replace(first, port=open_jump.port), hop(1, path, key))
    assert f"jump host {ME}@gate cannot connect to 127.0.0.1:1" in failure.message


JUMP = f"jump host {ME}@gate"


@pytest.mark.parametrize(
    ("moment", "message"),
    [
        ("name", f"DNS has no address for 'no.invalid', the {JUMP}: "),
        ("refused", f"{JUMP} (127.0.0.1:PORT) refused the connection"),
        ("silent", f"{JUMP} (127.0.0.1:PORT) accepted the connection, but did not speak SSH"),
        ("no ssh", f"{JUMP} (127.0.0.1:PORT) is not an SSH server"),
        ("stalled", f"{JUMP} (127.0.0.1:PORT) stalled during the key exchange"),
        ("algorithms", f"{JUMP} (127.0.0.1:PORT) and hermes-tunnel have no cipher algorithm in common"),
        ("unknown", f"the host key of {JUMP} is not known"),
        ("changed", f"the host key of {JUMP} has CHANGED"),
        ("key", f"{JUMP} accepted none of: "),
        ("nothing", f"nothing here to show {JUMP} (it takes publickey)"),
    ],
)
def test_a_jump_host_s_failure_says_that_it_is_one(
    sshd: Callable[..., Sshd],
    key: Path,
    known: Callable[..., Path],
    moment: str,
    message: str,
) -> None:
    """Whatever fails there: the person who typed the destination may not know of the jump host."""
    server, other = sshd("jump", "Ciphers aes256-ctr"), sshd("other")
    path = known(server)
    name = server.known_hosts_line().partition(" ")[0]
    if moment == "unknown":
        path.write_text("")
    elif moment == "changed":
        path.write_text(f"{name} {other.known_hosts_line().partition(' ')[2]}")
    keys = (key,) if moment == "key" else ()
    first = replace(hop(server.port, path, *keys, connect_timeout=0.5), alias="gate")
    words = {"silent": b"", "no ssh": b"HTTP/1.1 400 no\r\n", "stalled": b"SSH-2.0-x\r\n"}
    with ExitStack() as stack:
        if moment in words:
            first = replace(first, port=stack.enter_context(saying(words[moment], then_close=False)))
        elif moment == "name":
            first = replace(first, hostname="no.invalid")
        elif moment == "algorithms":
            first = replace(first, ciphers=("aes128-ctr",))
        elif moment == "refused":
            free = stack.enter_context(socket.socket())
            free.bind(("127.0.0.1", 0))
            first = replace(first, port=free.getsockname()[1])
        limit = 0.5 if moment == "stalled" else KEY_EXCHANGE.seconds
        failure = fails(first, hop(1, path), seconds_of=lambda _: limit)
    assert message.replace("PORT", str(first.port)) in failure.message


class _Leaving(Account):
    """Resets the connection at a chosen moment."""

    def __init__(self, moment: str, sock: socket.socket) -> None:
        super().__init__(steps=("password",))
        self.moment, self._sock = moment, sock
        self.transport: paramiko.Transport

    def leave(self, moment: str) -> None:
        """Leave without a word, if this is the moment."""
        if moment == self.moment:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._sock.close()

    def get_allowed_auths(self, username: str) -> str:
        """Asked after each refusal."""
        self.leave("refused")
        return super().get_allowed_auths(username)

    def check_auth_none(self, username: str) -> int:
        """The first request."""
        self.leave("asked")
        return super().check_auth_none(username)

    def check_auth_password(self, username: str, password: str) -> int:
        """The second request."""
        self.leave("answered")
        return super().check_auth_password(username, password)

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """The next hop is wanted; here the moment may also be one to answer with garbage."""
        self.leave("passed")
        if self.moment == "garbled":
            message = paramiko.Message()
            message.add_byte(paramiko.common.cMSG_CHANNEL_OPEN_FAILURE)
            message.add_int(0)
            message.add_int(1)
            message.add_string(b"\xff")
            self.transport._send_message(message)  # type: ignore[attr-defined]
        return paramiko.common.OPEN_SUCCEEDED


MOMENTS = ("accepted", "greeted", "agreed", "asked", "refused", "answered", "passed", "garbled")


@pytest.mark.slow
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_server_may_leave_at_any_moment(moment: str, tmp_path: Path) -> None:
    """Whenever it resets the connection, we say so in our words, never in the library's."""
    host_key = paramiko.ECDSAKey.generate()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        known = tmp_path / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {host_key.get_name()} {host_key.get_base64()}\n")
        transports: list[paramiko.Transport] = []

        def serve() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                account = _Leaving(moment, sock)
                account.leave("accepted")
                if moment == "greeted":
                    sock.sendall(b"SSH-2.0-x\r\n")
                    account.leave("greeted")
                if moment in ("accepted", "greeted"):
                    continue
                account.transport = transport = paramiko.Transport(sock)
                transport.add_server_key(host_key)
                agreed = threading.Event()
                transport.start_server(agreed, account)
                agreed.wait(5)
                account.leave("agreed")
                transports.append(transport)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            for _ in range(10):
                hops = [hop(port, known), hop(1, known)]
                failure = fails(*hops, ask=lambda *_: "open sesame")
                assert isinstance(failure, (NetworkFailure, AuthenticationFailure))
                assert "No existing session" not in failure.message
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for transport in transports:
                transport.close()
                transport.join()


def test_a_session_that_is_killed_is_noticed_at_once(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """When sshd's session dies, reading ends and ``check`` says so."""
    server = sshd()
    server.accept(key)
    with to(hop(server.port, known(server), key)) as connection:
        process = connection.start("echo $PPID; cat")
        psutil.Process(int(process.read(5))).kill()
        assert process.read(5) == b""
        transport_of(connection).join(2)
        with pytest.raises(NetworkFailure, match=f"the connection to {ME}@box was lost"):
            connection.check()


def test_a_jump_host_that_dies_is_named(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """When a jump host dies, the failure names that hop."""
    jump, inner = sshd("jump"), sshd("inner")
    path = known(jump, inner)
    jump.accept(key)
    inner.accept(key)
    hops = [replace(hop(jump.port, path, key), alias="gate"), hop(inner.port, path, key)]
    with to(*hops) as connection:
        jump.close_sessions()
        transport_of(connection).join(5)
        with pytest.raises(NetworkFailure, match=f"the connection to jump host {ME}@gate was lost"):
            connection.check()


def test_a_server_that_falls_silent_is_noticed(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """A server that is there but answers no probe counts as lost after ServerAliveInterval times CountMax."""
    server = sshd()
    server.accept(key)
    configuration = hop(server.port, known(server), key, server_alive_interval=0.1, server_alive_count_max=3)
    with to(configuration) as connection:
        process = connection.start("echo $PPID; cat")
        session = psutil.Process(int(process.read(5)))
        with pytest.raises(TimeoutError):
            process.read(1)
        connection.check()
        session.suspend()
        try:
            assert process.read(5) == b""
            with pytest.raises(NetworkFailure, match=rf"{ME}@box has not answered for 0\.3 s"):
                connection.check()
        finally:
            session.resume()


def test_a_proxy_command_is_the_connection(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path
) -> None:
    """It runs in a shell; we notice its death at once, and reap it."""
    server = sshd()
    server.accept(key)
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, socket, sys, threading\n"
        "s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "def up():\n"
        "    while data := os.read(0, 65536): s.sendall(data)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=up, daemon=True).start()\n"
        "while data := s.recv(65536): os.write(1, data)\n"
    )
    command = f"python3 {relay} {server.port}"
    with to(hop(server.port, known(server), key, proxy_command=command)) as connection:
        assert run(connection, "echo hello") == b"hello\n"
        (child,) = (each for each in psutil.Process().children() if str(relay) in each.cmdline())
        child.kill()
        transport_of(connection).join(2)
        with pytest.raises(NetworkFailure):
            connection.check()


@pytest.mark.slow
def test_the_last_words_of_a_proxy_command_are_in_the_failure() -> None:
    """A ProxyCommand that fails is quoted, scrubbed, and the hint is about it."""
    failure = fails(hop(22, Path(os.devnull), proxy_command="printf 'no route\\033[2J to it\\n' >&2; exit 1"))
    assert isinstance(failure, NetworkFailure)
    assert failure.message.endswith("its ProxyCommand said: no route to it")
    assert "ProxyCommand" in failure.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [("kill -9 $$", "closed the connection before it identified itself"), ("sleep 60", "did not speak SSH")],
)
def test_a_proxy_command_that_says_nothing_is_named(command: str, words: str) -> None:
    """If one dies or hangs without a word, the hint is about it, not about the server."""
    failure = fails(hop(22, Path(os.devnull), proxy_command=command, connect_timeout=0.3))
    assert words in failure.message
    assert failure.message.endswith("its ProxyCommand said nothing")
    assert "ProxyCommand" in failure.hint


@pytest.mark.slow
def test_a_proxy_command_is_heard_while_it_works() -> None:
    """What it writes to its standard error is shown at once, scrubbed: it may name a page to log in at."""
    words = "printf 'go to https://login.example\\033[2J\\n\\nand log in\\n' >&2"
    configuration = hop(
        22, Path(os.devnull), proxy_command=f"sh -c '{words.replace(chr(39), chr(34))}; sleep 60'"
    )
    told: list[tuple[events.Event, float]] = []
    begin = time.monotonic()
    with pytest.raises(NetworkFailure):
        to(
            replace(configuration, connect_timeout=2),
            emit=lambda event: told.append((event, time.monotonic() - begin)),
        )
    said = [(event, when) for event, when in told if isinstance(event, events.ServerSaid)]
    lines = ["go to https://login.example", "and log in"]
    assert [event for event, _ in said] == [events.ServerSaid("ProxyCommand", line) for line in lines]
    assert all(when < 1 for _, when in said)


def test_what_a_server_behind_a_proxy_command_says_counts(
    sshd: Callable[..., Sshd], known: Callable[..., Path], tmp_path: Path
) -> None:
    """Once the server has spoken, the hint is about the server, whatever its ProxyCommand wrote."""
    server = sshd("host", "MACs umac-64@openssh.com")
    relay = tmp_path / "relay.py"
    relay.write_text(
        "import os, socket, sys, threading\n"
        "sys.stderr.write('a greeting\\n'); s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "def down():\n"
        "    while data := s.recv(65536): os.write(1, data)\n"
        "    os._exit(0)\n"
        "threading.Thread(target=down, daemon=True).start()\n"
        "while data := os.read(0, 65536): s.sendall(data)\n"
    )
    command = f"{sys.executable} {relay} {server.port}"
    failure = fails(hop(server.port, known(server), proxy_command=command))
    assert "have no MAC algorithm in common" in failure.message
    assert failure.hint.startswith("ssh itself can do this")


def test_what_was_opened_is_closed_when_the_last_hop_fails(
    sshd: Callable[..., Sshd], key: Path, tmp_path: Path, known: Callable[..., Path]
) -> None:
    """If the destination refuses, no thread and no socket of the jump hosts is left."""
    jump, inner = sshd("jump"), sshd("inner")
    jump.accept(key)
    path = known(jump, inner)
    assert isinstance(fails(hop(jump.port, path, key), hop(inner.port, path, key)), AuthenticationFailure)


def test_closing_needs_nobody_at_the_other_end(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """A chain cut off below the last hop, which says goodbye through it, closes without an error."""
    jump, inner = sshd("jump"), sshd("inner")
    path = known(jump, inner)
    for server in (jump, inner):
        server.accept(key)
    with to(hop(jump.port, path, key), hop(inner.port, path, key)) as connection:
        channel = transport_of(connection).sock
        assert isinstance(channel, paramiko.Channel)
        below = channel.get_transport().sock
        assert isinstance(below, socket.socket)
        below.shutdown(socket.SHUT_WR)


@pytest.mark.slow
def test_nothing_is_imported_from_paramiko_for_help() -> None:
    """Reading the target and the configuration does not import paramiko."""
    code = (
        "import sys, hermes_tunnel.ssh.config.chain, hermes_tunnel.ssh.config.target\n"
        "sys.exit('paramiko' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_chain_closes_even_if_nothing_can_be_sent_any_more(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """The channel to the next hop then cannot be closed in good order, which is not our fault."""
    gate, inner = sshd("gate"), sshd("inner")
    gate.accept(key)
    inner.accept(key)
    path = known(gate, inner)
    hops = [replace(hop(gate.port, path, key), alias="gate"), hop(inner.port, path, key)]
    connection = to(*hops)
    channel = transport_of(connection).sock
    assert isinstance(channel, paramiko.Channel)
    sessions = gate.suspend_sessions()
    try:
        channel.get_transport().sock.shutdown(socket.SHUT_WR)
        connection.close()
    finally:
        resume(sessions)
