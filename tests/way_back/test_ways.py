"""The ways back of one session: which ports are listened on, for how long, and what comes of a callback."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPConnection
from typing import Any

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.deadlines import LISTENER, Deadline
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.sightings import Loopback
from hermes_tunnel.oauth.states import Delivered, Undelivered
from hermes_tunnel.remote.call import Call
from hermes_tunnel.steps import Steps
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.way_back.waiting import AtPort
from hermes_tunnel.way_back.ways import ForwardRefused, Ready, Ways
from tests.ssh.hops import connected
from tests.stage.ssh_server import Settings
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("nothing_left")
ISSUER = "auth.example.com"
TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SECONDS = 10.0


class Program:
    """A program on the remote machine that listens for its callback.

    :param answer: what it answers to each request
    """

    def __init__(self, stage: Stage, answer: Callable[[bytes], bytes] = lambda _: TAKEN) -> None:
        self.heard: list[bytes] = []
        self.changed = threading.Condition()
        self._answer = answer
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
        client.sendall(self._answer(self.heard[-1]))

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

    def ready(self, sighting: Loopback, **more: bool) -> object:
        """What comes of getting ready."""
        return self.decider.follow(self.ways.ready(sighting, **more))

    def until(self, found: Callable[[AtPort | ForwardRefused], bool]) -> AtPort | ForwardRefused:
        """Act on what is posted, until that is."""
        deadline = time.monotonic() + SECONDS
        while (left := deadline - time.monotonic()) > 0:
            item = self.decider.next(left)
            if isinstance(item, AtPort):
                self.decider.follow(self._heard(item))
            if isinstance(item, AtPort | ForwardRefused):
                self.posted.append(item)
                if found(item):
                    return item
        raise AssertionError(f"it never came: {self.posted}")

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
        assert "The sign-in went to the program on demo@hermes-demo." in visit.page
        assert session.hidden == {"S3CRET"}
        assert [one.partition(b" HTTP")[0] for one in program.heard] == [
            b"GET /callback?code=S3CRET&state=STATE"
        ]
        assert not is_open(program.port)
        assert session.ways.waiting == {}
