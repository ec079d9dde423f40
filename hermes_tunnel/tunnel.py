"""The way back alone: ``forward`` and ``paste``, for a login that already waits on the remote machine."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from hermes_tunnel import events
from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.errors import NobodyAnswered, Refused, UsageFailure
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import Policy, Redirect, assess_authorization
from hermes_tunnel.oauth.callback import Deliver, Expected, Stray, judge_pasted, pasted_address
from hermes_tunnel.oauth.states import Delivered, NobodyPasted, Strayed, Undelivered
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import KNOWN, known_callback
from hermes_tunnel.remote.listeners import choose, listeners
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.way_back.delivery import Delivery, check_way
from hermes_tunnel.way_back.entrance import BusyPort, WayBack, callback_event
from hermes_tunnel.way_back.link import Link

_TICK_SECONDS = 1.0
_LIKE_THIS = (
    "it begins with http://127.0.0.1: or http://localhost:, and has a state, and a code or an error, in it"
)


@dataclass(frozen=True)
class Order:
    """What the person asked for, all of it checked.

    :param hops: the way to the remote machine, its own hop last
    :param call: where Hermes is there
    :param expected: the callback, as far as it is known; None: what waits there is looked at
    :param seconds: how long to wait for it; None: until it is stopped
    """

    hops: Sequence[HopConfiguration]
    call: Call = field(default_factory=Call)
    expected: Expected | None = None
    seconds: float | None = None
    busy_port: BusyPort = field(default_factory=BusyPort)
    relay: str = "auto"

    def __post_init__(self) -> None:
        check_way(self.call, self.relay)


def forward(order: Order, console: Console, emit: events.Emit) -> Redirect:
    """Wait for the callback and deliver it; the connection is made again when it drops.

    :raises Failure: it did not get there, and why; nothing is left open
    """
    mailbox = Mailbox()
    with (
        Link(order.hops, console, emit) as link,
        closing(WayBack(console, emit, mailbox, order.busy_port)) as way_back,
    ):
        expected = order.expected or _what_waits(link, order, console)
        if not expected.state:
            emit(
                events.Notice("Only the port is known, so any answer with a state and a code is let through.")
            )
        delivery = Delivery(link.connection, order.call, expected.redirect, by=order.relay)
        way_back.open(link.connection(), expected, delivery)
        way_back.take_what_is_pasted()
        try:
            _await_callback(mailbox, link, console, emit, order.seconds)
        finally:
            console.stop_asking()
            console.done_waiting()
        return expected.redirect


def _what_waits(link: Link, order: Order, console: Console) -> Expected:
    """The listener on the loopback there that is the login's, by a look at the system's list of sockets."""
    nonce = secrets.token_hex(8)
    found = listeners(link.connection(), order.call.listeners_line(nonce), nonce)
    port = choose(found, link.destination, console.ask)
    return expected_at(port)


def expected_at(port: int) -> Expected:
    """What is known of the callback to a port."""
    path, origins = known_callback(port)
    return Expected(Redirect("127.0.0.1", port, path), "", origins)


def expected_by(url: str) -> Expected:
    """What is known of the callback by the authorization URL that Hermes shows; nothing is opened here.

    :raises Unsafe: it is no such URL, or one that must not be opened
    :raises UsageFailure: its answer does not go to a port of the machine that the browser runs on
    """
    authorization = assess_authorization(url, Policy(external_redirects=True))
    if authorization.redirect is None:
        raise UsageFailure(
            f"that login needs no tunnel: its answer goes to {authorization.redirect_host}",
            "open the page in any browser, and do what Hermes says there",
        )
    policies = [known.policy for known in KNOWN.values() if known.policy.knows(authorization.issuer)]
    origins = (policies or [Policy()])[0].origins(authorization)
    return Expected(authorization.redirect, authorization.state, origins)


def _await_callback(
    mailbox: Mailbox,
    link: Link,
    console: Console,
    emit: events.Emit,
    seconds: float | None,
) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    console.waiting("the browser to come back", seconds)
    while True:
        left = None if until is None else until - time.monotonic()
        came_in_time = mailbox.request_under_way
        item = mailbox.get(_TICK_SECONDS if left is None or came_in_time else min(left, _TICK_SECONDS))
        if isinstance(item, NobodyPasted):
            raise NobodyAnswered(*failures.NOBODY_PASTED)
        if isinstance(item, Delivered | Undelivered | Strayed):
            emit(callback_event(item))
            if isinstance(item, Strayed):
                continue
            return _concluded(item)
        if left is not None and left <= 0 and not (came_in_time or mailbox.request_under_way):
            raise NobodyAnswered(
                "the browser did not come back in time",
                "is the page open in a browser on this machine? run it again, with a longer --timeout",
            )
        link.keep()
        console.waiting(f"the {'browser' if link.is_up else 'connection'} to come back", left)


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


def paste(order: Order, text: str, emit: events.Emit, console: Console) -> Redirect:
    """Deliver the address that a browser ended on.

    :param text: as it was pasted
    :raises UsageFailure: it is no callback address
    :raises Failure: it did not get there, and why
    """
    if re.match("https?://.*[?&]redirect_uri=", text.strip()):
        raise UsageFailure(
            "that is the address of the sign-in page, not of the page that did not open",
            "sign in there; the browser then ends on a page that does not open, whose address it is",
        )
    try:
        redirect, _ = pasted_address(text.strip())
    except ValueError as problem:
        raise UsageFailure(f"that is no callback address: {problem}", _LIKE_THIS) from None
    verdict = judge_pasted(text, Expected(redirect, ""))
    if not isinstance(verdict, Deliver):
        reason = "its state is another" if isinstance(verdict, Stray) else verdict.reason
        raise UsageFailure(f"that is no callback address: {reason}", _LIKE_THIS)
    with Link(order.hops, console, emit) as link:
        delivery = Delivery(link.connection, order.call, redirect, by=order.relay)
        event = delivery.deliver(verdict)
        if isinstance(event, Delivered):
            event = replace(event, pasted=True)
        emit(callback_event(event))
        _concluded(event)
    return redirect
