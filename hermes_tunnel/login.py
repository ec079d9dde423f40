"""A login, from the connection to the credential: the use case that everything else serves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.command import Conversation
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import Wishes
from hermes_tunnel.conversation.link import connected
from hermes_tunnel.errors import NeverBegan, Refused, RemoteCommandFailure, TerminalRefused
from hermes_tunnel.oauth.effects import Outcome, Proof
from hermes_tunnel.oauth.failures import unproven
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.command import RemoteCommand, output_of
from hermes_tunnel.remote.landing import Landing, NotSeen, Unchanged, landed
from hermes_tunnel.remote.program import Program
from hermes_tunnel.remote.shell import NoShell, shell_without_terminal
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.ssh.dial import TcpSocket
from hermes_tunnel.way_back.delivery import check_way


@dataclass(frozen=True)
class LoginOrder:
    """What the person asked for, already checked.

    :param hops: the way to the remote machine, its own hop last
    :param call: how Hermes is run there
    :param extra: words for Hermes after its own
    :param wishes: how the person wants the conversation to go
    :param sock: a connection to the first hop that there is already
    """

    provider: Program
    hops: Sequence[HopConfiguration]
    call: Call = field(default_factory=Call)
    extra: Sequence[str] = ()
    wishes: Wishes = field(default_factory=Wishes)
    sock: TcpSocket | None = None

    def __post_init__(self) -> None:
        check_way(self.call, self.wishes.relay)


@dataclass(frozen=True)
class LoggedIn:
    """A login that is seen to have succeeded.

    :param provider: its name
    :param destination: ``user@host``, with the account whose program is now logged in
    :param landing: where its credential is, if that could be looked up
    """

    provider: str
    outcome: Outcome
    destination: str
    landing: Landing | None


def login(order: LoginOrder, decider: Decider) -> LoggedIn:
    """Log the remote Hermes in, on a terminal if the server gives us one.

    :raises Failure: the login did not succeed; nothing is left open or running
    """
    with connected(order.hops, decider, sock=order.sock) as connection:
        try:
            return _log_in(order, decider, connection)
        except TerminalRefused as refused:
            why, hint = "the server gives it none", refused.hint
        except NeverBegan:
            shell = decider.do(partial(shell_without_terminal, connection, secrets.token_hex(8)))
            if isinstance(shell, NoShell):
                raise
            decider.forget()  # what that command printed while it was being ended
            why = f"a start-up file of {shell.path} takes it"
            hint = (
                f"look for exec in {shell.startup_file} there, and let it run only in interactive shells: "
                f"{shell.guard}"
            )
        decider.emit(events.Notice(f"The command runs without a terminal: {why}."))
        return _log_in(order, decider, connection, no_terminal=hint)


@contextmanager
def _running(remote: RemoteCommand, decider: Decider) -> Iterator[RemoteCommand]:
    """Run the command, and report if it had to be ended."""
    try:
        with decider.entered(remote) as command:
            yield command
    finally:
        if remote.was_stopped:
            decider.emit(events.CommandStopped())


def _log_in(
    order: LoginOrder, decider: Decider, connection: Connection, *, no_terminal: str = ""
) -> LoggedIn:
    """Log in with one run of the command.

    :param no_terminal: if it runs without a terminal, how to get one there
    """
    nonce = secrets.token_hex(8)
    line = order.call.login_line(order.provider, nonce, order.extra, terminal=not no_terminal)
    talk = Conversation(order.provider, order.call, order.wishes, decider=decider, nonce=nonce)
    remote = RemoteCommand(connection, line, decider.mailbox.put, terminal=not no_terminal)
    with _running(remote, decider) as command:
        decider.emit(events.CommandStarted(order.call.described(order.provider, order.extra)))
        try:
            conclusion = talk.run(connection, command)
        except Refused as failed:
            if no_terminal and not talk.invited:
                raise RemoteCommandFailure(f"without a terminal {failed.message}", no_terminal) from failed
            raise
    again = partial(output_of, connection, order.call.landing_line(order.provider, nonce))
    landing = landed(talk.looks(), partial(decider.do, again), nonce)
    if isinstance(landing, Unchanged) and landing.there:
        detail = conclusion.proof is Proof.NEEDLESS
        decider.emit(events.Notice(f"This login did not change {landing.path}.", detail=detail))
    not_seen = landing.reason if isinstance(landing, NotSeen) else ""
    if not conclusion.proof.is_met(None if not_seen else isinstance(landing, Landing)):
        program, status = order.provider.executable.name, order.call.status(order.provider)
        raise unproven(conclusion, program, status, not_seen=not_seen)
    whose = order.call.account(connection.destination)
    seen = landing if isinstance(landing, Landing) else None
    return LoggedIn(order.provider.name, conclusion.outcome, whose, seen)
