"""The sign-ins of a session: what is told, what opens by itself, and what the escapes do."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.sign_ins import OpenPage, SignIns
from hermes_tunnel.oauth.sightings import Device, Page, Sighting
from tests.way_back.test_ways import TAKEN, Session, Visit, is_open, sighting

pytestmark = pytest.mark.usefixtures("nothing_left")
_PATIENCE, _LOOK = 0.5, 0.02
KNOWN = "https://auth.openai.com/oauth/authorize?client_id=c&redirect_uri=r"
ELSEWHERE = "https://auth.example.com/authorize?client_id=c"


@dataclass
class Person:
    """Somebody with a session, and a browser that may or may not start."""

    session: Session
    sign_ins: SignIns = field(init=False)
    browser: bool | None = True
    clock: float = 0.0
    news: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Sit down."""
        open_page: OpenPage | None = None if self.browser is None else self._open
        self.sign_ins = SignIns(
            self.session.decider,
            self.session.ways,
            open_page=open_page,
            allowed_hosts=frozenset(),
            news=self.news.append,
            show=self.shown.append,
            now=lambda: self.clock,
        )

    def _open(self, url: str, _: Callable[[str], object]) -> bool:
        self.opened.append(url)
        return bool(self.browser)

    def sees(self, *sightings: Sighting) -> list[str]:
        """The news once a program has shown these."""
        for one in sightings:
            self.sign_ins.on_item(one)
        return self.settled()

    def types(self, key: str, argument: object = "") -> list[str]:
        """The answer to an escape, and the news that come of it."""
        self.shown.clear()
        self.sign_ins.on_escape(key, str(argument))
        return [*self.shown, *self.settled()]

    def settled(self) -> list[str]:
        """The news; none if nothing comes for a while."""
        until = time.monotonic() + _PATIENCE
        while not self.news and time.monotonic() < until:
            if (item := self.session.decider.next(_LOOK)) is not None:
                self.sign_ins.on_item(item)
        told = self.news[:]
        self.news.clear()
        return told


@contextmanager
def somebody(*, browser: bool | None = True) -> Iterator[Person]:
    """A person with a session on the stage."""
    with Session().open() as session:
        yield Person(session, browser=browser)


def test_a_sign_in_at_an_issuer_that_everybody_knows_opens_by_itself() -> None:
    """Once its port is listened on; the answer goes to the program, which says the rest itself."""
    with somebody() as person:
        program = person.session.program()
        request = sighting(program.port, url=KNOWN)
        assert person.sees(request) == ["the page of auth.openai.com has opened in your browser"]
        assert person.opened == [KNOWN]
        Visit(program.port, "/callback?code=S3CRET&state=STATE").join()
        assert person.settled() == []
        assert person.types("l") == ["  1  auth.openai.com  sign-in  answered"]
        assert not is_open(program.port)
        recorded = [type(one) for one in person.session.emitted]
        assert recorded == [events.AuthorizationAsked, events.Forwarding, events.Browser, events.Callback]


def test_a_sign_in_elsewhere_is_at_hand() -> None:
    """Nothing opens until the person says so; its port is ready before."""
    with somebody() as person:
        program = person.session.program()
        request = sighting(program.port, url=ELSEWHERE)
        assert person.sees(request) == ["sign-in at auth.example.com: click its link, or type ~o 1"]
        assert person.opened == []
        assert is_open(program.port)
        assert person.types("o", 1) == ["the page of auth.example.com has opened in your browser"]
        assert person.opened == [ELSEWHERE]


def test_what_opens_by_itself_opens_seldom() -> None:
    """A second page within ten seconds waits for the person."""
    with somebody() as person:
        first, second = person.session.program(), person.session.program()
        person.sees(sighting(first.port, url=KNOWN))
        again = sighting(second.port, url=f"{KNOWN}2")
        assert person.sees(again) == ["sign-in at auth.openai.com: click its link, or type ~o 2"]
        person.clock = 11.0
        third = sighting(person.session.program().port, url=f"{KNOWN}3")
        assert person.sees(third) == ["the page of auth.openai.com has opened in your browser"]


