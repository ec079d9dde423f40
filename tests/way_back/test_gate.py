"""The gate on real sockets: what browsers and probers do, and what they get."""

from __future__ import annotations

import os
import queue
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field

import pytest

from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import LONGEST_FORM, LONGEST_HEAD, Amiss, Deliver, Expected
from hermes_tunnel.oauth.states import Delivered, NoDelivery, Strayed, Undelivered
from hermes_tunnel.way_back import page
from hermes_tunnel.way_back.gate import MOST_CONNECTIONS, Gate

SECONDS = 5
OWN = "https://auth.x.ai"
TAKEN = b"HTTP/1.0 200 OK\r\n\r\nreceived"
Report = Delivered | Undelivered | Strayed


@dataclass
class Door:
    """A gate behind a listener, with what it delivered and what it reported."""

    answer: Callable[[], bytes | Undelivered]
    head_seconds: float = SECONDS
    requests: list[bytes] = field(default_factory=list)
    reports: queue.SimpleQueue[Report] = field(default_factory=queue.SimpleQueue)
    report: Callable[[Report], None] | None = None
    form_post: bool = False

    @contextmanager
    def open(self) -> Iterator[Door]:
        """Listen; afterwards nothing of it is left."""
        with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
            self.port: int = listener.getsockname()[1]
            redirect = Redirect("127.0.0.1", self.port, "/callback")
            expected = Expected(redirect, "STATE", frozenset({OWN}), form_post=self.form_post)
            self.gate = Gate(
                expected,
                "me@host",
                self._deliver,
                self.report or self.reports.put,
                head_seconds=self.head_seconds,
            )
            threads: list[threading.Thread] = []

            closing = threading.Event()

            def accept() -> None:
                while not closing.is_set():
                    connection, _ = listener.accept()
                    threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
                    threads[-1].start()

            accepting = threading.Thread(target=accept, daemon=True)
            accepting.start()
            yield self
            closing.set()
            self.knock().close()  # wakes it
            for thread in (accepting, *threads):
                thread.join(SECONDS)
                assert not thread.is_alive()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            self.gate.serve(connection)

    def _deliver(self, verdict: Deliver) -> Delivered | Undelivered:
        self.requests.append(verdict.request)
        answer = self.answer()
        if isinstance(answer, Undelivered):
            return answer
        answered = Answer()
        answered.receive(answer)
        return Delivered(verdict.error, answered.status)

    def knock(self) -> socket.socket:
        """Open a connection that asks for nothing yet."""
        return socket.create_connection(("127.0.0.1", self.port), SECONDS)

    def callback(self, query: str = "code=CODE&state=STATE", *headers: str) -> bytes:
        """The head of a request for the callback."""
        lines = [f"GET /callback?{query} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", *headers]
        return "\r\n".join([*lines, "", ""]).encode()

    def visit(self, head: bytes | None = None) -> bytes:
        """All that a browser gets for a request."""
        with self.knock() as browser:
            browser.sendall(self.callback() if head is None else head)
            return read_all(browser)


def read_all(connection: socket.socket) -> bytes:
    """Everything up to the end."""
    return b"".join(iter(lambda: connection.recv(65536), b""))


def await_end_of(connections: list[socket.socket], least: int) -> None:
    """Wait until the gate has closed that many of them, without a word."""
    deadline = time.monotonic() + SECONDS / 2  # sooner than their silence would make it
    while len(ended := select.select(connections, (), (), 0.01)[0]) < least:
        assert time.monotonic() < deadline
    for one in ended:
        with suppress(ConnectionError):
            assert one.recv(1) == b""


@pytest.fixture
def door() -> Iterator[Door]:
    """A gate in front of a listener that takes the callback."""
    with Door(lambda: TAKEN).open() as opened:
        yield opened


