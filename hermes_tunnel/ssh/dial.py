"""A connected socket to the first hop: TCP, to whichever address of its name answers first."""

from __future__ import annotations

import errno
import ipaddress
import os
import selectors
import socket
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

from hermes_tunnel.deadlines import CONNECT
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh import waiting
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.waiting import SLICE, Meanwhile, beside, nothing
from hermes_tunnel.text import quote

# RFC 8305 section 8: how long one address is tried alone.
_HEAD_START = 0.25
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
Address: TypeAlias = tuple[Any, ...]
"""As ``socket.getaddrinfo`` gives it."""
_QUICK_ACKNOWLEDGEMENT: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux; never for long
_UNDER_WAY = (0, errno.EINPROGRESS, errno.EWOULDBLOCK, getattr(errno, "WSAEWOULDBLOCK", 0))


class TcpSocket(socket.socket):
    """Tells the kernel's time-out from Python's own, after which paramiko would carry on.

    ``peer`` is the address that it was connected to, even if the connection has ended since; ``took`` are
    the seconds that this took.
    """

    peer: str
    took = 0.0

    def recv(self, *arguments: int) -> bytes:
        """As usual, but a time-out of the kernel's is an error like any other, and what came is acknowledged
        at once: until then a server with Nagle's algorithm holds back what it says next (tcp(7)).
        """
        try:
            data = super().recv(*arguments)
        except TimeoutError as problem:
            if problem.errno is None:
                raise
            raise ConnectionAbortedError(*problem.args) from problem
        if _QUICK_ACKNOWLEDGEMENT is not None:
            with suppress(OSError):  # it has ended; what came is still good
                self.setsockopt(socket.IPPROTO_TCP, _QUICK_ACKNOWLEDGEMENT, 1)
        return data


def addresses_of(
    configuration: HopConfiguration,
    meanwhile: Meanwhile = nothing,
    *,
    look_up: Callable[..., Iterable[Address]] = socket.getaddrinfo,
) -> list[Address]:
    """The addresses of a hop's name.

    :param look_up: ``socket.getaddrinfo``, or a stand-in
    :raises NetworkFailure: it has none
    """
    family = _FAMILIES.get(configuration.address_family, socket.AF_UNSPEC)
    host, port = configuration.hostname, configuration.port
    try:
        # A name server may be silent for half a minute, and getaddrinfo(3) heeds no signal.
        return list(beside(lambda: look_up(host, port, family, socket.SOCK_STREAM), "getaddrinfo", meanwhile))
    except (OSError, UnicodeError) as problem:
        # A label of more than 63 letters raises UnicodeError.
        whose = f", the {configuration.called}" if configuration.is_jump_host else ""
        reason = problem.strerror if isinstance(problem, OSError) else "not a valid name"
        raise NetworkFailure(
            f"DNS has no address for {quote(host)}{whose}: {reason}",
            "check the spelling, the network, and HostName in ssh_config",
        ) from problem


def dial(
    configuration: HopConfiguration,
    addresses: Sequence[Address],
    meanwhile: Meanwhile = nothing,
    *,
    pause: float = 1.0,
) -> TcpSocket:
    """A connected TCP socket without Nagle's delay, to whichever address answers first.

    :param pause: the seconds between one of the ConnectionAttempts and the next
    :raises NetworkFailure: none answered within ConnectTimeout, or ``CONNECT``
    """
    for left in reversed(range(configuration.connection_attempts)):
        try:
            return _attempt(configuration, addresses, meanwhile)
        except NetworkFailure:
            if not left:
                raise
            waiting.pause(pause, meanwhile)
    raise AssertionError("there is one attempt at least")


def connect_seconds(configuration: HopConfiguration) -> float:
    """How long one attempt to connect may take."""
    seconds = configuration.connect_timeout
    return CONNECT.seconds if seconds is None else seconds


