"""The ways back of one session: which ports are listened on, for how long, and what comes of a callback."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.deadlines import LISTENER, OPEN_PORT, Deadline
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Amiss
from hermes_tunnel.oauth.sightings import Loopback, Page
from hermes_tunnel.oauth.states import Delivered, NoDelivery, Strayed, Undelivered
from hermes_tunnel.oauth.success_page import MOST_HOPS
from hermes_tunnel.ports.taken import Taken
from hermes_tunnel.remote.call import Call
from hermes_tunnel.steps import Steps
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.way_back.entrance import Delivering
from hermes_tunnel.way_back.outcome import AnotherWaits, ForwardRefused, Full, Ready
from hermes_tunnel.way_back.waiting import AtPort, Closed, NotReady, OwnPage
from hermes_tunnel.way_back.ways import MOST_IN_TURN, MOST_PORTS, Ways
from tests.ports.holding import LISTENER as HOLDER
from tests.ports.holding import child
from tests.ssh.hops import connected
from tests.stage.ssh_server import Settings
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("nothing_left")
ISSUER = "auth.example.com"
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECONDS = 10.0


class Program:
    """A program on the remote machine that listens for its callback.

    :param answer: what it answers to each request
    """

    def __init__(self, stage: Stage, answer: Callable[[bytes], bytes] = lambda _: TAKEN) -> None:
        self.heard: list[bytes] = []
        self.changed = threading.Condition()
        self.answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stage = stage
        self.port = stage.loopback.bind(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, suppress(OSError):
                    self._serve_one(client)

    def _serve_one(self, client: socket.socket) -> None:
        received = b""
        while b"\r\n\r\n" not in received and (data := client.recv(4096)):
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        length = next((int(one[15:]) for one in head.split(b"\r\n") if one.startswith(b"Content-Length:")), 0)
        while len(body) < length and (data := client.recv(4096)):
            body += data
        with self.changed:
            self.heard.append(head + b"\r\n\r\n" + body)
            self.changed.notify_all()
        client.sendall(self.answer(self.heard[-1]))

    def close(self) -> None:
        """Stop listening."""
        self._stage.loopback.release(self.port)
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()


class Session:
    """A session on the stage, with its ways back and the thread that decides."""

    def __init__(self, *, shorter: dict[Deadline, float] | None = None, **settings: Any) -> None:
        self.emitted: list[events.Event] = []
        self.posted: list[AtPort | ForwardRefused] = []
        self.said: list[str] = []
        self.hidden: set[str] = set()
        self._shorter = {LISTENER: 0.0, **(shorter or {})}
        self._settings = settings

    @contextmanager
    def open(self, **more: Any) -> Iterator[Session]:
        """Connect; afterwards nothing of it is left."""
        call = more.pop("call", Call())
        with Stage(settings=Settings(**self._settings)) as self.stage, ExitStack() as self._opened:
            connection = self._opened.enter_context(connected(self.stage))
            self.decider = Decider(Console(io.StringIO(), Keyboard(None)), self.emitted.append)
            self.ways = Ways(
                lambda: connection,
                connection.destination,
                call,
                begin=self.decider.begin,
                emit=self.decider.emit,
                post=self.decider.mailbox.put,
                say=self.said.append,
                seconds_of=lambda deadline: self._shorter.get(deadline, deadline.seconds),
                **more,
            )
            self._opened.callback(self.decider.end)
            self._opened.callback(self.ways.close)
            yield self

    def program(self, answer: Callable[[bytes], bytes] = lambda _: TAKEN) -> Program:
        """A program there that waits."""
        program = Program(self.stage, answer)
        self._opened.callback(program.close)
        return program

    def ready(self, sighting: Loopback | Page, **more: bool) -> object:
        """What comes of getting ready."""
        return self.decider.follow(self.ways.ready(sighting, **more))

    def until(self, found: Callable[[AtPort | ForwardRefused], bool]) -> AtPort | ForwardRefused:
        """Act on what is posted, until that is."""
        deadline = time.monotonic() + SECONDS
        while (left := deadline - time.monotonic()) > 0:
            item = self.act(left)
            if item is not None and found(item):
                return item
        raise AssertionError(f"it never came: {self.posted}")

    def act(self, seconds: float) -> AtPort | ForwardRefused | None:
        """Act on what is posted next."""
        item = self.decider.next(seconds)
        if not isinstance(item, AtPort | ForwardRefused):
            return None
        self.posted.append(item)
        if isinstance(item, AtPort):
            self.decider.follow(self._heard(item))
        return item

    def concluded(self) -> Delivered | Undelivered:
        """What became of the callback."""
        item = self.until(
            lambda one: isinstance(one, AtPort) and isinstance(one.news, Delivered | Undelivered)
        )
        assert isinstance(item, AtPort)
        assert isinstance(item.news, Delivered | Undelivered)
        return item.news

    def _heard(self, item: AtPort) -> Steps[None]:
        self.hidden |= {*(yield from self.ways.heard(item))}


def sighting(port: int, **more: Any) -> Loopback:
    """A request of a program there."""
    host, path = more.pop("host", "127.0.0.1"), more.pop("path", "/callback")
    url = more.pop("url", f"https://{ISSUER}/authorize?client_id=c")
    return Loopback(url, Redirect(host, port, path), more.pop("state", "STATE"), **more)


class Visit(threading.Thread):
    """A browser that goes somewhere; ``page`` is what it is shown."""

    def __init__(self, port: int, target: str, method: str = "GET", body: str = "", **headers: str) -> None:
        super().__init__()
        self.page = ""
        self.status = 0
        self._request = (method, target, body or None, {**headers, "Host": f"127.0.0.1:{port}"})
        self._port = port
        self.start()

    def run(self) -> None:
        """Go there."""
        browser = HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        with suppress(OSError):
            browser.request(*self._request)
            answer = browser.getresponse()
            self.status, self.page = answer.status, answer.read().decode()
        browser.close()


def is_open(port: int, address: str = "127.0.0.1") -> bool:
    """Whether somebody listens here."""
    with suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


def test_a_login_with_a_state() -> None:
    """The port is open before the page is, the callback reaches the program, and the port closes after it."""
    with Session().open() as session:
        program = session.program()
        assert session.ready(sighting(program.port)) == Ready(program.port, ("127.0.0.1",))
        assert session.emitted[-1] == events.Forwarding(program.port, ("127.0.0.1",), program.port)
        assert session.ways.waiting == {program.port: ISSUER}
        visit = Visit(program.port, "/callback?code=S3CRET&state=STATE")
        assert session.concluded() == Delivered("", 200)
        visit.join()
        assert visit.status == 200
        assert "The sign-in went to the program on <b>demo@hermes-demo</b>." in visit.page
        assert session.hidden == {"S3CRET"}
        assert [one.partition(b" HTTP")[0] for one in program.heard] == [
            b"GET /callback?code=S3CRET&state=STATE"
        ]
        assert not is_open(program.port)
        assert session.ways.waiting == {}


def test_a_login_without_a_state() -> None:
    """Its path and one parameter will do, if the browser goes there by itself."""
    with Session().open() as session:
        program = session.program()
        session.ready(sighting(program.port, state=""))
        image = Visit(
            program.port, "/callback?token=S3CRET", **{"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}
        )
        strayed = session.until(lambda one: isinstance(one, AtPort))
        assert isinstance(strayed, AtPort)
        assert strayed.news == Strayed(Amiss.FETCHED)
        Visit(program.port, "/callback?token=S3CRET", **NAVIGATION)
        assert session.concluded() == Delivered("", 200)
        assert image.status == 404
        assert len(program.heard) == 1


def test_a_redirect_without_a_path() -> None:
    """The browser comes to the root, and so does the program's callback."""
    with Session().open() as session:
        program = session.program()
        session.ready(sighting(program.port, host="localhost", path="/"))
        Visit(program.port, "/favicon.ico").join()
        Visit(program.port, "/?code=S3CRET&state=STATE")
        assert session.concluded() == Delivered("", 200)
        assert [one.split(b" ")[1] for one in program.heard] == [b"/?code=S3CRET&state=STATE"]


