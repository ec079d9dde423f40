"""The verb ``port``."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.cli.program import run
from tests.ports.holding import linux

pytestmark = pytest.mark.slow

HOLDER = (
    "import socket, sys; s = socket.create_server(('127.0.0.1', 0));"
    "print(s.getsockname()[1], flush=True); sys.stdin.read()"
)


@pytest.fixture
def holder() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds a port, and the port."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
        process.communicate()


def test_a_free_port() -> None:
    """The verb says that it is free, and ends with 0."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run("port", str(port))
    assert (done.returncode, done.stdout) == (0, f"local port {port} is free\n")


def test_a_taken_port(holder: tuple[subprocess.Popen[str], str]) -> None:
    """PID, name, user, since when, and what the occupant is to us; it ends with 7."""
    process, port = holder
    done = run("port", port)
    assert done.returncode == 7
    assert f"(PID {process.pid}, user " in done.stdout
    assert ", since " in done.stdout
    assert done.stderr == f"hermes-tunnel: hint: to end it: hermes-tunnel port {port} --kill\n"


@linux
def test_a_connection_that_has_ended_keeps_nobody_out() -> None:
    """It is named, but the port is free: 0."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(server.getsockname()) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
    done = run("port", str(port))
    assert done.returncode == 0
    named, free = done.stdout.splitlines()
    assert "a connection that has ended" in named
    assert "TIME_WAIT" in named
    assert free == f"local port {port} is free"


def test_a_port_that_is_held_by_an_unknown_process() -> None:
    """A port that is bound without listening is in no list; only an attempt to bind shows it: 7."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        done = run("port", str(port))
    assert done.returncode == 7
    assert done.stdout == f"local port {port} is taken, and the system does not show by whom\n"


def test_a_client_s_port() -> None:
    """A connection that merely uses the port is named with its state, and not offered to be ended: 7."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        done = run("port", str(client.getsockname()[1]))
    assert done.returncode == 7
    assert "ESTABLISHED on 127.0.0.1" in done.stdout
    assert done.stderr == ""


@linux
@pytest.mark.root
def test_what_is_not_ours_to_end() -> None:
    """It is said what can be done: 7."""
    code = f"import os, socket, sys; os.setgid(65534); os.setuid(65534); {HOLDER}"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        shown, asked = run("port", port), run("port", port, "--kill", "--yes")
        process.communicate()
    words = f"user nobody can end it, or you by sudo kill {process.pid}; then run it again\n"
    assert (shown.returncode, shown.stderr) == (7, f"hermes-tunnel: hint: {words}")
    assert asked.returncode == 7
    error, hint = asked.stderr.splitlines()
    assert error.startswith(f"hermes-tunnel: error: local port {port} is taken by ")
    assert hint == f"hermes-tunnel: hint: {words.strip()}"
    assert asked.stdout == ""  # the error has it


def test_without_a_terminal_nothing_is_ended(holder: tuple[subprocess.Popen[str], str]) -> None:
    """The answer to the question is no."""
    process, port = holder
    done = run("port", port, "--kill")
    assert done.returncode == 7
    error, hint = done.stderr.splitlines()
    assert error.startswith(f"hermes-tunnel: error: local port {port} is taken by ")
    assert hint.endswith(f"there was nobody to ask; to end it anyway: hermes-tunnel port {port} --kill --yes")
    assert process.poll() is None


def test_nothing_to_end() -> None:
    """With --kill, too, a free port is only said to be free: 0."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = run("port", str(port), "--kill")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"local port {port} is free\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="nothing goes on after TerminateProcess")
def test_what_does_not_end_is_an_error() -> None:
    """The hint says what would end it: 7."""
    code = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {HOLDER}"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        done = run("port", process.stdout.readline().strip(), "--kill", "--yes")
        process.communicate()
    assert done.returncode == 7
    _, error, hint = done.stderr.splitlines()
    assert error.startswith("hermes-tunnel: error: local port ")
    assert hint.endswith(f"to force it: kill -KILL {process.pid}")


def test_it_is_ended_after_a_yes(holder: tuple[subprocess.Popen[str], str]) -> None:
    """--yes counts as one: 0, and the port is free."""
    process, port = holder
    assert run("port", port, "--kill", "--yes").returncode == 0
    assert process.wait(5) != 0
    assert run("port", port).returncode == 0


def test_a_parent_is_never_ended() -> None:
    """Not even after --yes: here the tests' own process holds the port, and is the program's parent."""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        done = run("port", str(ours.getsockname()[1]), "--kill", "--yes")
    assert done.returncode == 7
    assert f"PID {os.getpid()}" in done.stderr
