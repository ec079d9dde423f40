"""A run: a program on the remote machine has the person's own terminal, as with ssh(1)."""

from __future__ import annotations

import os
import secrets
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.interactive import InteractiveSession, Resized, SignInWishes, Streams, size_of
from hermes_tunnel.conversation.link import connected
from hermes_tunnel.errors import ConfigurationFailure, TerminalRefused
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.line import typed
from hermes_tunnel.remote.typed import typed_line
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.connection import Connection, Errors, Process, Terminal
from hermes_tunnel.ssh.dial import TcpSocket
from hermes_tunnel.terminal.escapes import escape_character
from hermes_tunnel.terminal.raw import RawTerminal


@dataclass(frozen=True)
class RunOrder:
    """What the person asked for, already checked.

    :param hops: the way to the remote machine, its own hop last
    :param words: none for the account's shell, one for a command line of its, several for a program and its
        words
    :param call: for whom, and in which container
    :param terminal: as ssh_config's RequestTTY, where ``yes`` is ``-t``, ``force`` is ``-tt`` and ``no`` is
        ``-T``; ``auto`` for what that says, and ``yes`` if it says nothing
    :param browser: whether the pages that programs want to open there are to come here
    :param streams: what it is to have here; scrubbed, it has no terminal unless that is forced
    :param wishes: how the sign-ins of programs in it are to go
    :param sock: a connection to the first hop that there is already
    """

    hops: Sequence[HopConfiguration]
    words: Sequence[str] = ()
    call: Call = field(default_factory=Call)
    terminal: str = "auto"
    browser: bool = False
    streams: Streams = field(default_factory=Streams)
    wishes: SignInWishes = field(default_factory=SignInWishes)
    sock: TcpSocket | None = None


def run(order: RunOrder, decider: Decider) -> int:
    """Run it to its end.

    :return: its exit status, as a shell has it: 128 and the number, if a signal ended it
    :raises Failure: it could not run, or we ended it; nothing is left open or running
    """
    session = order.hops[-1].session
    words = _words(order)
    if session.not_done:
        decider.emit(
            events.Notice(f"ssh_config asks for {', '.join(session.not_done)}, which run does not do.")
        )
    told = decider.console.is_curious
    with connected(order.hops, decider, told=told, sock=order.sock) as connection, ExitStack() as opened:
        person = RawTerminal(order.streams.input, lambda: decider.mailbox.put(Resized()))
        terminal = _terminal(order, person)
        start = partial(_start, order, words, connection)
        try:
            process = decider.do(partial(start, terminal), undo=lambda started: started.close())
        except TerminalRefused as refused:
            decider.emit(events.Notice(f"The program runs without a terminal: {refused.message}."))
            terminal = None
            process = decider.do(partial(start, None), undo=lambda started: started.close())
        opened.enter_context(closing(process))
        decider.record(events.CommandStarted(typed(words)))
        status = InteractiveSession(
            decider,
            connection,
            process,
            person,
            streams=order.streams,
            wishes=order.wishes,
            call=order.call,
            escape_character=escape_character(session.escape_char),
            on_terminal=terminal is not None,
        ).run()
        decider.record(events.CommandEnded(status))
        return status if status >= 0 else 128 - status


def _words(order: RunOrder) -> Sequence[str]:
    remote = order.hops[-1].session.remote_command
    if remote is None or order.words:
        if remote is not None:
            raise ConfigurationFailure(
                "ssh_config has a RemoteCommand for this host, and you have typed a command too",
                "to run yours, add -o RemoteCommand=none",
            )
        return order.words
    return (remote,)


def _terminal(order: RunOrder, person: RawTerminal) -> Terminal | None:
    """The terminal that it is to have, if any: the person's own, as far as they have one."""
    wish = order.terminal if order.terminal != "auto" else order.hops[-1].session.request_tty
    if wish == "no" or (wish != "force" and (order.streams.scrubbed or not person.is_terminal)):
        return None
    return Terminal(os.environ.get("TERM", ""), size_of(person), person.modes)


def _start(
    order: RunOrder, words: Sequence[str], connection: Connection, terminal: Terminal | None
) -> Process:
    line = typed_line(
        words, order.call, secrets.token_hex(8), terminal=terminal is not None, browser=order.browser
    )
    environment = order.hops[-1].session.environment
    errors = Errors.DROPPED if terminal else Errors.APART
    return connection.start(line, terminal, errors=errors, environment=environment)