@pytest.mark.parametrize("relay", ["never", "always"])
@pytest.mark.parametrize("origin", [f"https://{ISSUER}", "null"])
def test_an_answer_that_is_posted(relay: str, origin: str) -> None:
    """It is rebuilt from the fields of the standards, and goes by a channel or a relay; nothing shows it."""
    with Session().open(relay=relay) as session:
        program = session.program()
        session.ready(sighting(program.port, form_post=True))
        form = "code=S3CRET&id_token=T0KEN&state=STATE&session_state=x&tracking=PRIVATE"
        headers = {"Origin": origin, "Content-Type": "application/x-www-form-urlencoded", **NAVIGATION}
        foreign = {**headers, "Origin": "https://evil.test"}
        Visit(program.port, "/callback", "POST", form, **foreign).join()
        visit = Visit(program.port, "/callback", "POST", form, **headers)
        assert session.concluded() == Delivered("", 200, {"never": "forward", "always": "relay"}[relay])
        visit.join()
        assert visit.status == 200
        assert session.hidden == {"S3CRET", "T0KEN"}
        (heard,) = program.heard
        assert heard.startswith(b"POST /callback HTTP/1.1\r\n")
        assert heard.endswith(b"\r\n\r\ncode=S3CRET&state=STATE&id_token=T0KEN&session_state=x")
        assert b"PRIVATE" not in heard
        shown = f"{session.emitted} {session.posted} {session.said}"
        assert "S3CRET" not in shown
        assert "T0KEN" not in shown


