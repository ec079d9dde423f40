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
from hermes_tunnel.oauth.callback import Deliver, Expected
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.ports.person import Person
from hermes_tunnel.ssh.forward import LocalForward, PortRefused
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.gate import Gate

_CATCH_UP_SECONDS = 1.0


@dataclass(frozen=True)
class Delivering:
    """A request is about to go to the command; the next post says what became of it.

    :param secrets: the parts that must not be shown, even if the command prints them
    :param go_on: set it once all earlier output has been read, as that may say where the request must go
    """

    secrets: tuple[str, ...] = field(repr=False)
    go_on: threading.Event


Post = Callable[[Delivering | Delivered | Undelivered | Strayed], object]


class Entrance:
    """Open from before the invitation until the callback is delivered; reopened if the login starts over.

    :param person: decides about a port that is taken
    :param emit: told when we listen; called by whoever drives the steps
    :param post: told what becomes of the callback; called in threads
    :param alone: whether a port that we have bound is ours alone
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
        """Get ready for the callback; if the browser cannot bring it, the person must paste it.

        :param destination: ``user@host``, for the pages
        :param check: raises if the connection is lost and there is nothing left to get ready for
        :param known: whether the provider is known to use this port
        :raises NoWayBack: the local port is unavailable, and the person agreed to nothing else
        """
        yield from work(self.close)
        gate = Gate(expected, destination, partial(self._deliver, delivery), self._post)
        port, host = expected.redirect.port, expected.redirect.host
        # To a browser, localhost means both families; whoever held the other one would get the code.
        wanted = ("127.0.0.1", "::1") if host == "localhost" else (host,)
        addresses = yield from self._listen(wanted, port, gate, check=check, known=known)
        self.gate, self.listens = gate, bool(addresses)
        if addresses:
            self._emit(events.Forwarding(port, addresses, delivery.port))

    def close(self) -> None:
        """Expect nothing more, but finish the answers under way."""
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
        """Listen on those addresses that this machine has, making room if the person agrees; returns none if
        the port is unavailable and the person will paste the address.
        """
        while True:
            check()  # a question may have taken a while
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
    """Whether someone else listens where we do.

    BSDs, and so macOS, let a socket bind 127.0.0.1 beside one bound to all addresses.
    """
    from hermes_tunnel.ports.occupants import keeps_from, occupants
    from hermes_tunnel.ports.programs import Role

    others = [one for one in occupants(port) if one.listens and one.role is not Role.ITSELF]
    return any(keeps_from(one, addresses) for one in others)


def callback_event(what: Delivered | Undelivered | Strayed) -> events.Callback:
    """What the gate saw, as an event."""
    if isinstance(what, Undelivered):
        return events.Callback("undeliverable")
    if isinstance(what, Strayed):
        return events.Callback(what.amiss.value, what.error)
    outcome = "denied" if what.error else "delivered" if what.taken else "refused"
    return events.Callback(outcome, what.error, what.way, what.pasted)
