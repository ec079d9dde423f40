"""Where the callback comes in: a listener on this machine, or what the person pastes in its place."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.oauth.callback import Deliver, Expected
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.ports.person import Person
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.gate import Gate
from hermes_tunnel.way_back.listening import ALONE, NotListening, addresses_of, listen

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
        alone: bool = ALONE,
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
        gate = Gate(
            expected, f"Hermes on {destination}", partial(announced, self._post, delivery), self._post
        )
        port, wanted = expected.redirect.port, addresses_of(expected.redirect.host)
        addresses = yield from self._listen(wanted, port, gate, check=check, known=known)
        self.gate, self.listens = gate, bool(addresses)
        if addresses:
            self._emit(events.Forwarding(port, addresses, delivery.port))

    def close(self) -> None:
        """Expect nothing more, but finish the answers under way."""
        with self._changing:
            self.gate = None
            self._open.close()

    def _listen(
        self,
        addresses: tuple[str, ...],
        port: int,
        gate: Gate,
        *,
        check: Callable[[], object],
        known: bool,
    ) -> Steps[tuple[str, ...]]:
        """Listen, making room if the person agrees; returns no address if the port is unavailable and the
        person will paste the address.
        """
        while True:
            check()  # a question may have taken a while
            listening = yield from listen(
                addresses, port, gate.serve, gate.settle, self._open, alone=self._alone
            )
            if not isinstance(listening, NotListening):
                return listening
            from hermes_tunnel.ports.room import Room, make_room

            room = yield from make_room(port, listening.addresses, listening.cause, self._person, known=known)
            if room is Room.NONE:
                return ()


def announced(post: Post, delivery: Delivery, verdict: Deliver) -> Delivered | Undelivered:
    """Deliver, and post that before it happens."""
    go_on = threading.Event()
    post(Delivering(verdict.secrets, go_on))
    go_on.wait(_CATCH_UP_SECONDS)
    return delivery.deliver(verdict)


def callback_event(what: Delivered | Undelivered | Strayed) -> events.Callback:
    """What the gate saw, as an event."""
    if isinstance(what, Undelivered):
        return events.Callback("undeliverable")
    if isinstance(what, Strayed):
        return events.Callback(what.amiss.value, what.error)
    outcome = "denied" if what.error else "delivered" if what.taken else "refused"
    return events.Callback(outcome, what.error, what.way, what.pasted)