@pytest.mark.parametrize("relay", ["never", "always"])
def test_the_success_page_of_a_program_is_fetched(relay: str) -> None:
    """A program that waits until somebody has fetched it can end; nobody else hears of its address."""
    pages = {
        b"/callback?code=C0DE&state=STATE": b"HTTP/1.1 302 Go\r\nLocation: /success?id_token=T0KEN\r\n\r\n",
        b"/success?id_token=T0KEN": b"HTTP/1.1 307 Go on\r\nContent-Length: 0\r\nLocation: done\r\n\r\n",
    }
    with Session().open(relay=relay) as session:
        program = session.program(lambda request: pages.get(request.split(b" ")[1], TAKEN))
        session.ready(sighting(program.port))
        visit = Visit(program.port, "/callback?code=C0DE&state=STATE")
        news = session.concluded()
        assert isinstance(news, Delivered)
        assert news.status == 302
        visit.join()
        assert [one.split(b" ")[1] for one in program.heard] == [*pages, b"/done"]
        shown = f"{session.emitted} {session.posted} {session.said} {visit.page}"
        assert "T0KEN" not in shown
        assert "C0DE" not in shown


def test_a_program_that_redirects_for_ever_is_followed_five_times() -> None:
    """And the callback counts as delivered."""
    again = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /again\r\n\r\n"
    with Session().open() as session:
        program = session.program(lambda _: again)
        session.ready(sighting(program.port))
        Visit(program.port, "/callback?code=C0DE&state=STATE")
        assert session.concluded() == Delivered("", 302)
        assert len(program.heard) == 1 + MOST_HOPS


def test_a_denial_closes_the_port_too() -> None:
    """The program hears of it, and so does the person."""
    with Session().open() as session:
        program = session.program()
        session.ready(sighting(program.port))
        Visit(program.port, "/callback?error=access_denied&state=STATE")
        assert session.concluded() == Delivered("access_denied", 200)
        assert not is_open(program.port)


def test_a_listener_that_comes_up_later_than_its_page() -> None:
    """The browser waits meanwhile, and nothing connects before it has come."""
    with Session(shorter={LISTENER: SECONDS}).open() as session:
        early = session.program()
        early.close()
        session.ready(sighting(early.port))
        visit = Visit(early.port, "/callback?code=C0DE&state=STATE")
        session.until(lambda one: isinstance(one, AtPort) and isinstance(one.news, Delivering))
        time.sleep(0.5)  # it is tried again meanwhile
        with socket.create_server(("127.0.0.1", 0)) as listener:
            session.stage.loopback.bind_at(early.port, listener.getsockname()[1])
            listener.settimeout(SECONDS)
            client, _ = listener.accept()
            with client:
                assert client.recv(4096).startswith(b"GET /callback?code=C0DE&state=STATE HTTP/1.1\r\n")
                client.sendall(TAKEN)
            assert session.concluded() == Delivered("", 200)
        visit.join()
        assert visit.status == 200


