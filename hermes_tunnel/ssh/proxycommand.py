"""ssh_config's ProxyCommand: a program whose standard input and output are the connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from hermes_tunnel.errors import ConfigurationFailure, NetworkFailure
from hermes_tunnel.ssh.child import Words, end, started_by, unheard
from hermes_tunnel.ssh.waiting import SLICE, Meanwhile, nothing

_CHUNK = 65536
_END_SECONDS, _CLOSE_SECONDS = 0.5, 1.0


class ProxyCommand:
    """A running ProxyCommand; ``socket`` is the connection.

    It has one end of a socket pair, so that its death is an end of file at the other. With ProxyUseFdpass it
    hands over a connected socket instead, and ends. If a program cannot have a socket as its standard input,
    as on Windows, pipes lead to it.

    It shares our terminal, and so our process group: it may ask the person. At the end, what it has started
    is ended with it.

    :param command: for the shell, tokens expanded
    :param said: told each line that it writes to its standard error, at once, in a thread, as it came
    :param use_fdpass: ProxyUseFdpass
    :param seconds: how long that may take
    :param pipes: whether to use pipes
    :raises ConfigurationFailure: it cannot be started here
    :raises NetworkFailure: it handed over nothing
    """

    def __init__(
        self,
        command: str,
        said: Callable[[str], object] = unheard,
        *,
        use_fdpass: bool = False,
        seconds: float = 15.0,
        meanwhile: Meanwhile = nothing,
        pipes: bool = sys.platform == "win32",
    ) -> None:
        if use_fdpass and pipes:
            raise ConfigurationFailure(
                "ProxyUseFdpass cannot be used on Windows",
                "have the ProxyCommand carry the connection itself",
            )
        self.socket, child = socket.socketpair()
        self._pumps: list[threading.Thread] = []
        try:
            self._process = self._with_pipes(command, child) if pipes else self._with_socket(command, child)
        except OSError as problem:
            self.socket.close()
            child.close()
            raise ConfigurationFailure(f"the ProxyCommand cannot be started: {problem.strerror}") from problem
        self._words = Words(self._process, said, name="ProxyCommand")
        if use_fdpass:
            try:
                self._take_over(seconds, meanwhile)
            except BaseException:
                self.close()
                raise

    def _with_socket(self, command: str, child: socket.socket) -> subprocess.Popen[bytes]:
        shell = os.environ.get("SHELL") or "/bin/sh"
        with child:
            return subprocess.Popen(
                [shell, "-c", _line(command)],
                stdin=child.fileno(),
                stdout=child.fileno(),
                stderr=subprocess.PIPE,
            )

    def _with_pipes(self, command: str, child: socket.socket) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S602 - ssh_config's ProxyCommand is a line for the shell
            _line(command),
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        for pump in (_to_the_program, _from_the_program):
            self._pumps.append(threading.Thread(target=pump, args=(process, child), name="ProxyCommand"))
            self._pumps[-1].daemon = True
            self._pumps[-1].start()
        return process

    def _take_over(self, seconds: float, meanwhile: Meanwhile) -> None:
        descriptors = self._handed_over(time.monotonic() + seconds, meanwhile)
        if not descriptors:
            words = self.last_words()
            raise NetworkFailure(
                "the ProxyCommand did not hand over a connection" + (f": {words}" if words else ""),
                "see ProxyUseFdpass in ssh_config(5)",
            )
        self.socket.close()
        self.socket = socket.socket(fileno=descriptors[0])

    def _handed_over(self, until: float, meanwhile: Meanwhile) -> list[int]:
        if sys.platform == "win32":
            return []
        self.socket.settimeout(SLICE)
        while True:
            try:
                return socket.recv_fds(self.socket, 1, 1)[1]
            except TimeoutError:
                meanwhile()
                if time.monotonic() >= until:
                    return []
            except OSError:
                return []

    def last_words(self) -> str:
        """The last line that it wrote to its standard error; if it is about to end, it may still write it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
            self._words.join(_END_SECONDS)
        return self._words.lines[-1] if self._words.lines else ""

    def has_failed(self) -> bool:
        """Whether it ended badly; waits a moment for one that is about to end."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_SECONDS) != 0
        return False

    def close(self) -> None:
        """End it, with what it has started, and wait for it."""
        started = started_by(self._process)
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        end(self._process, started, _CLOSE_SECONDS)
        for thread in (*self._pumps, self._words):
            thread.join(_CLOSE_SECONDS)


def _line(command: str) -> str:
    """With exec, as in ssh, so that no shell lingers; only once, as a shell does not forgive it twice."""
    line = command.removeprefix("exec ")
    return line if sys.platform == "win32" else f"exec {line}"  # cmd.exe has no exec


def _to_the_program(process: subprocess.Popen[bytes], child: socket.socket) -> None:
    with suppress(OSError):
        while data := child.recv(_CHUNK):
            process.stdin.write(data)  # type: ignore[union-attr]
    with suppress(OSError):
        process.stdin.close()  # type: ignore[union-attr]


def _from_the_program(process: subprocess.Popen[bytes], child: socket.socket) -> None:
    """Its end ends the connection."""
    with child, process.stdout:  # type: ignore[union-attr]
        with suppress(OSError):
            while data := os.read(process.stdout.fileno(), _CHUNK):  # type: ignore[union-attr]
                child.sendall(data)
        with suppress(OSError):
            child.shutdown(socket.SHUT_RDWR)
