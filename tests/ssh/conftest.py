"""Real servers and a real agent for the tests of the SSH connection, and a check that nothing is left."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.ssh.server import Server
from tests.ssh.sshd import PROGRAM, Sshd, keygen
from tests.ssh.unix import unix_socket


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """The test leaves behind no thread, open file, socket or child process."""
    process = psutil.Process()
    threads, children = set(threading.enumerate()), set(process.children(recursive=True))
    files = 0
    if sys.platform != "win32":
        files = process.num_fds()
    yield
    until = time.monotonic() + 3
    for thread in set(threading.enumerate()) - threads:
        thread.join(max(0.0, until - time.monotonic()))
    assert set(threading.enumerate()) - threads == set()
    assert set(process.children(recursive=True)) - children == set()
    if sys.platform != "win32":
        assert process.num_fds() <= files, [file.path for file in process.open_files()]


@pytest.fixture
def sshd(tmp_path: Path, nothing_left: None) -> Iterator[Callable[..., Sshd]]:
    """Starts OpenSSH servers: a name, and lines of sshd_config."""
    if PROGRAM is None:
        pytest.skip("there is no sshd on this machine")
    servers: list[Sshd] = []

    def start(name: str = "host", *options: str) -> Sshd:
        servers.append(Sshd(tmp_path / name, *options))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def agent(tmp_path: Path, nothing_left: None) -> Iterator[Callable[..., str]]:
    """A real ssh-agent: called with key files, adds them and gives its socket's path."""
    path = str(tmp_path / "agent")
    process = subprocess.Popen(
        ["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()

    def add(*keys: Path) -> str:
        for key in keys:
            subprocess.run(
                ["ssh-add", "-q", str(key)], check=True, env={**os.environ, "SSH_AUTH_SOCK": path}, timeout=10
            )
        return path

    yield add
    process.terminate()
    process.wait()
    process.stdout.close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key pair."""
    return keygen(tmp_path / "key")


@pytest.fixture
def known(tmp_path: Path) -> Callable[..., Path]:
    """Writes a known_hosts file for servers."""

    def write(*servers: Sshd | Server) -> Path:
        path = tmp_path / "known_hosts"
        path.write_text("".join(server.known_hosts_line() for server in servers))
        return path

    return write


class RecordingAgent:
    """Stands in front of a real agent and notes what it is asked: 27 to bind, 11 to list, 13 to sign."""

    def __init__(self, path: str, real: str) -> None:
        self.path = path
        self.requests: list[int] = []
        self._real = real
        self._listener = unix_socket()
        self._listener.bind(path)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        """Stop, and cut off whoever is connected."""
        with unix_socket() as last:
            last.connect(self.path)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            client, _ = self._listener.accept()
            with client, unix_socket() as real, client.makefile("rb") as requests:
                real.connect(self._real)
                with real.makefile("rb") as replies:
                    if not self._relay(client, real, requests, replies):
                        return

    def _relay(self, client, real, requests, replies) -> bool:  # type: ignore[no-untyped-def]
        seen = False
        while head := requests.read(4):
            seen = True
            body = requests.read(int.from_bytes(head, "big"))
            self.requests.append(body[0])
            real.sendall(head + body)
            head = replies.read(4)
            client.sendall(head + replies.read(int.from_bytes(head, "big")))
        return seen


@pytest.fixture
def recording_agent(tmp_path: Path, agent: Callable[..., str]) -> Iterator[Callable[..., RecordingAgent]]:
    """A ``RecordingAgent`` in front of an agent with these keys."""
    started: list[RecordingAgent] = []

    def start(*keys: Path) -> RecordingAgent:
        started.append(RecordingAgent(str(tmp_path / "recording"), agent(*keys)))
        return started[-1]

    yield start
    for each in started:
        each.close()