@pytest.mark.parametrize(
    ("head", "strayed"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", Strayed(Amiss.TLS)),
        (b"GET /callback?error=access_denied", Strayed(Amiss.NAMELESS_DENIAL, "access_denied")),
        (b"POST /callback?code=CODE&state=STATE", Strayed(Amiss.OTHER_METHOD)),
        (b"GET /other?code=CODE&state=STATE", Strayed(Amiss.ELSEWHERE)),
        (
            b"GET /callback?code=CODE&state=STATE HTTP/1.1\r\nOrigin: https://evil.test",
            Strayed(Amiss.FETCHED),
        ),
        (b"GET /callback?code=CODE&state=OTHER", Strayed()),
    ],
)
def test_what_comes_in_place_of_the_callback_is_reported_once(
    door: Door, head: bytes, strayed: Strayed
) -> None:
    """However often it comes; nothing is delivered, and the callback after it is."""
    line_ends = b"" if b"HTTP" in head else b" HTTP/1.1"
    whole = head + line_ends + f"\r\nHost: 127.0.0.1:{door.port}\r\n\r\n".encode()
    if strayed.amiss is Amiss.TLS:
        whole = head  # a browser waits for the server's part of the handshake
    for _ in range(2):
        assert b"200 OK" not in door.visit(whole)
    assert door.reports.get(timeout=SECONDS) == strayed
    assert door.requests == []
    door.visit()
    assert door.reports.get(timeout=SECONDS) == Delivered("", 200)


def test_a_callback_with_many_cookies_is_delivered(door: Door) -> None:
    """Of 24 kB, as other pages on localhost leave them; they stay here."""
    answer = door.visit(door.callback("code=CODE&state=STATE", f"Cookie: a={'b' * 24_000}"))
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Cookie" not in door.requests[0]


def test_callback(door: Door) -> None:
    """The callback is rebuilt and delivered; the browser gets our page, then it is reported."""
    answer = door.visit(door.callback("code=CODE&state=STATE", "Cookie: a=b"))
    head, _, body = answer.partition(b"\r\n\r\n")
    shown = page.delivered("me@host")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == shown.body
    assert f"\r\nContent-Security-Policy: {shown.policy}\r\n".encode() in head
    assert door.reports.get(timeout=SECONDS) == Delivered("", 200)
    host = f"Host: 127.0.0.1:{door.port}"
    assert door.requests == [
        f"GET /callback?code=CODE&state=STATE HTTP/1.1\r\n{host}\r\nConnection: close\r\n\r\n".encode()
    ]


def test_idle_preconnects(door: Door) -> None:
    """Connections that a browser opens before it needs them do not delay the callback."""
    with ExitStack() as idle:
        for _ in range(6):
            idle.enter_context(door.knock())
        assert b"200 OK" in door.visit()
        assert door.reports.get(timeout=SECONDS) == Delivered("", 200)


def test_probe(door: Door) -> None:
    """A connection that is opened and closed, even in the middle of a head, reaches nobody."""
    door.knock().close()
    with door.knock() as browser:
        browser.sendall(door.callback()[:-1])
        browser.shutdown(socket.SHUT_WR)
        assert read_all(browser) == b""
    assert door.visit(b"GET /favicon.ico HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 404 ")
    assert door.requests == []
    assert door.reports.empty()


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_half_close(door: Door, size: int) -> None:
    """A client that ends its side after the request gets the whole page, however the request was cut."""
    head = door.callback()
    with door.knock() as browser:
        browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(head), size):
            browser.sendall(head[at : at + size])
        browser.shutdown(socket.SHUT_WR)
        answer = read_all(browser)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in head
    assert body == page.delivered("me@host").body


def test_slow_head() -> None:
    """A head that does not come in time gets an answer that says so, and reaches nobody."""
    with Door(lambda: TAKEN, head_seconds=0.1).open() as door:
        assert door.visit(door.callback()[:-2]).startswith(b"HTTP/1.1 408 ")
        assert door.requests == []


def test_silence_is_not_answered() -> None:
    """Anything we sent would answer what a browser asks on that connection a moment later."""
    with Door(lambda: TAKEN, head_seconds=0.1).open() as door:
        assert door.visit(b"") == b""


