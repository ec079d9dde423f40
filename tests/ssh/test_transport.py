"""What our transport says and does differently from paramiko's; each override has its test."""

from __future__ import annotations

import errno
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import paramiko
import pytest

from hermes_tunnel.ssh.key_exchange import handshake
from hermes_tunnel.ssh.transport import Transport
from tests.ssh.hops import hop, run, to, transport_of
from tests.ssh.server import Account, Server
from tests.ssh.sshd import Sshd
from tests.terminal.pseudo_terminal import until

pytestmark = pytest.mark.usefixtures("nothing_left")
NOWHERE = Path("/dev/null")


@contextmanager
def exchanged(port: int, **configuration: Any) -> Iterator[Transport]:
    """A transport that has exchanged keys but not authenticated."""
    given = hop(port, NOWHERE, **configuration)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        transport = Transport(sock, given, ())
        try:
            handshake(transport, given)
            yield transport
        finally:
            transport.close()
            sock.close()
            transport.join()


@contextmanager
def unused() -> Iterator[Transport]:
    """A transport that has not started."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Transport(ours, hop(22, NOWHERE), ())


def test_only_what_ssh_config_allows_is_offered(sshd: Callable[..., Sshd]) -> None:
    """Of each kind of algorithm, in that order; the key exchange of RFC 8731 also by its own name."""
    server = sshd("host", "KexAlgorithms curve25519-sha256")
    lists = {
        "kex_algorithms": ("only-ssh-has-it", "curve25519-sha256"),
        "ciphers": ("aes256-ctr", "aes128-ctr"),
        "macs": ("hmac-sha2-256",),
        "host_key_algorithms": ("ssh-ed25519",),
    }
    with exchanged(server.port, **lists) as transport:
        assert tuple(transport.preferred_kex) == ("curve25519-sha256",)
        assert tuple(transport.preferred_ciphers) == ("aes256-ctr", "aes128-ctr")
        assert tuple(transport.preferred_macs) == ("hmac-sha2-256",)
        assert tuple(transport.preferred_keys) == ("ssh-ed25519",)
        assert transport.agreed == "curve25519-sha256, aes256-ctr"
        assert transport.offered["kex_algo_list"][0] == "curve25519-sha256"


def test_no_timer_outlives_it() -> None:
    """Paramiko would start one for the handshake, whose thread stays for as long as that may take."""
    timers: list[threading.Thread] = []
    with closing(Server(Account())) as server, exchanged(server.port):
        timers = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    assert timers == []


def test_what_the_server_said_first_is_kept(sshd: Callable[..., Sshd]) -> None:
    """Without escape sequences."""
    with (
        closing(Server(Account(), version="SSH-2.0-\x1b[2Jodd")) as server,
        exchanged(server.port) as transport,
    ):
        assert transport.first_line == "SSH-2.0-odd"


def test_every_packet_counts_as_a_sign_of_life(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """So does the reply to a probe, which nobody waits for; during a key exchange no probe is sent."""
    server = sshd()
    server.accept(key)
    with to(hop(server.port, known(server), key, server_alive_interval=1000.0)) as connection:
        transport = transport_of(connection)
        before = transport.heard
        transport.probe()
        until(lambda: transport.heard > before)
        transport.clear_to_send.clear()
        began = time.monotonic()
        transport.probe()
        assert time.monotonic() - began < 1
        transport.clear_to_send.set()
        assert run(connection, "echo alive") == b"alive\n"


def test_what_keys_may_sign_with(sshd: Callable[..., Sshd]) -> None:
    """The transport has the server's list (RFC 8308), or knows that there is none; an odd name is kept."""
    with closing(Server(Account(), signs="rsa-sha2-512,odd")) as server, exchanged(server.port) as transport:
        until(lambda: transport.server_signature_algorithms is not None)
        assert transport.server_signature_algorithms == ["rsa-sha2-512", "odd"]
    with unused() as transport:
        assert transport.server_signature_algorithms is None


def test_the_proof_is_that_of_the_first_key_exchange(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> None:
    """An agent binds the session to it, however often keys are exchanged again."""
    server = sshd()
    server.accept(key)
    with unused() as transport, pytest.raises(ValueError, match="no keys were exchanged"):
        _ = transport.proof
    with to(hop(server.port, known(server), key)) as connection:
        transport = transport_of(connection)
        host_key, session, signature = transport.proof
        assert host_key == transport.get_remote_server_key().asbytes()
        assert session == transport.session_id
        transport.renegotiate_keys()
        assert transport.proof == (host_key, session, signature)


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (EOFError(), EOFError),
        (ConnectionResetError(errno.ECONNRESET, "reset"), OSError),
        (paramiko.SSHException("odd"), paramiko.SSHException),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "odd"), paramiko.SSHException),
        (ZeroDivisionError(), paramiko.SSHException),
    ],
)
def test_it_ends_with_one_of_three_kinds_of_problem(problem: Exception, kind: type[Exception]) -> None:
    """Whatever a server made paramiko stumble over, it is one of three, and is reported once."""
    with unused() as transport:
        transport.saved_exception = problem
        assert isinstance(transport.get_exception(), kind)
        assert transport.get_exception() is None


def test_a_kernel_that_gave_up_is_remembered() -> None:
    """We remember it even after the end of the connection has been reported."""
    with unused() as transport:
        assert not transport.timed_out
        transport.saved_exception = OSError(errno.ETIMEDOUT, "timed out")
        assert transport.get_exception() is not None
        assert transport.timed_out
        assert not transport.was_closed


def test_parting_words(known: Callable[..., Path]) -> None:
    """We keep what a server says when it ends the connection, scrubbed and cut; that is a good end."""
    with closing(Server(Account())) as server, exchanged(server.port) as transport:
        assert transport.parting_words == ""
        server.say_goodbye("\x1b[2Jgood" + "x" * 1000)
        until(lambda: not transport.is_active())
        assert transport.parting_words == "good" + "x" * 196
        assert transport.was_closed


def test_an_end_in_good_order(known: Callable[..., Path]) -> None:
    """A server that closes its side ends in good order; a reset does not."""
    with closing(Server(Account())) as server:
        with exchanged(server.port) as transport:
            before = transport.heard
            transport.probe()
            until(lambda: transport.heard > before)  # so it has read everything that was sent to it
            server.hang_up()
            until(lambda: not transport.is_active())
            assert transport.was_closed
        with exchanged(server.port) as transport:
            server.reset()
            until(lambda: not transport.is_active())
            assert not transport.was_closed


def test_what_cannot_be_sent_ends_the_connection(known: Callable[..., Path]) -> None:
    """The sender sees no error, so the transport can be closed again and again."""
    with closing(Server(Account())) as server, exchanged(server.port) as transport:
        assert isinstance(transport.sock, socket.socket)
        transport.sock.shutdown(socket.SHUT_WR)
        for _ in range(3):
            transport.probe()
        assert not transport.is_active()
        transport.close()
        transport.close()
