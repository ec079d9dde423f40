"""The SSH server: what it does and refuses, seen from a plain client."""

from __future__ import annotations

import threading
import time

import paramiko
import pytest

from tests.stage.client import SECONDS, Command, connected, dial, end
from tests.stage.remote_process import RemoteProcess
from tests.stage.ssh_server import Account, Settings
from tests.stage.stage import USER, Stage
from tests.stage.variations import ends, ignores, stays

CONNECT_FAILED, PROHIBITED = 2, 1


def send_signal(channel: paramiko.Channel, name: str) -> None:
    """A ``signal`` request, for which paramiko has no call."""
    message = paramiko.Message()
    message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("signal")
    message.add_boolean(False)
    message.add_string(name)
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]


def ended(stage: Stage) -> bool:
    """Whether every command ends in time; the server hears of it in its own."""
    deadline, never = time.monotonic() + SECONDS, threading.Event()
    while stage.server.running and time.monotonic() < deadline:
        never.wait(0.01)
    return not stage.server.running


def talks(process: RemoteProcess) -> int:
    """A command that prints what its terminal is, then repeats one line."""
    process.print(f"{process.pty}")
    process.print(f"you said {process.read_line(SECONDS)}")
    return 3


def test_a_command_has_a_terminal_input_output_and_a_status() -> None:
    """The terminal is as requested, typed input is echoed, and lines end as on a terminal."""
    with Stage(around=lambda _: talks) as stage, connected(stage) as transport:
        command = Command(transport, "anything")
        command.read_until("height=50)\r\n")
        command.channel.sendall(b"he")
        command.channel.sendall(b"llo\r")
        assert command.read_all() == (
            "Pty(term='dumb', width=4000, height=50)\r\nhello\r\nyou said hello\r\n"
        )
        assert command.status() == 3


def test_a_command_without_a_terminal_has_plain_lines() -> None:
    """Nothing is echoed, and a line feed stays a line feed."""
    with Stage(around=lambda _: talks) as stage, connected(stage) as transport:
        command = Command(transport, "anything", pty=False)
        command.channel.sendall(b"hello\n")
        assert command.read_all() == "None\nyou said hello\n"


@pytest.mark.parametrize("name", ["INT", "TERM", "HUP"])
def test_a_signal_request_ends_a_command_without_a_status(name: str) -> None:
    """A command that a signal ended has no exit status (RFC 4254 section 6.9)."""
    with Stage(around=lambda _: stays(ends(0, b"here\n"))) as stage, connected(stage) as transport:
        command = Command(transport, "anything", pty=False)
        command.read_until("here")
        send_signal(command.channel, name)
        command.read_all()
        assert command.status() == -1
        assert ended(stage)


def test_control_c_ends_a_command_on_a_terminal() -> None:
    """On a terminal the byte 3 is the signal INT."""
    with Stage(around=lambda _: stays(ends(0, b"here\n"))) as stage, connected(stage) as transport:
        command = Command(transport, "anything")
        command.read_until("here")
        command.channel.sendall(b"\x03")
        assert command.read_all() == "here\r\n^C"
        assert command.status() == -1


def test_a_lost_connection_hangs_up_a_terminal() -> None:
    """What runs on a terminal ends when the connection is gone."""
    with Stage(around=lambda _: stays(ends(0, b"here\n"))) as stage, connected(stage) as transport:
        Command(transport, "anything").read_until("here")
        (process,) = stage.server.running
        stage.server.drop()
        assert process.ended.wait(SECONDS)
        assert process.signals == ["HUP"]
        assert ended(stage)


def test_a_closed_channel_hangs_up_a_terminal() -> None:
    """What runs on a terminal ends when its channel is closed, and the connection stays."""
    with Stage(around=lambda _: stays(ends(0, b"here\n"))) as stage, connected(stage) as transport:
        command = Command(transport, "anything")
        command.read_until("here")
        command.end()
        assert ended(stage)
        assert transport.is_active()


def test_without_a_terminal_a_lost_connection_leaves_the_command_running() -> None:
    """As with sshd, only a signal or the end of the server ends such a command."""
    with Stage(around=lambda _: stays(ends(0, b"here\n"))) as stage, connected(stage) as transport:
        Command(transport, "anything", pty=False).read_until("here")
        (process,) = stage.server.running
        transport.close()
        with pytest.raises(EOFError):
            process.read_line(SECONDS)
        assert not process.ended.is_set()
    assert process.signals == ["KILL"]