@pytest.mark.parametrize("beginning", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\r\n", b"\0"])
def test_no_http(door: Door, beginning: bytes) -> None:
    """TLS, or anything else but HTTP, is refused at once: the browser may go on without TLS."""
    assert door.visit(beginning).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("size", [LONGEST_HEAD + 4096, 1_000_000])
def test_long_head(door: Door, size: int) -> None:
    """A head longer than any browser's is refused before its end comes."""
    with door.knock() as browser, suppress(ConnectionError):  # the gate does not read it all
        browser.sendall(door.callback()[:-2] + b"X: " + b"a" * size)
        assert browser.recv(65536).startswith(b"HTTP/1.1 400 ")
    assert door.requests == []


def test_two_at_once() -> None:
    """Two callbacks at once, or a reload, are delivered once, and both requests get the page."""
    asked, go = threading.Event(), threading.Event()

    def answer() -> bytes:
        asked.set()
        assert go.wait(SECONDS)
        return TAKEN

    with Door(answer).open() as door, door.knock() as one, door.knock() as other:
        one.sendall(door.callback())
        assert asked.wait(SECONDS)
        other.sendall(door.callback())
        go.set()
        page_of_one = read_all(one)
        one.close()
        page_of_other = read_all(other)
        other.close()
        assert page_of_one == page_of_other == door.visit()
        assert len(door.requests) == 1
        assert door.reports.get(timeout=SECONDS) == Delivered("", 200)
        assert door.reports.empty()


def test_page_before_report() -> None:
    """The report may end everything, so the browser gets its whole page first."""
    has_page, reported = threading.Event(), threading.Event()

    def report(_: Report) -> None:
        if has_page.wait(SECONDS):
            reported.set()

    with Door(lambda: TAKEN, report=report).open() as door:
        assert door.visit().endswith(page.delivered("me@host").body)
        has_page.set()
        assert reported.wait(SECONDS)
        door.gate.settle()


def test_undelivered() -> None:
    """A failed delivery is reported and said on the page; nothing is tried again, as the run is over."""
    tried: list[bytes] = []

    failed = Undelivered(NoDelivery.NOBODY_LISTENS, "connection refused")

    def answer() -> Undelivered:
        tried.append(b"")
        return failed

    with Door(answer).open() as door:
        assert door.visit().endswith(page.failed("me@host").body)
        assert door.reports.get(timeout=SECONDS) is failed
        assert door.visit().endswith(page.failed("me@host").body)
        assert door.reports.empty()
    assert len(tried) == 1


@pytest.mark.parametrize("fault", [TimeoutError, ConnectionResetError, EOFError, RuntimeError])
def test_a_fault_of_the_delivery_gets_out(fault: type[Exception]) -> None:
    """It is not mistaken for a browser that left: the login would wait for a callback that had come.

    The browser still gets a page, and the listener, which may have the request, gets no second one.
    """
    tried: list[Deliver] = []

    def fail(verdict: Deliver) -> Delivered:
        tried.append(verdict)
        raise fault

    expected = Expected(Redirect("127.0.0.1", 56121, "/callback"), "STATE", frozenset())
    gate = Gate(expected, "me@host", fail, lambda _: None)
    head = b"GET /callback?code=CODE&state=STATE HTTP/1.1\r\nHost: 127.0.0.1:56121\r\n\r\n"
    for raises in (pytest.raises(fault), nullcontext()):
        browser, there = socket.socketpair()
        with browser, there:
            browser.sendall(head)
            browser.shutdown(socket.SHUT_WR)
            with raises:
                gate.serve(there)
            assert read_all(browser).endswith(page.failed("me@host").body)
    assert len(tried) == 1


def test_a_browser_that_goes_away_is_no_fault() -> None:
    """It may leave before its page, and the callback is still reported, or during its request."""
    reports: list[Report] = []
    expected = Expected(Redirect("127.0.0.1", 56121, "/callback"), "STATE", frozenset())
    gate = Gate(expected, "me@host", lambda _: Delivered("", 200), reports.append)
    head = b"GET /callback?code=CODE&state=STATE HTTP/1.1\r\nHost: 127.0.0.1:56121\r\n\r\n"
    for sent in (head[:20], head):
        browser, there = socket.socketpair()
        with browser, there:
            browser.sendall(sent)
            browser.close()
            gate.serve(there)
    assert reports == [Delivered("", 200)]


@pytest.mark.parametrize(
    ("answer", "status", "shown"),
    [
        (b"HTTP/1.0 200 EVIL\r\nSet-Cookie: EVIL\r\n\r\n<script>EVIL</script>", 200, page.delivered),
        (b"HTTP/1.1 302 Found\r\nLocation: https://EVIL/\r\n\r\n", 302, page.delivered),
        (b"HTTP/1.0 400 EVIL\r\n\r\nEVIL", 400, page.failed),
        (b"HTTP/1.0 503 EVIL\r\n\r\n", 503, page.failed),
        (b"EVIL", None, page.delivered),
        (b"", None, page.delivered),
    ],
)
def test_remote_answer(answer: bytes, status: int | None, shown: Callable[[str], page.Page]) -> None:
    """Of the remote's answer only the status is used: it chooses one of our pages."""
    with Door(lambda: answer).open() as door:
        seen = door.visit()
        assert seen.endswith(b"\r\n\r\n" + shown("me@host").body)
        assert b"EVIL" not in seen
        assert door.reports.get(timeout=SECONDS) == Delivered("", status)


def test_denied(door: Door) -> None:
    """A provider's refusal is delivered, reported by its name, and shown as one."""
    assert door.visit(door.callback("error=access_denied&state=STATE")).endswith(
        page.declined("me@host").body
    )
    assert door.reports.get(timeout=SECONDS) == Delivered("access_denied", 200)


def test_fetching_page(door: Door) -> None:
    """The provider's page may ask, fetch and read the answer; any other page may not."""
    ask = door.callback().replace(b"GET", b"OPTIONS", 1)[:-2]
    assert door.visit(ask + b"Origin: https://evil.test\r\n\r\n").startswith(b"HTTP/1.1 404 ")
    preflight = door.visit(ask + f"Origin: {OWN}\r\n\r\n".encode())
    assert preflight.startswith(b"HTTP/1.1 204 ")
    assert b"\r\nAccess-Control-Allow-Private-Network: true\r\n" in preflight
    assert door.requests == []
    fetched = door.visit(door.callback("code=CODE&state=STATE", f"Origin: {OWN}", "Sec-Fetch-Mode: cors"))
    assert f"\r\nAccess-Control-Allow-Origin: {OWN}\r\n".encode() in fetched
    assert b"Access-Control" not in door.visit()
    assert len(door.requests) == 1


def test_browser_that_leaves(door: Door) -> None:
    """A browser that leaves without its page changes nothing: its callback is delivered and reported."""
    with door.knock() as browser:
        linger = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)  # closes by a reset
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        browser.sendall(door.callback())
    assert door.reports.get(timeout=SECONDS) == Delivered("", 200)