def test_a_code_and_its_page() -> None:
    """The code alone is nothing that the person does not see; with its page it is told, and opens by hand."""
    with somebody() as person:
        assert person.sees(Device("", "ABCD-1234")) == []
        words = "sign-in at github.com, code ABCD-1234: click its link, or type ~o 1"
        assert person.sees(Device("https://github.com/login/device", "ABCD-1234")) == [words]
        assert person.opened == []
        assert person.types("o", 1) == ["the page of github.com has opened in your browser"]
        assert person.opened == ["https://github.com/login/device"]


def test_other_pages_are_only_listed() -> None:
    """Terms and documentation are no news; each keeps its number."""
    with somebody() as person:
        assert person.types("l") == ["No program has shown a page yet."]
        assert person.sees(Page("https://example.com/terms"), Page("https://example.org/")) == []
        person.sees(Page("https://example.com/terms"))
        assert person.types("l") == ["  2  example.org", "  1  example.com"]
        assert person.types("o", 3) == ["Which page? ~l lists them with their numbers."]
        assert person.types("o", "x") == ["Which page? ~l lists them with their numbers."]


def test_pages_of_one_host_are_told_apart() -> None:
    """By their paths, as far as these fit a line; a query is in no list."""
    with somebody() as person:
        person.sees(Page("https://example.com/docs/telemetry#out"), Page("https://example.org/a"))
        person.sees(Page(f"https://example.com/login/{'x' * 99}?ticket=S3CRET"))
        assert person.types("l") == [
            "  1  example.com/docs/telemetry",
            "  2  example.org",
            f"  3  example.com/login/{'x' * 29}...",
        ]


def test_an_answer_in_a_fragment() -> None:
    """The browser keeps it for the page's script, so that page has to come from the program: we say how."""
    with somebody() as person:
        program = person.session.program()
        person.sees(sighting(program.port, url=ELSEWHERE, state=""))
        Visit(program.port, "/callback")
        (told,) = person.settled()
        assert told.endswith(f"if the address there has a #, type ~f {program.port}, then reload that page")
        assert program.heard == []


def test_a_page_that_a_program_would_have_opened() -> None:
    """It is told even if the program does not show it, and opens when the person says so."""
    with somebody() as person:
        told = "a program wants to open a page of example.com: type ~o 1"
        assert person.sees(Page("https://example.com/page", wanted=True)) == [told]
        program = person.session.program()
        request = replace(sighting(program.port, url=ELSEWHERE), wanted=True)
        assert person.sees(request) == ["sign-in at auth.example.com: type ~o 2"]
        assert person.opened == []


def test_a_page_that_a_program_would_have_opened_for_a_code() -> None:
    """A code that was said alone belongs to the page that a browser is wanted for."""
    with somebody() as person:
        assert person.sees(Device("", "ABCD-1234")) == []
        page = Page("https://github.com/login/device", wanted=True)
        assert person.sees(page) == ["sign-in at github.com, code ABCD-1234: type ~o 1"]
        told = "a program wants to open a page of github.com: type ~o 2"
        assert person.sees(Page("https://github.com/settings", wanted=True)) == [told]


def test_a_page_that_nobody_should_open() -> None:
    """What login would refuse is refused here too, and cannot be opened by its number."""
    with somebody() as person:
        refused = person.sees(Device("https://user@example.com/device", "ABCD-1234"))
        assert len(refused) == 1
        assert refused[0].startswith("refused to open 'https://user@example.com/device'")
        assert person.types("l") == ["No program has shown a page yet."]


def test_a_port_that_is_taken_here() -> None:
    """The person is told by whom; nothing opens, as the answer would go to the wrong program."""
    with somebody() as person, socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        (told,) = person.sees(sighting(port, url=KNOWN))
        assert told.startswith(f"sign-in at auth.openai.com: local port {port} is taken by ")
        assert person.opened == []
        assert person.types("l") == [f"  1  auth.openai.com  sign-in  port {port} is taken here"]
        assert person.types("k", port) == [f"nothing was ended at port {port}"]  # it is this very process


