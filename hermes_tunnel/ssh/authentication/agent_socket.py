"""How to reach the person's agent: a UNIX socket; on Windows a named pipe, or PuTTY's Pageant."""

from __future__ import annotations

import errno
import os
import queue
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Protocol

from hermes_tunnel.ssh.waiting import SLICE

LARGEST = 256 * 1024
"""Bytes of an answer, as many as OpenSSH's own client takes."""
_PIPES = "\\\\.\\pipe\\"
_PIPE = rf"{_PIPES}openssh-ssh-agent"
_ATTEMPTS = 20  # to open a pipe that is busy, a tenth of a second apart


class AgentProblem(Exception):
    """The agent does not answer, answers nonsense, or refuses."""


class AgentSocket(Protocol):
    """What carries agent messages; ``recv`` waits no longer than ``SLICE``."""

    def send(self, data: bytes, /) -> object:
        """Send a whole request."""

    def recv(self, count: int, /) -> bytes:
        """Some bytes of the answer; empty at its end."""

    def close(self) -> None:
        """End the connection."""


def reach(
    path: str | None,
    seconds: float,
    *,
    environment: Mapping[str, str] = os.environ,
    windows: bool = sys.platform == "win32",
) -> AgentSocket:
    """A connection to the agent.

    :param path: IdentityAgent; None for SSH_AUTH_SOCK and, on Windows, then OpenSSH's own pipe and Pageant
    :param seconds: how long connecting may take
    :raises AgentProblem: there is none, or it cannot be reached
    """
    named = environment.get("SSH_AUTH_SOCK") if path is None else path
    if windows:
        return _on_windows(named, others=path is None)
    if not named or sys.platform == "win32":
        raise AgentProblem("there is none")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(seconds)
        connection.connect(named)
        connection.settimeout(SLICE)
    except OSError as problem:
        connection.close()
        raise AgentProblem(problem.strerror or "it does not accept a connection") from problem
    return connection


class Blocking:
    """Makes the waits of a blocking connection ones that can be given up: a thread waits in its place.

    :param connection: sends and receives without a time limit
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        # Not SimpleQueue: after a late signal, as when the program was stopped, it waits forever.
        self._answers: queue.Queue[bytes] = queue.Queue()
        self._rest = b""
        self._exchange = threading.Thread()

    def send(self, request: bytes) -> None:
        """Send a request, and begin to wait for its answer."""
        self._exchange = threading.Thread(
            target=self._exchanged, args=(request,), name="ssh-agent", daemon=True
        )
        self._exchange.start()

    def recv(self, count: int) -> bytes:
        """Some bytes of the answer; TimeoutError if it has not come after a while."""
        if not self._rest:
            try:
                self._rest = self._answers.get(timeout=SLICE)
            except queue.Empty:
                raise TimeoutError from None
        taken, self._rest = self._rest[:count], self._rest[count:]
        return taken

    def close(self) -> None:
        """End the connection, unless an answer is still due: that wait ends with the process."""
        if not self._exchange.is_alive():
            self._connection.close()

    def _exchanged(self, request: bytes) -> None:
        answer = b""
        with suppress(OSError):
            self._connection.send(request)
            answer = self._read(4)
            answer += self._read(min(int.from_bytes(answer, "big"), LARGEST))
        self._answers.put(answer)

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count and (more := self._connection.recv(count - len(data))):
            data += more
        return bytes(data)


def _on_windows(
    named: str | None,
    *,
    others: bool,
    pipe: Callable[[str], Any] | None = None,
    pageant: Callable[[], Any] | None = None,
) -> AgentSocket:
    """The agent's pipe; if none is named, OpenSSH's own, as in ssh; if there is none, Pageant.

    :param named: a pipe; any other path is a socket of another world (MSYS, Cygwin)
    :param others: whether an agent other than the named one will do
    """
    is_pipe = (named or "").replace("/", "\\").startswith(_PIPES)
    pipes = [named] if named and (not others or is_pipe) else []
    for path in (*pipes, *((_PIPE,) if others else ())):
        with suppress(OSError):
            return Blocking((pipe or _Pipe)(path))
    connection = (pageant or _pageant)() if others else None
    if connection is None:
        raise AgentProblem("there is none" if others else f"{named} cannot be opened")
    return Blocking(connection)


class _Pipe:
    """A named pipe of Windows, opened like a file; if it is busy, opening waits for it."""

    def __init__(self, path: str) -> None:
        for left in reversed(range(_ATTEMPTS)):
            try:
                self._descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
                break
            except OSError as problem:
                if problem.errno != errno.EINVAL or not left:
                    raise
                threading.Event().wait(0.1)

    def send(self, data: bytes) -> None:
        os.write(self._descriptor, data)

    def recv(self, count: int) -> bytes:
        return os.read(self._descriptor, count)

    def close(self) -> None:
        os.close(self._descriptor)


def _pageant() -> Any:
    if sys.platform != "win32":
        return None
    from paramiko import win_pageant

    return win_pageant.PageantConnection() if win_pageant.can_talk_to_agent() else None