def test_crowd(door: Door) -> None:
    """If there are more connections than places, the one idle longest goes, and the callback is served."""
    with ExitStack() as crowd:
        idle = [crowd.enter_context(door.knock()) for _ in range(MOST_CONNECTIONS)]
        with door.knock() as late:
            assert idle[0].recv(1) == b""
            late.sendall(door.callback())
            assert b"200 OK" in read_all(late)


@pytest.mark.slow
def test_crowd_that_idles(door: Door) -> None:
    """A callback that has begun to come keeps its place, however many silent connections follow."""
    head = door.callback()
    with ExitStack() as crowd, door.knock() as first:
        first.sendall(head[:20])
        idle = [crowd.enter_context(door.knock()) for _ in range(3 * MOST_CONNECTIONS)]
        await_end_of(idle, 2 * MOST_CONNECTIONS)
        first.sendall(head[20:])
        assert b"200 OK" in read_all(first)


def test_crowd_that_never_comes_to_the_point(door: Door) -> None:
    """If endless heads hold every place, the oldest goes, and the callback is served."""
    with ExitStack() as crowd:
        slow = []
        for _ in range(2 * MOST_CONNECTIONS):
            slow.append(crowd.enter_context(door.knock()))
            slow[-1].sendall(b"GET /callback")
        await_end_of(slow, MOST_CONNECTIONS)
        assert b"200 OK" in door.visit()
        assert door.reports.get(timeout=SECONDS) == Delivered("", 200)


