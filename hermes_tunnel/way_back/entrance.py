"""Where the callback comes in: a listener on this machine, or what the person pastes in its place."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qs, urlsplit

from hermes_tunnel import events
from hermes_tunnel.oauth.callback import Deliver, Expected, address_of
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.ports.person import Person
from hermes_tunnel.ssh.forward import LocalForward, PortRefused
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.gate import Gate

_CATCH_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Delivering:
    """A request is about to be sent to the command; what becomes of it is said by what comes next.

    :param secrets: what is in it that must not be shown, also where the command prints it
    :param go_on: to be set when all that came before has been read: it may say where the request has to go
    """

    secrets: tuple[str, ...] = field(repr=False)
    go_on: threading.Event


Post = Callable[[Delivering | Delivered | Undelivered | Strayed], object]


class Entrance:
    """Open from before the invitation until the callback was delivered; a login that starts over opens anew.

    :param person: decides about a port that is taken
    :param emit: is told that it listens; called by whoever goes through the steps
    :param post: gets what becomes of the callback; called in threads
    :param alone: whether a bound port is nobody else's
    """

    def __init__(
        self,
        person: Person,
        emit: events.Emit,
        post: Post,
        *,
        alone: bool = sys.platform in ("linux", "win32"),
    ) -> None:
        self._person = person
        self._emit = emit
        self._post = post
        self._alone = alone
        self._open = ExitStack()
        self._changing = threading.Lock()
        self.gate: Gate | None = None
        self.listens = False

    def open(
        self,
        destination: str,
        expected: Expected,
        delivery: Delivery,
        *,
        check: Callable[[], object],
        known: bool,
    ) -> Steps[None]:
        """Be ready for the callback; where the browser cannot bring it, the person has to, by pasting.

        :param destination: ``user@host``, for the pages
        :param check: raises where there is nothing to be ready for any more, because the connection is lost
        :param known: whether the provider is known to use this port
        :raises NoWayBack: the local port cannot be had, and nothing else was agreed to
        """
        yield from work(self.close)
        gate = Gate(expected, destination, partial(self._deliver, delivery), self._post)
        port, host = expected.redirect.port, expected.redirect.host
        # A browser takes localhost for both families; whoever held the other would get the code.
        wanted = ("127.0.0.1", "::1") if host == "localhost" else (host,)
        addresses = yield from self._listen(wanted, port, gate, check=check, known=known)
        self.gate, self.listens = gate, bool(addresses)
        if addresses:
            self._emit(events.Forwarding(port, addresses, delivery.port))

    def close(self) -> None:
        """Expect nothing more; what is being answered is answered."""
        with self._changing:
            self.gate = None
            self._open.close()

    def _deliver(self, delivery: Delivery, verdict: Deliver) -> Delivered | Undelivered:
        answer = parse_qs(urlsplit(address_of(verdict.request)).query)
        go_on = threading.Event()
        self._post(Delivering(tuple(answer.get("code", [])), go_on))
        go_on.wait(_CATCH_UP_SECONDS)
        return delivery.deliver(verdict)

    def _listen(
        self,
        addresses: tuple[str, ...],
        port: int,
        gate: Gate,
        *,
        check: Callable[[], object],
        known: bool,
    ) -> Steps[tuple[str, ...]]:
        """Listen on all of the addresses that this machine has, making room if the person agrees; none where
        the port cannot be had and the person will bring the address.
        """
        while True:
            check()  # a question may have stood meanwhile
            try:
                self._open.enter_context(LocalForward(addresses, port, gate.serve, gate.settle))
                if self._alone or not (yield from work(partial(shared, port, addresses))):
                    return addresses
                yield from work(self.close)
                cause = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
            except PortRefused as refused:
                from hermes_tunnel.ports.occupants import BindRefusal, why_not

                cause = refused.cause
                if len(addresses) > 1 and why_not(cause, port).reason is BindRefusal.NO_ADDRESS:
                    addresses = tuple(address for address in addresses if address != refused.address)
                    continue
            from hermes_tunnel.ports.room import Room, make_room

            room = yield from make_room(port, addresses, cause, self._person, known=known)
            if room is Room.NONE:
                return ()


def shared(port: int, addresses: Iterable[str]) -> bool:
    """Whether somebody else listens where we do.

    On BSDs, and so on macOS, a socket on 127.0.0.1 may be bound beside one on all addresses.
    """
    from hermes_tunnel.ports.occupants import keeps_from, occupants
    from hermes_tunnel.ports.programs import Role

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