def test_two_issuers_that_want_one_port() -> None:
    """The second is told of the first, and has its way once the person insists."""
    with somebody() as person:
        port = person.session.program().port
        person.sees(sighting(port, url=KNOWN))
        told = f"port {port} waits for auth.openai.com; ~o 2 has it wait for this one"
        assert person.sees(sighting(port, url=ELSEWHERE)) == [f"sign-in at auth.example.com: {told}"]
        assert person.types("o", 2) == ["the page of auth.example.com has opened in your browser"]
        assert person.session.ways.waiting == {port: "auth.example.com"}


def test_a_browser_that_does_not_start() -> None:
    """The person is told to click, and what to do if they wanted no browser."""
    with somebody(browser=False) as person:
        told = [f"no browser could be started; open this yourself: {KNOWN}"]
        assert person.sees(sighting(person.session.program().port, url=KNOWN)) == told
    with somebody(browser=None) as person:
        told = ["sign-in at auth.openai.com: click its link, or type ~o 1"]
        assert person.sees(sighting(person.session.program().port, url=KNOWN)) == told
        assert person.types("o", 1) == [f"no page opens here, as you asked; open this yourself: {KNOWN}"]


def test_an_address_that_the_person_has_to_open_is_told_whole() -> None:
    """Without its state it would be of no use. Nor does a program's state hide anything else of ours, such as
    the host of its next page.
    """
    with somebody(browser=False) as person:
        port, url = person.session.program().port, f"{KNOWN}&state=auth.example.com"
        (told,) = person.sees(sighting(port, url=url, state="auth.example.com"))
        assert person.session.decider.console.safe(told).endswith(f" {url}")
        (told,) = person.sees(sighting(person.session.program().port, url=ELSEWHERE))
        assert "auth.example.com" in person.session.decider.console.safe(told)


def test_an_answer_that_the_program_does_not_take() -> None:
    """A denial is the program's to tell; an answer that went astray is ours."""
    refuses = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    with somebody() as person:
        program = person.session.program(lambda _: refuses)
        person.sees(sighting(program.port, url=KNOWN))
        Visit(program.port, "/callback?code=S3CRET&state=STATE").join()
        told = "the program did not take the answer of auth.openai.com (HTTP status 400)"
        assert person.settled() == [told]
        other = person.session.program()
        person.sees(sighting(other.port, url=f"{KNOWN}2"))
        Visit(other.port, "/callback?error=access_denied&state=STATE").join()
        assert person.settled() == []
        assert person.types("l")[-1] == "  2  auth.openai.com  sign-in  declined"


def test_a_plain_forward_is_agreed_to() -> None:
    """What it means is said first; typed again, it is done, and so it is with an option."""
    with somebody() as person:
        program = person.session.program()
        warned = person.types("f", program.port)
        assert warned[-1].endswith(f"To agree, type ~f {program.port} again.")
        assert not is_open(program.port)
        leads = f"port {program.port} here leads to port {program.port} there until this session ends"
        assert person.types("f", program.port) == [leads]
        assert person.types("l") == [f"     port {program.port} is forwarded plainly"]
        Visit(program.port, "/anything").join()
        assert len(program.heard) == 1
        assert person.types("f", 0) == ["Which port? Type its number behind ~f."]
        assert person.types("k") == ["Which port? Type its number behind ~k."]
    with somebody() as person:
        port = person.session.program().port
        person.sign_ins.forward(port)
        assert person.settled() == [f"port {port} here leads to port {port} there until this session ends"]


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_a_programs_own_page(scheme: str) -> None:
    """It opens when its port is ready for that visit; if it leads nowhere, its port has to be forwarded.

    However its scheme is written, it never opens at whatever else listens here.
    """
    with somebody() as person:
        program = person.session.program()
        url = f"{scheme}://localhost:{program.port}/start"
        assert person.sees(Page(url)) == [own_page(program.port, 1)]
        opens = [f"the page of localhost:{program.port} has opened in your browser"]
        assert person.types("o", 1) == opens
        assert person.opened == [url]
        Visit(program.port, "/start")
        carried = f"~f {program.port} has all of that port carried here"
        told = f"localhost:{program.port} is a page of the program's own: {carried}"
        assert person.settled() == [told]
        person.types("f", program.port)
        person.types("f", program.port)
        assert person.types("o", 1) == opens
        visit = Visit(program.port, "/start")
        visit.join()
        assert visit.page == "ok"


