"""One hop of the way: reach it, verify its host key, and only then authenticate the person."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

import paramiko

from hermes_tunnel.deadlines import AUTHENTICATION, IDENTIFICATION, KEY_EXCHANGE, Deadline, seconds_of
from hermes_tunnel.errors import AuthenticationFailure, Failure, NetworkFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.ahead import Channel
from hermes_tunnel.ssh.authentication.methods import authenticate
from hermes_tunnel.ssh.authentication.refusals import FilesLeft, stopped_waiting
from hermes_tunnel.ssh.channels import open_channel
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.connection import NoStream, StreamRefused
from hermes_tunnel.ssh.dial import TcpSocket, connect_seconds
from hermes_tunnel.ssh.first_hop import dialled
from hermes_tunnel.ssh.hostkeys.verification import KnownHosts, known_as, verify
from hermes_tunnel.ssh.key_exchange import handshake
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.proxycommand import ProxyCommand
from hermes_tunnel.ssh.public_key import describe
from hermes_tunnel.ssh.transport import GONE, Transport, told_of
from hermes_tunnel.ssh.waiting import beside, telling
from hermes_tunnel.text import plain

AGAIN = "check the network, then run the same command again"
_GONE_SECONDS = 2.0
_LONGEST_COMMAND = 200
Reached: TypeAlias = tuple[HopConfiguration, Transport]
"""A hop, and its transport."""


@dataclass(frozen=True)
class _Way:
    """What the SSH protocol is spoken over.

    :param sock: a connected socket, or a channel of the previous hop
    :param address: the IP address that was dialled, if any
    :param took: the seconds of ConnectTimeout that it took
    """

    sock: Any
    address: str | None = None
    took: float = 0.0
    proxy: ProxyCommand | None = None

    def has_failed(self) -> bool:
        """Whether the way itself ended, as far as one can tell that from the server ending it."""
        if self.proxy is not None:
            return self.proxy.has_failed()
        return isinstance(self.sock, paramiko.Channel) and not told_of(self.sock).closed.wait(_GONE_SECONDS)


def reach(
    configuration: HopConfiguration,
    before: Reached | None,
    opened: ExitStack,
    person: Person,
    seconds_of: Callable[[Deadline], float] = seconds_of,
    *,
    needs_next: Channel | None = None,
    sock: TcpSocket | None = None,
) -> Transport:
    """The transport of a hop, ready for channels.

    If the agent's other keys kept a key file from being shown, reach it once more without them.

    :param before: the hop to reach it through, if there is one
    :param opened: gets what closes it again
    :param person: is asked and told, as in ``connect.connect``, which also says what is raised
    :param seconds_of: how long a deadline is
    :param needs_next: the channel that will be needed first
    :param sock: a connection to it that there is already
    """
    try:
        with ExitStack() as this:
            way = _way(configuration, before, this, person, sock)
            transport = _trusted(configuration, way, this, person, seconds_of, needs_next=needs_next)
            opened.enter_context(this.pop_all())
            return transport
    except FilesLeft:
        label = configuration.label
        person.tell(f"{label} takes no more of the agent's keys; connecting again with key files only.")
    files_only = replace(configuration, identities_only=True)
    way = _way(files_only, before, opened, person)
    return _trusted(files_only, way, opened, person, seconds_of, needs_next=needs_next)


def _way(
    configuration: HopConfiguration,
    before: Reached | None,
    opened: ExitStack,
    person: Person,
    sock: TcpSocket | None = None,
) -> _Way:
    """The first step: connect to a hop, through the previous one or as ssh_config says.

    :param sock: a connection to it that there is already
    """
    hop, where = configuration.label, configuration.address
    if before is not None:
        jump, transport = before
        with person.phase(hop, "dial", f"{where}, through {jump.label}"):
            begin = time.monotonic()
            channel = _channel(configuration, jump, transport, person)
        opened.callback(_shut, channel)
        return _Way(channel, took=time.monotonic() - begin)
    if configuration.proxy_command is not None:
        with person.phase(hop, "dial", f"{where}, by its ProxyCommand"):
            proxy = ProxyCommand(
                configuration.proxy_command,
                partial(person.quote, "ProxyCommand"),
                use_fdpass=configuration.proxy_use_fdpass,
                seconds=configuration.connect_timeout or IDENTIFICATION.seconds,
                meanwhile=person.waiting_for(_what_dials(configuration)),
            )
        opened.callback(proxy.close)
        opened.callback(_shut, proxy.socket)
        return _Way(proxy.socket, proxy=proxy)
    if sock is None:
        sock = dialled(configuration, person)
    opened.callback(_shut, sock)
    return _Way(sock, sock.peer, sock.took)


def _what_dials(configuration: HopConfiguration) -> str:
    command = plain(configuration.proxy_command or "")[:_LONGEST_COMMAND]
    return f"the ProxyCommand of {configuration.called}: {command}"


def _trusted(
    configuration: HopConfiguration,
    way: _Way,
    opened: ExitStack,
    person: Person,
    seconds_of: Callable[[Deadline], float],
    *,
    needs_next: Channel | None,
) -> Transport:
    """The second step: make sure of the hop, and only then show it who the person is."""
    hop = configuration.label
    known = KnownHosts.read(configuration.user_known_hosts_files, configuration.global_known_hosts_files)
    transport = Transport(way.sock, configuration, known.known_types(*known_as(configuration)))
    opened.callback(_end, transport, way.sock)
    transport.needs_next = needs_next
    with person.phase(hop, "key exchange") as outcome:
        key = _keys_exchanged(transport, configuration, way, person, seconds_of(KEY_EXCHANGE))
        outcome.words = transport.agreed

    def left() -> Failure:
        # A server hangs up on people who take too long to answer (LoginGraceTime), and does so cleanly.
        in_order = not way.has_failed() and transport.was_closed and key_accepted
        return stopped_waiting(configuration) if in_order else lost(configuration.called, transport)

    there, key_accepted = _while_there(person, transport, left), False
    try:
        with person.phase(hop, "host key") as outcome:
            verify(known, configuration, key.get_name(), key.asbytes(), person=there, address=way.address)
            outcome.words = describe(key.get_name(), key.asbytes())
        key_accepted = True
        with person.phase(hop, "authentication") as outcome:
            seconds = seconds_of(AUTHENTICATION)
            outcome.words = authenticate(transport, configuration, there, seconds=seconds)
    except (NetworkFailure, AuthenticationFailure) as problem:
        if transport.timed_out:
            raise silent(configuration) from problem
        raise
    return transport


def _while_there(person: Person, transport: Transport, left: Callable[[], Failure]) -> Person:
    """The same person, waited for only while the server is there.

    :param left: why it is not
    """

    def ask(question: Question, wanted: Callable[[], bool]) -> str | None:
        return person.ask(question, lambda: wanted() and transport.is_active())

    def present() -> None:
        if not transport.is_active():
            raise left()

    return replace(person, ask=ask, present=present)


def _keys_exchanged(
    transport: Transport, configuration: HopConfiguration, way: _Way, person: Person, seconds: float
) -> paramiko.PKey:
    def slow() -> None:
        if way.proxy is not None and not transport.remote_version:
            what = _what_dials(configuration)
        else:
            what = f"{configuration.place} to {'exchange keys' if transport.remote_version else 'speak SSH'}"
        person.tell(f"Still waiting for {what} ...")

    try:
        meanwhile = telling(slow, person.check, person.patience)
        return handshake(transport, configuration, meanwhile, took=way.took, seconds=seconds)
    except NetworkFailure as problem:
        if way.proxy is None or transport.remote_version:
            raise
        words = way.proxy.last_words()
        raise NetworkFailure(
            f"{problem.message}; its ProxyCommand said" + (f": {words}" if words else " nothing"),
            "correct its ProxyCommand, or use ProxyJump or -J HOST instead",
        ) from problem


def _channel(
    configuration: HopConfiguration, jump: HopConfiguration, transport: Transport, person: Person
) -> paramiko.Channel:
    where, through = configuration.address, jump.called
    seconds = connect_seconds(configuration)
    try:
        return beside(
            lambda: open_channel(transport, configuration.hostname, configuration.port, seconds),
            "open-channel",
            person.waiting_for(f"{through} to connect to {where}"),
        )
    except StreamRefused as refused:
        if refused.reason is NoStream.FORBIDDEN:
            raise NetworkFailure(
                f"{through} does not allow a connection to {where}",
                "its sshd_config must allow it: AllowTcpForwarding, PermitOpen",
            ) from refused
        if refused.reason is NoStream.NOBODY_LISTENS:
            raise NetworkFailure(
                f"{through} cannot connect to {where}: {refused.words}",
                f"is {where} right, as seen from there?",
            ) from refused
        if not transport.is_active():
            raise lost(through, transport) from refused
        raise NetworkFailure(
            f"connecting to {where} through {through} timed out after {seconds:g} s",
            f"is {where} right, as seen from there?",
        ) from refused


def _end(transport: Transport, sock: Any) -> None:
    with suppress(*GONE):  # of the previous hop, which carries this one
        transport.close()
    # Its thread may be waiting for the server; without a socket it has nothing to wait for.
    _shut(sock)
    if transport.ident is not None:  # a signal may come before it was started
        transport.join(_GONE_SECONDS)


def _shut(sock: Any) -> None:
    with suppress(*GONE):  # a channel that has nobody left to tell
        sock.close()


def lost(called: str, transport: Transport) -> NetworkFailure:
    """A connection ended though nobody wanted it to."""
    words = f": {transport.parting_words}" if transport.parting_words else ""
    return NetworkFailure(f"the connection to {called} was lost{words}", AGAIN)


def silent(hop: HopConfiguration) -> NetworkFailure:
    """ServerAliveCountMax probes went unanswered."""
    seconds = hop.server_alive_interval * hop.server_alive_count_max
    return NetworkFailure(f"{hop.called} has not answered for {seconds:g} s", AGAIN)