def test_a_listener_that_never_comes_up() -> None:
    """After some seconds the person is told, and the port closes."""
    with Session(shorter={LISTENER: 0.5}).open() as session:
        program = session.program()
        program.close()
        session.ready(sighting(program.port))
        visit = Visit(program.port, "/callback?code=C0DE&state=STATE")
        news = session.concluded()
        assert isinstance(news, Undelivered)
        assert news.reason is NoDelivery.NOBODY_LISTENS
        visit.join()
        assert "The program on <b>demo@hermes-demo</b> did not take the sign-in." in visit.page
        assert not is_open(program.port)


def test_several_logins_wait_at_once() -> None:
    """Each callback reaches its own program, in any order."""
    with Session().open() as session:
        programs = [session.program() for _ in range(MOST_PORTS)]
        for number, one in enumerate(programs):
            assert isinstance(session.ready(sighting(one.port, state=f"STATE-{number}")), Ready)
        for number, one in reversed([*enumerate(programs)]):
            Visit(one.port, f"/callback?code={number}&state=STATE-{number}")
            session.concluded()
            assert [heard.split(b" ")[1] for heard in one.heard] == [
                f"/callback?code={number}&state=STATE-{number}".encode()
            ]


def test_four_ports_at_a_time() -> None:
    """The one that has been open longest gives way to a fifth, and the person can be told."""
    with Session().open() as session:
        sightings = [sighting(session.program().port) for _ in range(MOST_PORTS + 1)]
        for one in sightings:
            assert isinstance(session.ready(one), Ready)
        item = session.until(lambda one: isinstance(one, AtPort))
        assert item == AtPort(sightings[0], Closed())
        assert [is_open(one.redirect.port) for one in sightings] == [False] + [True] * MOST_PORTS


def test_a_delivery_under_way_gives_way_to_nobody() -> None:
    """The next longest does; if all are under way, there is no room."""
    go = threading.Event()

    def slowly(_: bytes) -> bytes:
        assert go.wait(SECONDS)
        return TAKEN

    with Session().open() as session:
        programs = [session.program(slowly) for _ in range(MOST_PORTS)]
        for one in programs:
            session.ready(sighting(one.port))
        for one in programs:
            Visit(one.port, "/callback?code=C0DE&state=STATE")
            session.until(lambda item: isinstance(item, AtPort) and isinstance(item.news, Delivering))
        extra = session.program()
        assert session.ready(sighting(extra.port)) == Full()
        go.set()
        for _ in programs:
            assert session.concluded() == Delivered("", 200)
        assert isinstance(session.ready(sighting(extra.port)), Ready)


def test_a_port_closes_when_its_time_is_up() -> None:
    """Ten minutes after it was opened, unless the answer is just being delivered."""
    assert OPEN_PORT.seconds == 600
    with Session(shorter={OPEN_PORT: 0.3}).open() as session:
        program = session.program()
        waits = sighting(program.port)
        session.ready(waits)
        assert session.until(lambda one: isinstance(one, AtPort)) == AtPort(waits, Closed())
        assert not is_open(program.port)
        assert program.heard == []


def test_a_program_that_begins_again() -> None:
    """Its newer request takes the port over; the answer to the older one is a stray."""
    with Session().open() as session:
        program = session.program()
        first, second = sighting(program.port), sighting(program.port, state="NEWER")
        assert session.ready(first) == session.ready(first) == session.ready(second)
        Visit(program.port, "/callback?code=C0DE&state=STATE").join()
        Visit(program.port, "/callback?code=C0DE&state=NEWER")
        assert session.concluded() == Delivered("", 200)
        assert AtPort(second, Strayed()) in session.posted
        assert len(program.heard) == 1


def test_a_login_at_another_issuer_does_not_take_the_port_over() -> None:
    """Unless the person insists."""
    with Session().open() as session:
        program = session.program()
        session.ready(sighting(program.port))
        other = sighting(program.port, url="https://elsewhere.example/authorize", state="OTHER")
        assert session.ready(other) == AnotherWaits(program.port, ISSUER)
        assert session.ways.waiting == {program.port: ISSUER}
        assert isinstance(session.ready(other, insist=True), Ready)
        assert session.ways.waiting == {program.port: "elsewhere.example"}