@pytest.mark.slow
def test_a_client_that_goes_on_talking_after_its_answer(door: Door) -> None:
    """It is heard for a second, no longer, and nothing that it says is an error."""
    with door.knock() as browser:
        browser.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert read_all(browser).startswith(b"HTTP/1.1 404 ")
        with suppress(ConnectionError):
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:
                browser.sendall(b"more" * 1000)
            pytest.fail("it was listened to for ever")


@contextmanager
def posting(head_seconds: float = SECONDS) -> Iterator[Door]:
    """A gate of a login that asked for ``response_mode=form_post``."""
    with Door(lambda: TAKEN, head_seconds, form_post=True).open() as opened:
        yield opened


FORM = b"code=CODE&state=STATE&extra=PRIVATE"


def form_of(door: Door, length: int = len(FORM)) -> bytes:
    """The head of a form, as a browser sends it from an https page."""
    lines = (
        "POST /callback HTTP/1.1",
        f"Host: 127.0.0.1:{door.port}",
        "Origin: null",
        "Sec-Fetch-Mode: navigate",
        "Sec-Fetch-Dest: document",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {length}",
        "Cookie: a=b",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_form_is_read_whole_and_rebuilt(size: int) -> None:
    """However it is cut; what comes after it is not read."""
    with posting() as door, door.knock() as browser:
        data = form_of(door) + FORM + b"&state=other"
        browser.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(0, len(data), size):
            browser.sendall(data[at : at + size])
        assert read_all(browser).startswith(b"HTTP/1.1 200 ")
        assert door.requests[0].endswith(b"\r\n\r\ncode=CODE&state=STATE")
        assert b"Cookie" not in door.requests[0]
        assert door.reports.get(timeout=SECONDS) == Delivered("", 200)


def test_a_form_that_does_not_come() -> None:
    """It is told so after a while, if none of it comes or only a part; nothing is delivered."""
    with posting(head_seconds=0.2) as door:
        for part in (b"", FORM[:-1]):
            assert door.visit(form_of(door) + part).startswith(b"HTTP/1.1 408 ")
        assert door.requests == []


def test_a_form_that_ends_too_early() -> None:
    """The connection is closed without a word, and nothing is delivered."""
    with posting() as door:
        with door.knock() as browser:
            browser.sendall(form_of(door) + FORM[:-1])
            browser.shutdown(socket.SHUT_WR)
            assert read_all(browser) == b""
        assert door.requests == []


def test_a_form_that_is_too_long_is_not_read() -> None:
    """It is refused by its head."""
    with posting() as door:
        assert door.visit(form_of(door, LONGEST_FORM + 1)).startswith(b"HTTP/1.1 413 ")
        assert door.reports.get(timeout=SECONDS) == Strayed(Amiss.TOO_LONG)


def test_many_forms_that_never_end() -> None:
    """They hold no place for ever: the callback gets through."""
    with posting() as posted, ExitStack() as crowd:
        slow = []
        for _ in range(MOST_CONNECTIONS + 5):
            slow.append(crowd.enter_context(posted.knock()))
            slow[-1].sendall(form_of(posted) + b"code=")
        await_end_of(slow, 5)
        assert posted.visit(form_of(posted) + FORM).startswith(b"HTTP/1.1 200 ")
