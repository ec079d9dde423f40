"""ssh_config's ProxyCommand: a program whose standard input and output are the connection."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from typing import IO

from hermes_tunnel.errors import ConfigurationFailure, NetworkFailure
from hermes_tunnel.ssh.waiting import SLICE, Meanwhile, nothing
from hermes_tunnel.text import plain

_CHUNK = 65536
_END_SECONDS = 0.5


class ProxyCommand:
    """A running ProxyCommand; ``socket`` is the connection.

    It has one end of a socket pair, so that its death is an end of file at the other. With ProxyUseFdpass it
    hands over a connected socket instead, and ends. If a program cannot have a socket as its standard input,
    as on Windows, pipes lead to it.

    :param command: for the shell, tokens expanded
    :param use_fdpass: ProxyUseFdpass
    :param seconds: how long that may take
    :param pipes: whether to use pipes
    :raises ConfigurationFailure: it cannot be started here
    :raises NetworkFailure: it handed over nothing
    """

    def __init__(
        self,
        command: str,
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
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        self._read = 0
        self._pumps: list[threading.Thread] = []
        try:
            self._process = self._with_pipes(command, child) if pipes else self._with_socket(command, child)
        except OSError as problem:
            self.socket.close()
            child.close()
            self._words.close()
            raise ConfigurationFailure(f"the ProxyCommand cannot be started: {problem.strerror}") from problem
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
                [shell, "-c", _line(command)], stdin=child.fileno(), stdout=child.fileno(), stderr=self._words
            )

    def _with_pipes(self, command: str, child: socket.socket) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S602 - ssh_config's ProxyCommand is a line for the shell
            _line(command),
            shell=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
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

    def news(self) -> list[str]:
        """The lines that it has written to its standard error since the last call.

        If a file cannot be read without moving the place where the program writes, there are none.
        """
        if not hasattr(os, "pread"):
            return []
        written, end, _ = os.pread(self._words.fileno(), _CHUNK, self._read).rpartition(b"\n")
        self._read += len(written + end)
        return [plain(line) for line in written.decode(errors="replace").splitlines() if line.strip()]

    def last_words(self) -> str:
        """The last line that it wrote to its standard error; if it is about to end, it may still write it."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_END_SECONDS)
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 2000))
        lines = self._words.read().decode(errors="replace").splitlines()
        return next((plain(line) for line in reversed(lines) if line.strip()), "")

    def has_failed(self) -> bool:
        """Whether it ended badly; waits a moment for one that is about to end."""
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_END_SECONDS) != 0
        return False

    def close(self) -> None:
        """End it and wait for it."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(1)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        for pump in self._pumps:
            pump.join(1)
        self._words.close()


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
