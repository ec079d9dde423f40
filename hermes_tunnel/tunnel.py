"""The way back alone: ``forward`` and ``paste``, for a login that already waits on the remote machine."""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import entrance
from hermes_tunnel.conversation.link import Link, connected
from hermes_tunnel.conversation.pasting import Pasting
from hermes_tunnel.errors import NobodyAnswered, Refused, RemoteCommandFailure, UsageFailure
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import Policy, Redirect, assess_authorization
from hermes_tunnel.oauth.callback import Deliver, Expected, Stray
from hermes_tunnel.oauth.pasted import judge_pasted, pasted_address, unwrapped
from hermes_tunnel.oauth.states import Delivered, NobodyPasted, Strayed, Undelivered
from hermes_tunnel.ports.person import BusyPort
from hermes_tunnel.question import Question
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import KNOWN, known_callback
from hermes_tunnel.remote.listeners import choose, chosen, listeners
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.steps import Steps
from hermes_tunnel.way_back.delivery import Delivery, check_way
from hermes_tunnel.way_back.entrance import Delivering, Entrance, callback_event

_TICK_SECONDS = 1.0
_SIGN_IN_PAGE = re.compile("https?://.*[?&]redirect_uri=")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")  # RFC 3986 section 3.1
_NEEDED = {name: re.compile(rf"[?&]{name}=[^&]") for name in ("redirect_uri", "state")}
_COPY_IT_ALL = (
    "copy all of it, from https:// to its end, though it fills several lines; or just press Enter, and we "
    "look for what waits there"
)
_LIKE_THIS = (
    "it begins with http://127.0.0.1: or http://localhost:, and has a state, and a code or an error, in it"
)


@dataclass(frozen=True)
class TunnelOrder:
    """What the person asked for, already checked.

    :param hops: the way to the remote machine, its own hop last
    :param call: where Hermes is there
    :param expected: what is known of the callback; None to look for what waits there
    :param seconds: how long to wait for it; None to wait until stopped
    """

    hops: Sequence[HopConfiguration]
    call: Call = field(default_factory=Call)
    expected: Expected | None = None
    seconds: float | None = None
    busy_port: BusyPort = field(default_factory=BusyPort)
    relay: str = "auto"

    def __post_init__(self) -> None:
        check_way(self.call, self.relay)


def forward(order: TunnelOrder, decider: Decider) -> Redirect:
    """Wait for the callback and deliver it; the connection is made again when it drops.

    :raises Failure: it was not delivered; nothing is left open
    """
    way_in = entrance(decider, order.busy_port)
    with Link(order.hops, decider) as link, closing(way_in):
        expected = order.expected or _what_waits(link, order, decider)
        if not expected.state:
            decider.emit(
                events.Notice("Only the port is known, so any answer with a state and a code is let through.")
            )
        try:
            return _Tunnel(order, expected, link, way_in, decider).run()
        finally:
            decider.console.done_waiting()


def _what_waits(link: Link, order: TunnelOrder, decider: Decider) -> Expected:
    """Find the login's listener on the loopback there in the system's list of sockets.

    Where the connection drops meanwhile, what waits there is looked at again over the next one.
    """
    while True:
        while (connection := link.present) is None:
            link.keep()
            decider.console.waiting("the connection to come back", None)
            decider.next(_TICK_SECONDS)
        nonce = secrets.token_hex(8)
        line = order.call.listeners_line(nonce)
        try:
            found = decider.do(partial(listeners, connection, line, nonce))
        except RemoteCommandFailure:
            if connection.is_up:
                raise
            continue
        port = choose(found, link.destination)
        if isinstance(port, Question):
            answer = decider.answer(port, lambda: link.is_up)
            if answer is None and not link.is_up:
                continue
            port = chosen(answer, found, link.destination)
        return expected_at(port)


def expected_at(port: int) -> Expected:
    """What we know of the callback by its port."""
    path, origins = known_callback(port)
    return Expected(Redirect("127.0.0.1", port, path), "", origins)


def expected_by(url: str) -> Expected:
    """What we know of the callback by the authorization URL that Hermes shows; nothing is opened.

    :raises Unsafe: it must not be opened
    :raises UsageFailure: it is not such a URL, or is cut off, or its answer does not go to a port of the
        machine that the browser runs on
    """
    _check_whole(url)
    authorization = assess_authorization(url, Policy(external_redirects=True))
    if authorization.redirect is None:
        host = authorization.redirect_host or authorization.issuer
        raise UsageFailure(
            f"that login needs no tunnel: its answer goes to {host}",
            "open the page in any browser, and do what Hermes says there",
        )
    policies = [known.policy for known in KNOWN.values() if known.policy.knows(authorization.issuer)]
    origins = (policies or [Policy()])[0].origins(authorization)
    return Expected(authorization.redirect, authorization.state, origins)


