"""One port that waits for the answer to one program's request, and what came of that."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias
from urllib.parse import urlsplit

from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.oauth.sightings import Loopback
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import Delivering, announced
from hermes_tunnel.way_back.gate import Gate
from hermes_tunnel.way_back.listening import NotListening, addresses_of, listen


@dataclass(frozen=True)
class Closed:
    """The port is no longer listened on, though no answer came: its time is up, or a newer one needs room."""


News: TypeAlias = Delivering | Delivered | Undelivered | Strayed | Closed


@dataclass(frozen=True)
class AtPort:
    """What happened at the port of a login."""

    sighting: Loopback
    news: News

    @property
    def port(self) -> int:
        """The port, here and there."""
        return self.sighting.redirect.port


class Waiting:
    """Listens for the answer from ``listen`` to ``close``.

    :param post: told what happens; called in any thread
    """

    def __init__(self, sighting: Loopback, post: Callable[[AtPort], object]) -> None:
        self.sighting = sighting
        self.port = sighting.redirect.port
        self.issuer = urlsplit(sighting.url).hostname or ""
        self.addresses: tuple[str, ...] = ()
        self.is_under_way = False
        """Whether the answer has come and is being delivered."""
        self._post = post
        self._opened = ExitStack()

    def listen(self, destination: str, delivery: Delivery, *, alone: bool) -> Steps[NotListening | None]:
        """Listen on the port; why not, if it cannot be had.

        :param destination: ``user@host``, for the pages
        :param alone: whether a port that we have bound is ours alone
        """
        redirect, state = self.sighting.redirect, self.sighting.state
        expected = Expected(
            redirect,
            state,
            frozenset({f"https://{self.issuer}"}),
            without_state=not state,
            form_post=self.sighting.form_post,
        )
        receiver = f"the program on {destination}"
        gate = Gate(expected, receiver, partial(announced, self.tell, delivery), self.tell)
        listening = yield from listen(
            addresses_of(redirect.host), self.port, gate.serve, gate.settle, self._opened, alone=alone
        )
        if isinstance(listening, NotListening):
            return listening
        self.addresses = listening
        return None

    def tell(self, news: News) -> None:
        """Post what happened here."""
        self._post(AtPort(self.sighting, news))

    def close(self) -> Steps[None]:
        """Stop listening, but finish the answers under way."""
        yield from work(self.close_now)

    def close_now(self) -> None:
        """The same, waiting for it."""
        self._opened.close()
