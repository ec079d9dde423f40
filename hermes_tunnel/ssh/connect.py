"""Connecting, through jump hosts, to the machine that runs Hermes.

Each hop is dialled, then its host key is verified, and only then is the person authenticated. The next hop
is reached over a ``direct-tcpip`` channel of the previous one. Everything opened is closed again, last first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

from hermes_tunnel import events
from hermes_tunnel.deadlines import CHANNEL, Deadline, seconds_of
from hermes_tunnel.errors import AuthenticationFailure, NetworkFailure
from hermes_tunnel.question import Ask
from hermes_tunnel.ssh import ahead, channels
from hermes_tunnel.ssh.alive import ServerAlive
from hermes_tunnel.ssh.authentication.askpass import through_askpass
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.connection import Connection, Errors, Process, Stream, Terminal
from hermes_tunnel.ssh.dial import TcpSocket
from hermes_tunnel.ssh.first_hop import announce
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.reach import Reached, lost, reach, silent
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.waiting import TOLD_SECONDS


class ParamikoConnection(Connection):
    """A connection over paramiko's transports: a chain of hops, and what watches them.

    :param hops: how each hop was reached, and its transport, destination last
    :param closing: closes everything that was opened
    :param person: is told of each session
    """

    def __init__(
        self, hops: Sequence[Reached], alive: ServerAlive, closing: ExitStack, person: Person
    ) -> None:
        self._hops = tuple(hops)
        self._alive = alive
        self._closing = closing
        self._person = person

    @property
    def transport(self) -> Transport:
        """The last hop's transport."""
        return self._hops[-1][1]

    @property
    def destination(self) -> str:
        """``user@host`` as the person knows it."""
        return self._hops[-1][0].label

    @property
    def via(self) -> tuple[str, ...]:
        """The jump hosts as ``user@host``, first to last."""
        return tuple(configuration.label for configuration, _ in self._hops[:-1])

    @property
    def is_up(self) -> bool:
        """Whether it is up, as far as is known."""
        return self.transport.is_active()

    def check(self) -> None:
        """Do nothing while it is up; otherwise say which hop was lost."""
        _check(self._hops, self._alive)

    def start(
        self,
        line: str | None,
        terminal: Terminal | None = None,
        *,
        errors: Errors = Errors.DROPPED,
        environment: Sequence[tuple[str, str]] = (),
        guarded: bool = False,
    ) -> Process:
        """Run a command line."""
        with self._person.phase(self.destination, "session"):
            return channels.start(
                self.transport, line, terminal, errors=errors, environment=environment, guarded=guarded
            )

    def open_stream(self, host: str, port: int, seconds: float = CHANNEL.seconds) -> Stream:
        """A stream to a port there."""
        return channels.ChannelStream(channels.open_channel(self.transport, host, port, seconds))

    def close(self) -> None:
        """Close every hop, last first."""
        self._closing.close()


def connect(
    hops: Sequence[HopConfiguration],
    *,
    ask: Ask,
    emit: events.Emit,
    wanted: Callable[[], bool],
    secret: Callable[[str], object],
    runs: bool = True,
    sock: TcpSocket | None = None,
    patience: float = TOLD_SECONDS,
    seconds_of: Callable[[Deadline], float] = seconds_of,
) -> Connection:
    """Connect to the last hop, through the others.

    The calling thread does it all, and waits for whatever takes time.

    :param hops: from ``config.resolve``: first hop first, destination last
    :param ask: asks the person; SSH_ASKPASS does so instead if ssh would use it
    :param emit: is told of each phase, of what the servers say, and of what else the person should know;
        later also of each session
    :param wanted: whether the connection is still wanted; checked all the time
    :param secret: is told each secret answer, whoever gave it, before a server gets it and can quote it
    :param runs: whether a command is to be run as soon as it is made
    :param sock: a connection to the first hop that there is already, as ``first_hop`` makes it
    :param patience: the seconds of a wait until the person is told of it
    :param seconds_of: how long a deadline is
    :raises NetworkFailure: a hop cannot be reached, or is not an SSH server that one can talk to
    :raises HostKeyFailure: a host key is not the known one, or was not accepted
    :raises AuthenticationFailure: a hop accepted none of the person's credentials
    :raises NotWanted: it is no longer wanted; everything opened is closed again
    """
    person = Person(through_askpass(ask), emit, wanted, secret, patience=patience)
    with ExitStack() as opened:
        alive = ServerAlive()
        opened.callback(alive.stop)
        reached: list[Reached] = []
        following = [*(ahead.direct_tcpip(hop.hostname, hop.port) for hop in hops[1:]), None]
        if runs:
            following[-1] = ahead.SESSION
        whole = (*(replace(hop, is_jump_host=True) for hop in hops[:-1]), hops[-1])
        for configuration, needs_next in zip(whole, following, strict=True):
            person.check()
            if sock is None:
                announce(configuration, person)
            try:
                before = reached[-1] if reached else None
                transport = reach(
                    configuration, before, opened, person, seconds_of, needs_next=needs_next, sock=sock
                )
            except (NetworkFailure, AuthenticationFailure):
                person.check()
                _check(reached, alive)
                raise
            reached.append((configuration, transport))
            sock = None
            alive.watch(configuration, transport)
        return ParamikoConnection(reached, alive, opened.pop_all(), person)


def _check(hops: Sequence[Reached], alive: ServerAlive) -> None:
    """Do nothing while all hops are up; otherwise say which was lost; if several were, the first."""
    for configuration, transport in hops:
        if configuration is not alive.silent and transport.is_active():
            continue
        if configuration is alive.silent or transport.timed_out:
            raise silent(configuration)
        if alive.silent is None:
            raise lost(configuration.called, transport)