def _check_whole(url: str) -> None:
    """:raises UsageFailure: it is not an authorization URL from its beginning to its end"""
    missing = [name for name, has_one in _NEEDED.items() if not has_one.search(url)]
    if not _SCHEME.match(url):
        if "=" not in url:
            raise UsageFailure(
                "that is not the address of a sign-in page: it does not begin with https://", _COPY_IT_ALL
            )
        raise UsageFailure("that address is cut off: it does not begin with https://", _COPY_IT_ALL)
    if missing:
        raise UsageFailure(
            f"that address is cut off, or not a sign-in page's: it has no {' and no '.join(missing)}",
            _COPY_IT_ALL,
        )


class _Tunnel:
    """The wait for one callback."""

    def __init__(
        self, order: TunnelOrder, expected: Expected, link: Link, way_in: Entrance, decider: Decider
    ) -> None:
        self._order = order
        self._expected = expected
        self._link = link
        self._entrance = way_in
        self._decider = decider
        self._pasting = Pasting(decider, way_in)
        self._under_way = False
        self._strayed: Strayed | None = None

    def run(self) -> Redirect:
        """Run until the callback has been delivered."""
        seconds = self._order.seconds
        until = math.inf if seconds is None else time.monotonic() + seconds
        self._decider.begin(self._open())
        try:
            while True:
                left = until - time.monotonic()
                if left <= 0 and not self._under_way:
                    if self._strayed is not None:
                        raise failures.ONLY_CAME[self._strayed.amiss]()
                    raise NobodyAnswered(
                        "the browser did not come back in time",
                        "is the page open in a browser on this machine? run it again with a longer --timeout",
                    )
                self._link.keep()
                what = "your browser" if self._link.is_up else "the connection to come back"
                self._decider.console.waiting(what, None if seconds is None else left)
                item = self._decider.next(_TICK_SECONDS if self._under_way else min(left, _TICK_SECONDS))
                if self._on_item(item):
                    return self._expected.redirect
        finally:
            self._pasting.stop()

    def _open(self) -> Steps[None]:
        link, order, expected = self._link, self._order, self._expected
        delivery = Delivery(link.connection, order.call, expected.redirect, by=order.relay)
        known = bool(known_callback(expected.redirect.port)[0])
        # No matter whether we are connected right now: we will be.
        yield from self._entrance.open(link.destination, expected, delivery, check=lambda: None, known=known)
        which = "that address" if expected.state else "the address that Hermes shows there"
        self._decider.say(f"Open {which} in a browser on this machine, if you have not yet")
        self._pasting.start(code=bool(expected.state))

    def _on_item(self, item: object) -> bool:
        """Whether it is over."""
        if isinstance(item, NobodyPasted):
            raise failures.nobody_pasted()
        if isinstance(item, Delivering):
            self._decider.console.secrets.update(item.secrets)
            self._under_way = True
            item.go_on.set()
        elif isinstance(item, Strayed):
            self._strayed = item
            self._decider.emit(callback_event(item))
        elif isinstance(item, Delivered | Undelivered):
            self._decider.emit(callback_event(item))
            _concluded(item)
            return True
        return False


def _concluded(item: Delivered | Undelivered) -> None:
    if isinstance(item, Undelivered):
        raise failures.undelivered(item)
    if item.error:
        raise failures.declined(item.error)
    if not item.taken:
        raise Refused(
            f"the listener there did not take the browser's answer (HTTP status {item.status})",
            "it may be the answer to another login; look at what Hermes says there",
        )


def paste(order: TunnelOrder, text: str, decider: Decider) -> Redirect:
    """Deliver the address that a browser ended on.

    :param text: as it was pasted
    :raises UsageFailure: it is not a callback address
    :raises Failure: it was not delivered
    """
    text = unwrapped(text)
    if _SIGN_IN_PAGE.match(text):
        raise UsageFailure(
            "that is the address of the sign-in page, not of the page that did not open",
            "sign in there; the browser then ends on a page that does not open, whose address it is",
        )
    try:
        redirect, _ = pasted_address(text)
    except ValueError as problem:
        raise UsageFailure(f"that is not a callback address: {problem}", _LIKE_THIS) from None
    verdict = judge_pasted(text, Expected(redirect, ""))
    if not isinstance(verdict, Deliver):
        reason = "its state is another login's" if isinstance(verdict, Stray) else verdict.reason
        raise UsageFailure(f"that is not a callback address: {reason}", _LIKE_THIS)
    with connected(order.hops, decider, runs=False) as connection:
        delivery = Delivery(lambda: connection, order.call, redirect, by=order.relay)
        event = decider.do(partial(delivery.deliver, verdict))
        if isinstance(event, Delivered):
            event = replace(event, pasted=True)
        decider.emit(callback_event(event))
        _concluded(event)
    return redirect