def test_a_command_may_ignore_signals() -> None:
    """Like one under nohup(1), it is not ended by a hang-up."""
    command_of = ignores({"HUP", "INT"}, stays(ends(0, b"here\n")))
    with Stage(around=lambda _: command_of) as stage, connected(stage) as transport:
        command = Command(transport, "anything")
        command.read_until("here")
        (process,) = stage.server.running
        command.channel.sendall(b"\x03")
        command.read_until("^C")
        send_signal(command.channel, "HUP")
        send_signal(command.channel, "TERM")
        command.read_all()
        assert sorted(process.signals) == ["HUP", "INT", "TERM"]


def test_a_bug_in_a_command_is_shown_as_python_does() -> None:
    """An exception that nobody catches is printed, and the status is 1."""

    def broken(process: RemoteProcess) -> int:
        raise RuntimeError(process.line)

    with Stage(around=lambda _: broken) as stage, connected(stage) as transport:
        command = Command(transport, "do it")
        assert "RuntimeError: do it" in command.read_all()
        assert command.status() == 1


def test_a_refused_terminal_closes_the_channel() -> None:
    """The server does so with PermitTTY no."""
    with Stage(settings=Settings(permit_tty=False)) as stage, connected(stage) as transport:
        channel = transport.open_session(timeout=SECONDS)
        with pytest.raises(paramiko.SSHException, match="Channel closed"):
            channel.get_pty()
        assert transport.is_active()


def test_refused_forwarding_is_administratively_prohibited() -> None:
    """The server refuses it so with AllowTcpForwarding no."""
    with Stage(settings=Settings(allow_tcp_forwarding=False)) as stage, connected(stage) as transport:
        with pytest.raises(paramiko.ChannelException) as refusal:
            transport.open_channel("direct-tcpip", ("127.0.0.1", 1), ("127.0.0.1", 0))
        assert refusal.value.code == PROHIBITED


def test_no_more_sessions_than_allowed_at_a_time() -> None:
    """With MaxSessions, one too many fails; once one has ended there is room again."""
    stage = Stage(settings=Settings(max_sessions=1), around=lambda _: ends(0))
    with stage, connected(stage) as transport:
        first = transport.open_session(timeout=SECONDS)
        with pytest.raises(paramiko.ChannelException) as refusal:
            transport.open_session(timeout=SECONDS)
        assert refusal.value.code == CONNECT_FAILED
        first.exec_command("anything")
        assert first.recv_exit_status() == 0
        first.close()
        deadline = time.monotonic() + SECONDS
        while True:  # the server hears of it in its own time
            try:
                transport.open_session(timeout=SECONDS).close()
                break
            except paramiko.ChannelException:
                assert time.monotonic() < deadline


def test_password_and_prompts_are_accepted_too() -> None:
    """An account may have a password and keyboard-interactive prompts; wrong answers are refused."""
    account = Account(USER, password="correct horse", answers=(("Code: ", "123456"),))
    with Stage(account=account, settings=Settings(banner="Authorised use only")) as stage:
        for attempt in ("password", "prompts"):
            transport = dial(stage.port)
            transport.start_client(timeout=SECONDS)
            with pytest.raises(paramiko.BadAuthenticationType) as offer:
                transport.auth_none(USER)
            assert offer.value.allowed_types == ["publickey", "password", "keyboard-interactive"]
            if attempt == "password":
                with pytest.raises(paramiko.AuthenticationException):
                    transport.auth_password(USER, "wrong", fallback=False)
                assert transport.auth_password(USER, "correct horse") == []
            else:
                with pytest.raises(paramiko.AuthenticationException):
                    transport.auth_interactive(USER, lambda *_: ["654321"])
                assert transport.auth_interactive(USER, lambda *_: ["123456"]) == []
            assert transport.get_banner() == b"Authorised use only"
            end(transport)


def test_two_methods_may_be_needed() -> None:
    """With AuthenticationMethods a key alone is a partial success; asking about one is not."""
    account = Account(USER, answers=(("Code: ", "123456"),), all_of=True)
    with Stage(account=account) as stage:
        transport = dial(stage.port)
        transport.start_client(timeout=SECONDS)
        assert transport.auth_interactive(USER, lambda *_: ["123456"]) == ["publickey"]
        key = paramiko.Ed25519Key.from_private_key_file(str(stage.key_file))
        assert transport.auth_publickey(USER, key) == []
        assert transport.is_authenticated()
        end(transport)
