"""Ending an occupant: real processes, one signal, and what is left afterwards."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

import hermes_tunnel
from hermes_tunnel.ports.occupants import occupants
from hermes_tunnel.ports.termination import Termination, end
from tests.ports.holding import FORKED, LISTENER, Start, as_user, child, linux, posix

pytestmark = pytest.mark.slow


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that end with the test."""
    with ExitStack() as stack:
        yield lambda code, *argv: stack.enter_context(child(code, *argv))


def test_ended(start: Start) -> None:
    """The process ends and the port is free."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    (found,) = occupants(port)
    assert end(found).outcome is Termination.FREED
    assert not psutil.pid_exists(process.pid)
    with socket.create_server(("127.0.0.1", port)):
        pass


@posix
@pytest.mark.timeout(15)
def test_child_of_another_stays_as_a_zombie(start: Start) -> None:
    """A process that its parent does not reap has ended all the same, and we do not wait for it."""
    parent, port = start("""
        import os, socket, sys
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        ready, tell = os.pipe()
        if os.fork() == 0:
            s.listen()
            os.write(tell, b"1")
            sys.stdin.read()
            os._exit(0)
        os.read(ready, 1)
        port = s.getsockname()[1]
        s.close()
        print(port, flush=True)
        os.read(ready, 1)
        """)
    (found,) = occupants(port)
    assert found.process is not None
    assert found.process.ppid() == parent.pid
    assert end(found, wait=30.0).outcome is Termination.FREED
    assert found.process.status() == psutil.STATUS_ZOMBIE


@posix
def test_term_ignored(start: Start) -> None:
    """A process that ignores SIGTERM is named as still holding the port, and not killed."""
    ignoring = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + textwrap.dedent(LISTENER)
    process, port = start(ignoring, "127.0.0.1", 0)
    (found,) = occupants(port)
    result = end(found, wait=0.3)
    assert result.outcome is Termination.DID_NOT_END
    assert [it.pid for it in result.holders] == [process.pid]
    assert process.poll() is None


@linux
@pytest.mark.parametrize("index", [0, 1])
def test_forked_holder(start: Start, index: int) -> None:
    """Of two that share a listener, we end the agreed one, and report the other and leave it alone."""
    process, port = start(FORKED)
    (sharer,) = psutil.Process(process.pid).children()
    both = [process.pid, sharer.pid]
    chosen = next(it for it in occupants(port) if it.pid == both[index])
    try:
        result = end(chosen)
        assert result.outcome is Termination.STILL_HELD
        assert [it.pid for it in result.holders] == [both[1 - index]]
        assert result.holders[0].protected == ""
    finally:
        sharer.kill()


def test_gone_by_itself(start: Start) -> None:
    """A process that ended while the person was thinking needs no signal."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    (found,) = occupants(port)
    process.kill()
    process.wait()
    assert end(found).outcome is Termination.FREED


def test_port_changed_hands(start: Start) -> None:
    """A process that took the port after the person agreed to end another is not signalled."""
    first, port = start(LISTENER, "127.0.0.1", 0)
    (found,) = occupants(port)
    first.kill()
    first.wait()
    second, _ = start(LISTENER, "127.0.0.1", port)
    result = end(found)
    assert result.outcome is Termination.REFUSED
    assert [it.pid for it in result.holders] == [second.pid]
    assert second.poll() is None


@linux
@pytest.mark.root
def test_same_number_another_process() -> None:
    """A PID that has meanwhile gone to another process is not the one that was agreed to."""
    code = """
        import sys
        from pathlib import Path
        from hermes_tunnel.ports.termination import Termination, end
        from hermes_tunnel.ports.occupants import occupants
        from tests.ports.holding import LISTENER, child
        with child(LISTENER, "127.0.0.1", 0) as (first, port):
            (found,) = occupants(port)
        Path("/proc/sys/kernel/ns_last_pid").write_text(str(first.pid - 1))
        with child(LISTENER, "127.0.0.1", port) as (second, port):
            assert second.pid == first.pid
            result = end(found)
            assert result.outcome is Termination.REFUSED, result
            assert [it.pid for it in result.holders] == [first.pid]
            assert second.poll() is None
        """
    # In a PID namespace of its own (pid_namespaces(7)), where the next number can be chosen.
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", textwrap.dedent(code)]
    environment = {**os.environ, "PYTHONPATH": str(Path(hermes_tunnel.__file__).parents[1])}
    subprocess.run(command, check=True, timeout=20, env=environment)


@posix
def test_no_longer_listening(start: Start) -> None:
    """A process that has closed its listener and has only a connection left is not signalled."""
    process, port = start("""
        import os, signal, socket, sys
        s = socket.create_server(("127.0.0.1", 0))
        print(s.getsockname()[1], flush=True)
        connection, _ = s.accept()
        connection.recv(1)
        s.close()
        connection.send(b"2")
        sys.stdin.read()
        """)
    (found,) = occupants(port)
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.send(b"1")
        assert client.recv(1) == b"2"
        result = end(found)
        assert result.outcome is Termination.REFUSED
        assert "does not listen" in result.reason
        assert process.poll() is None


def test_ourselves() -> None:
    """We do not end ourselves."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = occupants(server.getsockname()[1])
        assert end(found).outcome is Termination.REFUSED


@linux
@pytest.mark.root
def test_another_users(start: Start) -> None:
    """Another user's process is not ended, not even by root."""
    process, port = start(as_user(LISTENER, 65534), "127.0.0.1", 0)
    (found,) = occupants(port)
    result = end(found)
    assert result.outcome is Termination.REFUSED
    assert result.reason.startswith("it belongs to user")
    assert process.poll() is None


@posix
def test_one_signal_to_one_process(start: Start) -> None:
    """The children of an occupant that is ended go on."""
    process, port = start(FORKED.replace("os.write(", "s.close(); os.write("))
    (bystander,) = psutil.Process(process.pid).children()
    try:
        (found,) = occupants(port)
        assert end(found).outcome is Termination.FREED
        assert bystander.is_running()
        assert bystander.status() != psutil.STATUS_ZOMBIE
    finally:
        bystander.kill()
