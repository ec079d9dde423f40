"""One SSH connection, through jump hosts, to the machine that runs Hermes.

Every hop is dialled, its host key verified, and only then is the person authenticated; the next hop is
reached over a ``direct-tcpip`` channel of the one before. What was opened is closed again, last first.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any

import paramiko

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.alive import ServerAlive
from hermes_tunnel.ssh.askpass import through_askpass
from hermes_tunnel.ssh.authentication import Ask, Tell, authenticate
from hermes_tunnel.ssh.dial import dial
from hermes_tunnel.ssh.hop import HopConfiguration
from hermes_tunnel.ssh.hostkeys import KnownHosts, known_as, verify
from hermes_tunnel.ssh.proxycommand import ProxyCommand
from hermes_tunnel.ssh.transport import Transport, handshake
from hermes_tunnel.text import plain

_GONE_SECONDS = 2.0


class Connection:
    """An authenticated connection; as a context manager it closes at the end.

    :param hops: how each hop was reached, destination last
    :param transports: their transports
    :param closing: closes what was opened
    """

    def __init__(
        self, hops: Sequence[HopConfiguration], transports: Sequence[Transport], closing: ExitStack
    ) -> None:
        self._hops = tuple(zip(hops, transports, strict=True))
        self._closing = closing
        self._alive = ServerAlive(self._hops)
        self._closing.callback(self._alive.stop)
        self._alive.start()

    @property
    def transport(self) -> paramiko.Transport:
        """The last hop's transport: channels are opened here."""
        return self._hops[-1][1]

    @property
    def destination(self) -> str:
        """``user@host`` as the person knows it."""
        return self._hops[-1][0].label

    @property
    def via(self) -> tuple[str, ...]:
        """The jump hosts as ``user@host``, first to last."""
        return tuple(configuration.label for configuration, _ in self._hops[:-1])

    def check(self) -> None:
        """Do nothing while the connection lives.

        :raises NetworkFailure: it is gone, or the server did not answer ServerAliveCountMax probes
        """
        again = "check the network, then run the same command again"
        silent = self._alive.silent
        if silent is not None:
            seconds = silent.server_alive_interval * silent.server_alive_count_max
            raise NetworkFailure(f"{self._called(silent)} has not answered for {seconds:g} s", again)
        for configuration, transport in self._hops:
            if not transport.is_active():
                words = f": {transport.parting_words}" if transport.parting_words else ""
                raise NetworkFailure(
                    f"the connection to {self._called(configuration)} was lost{words}", again
                )

    def _called(self, configuration: HopConfiguration) -> str:
        is_jump = configuration is not self._hops[-1][0]
        return f"jump host {configuration.label}" if is_jump else configuration.label

    def close(self) -> None:
        """Close every hop, last first; nothing is left."""
        self._closing.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def connect(
    hops: Sequence[HopConfiguration], *, ask: Ask, tell: Tell, detail: Tell | None = None
) -> Connection:
    """Connect to the last of the hops, through the others.

    :param hops: from ``config.resolve``: first hop first, destination last
    :param ask: asks the person: the prompt, and whether the answer is hidden; None where nobody answers,
        and then SSH_ASKPASS is asked, where there is one
    :param tell: tells the person one line, free of escape sequences
    :param detail: tells those who want to know it all one line
    :raises NetworkFailure: a hop cannot be reached, or is no SSH server that could be talked to
    :raises HostKeyFailure: a host key is not the known one, or was not accepted
    :raises AuthenticationFailure: a hop took none of the person's credentials
    """
    ask = through_askpass(ask)
    with ExitStack() as opened:
        transports: list[Transport] = []
        for configuration in hops:
            for line in configuration.warnings:
                tell(line)
            for line in configuration.details:
                (detail or _nobody)(line)
            before = (hops[len(transports) - 1], transports[-1]) if transports else None
            transports.append(_hop(configuration, before, opened, ask, tell))
        return Connection(hops, transports, opened.pop_all())


def _nobody(_: str) -> None:
    """Who wants to know what only the curious do, unless somebody is given."""


def _hop(
    configuration: HopConfiguration,
    before: tuple[HopConfiguration, Transport] | None,
    opened: ExitStack,
    ask: Ask,
    tell: Tell,
) -> Transport:
    known = KnownHosts.read(configuration.user_known_hosts_files, configuration.global_known_hosts_files)
    proxy = None
    sock: Any
    if before is not None:
        sock = _channel(configuration, *before)
    elif configuration.proxy_command is not None:
        proxy = ProxyCommand(
            configuration.proxy_command,
            use_fdpass=configuration.proxy_use_fdpass,
            seconds=configuration.connect_timeout,
        )
        opened.callback(proxy.close)
        sock = proxy.socket
    else:
        sock = dial(configuration)
    opened.callback(sock.close)
    transport = Transport(sock, configuration, known.known_types(*known_as(configuration)))
    opened.callback(_end, transport, sock)
    try:
        handshake(transport, configuration)
    except NetworkFailure as problem:
        words = proxy.last_words() if proxy else ""
        if not words:
            raise
        raise NetworkFailure(
            f"{problem.message}; its ProxyCommand said: {words}",
            "settle that with its ProxyCommand, or use ProxyJump or -J HOST instead",
        ) from problem
    key = transport.get_remote_server_key()
    address = sock.getpeername()[0] if before is None and proxy is None else None
    verify(known, configuration, key.get_name(), key.asbytes(), address=address, ask=ask, tell=tell)
    authenticate(transport, configuration, ask=ask, tell=tell)
    return transport


def _channel(
    configuration: HopConfiguration, jump: HopConfiguration, transport: Transport
) -> paramiko.Channel:
    where, through = configuration.address, f"jump host {jump.label}"
    try:
        return transport.open_channel(
            "direct-tcpip",
            (configuration.hostname, configuration.port),
            ("127.0.0.1", 0),
            timeout=configuration.connect_timeout,
        )
    except paramiko.ChannelException as refusal:
        if refusal.code == 1:
            raise NetworkFailure(
                f"{through} does not allow a connection to {where}",
                "its sshd_config must allow it: AllowTcpForwarding, PermitOpen",
            ) from refusal
        raise NetworkFailure(
            f"{through} cannot connect to {where}: {plain(str(refusal.text))}",
            f"is {where} right, seen from there?",
        ) from refusal
    except (paramiko.SSHException, EOFError) as problem:
        if not transport.is_active():
            raise NetworkFailure(f"the connection to {through} was lost", "try again") from problem
        raise NetworkFailure(
            f"connecting to {where} through {through} timed out after {configuration.connect_timeout:g} s",
            f"is {where} right, seen from there?",
        ) from problem


def _end(transport: Transport, sock: Any) -> None:
    transport.close()
    # Its thread may be waiting for the server; without a socket it has nothing to wait for.
    sock.close()
    if transport.ident is not None:  # a signal may come before it was started
        transport.join(_GONE_SECONDS)