def test_what_is_late_closes_nothing_newer() -> None:
    """News of a request that has been replaced does not close the port of the one after it."""
    with Session().open() as session:
        program = session.program()
        first, second = sighting(program.port), sighting(program.port, state="NEWER")
        session.ready(first)
        session.ready(second)
        session.decider.follow(session.ways.heard(AtPort(first, Delivered("", 200))))
        assert session.ways.waiting == {program.port: ISSUER}


@pytest.mark.slow
def test_a_port_that_is_taken_is_told_of_and_may_be_ended() -> None:
    """By whom, without a question; once the person says so, it is ended, and the port is listened on."""
    with Session().open() as session, child(HOLDER, "127.0.0.1", 0) as (holder, port):
        told = session.ready(sighting(port))
        assert isinstance(told, Taken)
        assert told.message.startswith(f"local port {port} is taken by ")
        assert f"PID {holder.pid}" in told.message
        assert told.may_end
        assert session.ways.waiting == {}
        assert session.decider.follow(session.ways.end_occupant(port)) == Ready(port, ("127.0.0.1",))
        holder.wait(SECONDS)
        assert session.said == [f"Ended {told.holders[0].name} (PID {holder.pid}); port {port} is free."]
        assert session.decider.follow(session.ways.end_occupant(port)) is None


@pytest.mark.slow
def test_of_localhost_both_families_are_listened_on() -> None:
    """Or the port is taken, by whoever has one of them."""
    with Session().open() as session, child(HOLDER, "::1", 0) as (_, port):
        told = session.ready(sighting(port, host="localhost"))
        assert isinstance(told, Taken)
        assert "LISTEN on ::1" in told.message
        assert not is_open(port)
        assert session.decider.follow(session.ways.end_occupant(port)) == Ready(port, ("127.0.0.1", "::1"))


def test_a_port_of_this_very_process_is_not_ended() -> None:
    """It is told of, and there is nothing to end."""
    with Session().open() as session, socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        told = session.ready(sighting(port))
        assert isinstance(told, Taken)
        assert not told.may_end
        assert session.decider.follow(session.ways.end_occupant(port)) is None


def test_everything_closes_with_the_session() -> None:
    """Ports that wait, and those that are forwarded."""
    with Session().open() as session:
        program, other = session.program(), session.program()
        session.ready(sighting(program.port))
        session.decider.follow(session.ways.forward(other.port))
        session.ways.close()
        assert not is_open(program.port)
        assert not is_open(other.port)


def test_a_port_that_the_person_names_is_forwarded_plainly() -> None:
    """Whatever comes is carried there as it is, any number of times; a login at that port needs no more."""
    with Session().open() as session:
        program = session.program()
        waits = sighting(program.port)
        session.ready(waits)
        ready = Ready(program.port, ("127.0.0.1", "::1"), plainly=True)
        assert session.decider.follow(session.ways.forward(program.port)) == ready
        assert session.decider.follow(session.ways.forward(program.port)) == ready
        assert session.ready(waits) == ready
        assert session.ways.waiting == {}
        assert session.ways.forwarded == (program.port,)
        for _ in range(2):
            visit = Visit(program.port, "/app.js?anything", Cookie="a=b")
            visit.join()
            assert (visit.status, visit.page) == (200, "ok")
        assert b"Cookie: a=b" in program.heard[0]


def test_a_plain_forward_that_the_server_forbids_is_told_once() -> None:
    """In the server's words; the browser's connection just ends."""
    with Session(allow_tcp_forwarding=False).open() as session:
        program = session.program()
        session.decider.follow(session.ways.forward(program.port))
        for _ in range(2):
            visit = Visit(program.port, "/")
            visit.join()
            assert visit.status == 0
        item = session.until(lambda _: True)
        assert item == ForwardRefused(program.port, "administratively prohibited")
        assert session.decider.next(0.1) is None


