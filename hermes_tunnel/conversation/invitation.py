"""Inviting the person to sign in: ready for the answer first, then the address, then the browser."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_tunnel import events
from hermes_tunnel.browser import NotStarted, open_browser
from hermes_tunnel.conversation.mailbox import Mailbox, Opened
from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Authorization, Mode
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import Provider
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import BusyPort, WayBack

_MOST_BROWSERS = 2  # the page, and once more if the command starts over
_OPENED_SECONDS = 0.5  # what starts a browser is given that long when all is over


@dataclass(frozen=True)
class Wishes:
    """How the person wants the login to go.

    :param seconds: the person's time; None: as long as the provider gives
    :param open_page: opens a page in the person's browser; whether it could. None: the person does it
    :param allowed_hosts: issuers that the person vouches for
    :param busy_port: what becomes of a local port that is taken
    :param relay: whether the callback goes by a relay: ``auto``, ``always`` or ``never``
    """

    seconds: float | None = None
    open_page: Callable[[str], bool] | None = open_browser
    allowed_hosts: frozenset[str] = frozenset()
    busy_port: BusyPort = field(default_factory=BusyPort)
    relay: str = "auto"


class Invitations:
    """The invitations of one login: one, and another if the command starts over.

    :param type_in: types the browser's address at the command's own prompt; whether it has one
    """

    def __init__(
        self,
        provider: Provider,
        call: Call,
        wishes: Wishes,
        *,
        console: Console,
        emit: events.Emit,
        mailbox: Mailbox,
        type_in: Callable[[str], bool],
    ) -> None:
        self._provider = provider
        self._call = call
        self._wishes = wishes
        self._console = console
        self._emit = emit
        self._mailbox = mailbox
        self._type_in = type_in
        self._way_back = WayBack(console, emit, mailbox, wishes.busy_port)
        self._delivery: Delivery | None = None
        self._browsers = 0
        self._openers: list[threading.Thread] = []
        self._agreed: set[tuple[str, str]] = set()

    def invite(self, authorization: Authorization, connection: Connection, *, again: bool) -> None:
        """Invite the person; the browser is started beside whatever else happens (``Opened``).

        :raises Unsafe: nobody vouches for the issuer
        :raises NoWayBack: the local port cannot be had, and nothing else was agreed to
        """
        self._console.stop_asking()
        self._check_issuer(authorization, connection.destination)
        self._console.secrets.add(authorization.state)  # some releases print it when it does not match
        self._way_back.close()
        if authorization.mode is Mode.LOOPBACK:
            self._expect(authorization, connection)
        self._emit(
            events.AuthorizationAsked(
                authorization.mode.value,
                authorization.url,
                authorization.user_code,
                authorization.issuer,
                again,
            )
        )
        if self._wishes.open_page is None or self._browsers == _MOST_BROWSERS:
            self._way_back.take_what_is_pasted()
            return
        self._browsers += 1
        # What starts a browser may take its time, and the browser may be back before it is done.
        opener = threading.Thread(
            target=self._open, args=(self._wishes.open_page, authorization.url), name="browser", daemon=True
        )
        self._openers.append(opener)
        opener.start()

    def _open(self, open_page: Callable[[str], bool], url: str) -> None:
        try:
            self._mailbox.put(Opened(open_page(url)))
        except NotStarted as problem:
            self._mailbox.put(Opened(False, str(problem)))

    def on_opened(self, opened: Opened) -> None:
        """The browser was started, or could not be."""
        if not self._openers:
            return  # it has been here already
        self._openers.pop(0)
        if opened.reason:
            self._emit(events.Notice(f"{opened.reason}."))
        self._emit(events.Browser(opened.opened))
        if not self._openers:
            self._way_back.take_what_is_pasted()

    def on_browser_back(self) -> None:
        """The browser brought the answer, so it had been opened, whatever its starter has to say yet."""
        if self._openers:
            self._openers.clear()
            self._emit(events.Browser(opened=True))

    def deliver_to(self, port: int) -> None:
        """The command said that it listens on another port than the redirect's."""
        if self._delivery is not None:
            self._delivery.port = port

    def expect_nothing(self) -> None:
        """Nothing more is expected from the browser, or from the person in its place."""
        self._console.stop_asking()
        self._way_back.close()

    def close(self) -> None:
        """All is over; what is known of the browser is told."""
        self.expect_nothing()
        for opener in self._openers:
            opener.join(_OPENED_SECONDS)
        while self._openers and (item := self._mailbox.get(0)) is not None:
            if isinstance(item, Opened):
                self.on_opened(item)

    def _check_issuer(self, authorization: Authorization, destination: str) -> None:
        """An issuer that nobody vouches for is the person's to judge; once, if the command starts over."""
        policy, issuer = self._provider.policy, authorization.issuer
        known = policy.knows(issuer) or issuer in self._wishes.allowed_hosts
        what = (issuer, authorization.redirect_host if authorization.mode is Mode.EXTERNAL else "")
        if (known and authorization.mode is not Mode.EXTERNAL) or what in self._agreed:
            return
        self._console.say(f"{destination} asks you to sign in at:")
        self._console.say(f"    {issuer}", bold=True)
        if authorization.mode is Mode.EXTERNAL:
            self._console.say("and the answer will go from your browser to:")
            self._console.say(f"    {authorization.redirect_host}", bold=True)
        if not self._console.confirm("Is that where you want to sign in?"):
            raise Unsafe(
                f"{issuer} is not known to belong to {self._provider.title}; nothing was opened",
                f"if you know that it does: --allow-host {issuer}",
            )
        self._agreed.add(what)

    def _expect(self, authorization: Authorization, connection: Connection) -> None:
        """Be ready for the browser, or for what the person brings where it cannot come back by itself."""
        redirect = authorization.redirect
        assert redirect is not None  # noqa: S101 - a loopback authorization has one
        expected = Expected(redirect, authorization.state, self._provider.policy.origins(authorization))
        self._delivery = Delivery(
            lambda: connection, self._call, redirect, by=self._wishes.relay, type_in=self._type_in
        )
        self._way_back.open(connection, expected, self._delivery)
