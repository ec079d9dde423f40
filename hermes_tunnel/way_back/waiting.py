"""One port that waits for the answer to one program's request, and what came of that."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.oauth.first_hop import FirstHop, first_hop, onward
from hermes_tunnel.oauth.sightings import Loopback, Page
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back import page
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import Delivering, announced
from hermes_tunnel.way_back.gate import Gate, Onward
from hermes_tunnel.way_back.listening import NotListening, addresses_of, listen
from hermes_tunnel.way_back.outcome import Outcome

_READY_SECONDS = 5.0  # until we are ready for what the program's own page leads to


@dataclass(frozen=True)
class Closed:
    """The port is no longer listened on, though no answer came: its time is up, or a newer one needs room."""


@dataclass(eq=False)
class LeadsOn:
    """The browser came to the program's own page, and is about to be sent on.

    :param url: where to
    :param go_on: set it once it is known whether we are ready for what comes back from there
    :param is_ready: whether we are; if not, the browser stays
    """

    url: str = field(repr=False)
    go_on: threading.Event
    is_ready: bool = False


@dataclass(frozen=True)
class NotReady:
    """The browser was not sent on: whoever has the port here would have got the answer."""

    request: Loopback
    outcome: Outcome


@dataclass(frozen=True)
class OwnPage:
    """The program's own page does not send the browser on: to be seen, its port has to be forwarded."""


News: TypeAlias = Delivering | Delivered | Undelivered | Strayed | Closed | LeadsOn | NotReady | OwnPage


@dataclass(frozen=True)
class AtPort:
    """What happened at the port of a login, or of a program's own page."""

    sighting: Loopback | Page
    news: News

    @property
    def port(self) -> int:
        """The port, here and there."""
        return place_of(self.sighting).port


def place_of(sighting: Loopback | Page) -> Redirect:
    """Where on loopback the browser will come to.

    :raises ValueError: the page is elsewhere
    """
    if isinstance(sighting, Loopback):
        return sighting.redirect
    hop = first_hop(sighting.url)
    if hop is None:
        raise ValueError("that page is not on loopback")
    return hop.place


class Waiting:
    """Listens for the answer, or first for the browser on its way to the issuer.

    :param post: told what happens; called in any thread
    """

    def __init__(self, sighting: Loopback | Page, post: Callable[[AtPort], object]) -> None:
        self.sighting = sighting
        self.place = place_of(sighting)
        self.port = self.place.port
        self.addresses: tuple[str, ...] = ()
        self.is_under_way = False
        """Whether the answer has come and is being delivered."""
        self._post = post
        self._gate: Gate | None = None
        self._opened = ExitStack()

    @property
    def issuer(self) -> str:
        """Where the person signs in; empty as long as only the program knows."""
        return _issuer(self.sighting) if isinstance(self.sighting, Loopback) else ""

    def listen(self, destination: str, delivery: Delivery, *, alone: bool) -> Steps[NotListening | None]:
        """Listen on the port; why not, if it cannot be had.

        :param destination: ``user@host``, for the pages
        :param alone: whether a port that we have bound is ours alone
        """
        receiver = f"the program on {destination}"
        sighting, host = self.sighting, self.place.host
        visits: Onward | None = None
        if isinstance(sighting, Loopback):
            expected = _expected(sighting)
        else:
            expected = Expected(self.place, secrets.token_hex(16))  # which nobody knows: nothing passes yet
            hop = first_hop(sighting.url)
            assert hop is not None  # noqa: S101 - place_of has seen to it
            visits = Onward(hop, partial(self._lead_on, hop, delivery, receiver))
            host = "localhost"  # the answer may come to any of its names
        gate = Gate(expected, receiver, partial(announced, self.tell, delivery), self.tell, onward=visits)
        listening = yield from listen(
            addresses_of(host), self.port, gate.serve, gate.settle, self._opened, alone=alone
        )
        if isinstance(listening, NotListening):
            return listening
        self._gate, self.addresses = gate, listening
        return None

    def expect(self, sighting: Loopback) -> None:
        """Wait at this port for the answer to the request that the program's own page has led to."""
        self.sighting = sighting
        if self._gate is not None:
            self._gate.expect(_expected(sighting))

    def tell(self, news: News) -> None:
        """Post what happened here."""
        self._post(AtPort(self.sighting, news))

    def close(self) -> Steps[None]:
        """Stop listening, but finish the answers under way."""
        yield from work(self.close_now)

    def close_now(self) -> None:
        """The same, waiting for it."""
        self._opened.close()

    def _lead_on(self, hop: FirstHop, delivery: Delivery, receiver: str) -> str | page.Page:
        answer = delivery.fetch(hop.request)
        if isinstance(answer, Undelivered):
            self.tell(answer)
            return page.failed(receiver)
        url = onward(answer.status, answer.location)
        if url is None:
            self.tell(OwnPage())
            return page.own_page(receiver)
        leads_on = LeadsOn(url, threading.Event())
        self.tell(leads_on)
        leads_on.go_on.wait(_READY_SECONDS)
        return url if leads_on.is_ready else page.failed(receiver)


def _issuer(sighting: Loopback) -> str:
    return urlsplit(sighting.url).hostname or ""


def _expected(sighting: Loopback) -> Expected:
    return Expected(
        sighting.redirect,
        sighting.state,
        frozenset({f"https://{_issuer(sighting)}"}),
        without_state=not sighting.state,
        form_post=sighting.form_post,
    )