def test_no_plain_forward_leads_into_a_container() -> None:
    """Nothing is listened on."""
    with Session().open(call=Call(container="box")) as session:
        with pytest.raises(UsageFailure, match="a port of a container cannot be forwarded plainly"):
            session.decider.follow(session.ways.forward(8000))
        assert session.ways.forwarded == ()


@pytest.mark.slow
def test_a_port_that_is_taken_is_not_forwarded() -> None:
    """The person is told, and may have it ended; then it is."""
    with Session().open() as session, child(HOLDER, "127.0.0.1", 0) as (_, port):
        told = session.decider.follow(session.ways.forward(port))
        assert isinstance(told, Taken)
        ended = session.decider.follow(session.ways.end_occupant(port))
        assert ended == Ready(port, ("127.0.0.1", "::1"), plainly=True)


@pytest.mark.parametrize("alone", [True, False])
def test_two_requests_at_once_take_turns(alone: bool) -> None:
    """The later one waits until the earlier one listens, and then takes the port over."""
    with Session().open(alone=alone) as session:
        program = session.program()
        outcomes: list[object] = []

        def one(state: str) -> Steps[None]:
            outcomes.append((yield from session.ways.ready(sighting(program.port, state=state))))

        for state in ("STATE", "NEWER", "NEWEST"):
            session.decider.begin(one(state))
        while len(outcomes) < 3:
            session.decider.next(0.1)
        assert outcomes == [Ready(program.port, ("127.0.0.1",))] * 3
        Visit(program.port, "/callback?code=C0DE&state=NEWEST")
        assert session.concluded() == Delivered("", 200)


def test_a_flood_of_requests_does_not_pile_up() -> None:
    """While ports are opened and closed, so many wait for their turn; the others are told that it is full."""
    with Session().open() as session, socket.create_server(("127.0.0.1", 0)) as holder:
        port, outcomes = holder.getsockname()[1], list[object]()

        def one(state: str) -> Steps[None]:
            outcomes.append((yield from session.ways.ready(sighting(port, state=state))))

        for number in range(1 + MOST_IN_TURN + 5):
            session.decider.begin(one(f"STATE{number}"))
        assert outcomes == [Full()] * 5
        while len(outcomes) < 1 + MOST_IN_TURN + 5:
            session.decider.next(0.1)
        assert all(isinstance(each, Taken) for each in outcomes[5:])


def sent_on(port: int, target: str, **headers: str) -> tuple[int, str]:
    """The status, and where a browser is sent on to."""
    browser = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    with closing(browser):
        browser.request("GET", target, headers={"Host": f"127.0.0.1:{port}", **NAVIGATION, **headers})
        answer = browser.getresponse()
        return answer.status, answer.headers.get("Location", "")


def first_page(program: Program, redirect: str = "", query: str = "") -> str:
    """The page to which the program's own one sends the browser."""
    asked = {
        "client_id": "c",
        "state": "S",
        "redirect_uri": redirect or f"http://localhost:{program.port}/cb",
    }
    return f"https://{ISSUER}/authorize?{urlencode(asked)}{query}"


def sends_on(url: str) -> Callable[[bytes], bytes]:
    """A program whose own page sends the browser there, and which takes the answer then."""
    answer = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {url}\r\n\r\n".encode()
    return lambda request: answer if request.startswith(b"GET /start") else TAKEN


@contextmanager
def acting(session: Session) -> Iterator[None]:
    """Act on what is posted, while a browser is at it."""
    over = threading.Event()

    def act() -> None:
        while session.act(0.3) is not None or not over.is_set():
            pass

    with ThreadPoolExecutor(1) as pool:
        acted = pool.submit(act)
        try:
            yield
        finally:
            over.set()
        acted.result()


