"""Inviting the person: first be ready for the answer, then show the address, then open the browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.browser.opening import open_browser
from hermes_tunnel.clipboard import NoClipboard
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.pasting import Pasting
from hermes_tunnel.errors import Failure, Unsafe
from hermes_tunnel.oauth.authorization import Authorization, Mode
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.ports.person import BusyPort, Person
from hermes_tunnel.question import is_yes, yes_or_no
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.program import Program
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.steps import Steps, ask, work
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import Entrance

_MOST_BROWSERS = 2  # the page, and once more if the command starts over
YOUR_BROWSER = "your browser"
_OPENED_SECONDS = 0.5  # how long we wait for the browser's starter when all is over


@dataclass(frozen=True)
class Wishes:
    """How the person wants the login to go.

    :param seconds: the person's time; None: as long as the provider gives
    :param open_page: opens a page in the person's browser; whether it could. None: the person does it
    :param opens_in: what ``open_page`` opens it in, in words
    :param allowed_hosts: issuers that the person vouches for
    :param busy_port: what becomes of a local port that is taken
    :param relay: whether the callback goes by a relay: ``auto``, ``always`` or ``never``
    :param copy_code: puts a user code on the clipboard; None: nothing does
    :param qr: whether the page of a device login is shown as a QR code too
    """

    seconds: float | None = None
    open_page: Callable[[str], bool] | None = open_browser
    opens_in: str = YOUR_BROWSER
    allowed_hosts: frozenset[str] = frozenset()
    busy_port: BusyPort = field(default_factory=BusyPort)
    relay: str = "auto"
    copy_code: Callable[[str], object] | None = None
    qr: bool = False


class Invitations:
    """The invitations of one login: one, and another if the command starts over.

    :param type_in: types the browser's address at the command's own prompt; returns whether it has one
    """

    def __init__(
        self,
        provider: Program,
        call: Call,
        wishes: Wishes,
        decider: Decider,
        type_in: Callable[[str], bool],
    ) -> None:
        self._provider = provider
        self._call = call
        self._wishes = wishes
        self._decider = decider
        self._type_in = type_in
        self._entrance = entrance(decider, wishes.busy_port)
        self._pasting = Pasting(decider, self._entrance)
        self._delivery: Delivery | None = None
        self._there: int | None = None
        self._browsers = 0
        self._opening = 0
        self._agreed: set[tuple[str, str]] = set()

    def invite(self, authorization: Authorization, connection: Connection, *, again: bool) -> Steps[None]:
        """Invite the person.

        :raises Unsafe: nobody vouches for the issuer
        :raises NoWayBack: the local port cannot be had, and nothing else was agreed to
        """
        self._pasting.stop()
        tell = self._decider.emit
        if authorization.names_nobody and not self._knows(authorization.issuer):
            head = f"{connection.destination} asks you to sign in at:"
            agreed = yield from self._agrees_to_open(authorization.url, authorization.issuer, head)
            self._decider.say("The command will ask for what the page gives you, a code or an address.")
            if not agreed:
                return
            tell = self._decider.record
        else:
            yield from self._check_issuer(authorization, connection.destination)
        self._decider.console.secrets.add(authorization.state)  # some releases print it if it does not match
        if authorization.mode is Mode.LOOPBACK:
            yield from self._expect(authorization, connection)
        else:
            yield from work(self._entrance.close)
        opens = self._wishes.open_page if self._browsers < _MOST_BROWSERS else None
        tell(
            events.AuthorizationAsked(
                authorization.mode.value,
                authorization.url,
                authorization.user_code,
                authorization.issuer,
                again,
                self._provider.title,
                self._wishes.opens_in if opens is not None else "",
            )
        )
        if self._wishes.qr and authorization.mode is Mode.DEVICE:
            self._decider.emit(events.QrCode(authorization.url))
        if self._wishes.copy_code is not None and authorization.user_code:
            self._decider.begin(self._copy(self._wishes.copy_code, authorization.user_code))
        if opens is None:
            self._pasting.start()
        else:
            self._browsers += 1
            self._open(opens, authorization.url)

    def offer(self, url: str, issuer: str, destination: str) -> Steps[None]:
        """Offer to open a page that the command shows and that we do not recognise."""
        head = f"{destination} shows a page that may be for your sign-in. It is at:"
        if (yield from self._agrees_to_open(url, issuer, head)) and self._wishes.open_page is not None:
            self._open(self._wishes.open_page, url)

    def _agrees_to_open(self, url: str, issuer: str, head: str) -> Steps[bool]:
        """Show a page that nobody vouches for, whole; whether the person wants it opened. The login goes on
        without, for they may open it themselves.
        """
        self._decider.say(head)
        self._decider.say(f"    {issuer}")
        self._decider.emit(events.PageShown(url))
        if self._wishes.open_page is not None and is_yes(
            (yield from ask(yes_or_no("Open it in your browser?", "do not open it")))
        ):
            return True
        self._decider.say("It was not opened. If you know that page, open it in a browser on this machine.")
        return False

    def _open(self, open_page: Callable[[str], bool], url: str) -> None:
        self._opening += 1
        self._decider.begin(self._open_page(open_page, url))

    def _open_page(self, open_page: Callable[[str], bool], url: str) -> Steps[None]:
        """Open the page; the browser may be back before its starter has finished."""
        opened = yield from work(partial(open_page, url))
        if self._opening:
            self._opening -= 1
            self._tell_opened(opened)
            if not self._opening:
                self._pasting.start()

    def _copy(self, copy: Callable[[str], object], user_code: str) -> Steps[None]:
        """Put the code on the clipboard, or else offer it to the terminal's."""
        try:
            yield from work(partial(copy, user_code))
        except NoClipboard as problem:
            offered = self._decider.console.to_clipboard(user_code)
            what = (
                "The code was offered to your terminal's clipboard" if offered else "The code was not copied"
            )
            words = f"{what} ({problem})."
        else:
            words = "The code is on the clipboard."
        self._decider.emit(events.CodeCopied(words))

    def on_browser_back(self) -> None:
        """The browser brought the answer, so it was opened, whatever its starter says later."""
        if self._opening:
            self._opening = 0
            self._tell_opened(True)

    def _tell_opened(self, opened: bool) -> None:
        """Tell what became of the person's browser; what stands in for it is not one that was opened."""
        if self._wishes.opens_in == YOUR_BROWSER:
            self._decider.emit(events.Browser(opened))
        else:
            self._decider.record(events.Browser(opened=False))

    def deliver_to(self, port: int | None) -> None:
        """Deliver to the port that the command names; None for the redirect's own."""
        self._there = port
        if self._delivery is not None and port is not None:
            self._delivery.port = port

    def expect_nothing(self) -> Steps[None]:
        """Stop expecting anything from the browser, or from the person in its place."""
        self._pasting.stop()
        yield from work(self._entrance.close)

    @contextmanager
    def open(self) -> Iterator[Invitations]:
        """Keep the listener open for as long as this lasts, then report what became of the browser."""
        try:
            try:
                yield self
            except Failure:
                self._hear_of_browsers()
                raise
            self._hear_of_browsers()
        finally:
            self._pasting.stop()
            self._entrance.close()

    def _hear_of_browsers(self) -> None:
        self._pasting.stop()
        until = time.monotonic() + _OPENED_SECONDS
        while self._opening and (left := until - time.monotonic()) > 0:
            self._decider.next(left)

    def _check_issuer(self, authorization: Authorization, destination: str) -> Steps[None]:
        """Let the person judge an issuer that nobody vouches for; only once, if the command starts over."""
        issuer, known = authorization.issuer, self._knows(authorization.issuer)
        what = (issuer, authorization.redirect_host if authorization.mode is Mode.EXTERNAL else "")
        if (known and authorization.mode is not Mode.EXTERNAL) or what in self._agreed:
            return
        say = self._decider.say
        say(f"{destination} asks you to sign in at:")
        say(f"    {issuer}")
        if authorization.mode is Mode.EXTERNAL:
            say("and the answer will go from your browser to:")
            say(f"    {authorization.redirect_host}")
        if not is_yes(
            (yield from ask(yes_or_no("Is that where you want to sign in?", "no, and the login ends")))
        ):
            raise Unsafe(
                f"{issuer} is not known to belong to {self._provider.title}; nothing was opened",
                f"if you know that it does: --allow-host {issuer}",
            )
        self._agreed.add(what)

    def _knows(self, issuer: str) -> bool:
        return self._provider.policy.knows(issuer) or issuer in self._wishes.allowed_hosts

    def _expect(self, authorization: Authorization, connection: Connection) -> Steps[None]:
        """Be ready for the browser, or for what the person pastes if it cannot come back."""
        redirect = authorization.redirect
        assert redirect is not None  # noqa: S101 - a loopback authorization has one
        expected = Expected(redirect, authorization.state, self._provider.policy.origins(authorization))
        self._delivery = Delivery(
            lambda: connection, self._call, redirect, by=self._wishes.relay, type_in=self._type_in
        )
        if self._there is not None:
            self._delivery.port = self._there
        known = self._provider.callback is not None and self._provider.callback[0] == redirect.port
        yield from self._entrance.open(
            connection.destination, expected, self._delivery, check=connection.check, known=known
        )


def entrance(decider: Decider, busy: BusyPort) -> Entrance:
    """An entrance that asks the person at the console."""
    person = Person(decider.say, decider.console.is_terminal, busy)
    return Entrance(person, decider.emit, decider.mailbox.put)