def _attempt(
    configuration: HopConfiguration, addresses: Sequence[Address], meanwhile: Meanwhile
) -> TcpSocket:
    begin = time.monotonic()
    until = begin + connect_seconds(configuration)
    with selectors.DefaultSelector() as selector:
        try:
            connected = _race(configuration, addresses, until, selector, meanwhile)
        finally:
            for key in list(selector.get_map().values()):
                selector.unregister(key.fileobj)
                key.data.close()
    connected.took = time.monotonic() - begin
    connected.settimeout(None)
    with suppress(OSError):  # it may have ended already; whoever uses it first finds out
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if configuration.tcp_keep_alive:
            _keep_alive(connected, configuration)
    return connected


def _keep_alive(connected: TcpSocket, configuration: HopConfiguration) -> None:
    """TCPKeepAlive, as often as ServerAlive, which cannot ask before the person is authenticated."""
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, True)
    interval, count = configuration.server_alive_interval, configuration.server_alive_count_max
    for name, value in (
        ("TCP_KEEPIDLE", interval),
        ("TCP_KEEPALIVE", interval),  # what macOS calls it
        ("TCP_KEEPINTVL", interval),
        ("TCP_KEEPCNT", count),
        ("TCP_USER_TIMEOUT", interval * count * 1000),  # on Linux; covers unacknowledged data too
    ):
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), max(1, int(value)))


def _race(
    configuration: HopConfiguration,
    addresses: Sequence[Address],
    until: float,
    selector: selectors.BaseSelector,
    meanwhile: Meanwhile,
) -> TcpSocket:
    """The first socket to connect; another address is tried when one fails or has had its head start."""
    problems: list[int] = []
    untried, next_start = list(addresses), time.monotonic()
    while untried or selector.get_map():
        meanwhile()
        now = time.monotonic()
        if now >= until:
            break
        if untried and (now >= next_start or not selector.get_map()):
            address = untried.pop(0)
            next_start = now + _HEAD_START
            problem = _start(configuration, address, selector)
            if problem:
                problems.append(problem)
            continue
        slice_ = min(until - now, SLICE, max(0.0, next_start - now) if untried else SLICE)
        for key, _ in selector.select(slice_):
            attempt: TcpSocket = key.data
            problem = attempt.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            selector.unregister(attempt)
            if not problem:
                return attempt
            attempt.close()
            problems.append(problem)
    where = configuration.place
    if time.monotonic() >= until:
        raise NetworkFailure(
            f"connecting to {where} timed out after {connect_seconds(configuration):g} s",
            "is the machine up, and can this network reach it? do you need a VPN or a jump host (-J)?",
        )
    if errno.ECONNREFUSED in problems:
        raise NetworkFailure(
            f"{where} refused the connection",
            f"is sshd running there, on this port? {configuration.another_port}",
        )
    raise NetworkFailure(
        f"cannot connect to {where}: {os.strerror(problems[-1]) if problems else 'it has no address'}",
        "check the network",
    )


def _start(configuration: HopConfiguration, address: Address, selector: selectors.BaseSelector) -> int:
    """Begin to connect; gives the error number if it failed at once."""
    family, kind, protocol, _, where = address
    try:
        attempt = TcpSocket(family, kind, protocol)
        attempt.peer = where[0]
    except OSError as problem:
        return problem.errno or errno.EAFNOSUPPORT
    try:
        attempt.setblocking(False)
        if source := _source(configuration, family):
            attempt.bind(socket.getaddrinfo(source, 0, family, kind)[0][4])
        number = attempt.connect_ex(where)
    except socket.gaierror:
        number = errno.EADDRNOTAVAIL  # of the other family, or no address at all
    except OSError as problem:
        number = problem.errno or errno.EINVAL
    if number not in _UNDER_WAY:
        attempt.close()
        return number
    selector.register(attempt, selectors.EVENT_WRITE, attempt)
    return 0


def _source(configuration: HopConfiguration, family: int) -> str | None:
    """BindAddress, or an address of BindInterface, preferably neither loopback nor link-local.

    :raises socket.gaierror: the interface has none of this family
    """
    if configuration.bind_address or not configuration.bind_interface:
        return configuration.bind_address
    import psutil  # takes 40 ms, and is rarely needed

    addresses = psutil.net_if_addrs().get(configuration.bind_interface, [])
    mine = [each.address for each in addresses if each.family == family]
    if not mine:
        raise socket.gaierror
    return min(mine, key=_reach)


def _reach(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    return parsed.is_loopback or parsed.is_link_local