def test_a_program_s_own_first_page() -> None:
    """It is fetched there, and the browser sent on; the answer to its request comes back at that port."""
    with Session().open() as session:
        program = session.program()
        url = first_page(program)
        program.answer = sends_on(url)
        hop = Page(f"http://127.0.0.1:{program.port}/start?id=1")
        assert isinstance(session.ready(hop), Ready)
        assert session.ways.waiting == {program.port: ""}
        with acting(session):
            assert sent_on(program.port, "/cb?code=C0DE&state=S")[0] == 404
            assert sent_on(program.port, "/start?id=2")[0] == 404
            assert sent_on(program.port, "/start?id=1", Origin="https://evil.test")[0] == 404
            assert sent_on(program.port, "/start?id=1", **{"Sec-Fetch-Dest": "iframe"})[0] == 404
            assert program.heard == []
            assert sent_on(program.port, "/start?id=1") == (302, url)
            assert session.ways.waiting == {program.port: ISSUER}
            assert sent_on(program.port, "/cb?code=C0DE&state=other")[0] == 404
            assert sent_on(program.port, "/cb?code=C0DE&state=S")[0] == 200
        assert session.hidden == {"C0DE"}
        assert [one.split(b" ")[1] for one in program.heard] == [b"/start?id=1", b"/cb?code=C0DE&state=S"]
        assert session.ways.waiting == {}


def test_a_first_page_whose_answer_comes_to_another_port() -> None:
    """That is listened on before the browser is sent on."""
    with Session().open() as session:
        program, other = session.program(), session.program()
        url = first_page(program, f"http://127.0.0.1:{other.port}/cb")
        program.answer = sends_on(url)
        session.ready(Page(f"http://127.0.0.1:{program.port}/start"))
        with acting(session):
            assert sent_on(program.port, "/start") == (302, url)
            assert session.ways.waiting == {program.port: "", other.port: ISSUER}
            assert sent_on(other.port, "/cb?code=C0DE&state=S")[0] == 200
        assert len(other.heard) == 1


def test_a_first_page_whose_answer_would_come_to_another_program() -> None:
    """The browser is not sent on where somebody else has the port here, and the person is told."""
    with Session().open() as session, socket.create_server(("127.0.0.1", 0)) as holder:
        program, other = session.program(), holder.getsockname()[1]
        program.answer = sends_on(first_page(program, f"http://127.0.0.1:{other}/cb"))
        session.ready(Page(f"http://127.0.0.1:{program.port}/start"))
        with acting(session):
            assert sent_on(program.port, "/start") == (200, "")
        (news,) = [
            one.news for one in session.posted if isinstance(one, AtPort) and one.port == program.port
        ][1:]
        assert isinstance(news, NotReady)
        assert isinstance(news.outcome, Taken)
        assert news.request.redirect.port == other
        assert news.request.wanted


@pytest.mark.parametrize(
    "answer",
    [
        TAKEN,
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://evil.test/\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: /elsewhere\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: javascript:alert(1)\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: https://me@example.com/\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nLocation: https://example.com/\r\n\r\n",
    ],
)
def test_a_page_that_leads_nowhere_is_not_shown(answer: bytes) -> None:
    """The browser is shown ours, which says that the port has to be forwarded, and so is the person told."""
    with Session().open() as session:
        program = session.program(lambda _: answer)
        hop = Page(f"http://localhost:{program.port}/")
        session.ready(hop)
        visit = Visit(program.port, "/", **NAVIGATION)
        assert session.until(lambda _: True) == AtPort(hop, OwnPage())
        visit.join()
        assert visit.status == 200
        assert "shown only if you have its port forwarded" in visit.page
        assert "ok" not in visit.page.split()


def test_a_first_page_of_nobody() -> None:
    """The person is told, and the port closes."""
    with Session(shorter={LISTENER: 0.0}).open() as session:
        program = session.program()
        program.close()
        session.ready(Page(f"http://localhost:{program.port}/"))
        Visit(program.port, "/", **NAVIGATION)
        news = session.concluded()
        assert isinstance(news, Undelivered)
        assert session.ways.waiting == {}


def test_a_request_takes_the_place_of_its_program_s_first_page() -> None:
    """The program shows both; the first page of another login does not take over a port that waits."""
    with Session().open() as session:
        program = session.program()
        hop = Page(f"http://localhost:{program.port}/")
        session.ready(hop)
        assert isinstance(session.ready(sighting(program.port)), Ready)
        assert session.ready(hop) == AnotherWaits(program.port, ISSUER)
        with pytest.raises(ValueError, match="not on loopback"):
            session.ready(Page("https://example.com/"))
