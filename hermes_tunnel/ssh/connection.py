"""One SSH connection, through jump hosts, to the machine that runs Hermes.

Every hop is dialled, its host key verified, and only then is the person authenticated; the next hop is
reached over a ``direct-tcpip`` channel of the one before. What was opened is closed again, last first.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, TypeAlias

import paramiko

from hermes_tunnel.errors import AuthenticationFailure, NetworkFailure
from hermes_tunnel.ssh.alive import ServerAlive
from hermes_tunnel.ssh.authentication.askpass import Ask, through_askpass
from hermes_tunnel.ssh.authentication.methods import Tell, authenticate
from hermes_tunnel.ssh.authentication.refusals import FilesLeft, stopped_waiting
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.dial import dial
from hermes_tunnel.ssh.hostkeys.verification import KnownHosts, known_as, verify
from hermes_tunnel.ssh.proxycommand import ProxyCommand
from hermes_tunnel.ssh.public_key import describe
from hermes_tunnel.ssh.transport import Transport, handshake
from hermes_tunnel.text import plain

_GONE_SECONDS = 2.0
_AGAIN = "check the network, then run the same command again"
_Reached: TypeAlias = tuple[HopConfiguration, Transport]


class Connection:
    """An authenticated connection; as a context manager it closes at the end.

    :param hops: how each hop was reached, and its transport, destination last
    :param alive: watches over them
    :param closing: closes what was opened
    """

    def __init__(self, hops: Sequence[_Reached], alive: ServerAlive, closing: ExitStack) -> None:
        self._hops = tuple(hops)
        self._alive = alive
        self._closing = closing

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
        _check(self._hops, self._alive, self._hops[-1][0])

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
    hops: Sequence[HopConfiguration], *, ask: Ask, tell: Tell, detail: Tell = lambda _: None
) -> Connection:
    """Connect to the last of the hops, through the others.

    :param hops: from ``config.resolve``: first hop first, destination last
    :param ask: asks the person; where nobody answers, SSH_ASKPASS is asked, where there is one
    :param tell: tells the person one line, free of escape sequences
    :param detail: tells those who want to know it all one line
    :raises NetworkFailure: a hop cannot be reached, or is no SSH server that could be talked to
    :raises HostKeyFailure: a host key is not the known one, or was not accepted
    :raises AuthenticationFailure: a hop took none of the person's credentials
    """
    ask = through_askpass(ask)
    with ExitStack() as opened:
        alive = ServerAlive()
        opened.callback(alive.stop)
        reached: list[_Reached] = []
        for configuration in hops:
            for line in configuration.warnings:
                tell(line)
            for line in configuration.details:
                detail(line)
            try:
                before = reached[-1] if reached else None
                transport = _hop_or_again(configuration, before, opened, ask=ask, tell=tell, detail=detail)
            except (NetworkFailure, AuthenticationFailure):
                _check(reached, alive, hops[-1])
                raise
            reached.append((configuration, transport))
            alive.watch(configuration, transport)
        return Connection(reached, alive, opened.pop_all())


def _check(hops: Sequence[_Reached], alive: ServerAlive, destination: HopConfiguration) -> None:
    """Do nothing while all hops live; else say which was lost, of several the first."""
    for configuration, transport in hops:
        if configuration is not alive.silent and transport.is_active():
            continue
        called = configuration.label if configuration is destination else f"jump host {configuration.label}"
        if configuration is alive.silent or transport.timed_out:
            raise _silent(called, configuration)
        if alive.silent is None:
            words = f": {transport.parting_words}" if transport.parting_words else ""
            raise NetworkFailure(f"the connection to {called} was lost{words}", _AGAIN)


def _silent(called: str, hop: HopConfiguration) -> NetworkFailure:
    seconds = hop.server_alive_interval * hop.server_alive_count_max
    return NetworkFailure(f"{called} has not answered for {seconds:g} s", _AGAIN)


def _hop_or_again(
    configuration: HopConfiguration,
    before: _Reached | None,
    opened: ExitStack,
    *,
    ask: Ask,
    tell: Tell,
    detail: Tell,
) -> Transport:
    """A hop; once more, without the agent's other keys, where they kept a key file from being shown."""
    try:
        with ExitStack() as this:
            transport = _hop(configuration, before, this, ask=ask, tell=tell, detail=detail)
            opened.enter_context(this.pop_all())
            return transport
    except FilesLeft:
        tell(
            f"{configuration.label} takes no more of the agent's keys; connecting again with key files only."
        )
        return _hop(
            replace(configuration, identities_only=True), before, opened, ask=ask, tell=tell, detail=detail
        )


def _hop(
    configuration: HopConfiguration,
    before: _Reached | None,
    opened: ExitStack,
    *,
    ask: Ask,
    tell: Tell,
    detail: Tell,
) -> Transport:
    known = KnownHosts.read(configuration.user_known_hosts_files, configuration.global_known_hosts_files)
    way = "" if configuration.proxy_command is None else ", by its ProxyCommand"
    way = f", through {before[0].label}" if before is not None else way
    detail(f"Connecting to {configuration.label} at {configuration.address}{way}.")
    proxy = address = None
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
        address = sock.peer
    opened.callback(_shut, sock)

    def hear() -> None:
        for line in proxy.news() if proxy else ():
            tell(f"ProxyCommand: {line}")

    transport = Transport(sock, configuration, known.known_types(*known_as(configuration)))
    opened.callback(_end, transport, sock)
    try:
        key = handshake(transport, configuration, hear)
    except NetworkFailure as problem:
        hear()
        if proxy is None or transport.remote_version:
            raise
        words = proxy.last_words()
        raise NetworkFailure(
            f"{problem.message}; its ProxyCommand said" + (f": {words}" if words else " nothing"),
            "settle that with its ProxyCommand, or use ProxyJump or -J HOST instead",
        ) from problem

    def asked(prompt: str, hidden: bool) -> str | None:
        answer = ask(prompt, hidden, transport.is_active)
        if not transport.is_active():
            raise stopped_waiting(configuration)
        return answer

    try:
        verify(known, configuration, key.get_name(), key.asbytes(), address=address, ask=asked, tell=tell)
        where = f" at {address}" if address else ""
        key_seen = describe(key.get_name(), key.asbytes())
        detail(f"Accepted the host key of {configuration.label}{where}: {key_seen}.")
        authenticate(transport, configuration, ask=asked, tell=tell, detail=detail)
    except (NetworkFailure, AuthenticationFailure) as problem:
        if transport.timed_out:
            raise _silent(configuration.label, configuration) from problem
        raise
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
    except (paramiko.SSHException, EOFError, OSError) as problem:
        if not transport.is_active():
            raise NetworkFailure(f"the connection to {through} was lost", "try again") from problem
        raise NetworkFailure(
            f"connecting to {where} through {through} timed out after {configuration.connect_timeout:g} s",
            f"is {where} right, seen from there?",
        ) from problem


def _end(transport: Transport, sock: Any) -> None:
    with suppress(paramiko.SSHException, EOFError, OSError):  # of the hop before, which carries this one
        transport.close()
    # Its thread may be waiting for the server; without a socket it has nothing to wait for.
    _shut(sock)
    if transport.ident is not None:  # a signal may come before it was started
        transport.join(_GONE_SECONDS)


def _shut(sock: Any) -> None:
    with suppress(paramiko.SSHException, EOFError, OSError):  # a channel that can say so to nobody any more
        sock.close()
