"""A connected socket to the first hop: TCP to all addresses of its name, or a ProxyCommand."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from typing import IO, Any

from hermes_tunnel.errors import ConfigurationFailure, NetworkFailure
from hermes_tunnel.ssh.config import HopConfiguration
from hermes_tunnel.text import plain, quote

# RFC 8305 section 8: how long one address is tried alone.
_HEAD_START = 0.25
_SLICE = 0.2
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))


def dial(configuration: HopConfiguration) -> socket.socket:
    """A connected TCP socket without Nagle's delay, tried on all addresses of the name.

    :raises NetworkFailure: the name has no address, or none answered within ConnectTimeout
    """
    addresses = _addresses(configuration)
    until = time.monotonic() + configuration.connect_timeout
    with selectors.DefaultSelector() as selector:
        try:
            connected = _race(configuration, addresses, until, selector)
        finally:
            for key in list(selector.get_map().values()):
                selector.unregister(key.fileobj)
                key.data.close()
    connected.settimeout(None)
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connected


def _addresses(configuration: HopConfiguration) -> list[tuple[Any, ...]]:
    family = _FAMILIES.get(configuration.address_family, socket.AF_UNSPEC)
    try:
        return list(
            socket.getaddrinfo(configuration.hostname, configuration.port, family, socket.SOCK_STREAM)
        )
    except (OSError, UnicodeError) as problem:
        # A label of more than 63 letters is a UnicodeError.
        reason = problem.strerror if isinstance(problem, OSError) else "not a possible name"
        raise NetworkFailure(
            f"DNS has no address for {quote(configuration.hostname)}: {reason}",
            "check the spelling, the network, and HostName in ssh_config",
        ) from problem


def _race(
    configuration: HopConfiguration,
    addresses: list[tuple[Any, ...]],
    until: float,
    selector: selectors.BaseSelector,
) -> socket.socket:
    """The first socket to be connected; another address is tried when one fails or had its head start."""
    problems: list[int] = []
    waiting, next_start = addresses, time.monotonic()
    while waiting or selector.get_map():
        now = time.monotonic()
        if now >= until:
            break
        if waiting and (now >= next_start or not selector.get_map()):
            address, waiting = waiting[0], waiting[1:]
            next_start = now + _HEAD_START
            problem = _start(configuration, address, selector)
            if problem:
                problems.append(problem)
            continue
        pause = min(until - now, _SLICE, max(0.0, next_start - now) if waiting else _SLICE)
        for key, _ in selector.select(pause):
            attempt: socket.socket = key.data
            problem = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            selector.unregister(attempt)
            if not problem:
                return attempt
            attempt.close()
            problems.append(problem)
    where = configuration.address
    if time.monotonic() >= until:
        raise NetworkFailure(
            f"connecting to {where} timed out after {configuration.connect_timeout:g} s",
            "is the machine up, and this network allowed to reach it? a VPN, a jump host (-J)?",
        )
    if errno.ECONNREFUSED in problems:
        raise NetworkFailure(
            f"{where} refused the connection", "is sshd running there, on this port? try -p PORT"
        )
    raise NetworkFailure(
        f"cannot connect to {where}: {os.strerror(problems[-1]) if problems else 'it has no address'}",
        "check the network",
    )


def _start(
    configuration: HopConfiguration, address: tuple[Any, ...], selector: selectors.BaseSelector
) -> int:
    """Begin to connect; the error number where it failed at once."""
    family, kind, protocol, _, where = address
    try:
        attempt = socket.socket(family, kind, protocol)
    except OSError as problem:
        return problem.errno or errno.EAFNOSUPPORT
    try:
        attempt.setblocking(False)
        if configuration.bind_address:
            attempt.bind((configuration.bind_address, 0))
        number = attempt.connect_ex(where)
    except OSError as problem:
        number = problem.errno or errno.EINVAL
    if number not in _UNDER_WAY:
        attempt.close()
        return number
    selector.register(attempt, selectors.EVENT_WRITE, attempt)
    return 0


class ProxyCommand:
    """ssh_config's ProxyCommand: a program whose standard input and output are the connection.

    It has one end of a socket pair, so that its death is an end of file at the other.

    :param command: for the shell, tokens expanded
    :raises ConfigurationFailure: it cannot be started here
    """

    def __init__(self, command: str) -> None:
        if sys.platform == "win32":
            raise ConfigurationFailure(
                "a ProxyCommand cannot be used on Windows", "use ProxyJump, or -J HOST, instead"
            )
        self.socket, child = socket.socketpair()
        self._words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed in close()
        try:
            self._process = subprocess.Popen(
                [os.environ.get("SHELL") or "/bin/sh", "-c", f"exec {command}"],
                stdin=child.fileno(),
                stdout=child.fileno(),
                stderr=self._words,
            )
        except OSError as problem:
            self.socket.close()
            self._words.close()
            raise ConfigurationFailure(f"the ProxyCommand cannot be started: {problem.strerror}") from problem
        finally:
            child.close()

    def last_words(self) -> str:
        """The last line that it wrote to its standard error."""
        self._words.seek(0, os.SEEK_END)
        self._words.seek(max(0, self._words.tell() - 2000))
        lines = self._words.read().decode(errors="replace").splitlines()
        return next((plain(line) for line in reversed(lines) if line.strip()), "")

    def close(self) -> None:
        """End it and wait for it."""
        self.socket.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(1)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._words.close()
