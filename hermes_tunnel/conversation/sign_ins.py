"""The sign-ins that programs in a session begin: their ports are ready, their pages open or are at hand.

Nothing is asked while a program has the terminal. What happens is told in a line, and what the person wants
is typed as an escape: to open a page, to forward a port, to end what holds one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.shown_pages import ShownPage, ShownPages
from hermes_tunnel.errors import Failure, Unsafe
from hermes_tunnel.oauth.authorization import LAST_PORT, Mode
from hermes_tunnel.oauth.callback import Amiss
from hermes_tunnel.oauth.opening import Opening
from hermes_tunnel.oauth.sightings import Loopback, Page, Sighting
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.ports.taken import Taken
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.terminal.words import sentences
from hermes_tunnel.way_back.entrance import callback_event
from hermes_tunnel.way_back.outcome import AnotherWaits, ForwardRefused, Full, Outcome, Ready
from hermes_tunnel.way_back.waiting import AtPort, Closed, News, NotReady, OwnPage
from hermes_tunnel.way_back.ways import Ways

KEYS = {"l": False, "o": True, "f": True, "k": True}
"""The keys of the escapes, each with whether something is typed behind it."""
HELP = (
    " ~l   list the pages that programs have shown",
    " ~o N open page N of that list in your browser",
    " ~f P forward port P plainly, as ssh -L does",
    " ~k P end what holds port P here",
)

OpenPage = Callable[[str, Callable[[str], object]], bool]
"""Opens a page, is given whom to tell why a browser could not be started, and returns whether one was."""


class SignIns:
    """Those of one session. For the thread that decides.

    :param ways: the ways back for them
    :param open_page: None: the person opens them
    :param allowed_hosts: issuers that the person vouches for, besides those that everybody knows
    :param news: takes a line, for a moment when it disturbs nothing; any thread may call it
    :param show: shows a line at once: the answer to what was typed
    :param now: a clock that never goes back, in seconds
    """

    def __init__(
        self,
        decider: Decider,
        ways: Ways,
        *,
        open_page: OpenPage | None,
        allowed_hosts: frozenset[str],
        news: Callable[[str], object],
        show: Callable[[str], object],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decider = decider
        self._ways = ways
        self._open_page = open_page
        self._opening = Opening(allowed_hosts)
        self._news = news
        self._show = show
        self._now = now
        self._pages = ShownPages()
        self._agreeing_to = 0
        self._told_of: set[int] = set()  # ports of programs' own pages
        self._escapes = {"l": self._list, "o": self._open, "f": self._forward, "k": self._end_occupant}

    def forward(self, port: int) -> None:
        """Forward a port plainly, as the person has asked for."""
        self._decider.begin(self._forwarded(port))

    def on_item(self, item: object) -> None:
        """Take what the reader has seen, or what has happened at a port."""
        if isinstance(item, Sighting):
            self._seen(item)
        elif isinstance(item, AtPort):
            self._decider.begin(self._at_port(item))
        elif isinstance(item, ForwardRefused):
            self._news(f"what came to port {item.port} here could not be carried there: {item.words}")

    def on_escape(self, key: str, argument: str) -> None:
        """Do what the person has typed.

        :param key: one of ``KEYS``
        """
        self._escapes[key](int(argument) if argument.isdecimal() and argument.isascii() else 0)

    # -- what programs show ----------------------------------------------------------------------------

    def _seen(self, sighting: Sighting) -> None:
        try:
            page = self._pages.add(sighting)
        except Unsafe as refused:
            if not isinstance(sighting, Page):
                self._news(refused.message)
            return
        if page is None:
            return
        if isinstance(sighting, Loopback):
            self._asked(page, Mode.LOOPBACK)
            self._decider.begin(self._invited(page, sighting))
        elif page.code:
            self._asked(page, Mode.DEVICE)
            self._news(f"sign-in at {page.host}, code {page.code}: {page.at_hand}")
        elif sighting.wanted:
            self._news(f"a program wants to open a page of {page.host}: {page.at_hand}")
        elif self._leads_nowhere(page):
            self._told_of.add(page.port)
            words = f"type ~o {page.number}; its link leads nowhere here"
            self._news(f"a program's own page at {page.host}: {words}")

    def _leads_nowhere(self, page: ShownPage) -> bool:
        """Whether it is a program's own, which a person would click in vain, as nothing listens for it here.

        An address without a path is none: so programs name their listener before they show the issuer's page.
        """
        carried = {*self._ways.waiting, *self._ways.forwarded, *self._told_of}
        return page.is_programs_own and page.has_path and page.port not in carried

    def _asked(self, page: ShownPage, mode: Mode) -> None:
        self._decider.record(events.AuthorizationAsked(mode.value, page.url, page.code, page.host))

    def _invited(self, page: ShownPage, request: Loopback) -> Steps[None]:
        """Get ready for the answer, and only then open the page, if it may open by itself."""
        outcome = yield from self._ways.ready(request)
        if not isinstance(outcome, Ready):
            self._not_ready(page, outcome)
        elif self._open_page is not None and self._opening.opens(request, self._now()):
            yield from self._opened(page)
        else:
            self._news(f"sign-in at {page.host}: {page.at_hand}")

    def _not_ready(self, page: ShownPage, outcome: Outcome) -> None:
        match outcome:
            case AnotherWaits():
                page.became = f"port {outcome.port} waits for {outcome.issuer}"
                other = f"~o {page.number} has it wait for this one"
                words = f"{page.became}; {_in_full(page) if page.is_programs_own else other}"
            case Taken():
                page.became = f"port {outcome.port} is taken here"
                words = _taken(outcome)
            case Full():
                words = f"too many sign-ins are under way; ~o {page.number} tries again"
        what = "page" if page.is_programs_own else "sign-in"
        self._news(f"{what} at {page.host}: {words}")

    def _opened(self, page: ShownPage) -> Steps[None]:
        if self._open_page is None:
            self._news(f"no page opens here, as you asked; open this yourself: {page.url}")
            return
        opened = yield from work(partial(self._open_page, page.url, self._news))
        self._decider.record(events.Browser(opened))
        if opened:
            page.became = page.became or "opened"
            self._news(f"the page of {page.host} has opened in your browser")
        else:
            self._news(f"no browser could be started; open this yourself: {page.url}")

    # -- what comes back -------------------------------------------------------------------------------

    def _at_port(self, item: AtPort) -> Steps[None]:
        news, page = item.news, self._pages.of(item.sighting)
        if isinstance(news, NotReady):
            if (onward := self._pages.add(news.request)) is not None:
                self._not_ready(onward, news.outcome)
            return
        if isinstance(news, Delivered | Undelivered | Strayed):
            self._decider.record(callback_event(news))
        if isinstance(news, Delivered) and page is not None:
            page.became = "declined" if news.error else "answered"
        if words := _words(news, "the page" if page is None else page.host, item.port):
            self._news(words)
        self._decider.console.secrets.update((yield from self._ways.heard(item)))

    # -- what the person types -------------------------------------------------------------------------

    def _list(self, _: int) -> None:
        for line in self._pages.lines():
            self._show(line)
        for port in self._ways.forwarded:
            self._show(f"     port {port} is forwarded plainly")
        if not [*self._pages, *self._ways.forwarded]:
            self._show("No program has shown a page yet.")

    def _open(self, number: int) -> None:
        page = self._pages.numbered(number)
        if page is None:
            self._show("Which page? ~l lists them with their numbers.")
        elif isinstance(page.sighting, Loopback) or (
            isinstance(page.sighting, Page) and page.is_programs_own
        ):
            self._decider.begin(self._wanted(page, page.sighting))
        else:
            self._decider.begin(self._opened(page))

    def _wanted(self, page: ShownPage, wanted: Loopback | Page) -> Steps[None]:
        """Open a page for whose answer, or for which itself, we have to be ready first; a program's own page
        does not end the wait for an answer at its port.
        """
        outcome = yield from self._ways.ready(wanted, insist=isinstance(wanted, Loopback))
        if isinstance(outcome, Ready):
            yield from self._opened(page)
        else:
            self._not_ready(page, outcome)

    def _forward(self, port: int) -> None:
        if not 1 <= port <= LAST_PORT:
            self._show("Which port? Type its number behind ~f.")
        elif port != self._agreeing_to:
            self._agreeing_to = port
            self._show(
                f"Until this session ends, port {port} here would lead to port {port} there. Any page in "
                "your browser and any user of this machine could reach the program there, and that "
                f"program could read your localhost cookies. To agree, type ~f {port} again."
            )
        else:
            self.forward(port)

    def _forwarded(self, port: int) -> Steps[None]:
        try:
            self._on_forward(port, (yield from self._ways.forward(port)))
        except Failure as failure:
            self._news(f"{failure.message}: {failure.hint}")

    def _on_forward(self, port: int, outcome: Outcome) -> None:
        if isinstance(outcome, Taken):
            self._news(_taken(outcome))
        else:
            self._news(f"port {port} here leads to port {port} there until this session ends")

    def _end_occupant(self, port: int) -> None:
        if port:
            self._decider.begin(self._ended(port))
        else:
            self._show("Which port? Type its number behind ~k.")

    def _ended(self, port: int) -> Steps[None]:
        outcome = yield from self._ways.end_occupant(port)
        page = self._pages.waiting_at(port)
        if outcome is None:
            self._news(f"nothing was ended at port {port}")
        elif page is None:
            self._on_forward(port, outcome)
        elif isinstance(outcome, Ready):
            page.became = ""
            self._news(f"port {port} is ready for the sign-in at {page.host}: {page.at_hand}")
        else:
            self._not_ready(page, outcome)


def _in_full(page: ShownPage) -> str:
    return f"~f {page.port} has all of that port carried to your browser"


def _taken(outcome: Taken) -> str:
    way_out = f"~k {outcome.port} ends it" if outcome.may_end else outcome.hint
    return f"{outcome.message}; {way_out}" if way_out else outcome.message


def _words(news: News, host: str, port: int) -> str:
    """What happened at a port, in words that follow our name; none where the program itself will say it."""
    words = ""
    match news:
        case Strayed(amiss=Amiss.INCOMPLETE):  # a fragment stays in the browser (RFC 9110 section 4.2.5)
            words = f"the browser came back to port {port} without an answer"
            words += f"; if the address there has a #, type ~f {port}, then reload that page"
        case Strayed():
            words = next((each.text for each in sentences(callback_event(news), 0)), "")
        case Undelivered():
            words = f"the answer of {host} came, but could not be delivered: {news.words}"
        case Delivered() if not news.error and not news.taken:
            words = f"the program did not take the answer of {host} (HTTP status {news.status})"
        case OwnPage():
            words = f"{host} is a page of the program's own: ~f {port} has all of that port carried here"
        case Closed():
            words = f"port {port} here is closed again; no answer of {host} came"
    return words
