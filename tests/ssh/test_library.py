"""What paramiko gets wrong, and so why our code takes its place (CONTRIBUTING).

If one of these tests fails, paramiko has fixed the defect, and we can use its own way again.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import paramiko
import psutil
import pytest
from paramiko.config import SSHConfig

from tests.ports.holding import posix
from tests.ssh.conftest import RecordingAgent
from tests.ssh.server import Host, Server
from tests.ssh.sshd import Sshd, keygen, public, resume
from tests.ssh.unix import unix_socket
from tests.terminal.pseudo_terminal import until

pytestmark = pytest.mark.usefixtures("nothing_left")


@contextmanager
def client(port: int) -> Iterator[paramiko.Transport]:
    """Paramiko's own transport, its keys exchanged."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        transport = paramiko.Transport(sock)
        try:
            transport.start_client(timeout=10)
            yield transport
        finally:
            transport.close()
            sock.close()
            transport.join()


@pytest.mark.slow
@pytest.mark.parametrize("marker", ["@revoked", "@cert-authority"])
def test_known_hosts_with_a_marker_is_not_read_at_all(tmp_path: Path, marker: str) -> None:
    """Reading the file raises an error."""
    (tmp_path / "known_hosts").write_text(f"{marker} * {public(keygen(tmp_path / 'key'))}")
    with pytest.raises(paramiko.hostkeys.InvalidHostKey):
        paramiko.HostKeys(str(tmp_path / "known_hosts"))


@pytest.mark.slow
def test_known_hosts_has_no_patterns_and_no_negation(tmp_path: Path) -> None:
    """An excluded host is accepted, and a host that matches a pattern is unknown."""
    line = public(keygen(tmp_path / "key"))
    key = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "key"))
    (tmp_path / "known_hosts").write_text(f"!box,box {line}*.example {line}")
    known = paramiko.HostKeys(str(tmp_path / "known_hosts"))
    assert known.check("box", key)
    assert not known.check("srv.example", key)


@pytest.mark.slow
@posix
def test_a_proxy_command_has_no_shell() -> None:
    """None of these works: exec, which every manual uses, quotes, variables and pipes."""
    with pytest.raises(FileNotFoundError):
        paramiko.ProxyCommand("exec true")


@pytest.mark.slow
@posix
def test_a_proxy_command_that_has_ended_stays_a_zombie() -> None:
    """Nobody waits for it, not even on close."""
    proxy = paramiko.ProxyCommand("true")
    with proxy.process:
        child = psutil.Process(proxy.process.pid)
        until(lambda: child.status() == psutil.STATUS_ZOMBIE)
        proxy.close()
        assert child.status() == psutil.STATUS_ZOMBIE


def test_ssh_config_is_misread() -> None:
    """A Match that paramiko does not know matches everything, and Include does nothing."""
    config = SSHConfig.from_text(
        "Include nowhere\nMatch tagged work\n  Hostname 192.0.2.1\nHost *\n  User me\n"
    )
    assert config.lookup("box")["hostname"] == "192.0.2.1"


def test_a_key_of_an_agent_signs_before_the_server_is_asked(
    sshd: Callable[..., Sshd],
    recording_agent: Callable[..., RecordingAgent],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The person would have to touch something for each key that the server does not even know."""
    recording = recording_agent(keygen(tmp_path / "strange"))
    monkeypatch.setenv("SSH_AUTH_SOCK", recording.path)
    agent = paramiko.Agent()
    with closing(agent), client(sshd().port) as transport:
        (key,) = agent.get_keys()
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey("root", key)
    assert 13 in recording.requests


@pytest.mark.slow
@posix
def test_an_agent_that_hangs_is_waited_for_without_a_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agent that accepts and says nothing holds paramiko up for ever."""
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "hung"))
    with unix_socket() as listener:
        listener.bind(str(tmp_path / "hung"))
        listener.listen()

        thread = threading.Thread(target=lambda: paramiko.Agent().close())
        thread.start()
        connection, _ = listener.accept()
        with connection:
            thread.join(1)
            assert thread.is_alive()
            connection.sendall(b"\0\0\0\5\x0c\0\0\0\0")  # it has no keys
            thread.join(10)


@pytest.mark.slow
def test_the_wrong_passphrase_has_no_word_of_its_own(tmp_path: Path) -> None:
    """It cannot be told from a damaged file, and a missing passphrase is a TypeError."""
    key = keygen(tmp_path / "key", passphrase="correct horse")
    with pytest.raises(ValueError, match=r"."):
        paramiko.PKey.from_path(str(key), b"wrong")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        paramiko.PKey.from_path(str(key))


def test_a_keepalive_waits_for_no_answer(sshd: Callable[..., Sshd], key: Path) -> None:
    """A server that has gone without a word goes unnoticed."""
    server = sshd()
    server.accept(key)
    with client(server.port) as transport:
        transport.auth_publickey(server.user, paramiko.Ed25519Key.from_private_key_file(str(key)))
        sessions = server.suspend_sessions()
        try:
            transport.set_keepalive(1)
            transport.join(4)
            assert transport.is_active()
        finally:
            resume(sessions)


def test_a_message_that_ends_too_early_is_padded() -> None:
    """The missing part of a key or a certificate would be taken for zeros."""
    assert paramiko.Message(b"\0\0\0\5ab").get_string() == b"ab\0\0\0"


@posix
def test_a_signal_that_ended_a_command_is_not_heard_of(sshd: Callable[..., Sshd], key: Path) -> None:
    """exit-signal (RFC 4254 section 6.10) gives no status."""
    server = sshd()
    server.accept(key)
    with client(server.port) as transport:
        transport.auth_publickey(server.user, paramiko.Ed25519Key.from_private_key_file(str(key)))
        with transport.open_session() as channel:
            channel.exec_command("kill -TERM $$")
            assert channel.recv_exit_status() == -1


@pytest.mark.slow
def test_a_reply_that_never_comes_is_waited_for_without_a_limit() -> None:
    """The wait is endless, whatever time limit the channel has."""
    go_on = threading.Event()

    class Silent(Host):
        """Thinks about it."""

        def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
            go_on.wait(10)
            return False

    with closing(Server(Silent())) as server, client(server.port) as transport:
        transport.auth_none("me")
        channel = transport.open_session(timeout=5)
        channel.settimeout(0.2)

        def ask() -> None:
            with pytest.raises((paramiko.SSHException, EOFError)):
                channel.exec_command("anything")

        thread = threading.Thread(target=ask)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        go_on.set()
        thread.join(10)
        channel.close()
