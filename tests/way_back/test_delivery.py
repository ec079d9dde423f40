"""One request on its way to its listener, over connections that are lost at the worst moments."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

import pytest

from hermes_tunnel import login, tunnel
from hermes_tunnel.conversation.invitation import Wishes
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Deliver
from hermes_tunnel.oauth.rebuilding import rebuilt
from hermes_tunnel.oauth.states import Delivered, NoDelivery, Undelivered
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.way_back.delivery import Delivery
from tests.cli.program import run
from tests.ssh.hops import connected
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("nothing_left")
WORDS = "a callback cannot get into a container: only a relay leads there"
WAY = {"never": "forward", "always": "relay"}
BY = pytest.mark.parametrize("by", ["never", "always"], ids=["by a channel", "by a relay"])


class Scene:
    """A listener there that serves one request, and any number of connections to it.

    :param behave: what it does before it answers
    """

    def __init__(self, behave: Callable[[], None]) -> None:
        self.heard: list[bytes] = []
        self._behave = behave
        self._listener = socket.create_server(("127.0.0.1", 0))

    @contextmanager
    def open(self, stage: Stage) -> Iterator[Scene]:
        """Listen on the remote machine's loopback."""
        self.stage = stage
        self.connections: list[Connection] = []
        port = stage.loopback.bind(self._listener.getsockname()[1])
        self.redirect = Redirect("127.0.0.1", port, "/callback")
        serving = threading.Thread(target=self._serve)
        serving.start()
        try:
            with ExitStack() as self._open:
                self.connect()
                yield self
        finally:
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            serving.join()
            self._listener.close()

    def connect(self) -> Connection:
        """A connection, the newest one from now on."""
        self.connections.append(self._open.enter_context(connected(self.stage)))
        return self.connections[-1]

    def deliver(self, by: str) -> Delivered | Undelivered:
        """Deliver the callback, first over the present connection, then over a new one."""
        given = iter(self.connections[:1])
        delivery = Delivery(lambda: next(given, None) or self.connect(), Call(), self.redirect, by=by)
        return delivery.deliver(Deliver(rebuilt("/callback", "code=c&state=s", self.redirect)))

    def _serve(self) -> None:
        with suppress(OSError):
            client, _ = self._listener.accept()
            with client:
                self._listener.shutdown(socket.SHUT_RDWR)
                self.heard.append(client.recv(4096))
                self._behave()
                client.sendall(b"HTTP/1.0 200 OK\r\n\r\nthanks")


@BY
def test_a_lost_connection_is_replaced(by: str) -> None:
    """If it is lost before the browser comes, the request goes over the next one, once."""
    with Stage() as stage, Scene(lambda: None).open(stage) as scene:
        stage.server.drop()
        assert scene.deliver(by) == Delivered("", 200, WAY[by])
        assert len(scene.heard) == 1
        assert len(scene.connections) == 2


@BY
def test_a_request_that_was_under_way_is_not_sent_again(by: str) -> None:
    """If the connection is lost before the answer, the listener may have the request: it gets no other."""
    with Stage() as stage, Scene(stage.server.drop).open(stage) as scene:
        failed = scene.deliver(by)
        assert isinstance(failed, Undelivered)
        assert failed.reason is NoDelivery.LOST_UNDER_WAY
        assert len(scene.heard) == 1
        assert len(scene.connections) == 1


@BY
def test_nobody_listens(by: str) -> None:
    """The connection is not lost, so another would not help."""
    with Stage() as stage, Scene(lambda: None).open(stage) as scene:
        scene.redirect = Redirect("127.0.0.1", 1, "/callback")
        assert scene.deliver(by) == Undelivered(NoDelivery.NOBODY_LISTENS, "connect failed")
        assert len(scene.connections) == 1


def test_no_channel_into_a_container() -> None:
    """It would lead to another listener, if to any, so such an order is refused."""
    call = Call(container="hermes")
    with pytest.raises(UsageFailure, match=WORDS):
        login.LoginOrder(provider("xai-oauth"), (), call, wishes=Wishes(relay="never"))
    with pytest.raises(UsageFailure, match=WORDS):
        tunnel.TunnelOrder((), call, relay="never")
    tunnel.TunnelOrder((), call)
    tunnel.TunnelOrder((), Call(), relay="never")


@pytest.mark.slow
@pytest.mark.parametrize(("verb", "words"), [("login", ("xai-oauth",)), ("forward", ()), ("paste", ())])
def test_it_is_refused_as_usage(verb: str, words: tuple[str, ...]) -> None:
    """It is refused before anything is connected to: the host does not even exist."""
    address = "http://127.0.0.1:56121/callback?code=a&state=b"
    port = ("56121",) if verb == "forward" else ()
    options = ("-F", "none", "--container", "hermes", "--relay", "never")
    done = run(verb, *words, "nowhere.invalid", *port, *options, input=address, stdin=None)
    assert done.returncode == 2
    assert WORDS in done.stderr