def test_a_programs_own_page_is_told_of_once() -> None:
    """A click on its link would end nowhere. The listener's address alone, after which another page comes,
    is no news, nor is a page at a port that is carried here anyway.
    """
    with somebody() as person:
        port, other = person.session.program().port, person.session.program().port
        assert person.sees(Page(f"http://127.0.0.1:{port}"), Page(f"http://localhost:{port}")) == []
        assert person.sees(Page(f"http://127.0.0.1:{port}/")) == [own_page(port, 3, "127.0.0.1")]
        assert person.sees(Page(f"http://localhost:{port}/?token=T")) == []
        person.types("f", other)
        person.types("f", other)
        assert person.sees(Page(f"http://localhost:{other}/start")) == []


def own_page(port: int, number: int, host: str = "localhost") -> str:
    """What is told of a program's own page."""
    return f"a program's own page at {host}:{port}: type ~o {number}; its link leads nowhere here"


def test_a_programs_own_page_leads_on() -> None:
    """The browser is sent on, and the answer comes back to that port, where it ends the wait."""
    with somebody() as person:
        program = person.session.program()
        asked = urlencode(
            {"client_id": "c", "state": "S", "redirect_uri": f"http://localhost:{program.port}/cb"}
        )
        onward = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {ELSEWHERE}&{asked}\r\n\r\n".encode()
        program.answer = lambda request: onward if request.startswith(b"GET /start") else TAKEN
        person.sees(Page(f"http://localhost:{program.port}/start"))
        person.types("o", 1)
        visit = Visit(program.port, "/start")
        assert person.settled() == []
        visit.join()
        assert visit.status == 302
        Visit(program.port, "/cb?code=S3CRET&state=S")
        assert person.settled() == []
        assert not is_open(program.port)
        assert len(program.heard) == 2


def test_a_programs_own_page_leads_to_one_whose_port_is_taken() -> None:
    """The browser is not sent on; the page is listed, for when the port is free."""
    with somebody() as person, socket.create_server(("127.0.0.1", 0)) as holder:
        program, taken = person.session.program(), holder.getsockname()[1]
        url = f"{ELSEWHERE}&state=S&redirect_uri=http://127.0.0.1:{taken}/cb"
        program.answer = lambda _: f"HTTP/1.1 302 Found\r\nLocation: {url}\r\n\r\n".encode()
        person.sees(Page(f"http://localhost:{program.port}/start"))
        person.types("o", 1)
        visit = Visit(program.port, "/start")
        (told,) = person.settled()
        assert told.startswith(f"sign-in at auth.example.com: local port {taken} is taken by ")
        visit.join()
        assert visit.status == 200
        assert "Your terminal says what to do next" in visit.page
        assert person.types("l")[-1] == f"  2  auth.example.com  sign-in  port {taken} is taken here"
        holder.close()
        assert person.types("o", 2) == ["the page of auth.example.com has opened in your browser"]


def test_a_programs_own_page_does_not_end_a_wait() -> None:
    """Where the answer to a request is waited for at that port, that goes on."""
    with somebody() as person:
        port = person.session.program().port
        person.sees(Page(f"http://localhost:{port}"), sighting(port, url=ELSEWHERE))
        waits = f"page at localhost:{port}: port {port} waits for auth.example.com"
        assert person.types("o", 1) == [f"{waits}; ~f {port} has all of that port carried to your browser"]
        assert person.session.ways.waiting == {port: "auth.example.com"}


def test_nothing_of_a_secret_is_told() -> None:
    """Neither the state nor the code of an answer is in a line of ours."""
    with somebody() as person:
        program = person.session.program()
        told = person.sees(sighting(program.port, url=KNOWN, state="S3CRETSTATE"))
        with suppress(OSError):
            Visit(program.port, "/callback?code=S3CRETCODE&state=wrong").join()
        told += person.settled() + person.types("l")
        assert told
        assert not any("S3CRET" in one for one in told)
