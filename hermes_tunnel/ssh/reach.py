"""One hop of the way: reached, its host key verified, and only then the person authenticated."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from typing import Any, TypeAlias

import paramiko

from hermes_tunnel.errors import AuthenticationFailure, NetworkFailure
from hermes_tunnel.ssh.authentication.askpass import Ask
from hermes_tunnel.ssh.authentication.methods import Tell, authenticate
from hermes_tunnel.ssh.authentication.refusals import FilesLeft, stopped_waiting
from hermes_tunnel.ssh.channels import GONE, open_channel
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.connection import NoStream, StreamRefused
from hermes_tunnel.ssh.dial import dial
from hermes_tunnel.ssh.hostkeys.verification import KnownHosts, known_as, verify
from hermes_tunnel.ssh.proxycommand import ProxyCommand
from hermes_tunnel.ssh.public_key import describe
from hermes_tunnel.ssh.transport import Transport, handshake

AGAIN = "check the network, then run the same command again"
_GONE_SECONDS = 2.0
Reached: TypeAlias = tuple[HopConfiguration, Transport]
"""A hop, and its transport."""


def reach(
    configuration: HopConfiguration,
    before: Reached | None,
    opened: ExitStack,
    *,
    ask: Ask,
    tell: Tell,
    detail: Tell,
) -> Transport:
    """The transport of a hop, ready for channels.

    It is reached once more, without the agent's other keys, where they kept a key file from being shown.

    :param before: the hop that it is reached through, if there is one
    :param opened: gets what closes it again
    :param ask: asks the person; and so on, as ``connection.connect`` has it, which says too what is raised
    """
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
    before: Reached | None,
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
            raise silent(configuration.label, configuration) from problem
        raise
    return transport


def _channel(
    configuration: HopConfiguration, jump: HopConfiguration, transport: Transport
) -> paramiko.Channel:
    where, through = configuration.address, f"jump host {jump.label}"
    seconds = configuration.connect_timeout
    try:
        return open_channel(transport, configuration.hostname, configuration.port, seconds)
    except StreamRefused as refused:
        if refused.reason is NoStream.FORBIDDEN:
            raise NetworkFailure(
                f"{through} does not allow a connection to {where}",
                "its sshd_config must allow it: AllowTcpForwarding, PermitOpen",
            ) from refused
        if refused.reason is NoStream.NOBODY_LISTENS:
            raise NetworkFailure(
                f"{through} cannot connect to {where}: {refused.words}",
                f"is {where} right, seen from there?",
            ) from refused
        if not transport.is_active():
            raise NetworkFailure(f"the connection to {through} was lost", "try again") from refused
        raise NetworkFailure(
            f"connecting to {where} through {through} timed out after {seconds:g} s",
            f"is {where} right, seen from there?",
        ) from refused


def _end(transport: Transport, sock: Any) -> None:
    with suppress(*GONE):  # of the hop before, which carries this one
        transport.close()
    # Its thread may be waiting for the server; without a socket it has nothing to wait for.
    _shut(sock)
    if transport.ident is not None:  # a signal may come before it was started
        transport.join(_GONE_SECONDS)


def _shut(sock: Any) -> None:
    with suppress(*GONE):  # a channel that can say so to nobody any more
        sock.close()


def silent(called: str, hop: HopConfiguration) -> NetworkFailure:
    """ServerAliveCountMax probes went unanswered."""
    seconds = hop.server_alive_interval * hop.server_alive_count_max
    return NetworkFailure(f"{called} has not answered for {seconds:g} s", AGAIN)
