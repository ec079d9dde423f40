"""A run: a program on the remote machine has the person's own terminal, as with ssh(1)."""

from __future__ import annotations

import os
import secrets
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.link import connected
from hermes_tunnel.deadlines import STATUS
from hermes_tunnel.errors import (
    ConfigurationFailure,
    NetworkFailure,
    RemoteCommandFailure,
    Stopped,
    TerminalRefused,
)
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.line import typed
from hermes_tunnel.remote.typed import typed_line
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.connection import NO_STATUS, Connection, Errors, Process, Terminal, WindowSize
from hermes_tunnel.terminal.display import Display
from hermes_tunnel.terminal.escapes import END, HELP, SUSPEND, Escape, Escapes, escape_character
from hermes_tunnel.terminal.pass_through import NobodyReads, OutputEnded, PassThrough
from hermes_tunnel.terminal.raw import RawTerminal
from hermes_tunnel.terminal.scrubbed import Printed, Scrubbed

_TICK_SECONDS = 1.0  # how often the connection is checked
_END_SECONDS = 1.0  # for a command to end after it was told to
_SIGNALS = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", getattr(signal, "SIGHUP", 1): "HUP"}
_SIGPIPE = 13


@dataclass(frozen=True)
class Resized:
    """The person's window may have another size."""


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
    :param scrubbed: whether the output is shown as lines, scrubbed, on standard error; then there is no
        terminal unless it is forced
    :param input: standard input's descriptor, and where output and errors go; -1 if it is closed
    """

    hops: Sequence[HopConfiguration]
    words: Sequence[str] = ()
    call: Call = field(default_factory=Call)
    terminal: str = "auto"
    browser: bool = False
    scrubbed: bool = False
    input: int = 0
    output: int = 1
    errors: int = 2


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
    with connected(order.hops, decider, told=decider.console.is_curious) as connection, ExitStack() as opened:
        person = RawTerminal(order.input, lambda: decider.mailbox.put(Resized()))
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
        status = Session(order, decider, connection, process, person, on_terminal=terminal is not None).run()
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
    if wish == "no" or (wish != "force" and (order.scrubbed or not person.is_terminal)):
        return None
    return Terminal(os.environ.get("TERM", ""), _size(person), person.modes)


def _size(person: RawTerminal) -> WindowSize:
    size = person.size
    return WindowSize(size.columns, size.rows, size.width, size.height)


def _start(
    order: RunOrder, words: Sequence[str], connection: Connection, terminal: Terminal | None
) -> Process:
    line = typed_line(
        words, order.call, secrets.token_hex(8), terminal=terminal is not None, browser=order.browser
    )
    environment = order.hops[-1].session.environment
    errors = Errors.DROPPED if terminal else Errors.APART
    return connection.start(line, terminal, errors=errors, environment=environment)


class Session:
    """One run, from its start to its end.

    :param on_terminal: whether it has a terminal there
    """

    def __init__(
        self,
        order: RunOrder,
        decider: Decider,
        connection: Connection,
        process: Process,
        person: RawTerminal,
        *,
        on_terminal: bool,
    ) -> None:
        self._order = order
        self._decider = decider
        self._connection = connection
        self._process = process
        self._person = person
        self._on_terminal = on_terminal
        self._display = Display(order.output, is_terminal=on_terminal and not order.scrubbed)
        self._lost = True
        self._own_escapes: Mapping[str, Callable[[str], object]] = {
            END: self._hang_up,
            SUSPEND: lambda _: person.suspend(),
            HELP: self._help,
        }

    def run(self) -> int:
        """Run it to its end.

        :return: its exit status; negative for a signal that ended it
        """
        order, on_terminal, post = self._order, self._on_terminal, self._decider.mailbox.put
        character = escape_character(order.hops[-1].session.escape_char) if on_terminal else b""
        errors = Scrubbed(post) if order.scrubbed else Display(order.errors)
        through = PassThrough(
            self._process,
            Scrubbed(post) if order.scrubbed else self._display,
            None if on_terminal else errors,
            typed=order.input,
            escapes=Escapes(character),
            post=post,
        )
        with ExitStack() as opened:
            if on_terminal:
                opened.enter_context(self._person)
            opened.callback(self._leave)
            opened.enter_context(through)
            opened.callback(self._process.close)
            try:
                status = self._wait()
            except Stopped as stopped:
                self._end(_SIGNALS.get(stopped.number, "TERM"))
                raise
            self._lost = False
        return status

    def _leave(self) -> None:
        """Before the terminal is as it was: what is shown then begins a line."""
        with suppress(OSError):
            self._display.end(lost=self._lost)

    def _wait(self) -> int:
        while True:
            item = self._decider.next(_TICK_SECONDS)
            if item is None:
                self._connection.check()
            elif isinstance(item, Resized):
                self._process.resize(_size(self._person))
            elif isinstance(item, Escape):
                self._own_escapes[item.key](item.argument)
            elif isinstance(item, Printed):
                self._decider.emit(events.RemoteLine(item.line))
                item.shown()
            elif isinstance(item, NobodyReads):
                self._process.close()
                return -_SIGPIPE
            elif isinstance(item, OutputEnded):
                return self._status()

    def _status(self) -> int:
        status = self._decider.do(partial(self._process.wait, STATUS.seconds))
        if status is None:
            self._connection.check()
        if status is None or status == NO_STATUS:
            raise RemoteCommandFailure(
                "the program ended, and the server did not say how",
                "look there whether it did what it should",
            )
        return status

    def _end(self, name: str) -> None:
        """Have it end: a hung-up terminal does that when the channel closes, a pipe may not."""
        if not self._on_terminal and self._connection.is_up:
            self._process.end_input()
            self._process.signal(name)
            self._process.wait(_END_SECONDS)

    def _hang_up(self, _: str) -> None:
        raise NetworkFailure(
            f"the connection to {self._connection.destination} was ended by ~.", "run the same command again"
        )

    def _help(self, _: str) -> None:
        lines = (
            "Supported escape sequences:",
            " ~.   end the connection",
            " ~^Z  suspend",
            " ~?   this list",
            " ~~   send ~",
            "(They are recognised at the beginning of a line only.)",
        )
        with suppress(OSError):
            self._display.show("".join(f"{line}\r\n" for line in lines).encode())
