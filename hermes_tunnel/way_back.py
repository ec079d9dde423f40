"""The way back from the browser: a gate, behind a listener on this machine or the person's clipboard."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import dataclass

import paramiko

from hermes_tunnel import events
from hermes_tunnel.delivery import Delivery
from hermes_tunnel.errors import Undeliverable
from hermes_tunnel.local.console import Console
from hermes_tunnel.local.gate import Gate, Report
from hermes_tunnel.local.ports import BindRefusal, Refusal, occupants, why_not
from hermes_tunnel.local.programs import Role
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.oauth.states import Delivered, Strayed
from hermes_tunnel.port import Room, make_room
from hermes_tunnel.ssh.forward import LocalForward, PortRefused

_ALONE = sys.platform in ("linux", "win32")
"""Whether a bound port is nobody else's; BSDs give 127.0.0.1 away beside a listener on all addresses."""


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
    :param report: is told of the callback, by the gate's threads
    """

    def __init__(self, console: Console, emit: events.Emit, report: Report, busy: BusyPort) -> None:
        self._console = console
        self._emit = emit
        self._report = report
        self._busy = busy
        self._open = ExitStack()
        self.gate: Gate | None = None
        """Takes what the person pastes; None before it was opened and after it was closed."""

    def open(
        self, transport: paramiko.Transport, destination: str, expected: Expected, delivery: Delivery
    ) -> bool:
        """Be ready for the callback; whether the browser can bring it. Else the person has to, by ``gate``.

        :raises NoWayBack: the local port cannot be had, and nothing else was agreed to
        """
        self.close()
        self.gate = Gate(expected, destination, delivery.deliver, self._report)
        port, host = expected.redirect.port, expected.redirect.host
        # A browser takes localhost for both families; whoever held the other would get the code.
        addresses = self._listen(transport, ("127.0.0.1", "::1") if host == "localhost" else (host,), port)
        self._open.callback(self.gate.settle)
        if addresses:
            self._emit(events.Forwarding(port, addresses, delivery.port))
        return bool(addresses)

    def close(self) -> None:
        """Expect nothing more; what is being answered is answered."""
        self._open.close()
        self.gate = None

    def _listen(
        self, transport: paramiko.Transport, addresses: tuple[str, ...], port: int
    ) -> tuple[str, ...]:
        """Listen on all of the addresses that this machine has, making room if the person agrees; none where
        the port cannot be had and the person will bring the address.
        """
        assert self.gate is not None  # noqa: S101 - made by open
        while True:
            forward = LocalForward(transport, addresses, port, self.gate.serve)
            try:
                self._open.enter_context(forward)
                refusal = None if _ALONE else shared(port)
                if refusal is None:
                    return addresses
                self._open.close()
            except PortRefused as refused:
                refusal = why_not(refused.cause, port)
                if refusal.reason is BindRefusal.NO_ADDRESS and len(addresses) > 1:
                    addresses = tuple(address for address in addresses if address != refused.address)
                    continue
            room = make_room(port, refusal, self._console, on_busy=self._busy.wish, yes=self._busy.yes)
            if room is Room.NONE:
                return ()


def shared(port: int) -> Refusal | None:
    """Why a port that we listen on is not ours alone: somebody else listens there too.

    On BSDs, and so on macOS, a socket on 127.0.0.1 may be bound beside one on all addresses.
    """
    others = [one for one in occupants(port) if one.listens and one.role is not Role.ITSELF]
    if not others:
        return None
    return Refusal(
        BindRefusal.TAKEN, f"local port {port} is taken", f"to see by whom: hermes-tunnel port {port}"
    )


def callback_event(what: Delivered | Undeliverable | Strayed) -> events.Callback:
    """What the gate saw, as it is told."""
    if isinstance(what, Undeliverable):
        return events.Callback("undeliverable")
    if isinstance(what, Strayed):
        return events.Callback("stray")
    outcome = "denied" if what.error else "delivered" if what.taken else "refused"
    return events.Callback(outcome, what.error, what.way)
