"""The way back from the browser: a gate, behind a listener on this machine or the person's clipboard."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from hermes_tunnel import events
from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.oauth.callback import Deliver, Expected, address_of
from hermes_tunnel.oauth.states import Delivered, NobodyPasted, Strayed, Undelivered
from hermes_tunnel.ports.occupants import BindRefusal, keeps_from, occupants, why_not
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.room import Room, make_room
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.ssh.forward import LocalForward, PortRefused
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.gate import Gate


@dataclass(frozen=True)
class BusyPort:
    """What the person wants if the local port is taken: ``ask``, ``kill``, ``paste`` or ``fail``.

    :param yes: whether the question is answered
    """

    wish: str = "ask"
    yes: bool = False


class WayBack:
    """Open from before the invitation until the callback was delivered; a login that starts over opens anew.

    :param console: asks whether to end an occupant
    :param emit: is told that it listens
    :param mailbox: gets what became of the callback
    :param alone: whether a bound port is nobody else's
    """

    def __init__(
        self,
        console: Console,
        emit: events.Emit,
        mailbox: Mailbox,
        busy: BusyPort,
        *,
        alone: bool = sys.platform in ("linux", "win32"),
    ) -> None:
        self._console = console
        self._emit = emit
        self._mailbox = mailbox
        self._busy = busy
        self._alone = alone
        self._open = ExitStack()
        self._gate: Gate | None = None
        self._listens = False
        self._knows_state = False

    def open(self, connection: Connection, expected: Expected, delivery: Delivery) -> None:
        """Be ready for the callback; where the browser cannot bring it, the person has to, by pasting.

        :raises NetworkFailure: the connection is lost
        :raises NoWayBack: the local port cannot be had, and nothing else was agreed to
        """
        self.close()

        def deliver(verdict: Deliver) -> Delivered | Undelivered:
            answer = parse_qs(urlsplit(address_of(verdict.request)).query)
            self._console.secrets.update(answer.get("code", []))  # a command may print what it was given
            self._mailbox.before_request()
            return delivery.deliver(verdict)

        self._gate = Gate(expected, connection.destination, deliver, self._mailbox.put)
        self._knows_state = bool(expected.state)
        port, host = expected.redirect.port, expected.redirect.host
        # A browser takes localhost for both families; whoever held the other would get the code.
        wanted = ("127.0.0.1", "::1") if host == "localhost" else (host,)
        addresses = self._listen(connection, wanted, port, self._gate)
        self._open.callback(self._gate.settle)
        self._listens = bool(addresses)
        if addresses:
            self._emit(events.Forwarding(port, addresses, delivery.port))

    def take_what_is_pasted(self) -> None:
        """The address that the browser ended on, or a code that the page shows, in the browser's place."""
        if self._gate is None or (self._listens and not self._console.is_terminal):
            return  # standard input may be meant for somebody else
        if self._listens:
            self._console.take_pasted(self._gate.paste, needed=False, nobody=_nothing, code=self._knows_state)
        else:
            self._emit(events.Prompt("the address that the browser ended on", secret=True))
            self._console.take_pasted(
                self._gate.paste, needed=True, nobody=lambda: self._mailbox.put(NobodyPasted())
            )

    def close(self) -> None:
        """Expect nothing more; what is being answered is answered."""
        self._open.close()
        self._gate = None

    def _listen(
        self, connection: Connection, addresses: tuple[str, ...], port: int, gate: Gate
    ) -> tuple[str, ...]:
        """Listen on all of the addresses that this machine has, making room if the person agrees; none where
        the port cannot be had and the person will bring the address.
        """
        while True:
            connection.check()  # a question may have stood meanwhile
            forward = LocalForward(addresses, port, gate.serve)
            try:
                self._open.enter_context(forward)
                if self._alone or not shared(port, addresses):
                    return addresses
                self._open.close()
                cause = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            except PortRefused as refused:
                cause = refused.cause
                if len(addresses) > 1 and why_not(cause, port).reason is BindRefusal.NO_ADDRESS:
                    addresses = tuple(address for address in addresses if address != refused.address)
                    continue
            busy = self._busy
            room = make_room(port, addresses, cause, self._console, on_busy=busy.wish, yes=busy.yes)
            if room is Room.NONE:
                return ()


def _nothing() -> None:
    """Nobody pastes, and nobody needs to."""


def shared(port: int, addresses: Iterable[str]) -> bool:
    """Whether somebody else listens where we do.

    On BSDs, and so on macOS, a socket on 127.0.0.1 may be bound beside one on all addresses.
    """
    others = [one for one in occupants(port) if one.listens and one.role is not Role.ITSELF]
    return any(keeps_from(one, addresses) for one in others)


def callback_event(what: Delivered | Undelivered | Strayed) -> events.Callback:
    """What the gate saw, as it is told."""
    if isinstance(what, Undelivered):
        return events.Callback("undeliverable")
    if isinstance(what, Strayed):
        return events.Callback("stray")
    outcome = "denied" if what.error else "delivered" if what.taken else "refused"
    return events.Callback(outcome, what.error, what.way, what.pasted)
