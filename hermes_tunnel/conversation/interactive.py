"""An interactive session (RFC 4254 section 6): a program there has the person's terminal, or their pipes.

What the program prints goes straight to them, and a copy of it to a reader, which looks for sign-ins. The
thread that decides has the rest: the window's size, escapes, what becomes of the sign-ins, the end.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.sign_ins import HELP as OF_SIGN_INS
from hermes_tunnel.conversation.sign_ins import KEYS, OpenPage, SignIns
from hermes_tunnel.deadlines import STATUS
from hermes_tunnel.errors import NetworkFailure, RemoteCommandFailure, Stopped
from hermes_tunnel.remote.call import Call
from hermes_tunnel.ssh.connection import NO_STATUS, Connection, Process, WindowSize
from hermes_tunnel.terminal.display import Display
from hermes_tunnel.terminal.escapes import END, HELP, SUSPEND, Escape, Escapes
from hermes_tunnel.terminal.pass_through import NobodyReads, OutputEnded, PassThrough
from hermes_tunnel.terminal.raw import RawTerminal
from hermes_tunnel.terminal.scrubbed import Printed, Scrubbed
from hermes_tunnel.text import folded
from hermes_tunnel.watching.reader import Reader
from hermes_tunnel.way_back.ways import Ways

_TICK_SECONDS = 1.0  # how often the connection is checked
_END_SECONDS = 1.0  # for a command to end after it was told to
_SIGNALS = {signal.SIGINT: "INT", signal.SIGTERM: "TERM", getattr(signal, "SIGHUP", 1): "HUP"}
_SIGPIPE = 13


@dataclass(frozen=True)
class Resized:
    """The person's window may have another size."""


@dataclass(frozen=True)
class Streams:
    """What the person has here.

    :param input: standard input's descriptor, and where output and errors go; -1 if it is closed
    :param scrubbed: whether the output is shown as lines, scrubbed, on standard error
    """

    input: int = 0
    output: int = 1
    errors: int = 2
    scrubbed: bool = False


@dataclass(frozen=True)
class SignInWishes:
    """How the person wants sign-ins to go.

    :param open_page: opens pages in the person's browser; None: they do it
    :param allowed_hosts: issuers that the person vouches for
    :param relay: whether an answer goes by a relay: ``auto``, ``always`` or ``never``
    :param forwards: the ports that are forwarded plainly from the start
    """

    open_page: OpenPage | None = None
    allowed_hosts: frozenset[str] = frozenset()
    relay: str = "auto"
    forwards: Sequence[int] = ()


class InteractiveSession:
    """One of them, from its start to its end.

    :param call: for whom, and in which container, the program runs
    :param escape_character: what escapes begin with; empty for none
    :param on_terminal: whether the program has a terminal there
    """

    def __init__(
        self,
        decider: Decider,
        connection: Connection,
        process: Process,
        person: RawTerminal,
        *,
        streams: Streams,
        wishes: SignInWishes,
        call: Call,
        escape_character: bytes,
        on_terminal: bool,
    ) -> None:
        self._decider = decider
        self._connection = connection
        self._process = process
        self._person = person
        self._streams = streams
        self._wishes = wishes
        self._escape_character = escape_character if on_terminal else b""
        self._on_terminal = on_terminal
        post = decider.mailbox.put
        self._display = Display(streams.output, is_terminal=on_terminal and not streams.scrubbed)
        self._errors = Display(streams.errors)
        self._ways = Ways(
            lambda: connection,
            connection.destination,
            call,
            begin=decider.begin,
            emit=decider.record,
            post=post,
            say=self._tell,
            relay=wishes.relay,
        )
        self._sign_ins = SignIns(
            decider,
            self._ways,
            open_page=wishes.open_page,
            allowed_hosts=wishes.allowed_hosts,
            news=self._tell,
            show=self._answer,
        )
        self._lost = True
        self._own_escapes: Mapping[str, Callable[[str], object]] = {
            END: self._hang_up,
            SUSPEND: lambda _: person.suspend(),
            HELP: self._help,
        }

    def run(self) -> int:
        """Run it to its end.

        :return: the program's exit status; negative for a signal that ended it
        """
        on_terminal, post, scrubbed = self._on_terminal, self._decider.mailbox.put, self._streams.scrubbed
        size = size_of(self._person) if on_terminal else WindowSize(0, 0)
        self._reader = Reader(post, size.columns, size.rows)
        shown = partial(Scrubbed, post, self._streams.errors)
        through = PassThrough(
            self._process,
            shown() if scrubbed else self._display,
            None if on_terminal else shown() if scrubbed else self._errors,
            typed=self._streams.input,
            escapes=Escapes(self._escape_character, KEYS),
            post=post,
            copy=self._reader.receive,
        )
        with ExitStack() as opened:
            opened.callback(self._ways.close)
            opened.callback(self._reader.close)
            for port in self._wishes.forwards:
                self._sign_ins.forward(port)
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
                self._resize()
            elif isinstance(item, Escape):
                self._on_escape(item)
            elif isinstance(item, Printed):
                self._decider.emit(events.SessionLine(item.line))
                item.shown()
            elif isinstance(item, NobodyReads):
                self._process.close()
                return -_SIGPIPE
            elif isinstance(item, OutputEnded):
                return self._status()
            else:
                self._sign_ins.on_item(item)

    def _resize(self) -> None:
        size = size_of(self._person)
        self._process.resize(size)
        self._reader.resize(size.columns, size.rows)

    def _on_escape(self, escape: Escape) -> None:
        if escape.key in KEYS:
            self._sign_ins.on_escape(escape.key, escape.argument)
        else:
            self._own_escapes[escape.key](escape.argument)

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
        for line in (
            "Supported escape sequences:",
            " ~.   end the connection",
            " ~^Z  suspend",
            *OF_SIGN_INS,
            " ~?   this list",
            " ~~   send ~",
            "(They are recognised at the beginning of a line only.)",
        ):
            self._answer(line)

    def _answer(self, line: str) -> None:
        """Answer what the person has typed, at once."""
        with suppress(OSError):
            for each in folded(self._decider.console.safe(line), self._person.size.columns):
                self._display.show(f"{each}\r\n".encode())

    def _tell(self, text: str) -> None:
        """Tell the person a line, at a moment when it disturbs nothing; ``-q`` has none.

        An address that ends it has a line to itself, whole: it is there to be opened.
        """
        console = self._decider.console
        if self._streams.scrubbed:
            self._decider.tell(events.Notice(f"{text[:1].upper()}{text[1:]}."))
            return
        words = console.safe(f"hermes-tunnel: {text}")
        console.note(words)
        display, where = self._display, self._streams.output
        if not self._on_terminal:
            display, where = self._errors, self._streams.errors
        if not console.is_quiet and os.isatty(where):
            sentence, _, last = words.rpartition(" ")
            address = [last] if last.startswith("https://") else []
            for line in (*folded(sentence if address else words, self._person.size.columns), *address):
                display.tell(line)


def size_of(person: RawTerminal) -> WindowSize:
    """The size of the person's window."""
    size = person.size
    return WindowSize(size.columns, size.rows, size.width, size.height)
