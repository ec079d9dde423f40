"""How the callback reaches the command: through a channel, a relay, or the command's own prompt."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Iterator
from typing import TypeAlias

from hermes_tunnel.deadlines import SUCCESS_PAGE
from hermes_tunnel.errors import NetworkFailure, UsageFailure
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Deliver
from hermes_tunnel.oauth.rebuilding import address_of, is_form
from hermes_tunnel.oauth.states import Delivered, NoDelivery, Undelivered
from hermes_tunnel.oauth.success_page import MOST_HOPS, next_request
from hermes_tunnel.remote.call import Call, begin_marker
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.way_back import channel
from hermes_tunnel.way_back.relay import relay

_LISTENS_ON = {"localhost": ("127.0.0.1", "::1"), "::1": ("::1",)}

Way: TypeAlias = Callable[[bytes, float], Answer | Undelivered]
_PACE_SECONDS = 0.3  # between two attempts to find somebody who listens


def check_way(call: Call, by: str) -> None:
    """Check that there can be a way, before we connect to anything.

    :raises UsageFailure: a channel never leads to a container's loopback, only to the machine's, where
        something else may listen
    """
    if call.container and by == "never":
        raise UsageFailure(
            "with --relay never, a callback cannot get into a container: only a relay leads there",
            "leave out --relay or --container",
        )


class Delivery:
    """Delivers to one port of the remote's loopback. It never probes: the request itself finds the way.

    :param connection: returns the connection to the remote machine, or raises ``NetworkFailure``
    :param call: how Hermes is run there; a container has a loopback of its own
    :param redirect: where the browser was sent; the remote listens on the same port unless it says otherwise
    :param by: ``auto``: a channel, or a relay if the server refuses that; ``always``: a relay;
        ``never``: a channel and nothing else
    :param patience: for how many seconds to try again if nobody listens there yet
    :param type_in: types the browser's address at the command's own prompt, the last resort, and returns
        whether there is one
    """

    def __init__(
        self,
        connection: Callable[[], Connection],
        call: Call,
        redirect: Redirect,
        *,
        by: str = "auto",
        patience: float = 0.0,
        type_in: Callable[[str], bool] | None = None,
    ) -> None:
        self.port = redirect.port
        """Where the command listens there; changed when it names another port."""
        self._hosts = _LISTENS_ON.get(redirect.host, ("127.0.0.1",))
        self._connection = connection
        self._call = call
        self._by = by
        self._patience = patience
        self._type_in = type_in

    def deliver(self, verdict: Deliver) -> Delivered | Undelivered:
        """Send the callback to the listener, and return what became of it."""
        sent = self._send_patiently(verdict.request)
        if isinstance(sent, Undelivered):
            return sent
        name, way, answer = sent
        self._fetch_success_page(way, verdict.request, answer)
        return Delivered(verdict.error, answer.status, name)

    def fetch(self, request: bytes) -> Answer | Undelivered:
        """Send another request to the listener, and return its answer."""
        sent = self._send_patiently(request)
        return sent if isinstance(sent, Undelivered) else sent[2]

    def _send_patiently(self, request: bytes) -> tuple[str, Way, Answer] | Undelivered:
        """Send it. A program may show its address a moment before it listens; if nobody does, nobody has the
        request, and it is sent again.

        :return: by which way, and the answer
        """
        until = time.monotonic() + self._patience
        while True:
            sent = self._send(request)
            is_early = isinstance(sent, Undelivered) and sent.reason is NoDelivery.NOBODY_LISTENS
            if not is_early or time.monotonic() + _PACE_SECONDS >= until:
                return sent
            time.sleep(_PACE_SECONDS)

    def _send(self, request: bytes) -> tuple[str, Way, Answer] | Undelivered:
        refusals = []
        for name, way in self._ways():
            answer = way(request, math.inf)
            if not isinstance(answer, Undelivered):
                return name, way, answer
            if answer.reason is not NoDelivery.FORBIDDEN:
                return answer
            refusals.append(answer.words)
        return Undelivered(NoDelivery.FORBIDDEN, "; ".join(refusals))

    def _fetch_success_page(self, way: Way, request: bytes, answer: Answer) -> None:
        """Go where the listener's answer leads, as the browser would; getting there changes nothing here."""
        until = time.monotonic() + SUCCESS_PAGE.seconds
        for _ in range(MOST_HOPS):
            onward = next_request(request, answer.status, answer.location)
            if onward is None or time.monotonic() >= until:
                return
            request, answered = onward, way(onward, until)
            if isinstance(answered, Undelivered):
                return
            answer = answered

    def _ways(self) -> Iterator[tuple[str, Way]]:
        if self._by == "never" or (self._by == "auto" and not self._call.container):
            yield "forward", self._forward
        if self._by != "never":
            yield "relay", self._relay
            yield "prompt", self._prompt

    def _forward(self, request: bytes, until: float) -> Answer | Undelivered:
        return self._connected(
            lambda connection: channel.deliver(connection, self._hosts, self.port, request, until=until)
        )

    def _relay(self, request: bytes, until: float) -> Answer | Undelivered:
        nonce = secrets.token_hex(8)
        line = self._call.relay_line(self.port, self._hosts, nonce)
        marker = begin_marker(nonce)
        return self._connected(lambda connection: relay(connection, line, marker, request, until=until))

    def _connected(self, attempt: Callable[[Connection], Answer | Undelivered]) -> Answer | Undelivered:
        """Try once more, on the next connection, if this one turns out to be lost."""
        try:
            answer = attempt(self._connection())
            if isinstance(answer, Undelivered) and answer.reason is NoDelivery.LOST:
                answer = attempt(self._connection())
        except NetworkFailure:
            return Undelivered(NoDelivery.LOST, "it has not come back")
        return answer

    def _prompt(self, request: bytes, _until: float) -> Answer | Undelivered:
        if is_form(request) or self._type_in is None or not self._type_in(address_of(request)):
            words = "the command has no prompt that takes an address"
            return Undelivered(NoDelivery.FORBIDDEN, words)
        return Answer()
