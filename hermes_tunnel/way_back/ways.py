"""The ways back of one session: a port for each login that the programs in it began, and plain forwards.

A program shows an authorization URL; its port is listened on before the person can have opened that. At most
four ports wait at a time, each for ten minutes, and each closes after its callback. A port that somebody else
has here is told of, and may be ended if the person says so later: no question is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.deadlines import LISTENER, OPEN_PORT, Deadline, seconds_of
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.sightings import Loopback, Page, sighting_of
from hermes_tunnel.oauth.states import Delivered, Undelivered
from hermes_tunnel.ports.taken import Taken, taken
from hermes_tunnel.remote.call import Call
from hermes_tunnel.ssh.connection import Connection, NoStream
from hermes_tunnel.steps import Pause, Steps, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import Delivering
from hermes_tunnel.way_back.listening import ALONE, NotListening, addresses_of, listen
from hermes_tunnel.way_back.outcome import AnotherWaits, ForwardRefused, Full, Outcome, Ready
from hermes_tunnel.way_back.plain_forward import PlainForward
from hermes_tunnel.way_back.waiting import AtPort, Closed, LeadsOn, NotReady, Waiting, place_of

MOST_PORTS = 4
MOST_IN_TURN = 16
"""Requests that wait until others have opened or closed their ports: seeing who holds one may take long."""
_TURN_SECONDS = 0.1  # how often a step looks whether another one has done with its port


class Ways:
    """All of them; its steps run in the thread that decides.

    :param connection: returns the connection to the remote machine, or raises ``NetworkFailure``
    :param destination: ``user@host``, for the pages
    :param call: how the command is run there; a container has a loopback of its own
    :param begin: runs steps alongside everything else
    :param emit: told when we listen
    :param post: told what happens at a port; called in any thread
    :param say: tells the person a sentence
    :param relay: as for ``Delivery``
    :param alone: whether a port that we have bound is ours alone
    """

    def __init__(
        self,
        connection: Callable[[], Connection],
        destination: str,
        call: Call,
        *,
        begin: Callable[[Steps[object]], object],
        emit: events.Emit,
        post: Callable[[AtPort | ForwardRefused], object],
        say: Callable[[str], object],
        relay: str = "auto",
        alone: bool = ALONE,
        seconds_of: Callable[[Deadline], float] = seconds_of,
    ) -> None:
        self._connection = connection
        self._destination = destination
        self._call = call
        self._begin = begin
        self._emit = emit
        self._post = post
        self._say = say
        self._relay = relay
        self._alone = alone
        self._seconds_of = seconds_of
        self._waiting: dict[int, Waiting] = {}  # by port, in order of their opening
        self._forwards: dict[int, tuple[Ready, ExitStack]] = {}
        self._is_changing = False
        self._in_turn = 0
        self._refused: dict[int, tuple[Taken, Callable[[], Steps[Outcome]]]] = {}

    @property
    def waiting(self) -> dict[int, str]:
        """The issuer at each port that waits for a callback."""
        return {port: one.issuer for port, one in self._waiting.items()}

    @property
    def forwarded(self) -> tuple[int, ...]:
        """The ports that are forwarded plainly."""
        return tuple(self._forwards)

    def ready(self, sighting: Loopback | Page, *, insist: bool = False) -> Steps[Outcome]:
        """Be ready for the answer to a request, or for the browser at a program's own page on loopback; to be
        done before the page is opened.

        A newer request at the same port and issuer replaces the one before it: the program began again.

        :param insist: whether it replaces one at another issuer too
        """
        port = place_of(sighting).port
        if self._in_turn == MOST_IN_TURN:
            return Full()
        with (yield from self._turn()):
            if port in self._forwards:
                return self._forwards[port][0]
            new, old = Waiting(sighting, self._post), self._waiting.get(port)
            if old is not None:
                if old.sighting == sighting:
                    return Ready(port, old.addresses)
                if old.issuer not in ("", new.issuer) and not insist:
                    return AnotherWaits(port, old.issuer)
                yield from self._close(old)
            elif not (yield from self._make_room()):
                return Full()
            return (yield from self._listen(new))

    def heard(self, item: AtPort) -> Steps[tuple[str, ...]]:
        """Act on what was posted: let a delivery go on, or close the port after its callback.

        :return: what must not be shown from now on
        """
        waits, news = self._waiting_for(item.sighting), item.news
        if isinstance(news, Delivering):
            if waits is not None:
                waits.is_under_way = True
            news.go_on.set()
            return news.secrets
        if isinstance(news, LeadsOn):
            yield from self._lead_on(item.sighting, news, waits)
            return ()
        if waits is not None and isinstance(news, Delivered | Undelivered):
            with (yield from self._turn()):
                yield from self._close(waits)
        return ()

    def end_occupant(self, port: int) -> Steps[Outcome | None]:
        """End those who have a port, of whom the person was told; then try again what they prevented.

        :return: what came of that; None if nobody was told of, or one of them has not ended
        """
        from hermes_tunnel.ports.room import end_occupant
        from hermes_tunnel.ports.termination import Termination

        told, again = self._refused.pop(port, (None, None))
        if told is None or again is None:
            return None
        for holder in told.holders:
            ended = yield from end_occupant(holder, self._say, yes=True)
            if ended is not Termination.FREED:
                return None
        return (yield from again())

    def forward(self, port: int) -> Steps[Outcome]:
        """Forward a port plainly, as long as the session lasts; it takes the place of a gate there.

        :param port: named and confirmed by the person: what it means is in docs/security.md
        :raises UsageFailure: no channel leads into a container
        """
        if self._call.container:
            raise UsageFailure(
                "a port of a container cannot be forwarded plainly: no channel leads into it",
                "publish the port when you start the container, or run without --container",
            )
        with (yield from self._turn()):
            if port in self._forwards:
                return self._forwards[port][0]
            if port in self._waiting:
                yield from self._close(self._waiting[port])
            plain = PlainForward(self._connection, port, partial(self._on_refused, port))
            opened = ExitStack()
            addresses = yield from listen(
                addresses_of("localhost"), port, plain.serve, plain.end, opened, alone=self._alone
            )
            if isinstance(addresses, NotListening):
                return (yield from self._taken(port, addresses, partial(self.forward, port)))
            self._forwards[port] = Ready(port, addresses, plainly=True), opened
            self._emit(events.Forwarding(port, addresses, port))
            return self._forwards[port][0]

    def close(self) -> None:
        """Close everything, but finish the answers under way."""
        for waits in self._waiting.values():
            waits.close_now()
        for _, opened in self._forwards.values():
            opened.close()
        self._waiting.clear()
        self._forwards.clear()

    def _turn(self) -> Steps[AbstractContextManager[None]]:
        """Wait until no other steps open or close a port: a port that is being closed cannot be had yet."""
        self._in_turn += 1
        try:
            while self._is_changing:
                yield Pause(_TURN_SECONDS)
        finally:
            self._in_turn -= 1
        return self._change()

    @contextmanager
    def _change(self) -> Iterator[None]:
        self._is_changing = True
        try:
            yield
        finally:
            self._is_changing = False

    def _listen(self, new: Waiting) -> Steps[Outcome]:
        port, patience = new.port, self._seconds_of(LISTENER)
        delivery = Delivery(self._connection, self._call, new.place, by=self._relay, patience=patience)
        refused = yield from new.listen(self._destination, delivery, alone=self._alone)
        if refused is not None:
            return (yield from self._taken(port, refused, partial(self.ready, new.sighting)))
        self._waiting[port] = new
        self._emit(events.Forwarding(port, new.addresses, port))
        self._begin(self._expire(new))
        return Ready(port, new.addresses)

    def _taken(self, port: int, refused: NotListening, again: Callable[[], Steps[Outcome]]) -> Steps[Outcome]:
        told = yield from work(partial(taken, port, refused.addresses, refused.cause))
        if told.may_end:
            self._refused[port] = told, again
        return told

    def _lead_on(self, page: Loopback | Page, leads_on: LeadsOn, waits: Waiting | None) -> Steps[None]:
        """Be ready for the answer to the request that a program's own page leads to."""
        request = sighting_of(leads_on.url)
        if not isinstance(request, Loopback):
            leads_on.is_ready = True
            leads_on.go_on.set()
            return
        if waits is not None and request.redirect.port == waits.port:
            waits.expect(request)
            outcome: Outcome = Ready(waits.port, waits.addresses)
        else:
            outcome = yield from self.ready(request)
        leads_on.is_ready = isinstance(outcome, Ready)
        leads_on.go_on.set()
        if not leads_on.is_ready:
            self._post(AtPort(page, NotReady(replace(request, wanted=True), outcome)))

    def _waiting_for(self, sighting: Loopback | Page) -> Waiting | None:
        waits = self._waiting.get(place_of(sighting).port)
        return waits if waits is not None and waits.sighting == sighting else None

    def _make_room(self) -> Steps[bool]:
        """Whether one more port may be open; the longest open one gives way."""
        if len(self._waiting) < MOST_PORTS:
            return True
        for waits in self._waiting.values():
            if not waits.is_under_way:
                yield from self._close(waits)
                waits.tell(Closed())
                return True
        return False

    def _expire(self, waits: Waiting) -> Steps[None]:
        yield Pause(self._seconds_of(OPEN_PORT))
        if self._waiting.get(waits.port) is not waits:
            return
        with (yield from self._turn()):
            if self._waiting.get(waits.port) is waits and not waits.is_under_way:
                yield from self._close(waits)
                waits.tell(Closed())

    def _close(self, waits: Waiting) -> Steps[None]:
        if self._waiting.get(waits.port) is waits:
            del self._waiting[waits.port]
        yield from waits.close()

    def _on_refused(self, port: int, _reason: NoStream, words: str) -> None:
        self._post(ForwardRefused(port, words))
