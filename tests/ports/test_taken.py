"""A port that could not be had: who has it, in words, and whether that can be ended."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from hermes_tunnel.ports.taken import Taken, taken
from tests.ports.holding import LISTENER, as_user, child, ended_connection, posix

IN_USE = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
HERE = ("127.0.0.1",)


@pytest.mark.slow
def test_a_program_of_the_person_s_own() -> None:
    """It is named, and can be ended."""
    with child(LISTENER, "127.0.0.1", 0) as (process, port):
        told = taken(port, HERE, IN_USE)
    assert told.message.startswith(f"local port {port} is taken by ")
    assert f"PID {process.pid}" in told.message
    assert told.hint == ""
    assert told.may_end


@pytest.mark.slow
def test_another_session_of_ours(tmp_path: Path) -> None:
    """The second one that wants the port is told of the first."""
    program = tmp_path / "hermes-tunnel"
    program.write_text(textwrap.dedent(LISTENER))
    command = [sys.executable, str(program), "127.0.0.1", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = taken(int(process.stdout.readline()), HERE, IN_USE)
        process.kill()
    assert told.message.endswith(", another hermes-tunnel)")
    assert told.may_end


def test_this_very_process() -> None:
    """It is named, and cannot be ended."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        told = taken(own.getsockname()[1], HERE, IN_USE)
    assert "this very process" in told.message
    assert told.hint.startswith("we may not end it: it is this very process; ")
    assert not told.may_end


@pytest.mark.slow
@pytest.mark.root
def test_a_program_of_another_user() -> None:
    """It is named, and is not ours to end."""
    with child(as_user(LISTENER, 65534), "127.0.0.1", 0) as (process, port):
        told = taken(port, HERE, IN_USE)
    assert f"PID {process.pid}, user nobody" in told.message
    assert told.hint.startswith("we may not end it: it belongs to user nobody; ")
    assert not told.may_end


@posix
def test_a_connection_that_has_ended() -> None:
    """The system frees its port by itself."""
    port = ended_connection()
    told = taken(port, HERE, IN_USE)
    assert told.message.startswith(f"local port {port} is held by ")
    assert told.hint == "the system frees it within a minute"
    assert not told.may_end


def test_nobody_is_seen() -> None:
    """Then there is nobody to end, and the system's reason is told."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        told = taken(port, HERE, IN_USE)
    assert told == Taken(port, f"local port {port} is taken", f"to see who has it: hermes-tunnel port {port}")
    assert not told.may_end


def test_a_port_that_the_system_keeps() -> None:
    """For another reason than that somebody has it."""
    told = taken(80, HERE, OSError(errno.EACCES, os.strerror(errno.EACCES)))
    assert told.message == "the system does not let this user listen on local port 80"
    assert told.hint == "ports below 1024 need privileges"
    assert not told.may_end
