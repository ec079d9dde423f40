"""The callback's less usual ways: relays, prompts, pasted addresses, strays."""

from __future__ import annotations

import io
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.deadlines import OFFER
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import redeem
from hermes_tunnel.demo.oauth_client import Attempt
from hermes_tunnel.errors import NetworkFailure, NobodyAnswered, NoWayBack
from hermes_tunnel.login import LoggedIn
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.ports.person import BusyPort, Person
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.way_back.delivery import Delivery
from hermes_tunnel.way_back.entrance import Entrance
from hermes_tunnel.way_back.listening import shared
from tests.ssh.hops import connected
from tests.stage.hermes import Hermes
from tests.stage.logins import loopback_login, mcp_login, spotify_login, wait_for_answer
from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.ssh_server import Settings
from tests.stage.stage import Stage
from tests.test_login import Login

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]
APPROVE, DENY = Answer.APPROVE, Answer.DENY
NO_FORWARD = Settings(allow_tcp_forwarding=False)
NEITHER = Settings(allow_tcp_forwarding=False, max_sessions=1)


def offers_a_prompt(hermes: Hermes) -> Command:
    """Like xAI 0.17 and 0.18 on a terminal: a typed address is as good as the callback."""
    return loopback_login(hermes, offer="If xAI shows a code instead,\npaste that code here and press Enter.")


def way_of(done: Login) -> list[str]:
    """The way that the callback took."""
    return [event.way for event in done.events if isinstance(event, events.Callback)]


@pytest.mark.parametrize("kind", [loopback_login, spotify_login, mcp_login])
@pytest.mark.parametrize(
    ("settings", "relay", "way"),
    [
        (Settings(), "auto", "forward"),
        (Settings(), "never", "forward"),
        (Settings(), "always", "relay"),
        (NO_FORWARD, "auto", "relay"),
    ],
)
def test_the_callback_finds_its_way(kind: object, settings: Settings, relay: str, way: str) -> None:
    """It takes a channel, or a relay if the server refuses channels or --relay says so; nothing is probed."""
    with Stage(APPROVE, login=kind, settings=settings) as stage:  # type: ignore[arg-type]
        done = Login(stage, relay=relay)
        assert stage.server.running == []
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert way_of(done) == [way]


def test_a_denial_is_relayed_too() -> None:
    """The command hears of the denial, and so does the person."""
    with Stage(DENY, settings=NO_FORWARD) as stage:
        done = Login(stage)
    assert events.Callback("denied", "access_denied", "relay") in done.events


def test_the_command_s_own_prompt_is_the_last_way() -> None:
    """If the server allows neither, the browser's answer is typed at the prompt that the command offers."""
    with Stage(APPROVE, login=offers_a_prompt, settings=NEITHER) as stage:
        done = Login(stage)
        visit = stage.person.wait()
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert way_of(done) == ["prompt"]
    assert "Back to your terminal" in visit.text
    assert visit.url.partition("code=")[2][:20] not in done.shown


def offers_late(hermes: Hermes) -> Command:
    """As on a busy machine: the browser is back before the command has offered its prompt."""

    def command(process: RemoteProcess) -> int:
        with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            attempt = Attempt(listener.redirect_uri)
            process.print(hermes.client.authorization_url(attempt))
            with suppress(TimeoutError):
                process.wait_for(lambda: False, 1.0)
            process.print("paste that code here and press Enter.")
            redeem(hermes, attempt, wait_for_answer(process, listener), "The authorization")
            process.print('Saved xai-oauth OAuth credentials: "demo"')
        return 0

    return command


def test_the_command_s_own_prompt_is_waited_for() -> None:
    """The offer of the prompt may come after the browser."""
    with Stage(APPROVE, login=offers_late, settings=NEITHER) as stage:
        done = Login(stage)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert way_of(done) == ["prompt"]


@pytest.mark.parametrize(
    ("settings", "relay", "words"),
    [
        (NEITHER, "auto", "administratively prohibited; a second session for the relay was refused"),
        (NO_FORWARD, "never", "administratively prohibited"),
        (Settings(max_sessions=1), "always", "a second session for the relay was refused"),
    ],
)
def test_where_there_is_no_way(settings: Settings, relay: str, words: str) -> None:
    """The error names what refused each way, and the browser's page says that it did not work."""
    with Stage(APPROVE, settings=settings) as stage:
        done = Login(stage, relay=relay, shorter={OFFER: 0.3})
        visit = stage.person.wait()
    assert isinstance(done.ended, NoWayBack), done.ended
    assert words in done.ended.message
    assert "Almost" in visit.text


def test_the_answer_to_another_login_is_told() -> None:
    """It is told once, though it comes twice; only the right answer goes through to the remote."""
    with Stage(APPROVE) as stage:
        pages: list[bytes] = []

        def come_astray(url: str) -> bool:
            port = next(event.port for event in done_events if isinstance(event, events.Forwarding))
            for _ in range(2):
                with socket.create_connection(("127.0.0.1", port)) as browser:
                    head = f"GET /callback?code=c&state=older HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
                    browser.sendall(head.encode())
                    pages.append(b"".join(iter(lambda: browser.recv(65536), b"")))
            return stage.person.open(url)

        done_events: list[events.Event] = []
        done = Login(stage, open_page=come_astray, watch=done_events.append)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    told = [event.outcome for event in done.events if isinstance(event, events.Callback)]
    assert told == ["stray", "delivered"]
    assert all(page.startswith(b"HTTP/1.1 404") and b"Not this login" in page for page in pages)


def test_nobody_but_a_stray() -> None:
    """When the time is up, the person is told that only a stray came."""
    with Stage(APPROVE) as stage:

        def come_astray(_: str) -> bool:
            port = next(event.port for event in seen if isinstance(event, events.Forwarding))
            with socket.create_connection(("127.0.0.1", port)) as browser:
                head = f"GET /callback?code=c&state=older HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
                browser.sendall(head.encode())
                browser.recv(100)
            return True

        seen: list[events.Event] = []
        done = Login(stage, open_page=come_astray, watch=seen.append, seconds=1.0)
    assert isinstance(done.ended, NobodyAnswered)
    assert "only with the answer to another login" in done.ended.message


def answer_to(port: int, *lines: str) -> bytes:
    """The answer to a request of these lines."""
    with socket.create_connection(("127.0.0.1", port)) as browser:
        browser.sendall("\r\n".join((*lines, f"Host: 127.0.0.1:{port}", "", "")).encode())
        return b"".join(iter(lambda: browser.recv(65536), b""))


def speak_tls(port: int) -> None:
    """As a browser that turns every address into https; it hears at once that this is none."""
    insecure = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    with socket.create_connection(("127.0.0.1", port), 5) as plain, pytest.raises(ssl.SSLError):
        insecure.wrap_socket(plain, server_hostname="localhost")


def port_of(seen: list[events.Event]) -> int:
    """Where the login listens."""
    return next(event.port for event in seen if isinstance(event, events.Forwarding))


def test_what_comes_in_place_of_the_callback_is_told_at_once_and_once() -> None:
    """The page opens all the same, and its answer gets through, with all the cookies of localhost."""
    with Stage(APPROVE) as stage:

        def come_in_every_way(url: str) -> bool:
            port = port_of(seen)
            state = parse_qs(urlsplit(url).query)["state"][0]
            right = f"GET /callback?code=S3CRET&state={state} HTTP/1.1"
            for _ in range(2):
                speak_tls(port)
                answer_to(port, "GET /callback?error=access_denied HTTP/1.1")
                answer_to(port, right, "Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image")
                answer_to(port, right, "Origin: https://evil.test", "Sec-Fetch-Mode: cors")
                answer_to(port, right.replace("/callback", "/"))
                answer_to(port, "POST /callback HTTP/1.1", "Content-Length: 0")
                answer_to(port, "GET /callback?code=S3CRET HTTP/1.1")
                answer_to(port, right.replace(" HTTP", f"&x={'x' * 20_000} HTTP"))
                answer_to(port, "GET /favicon.ico HTTP/1.1")
            return stage.person.open(url)

        seen: list[events.Event] = []
        done = Login(stage, open_page=come_in_every_way, watch=seen.append)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    told = [event.outcome for event in done.events if isinstance(event, events.Callback)]
    strays = ["tls", "unclear_denial", "fetched", "elsewhere", "other_method", "incomplete", "too_long"]
    assert told == [*strays, "delivered"]
    assert "S3CRET" not in done.shown


@pytest.mark.parametrize(
    ("come", "words"),
    [
        (speak_tls, "came back only with https"),
        (
            lambda port: answer_to(port, "GET /callback?error=access_denied HTTP/1.1"),
            "a refusal that does not say which login it is for",
        ),
        (lambda port: answer_to(port, "GET /callback HTTP/1.1"), "without a state, or without a code"),
    ],
)
def test_the_ending_says_what_came_instead(come: Callable[[int], object], words: str) -> None:
    """10, with the reason in place of a guess."""
    with Stage(APPROVE) as stage:

        def come_amiss(_: str) -> bool:
            come(port_of(seen))
            return True

        seen: list[events.Event] = []
        done = Login(stage, open_page=come_amiss, watch=seen.append, seconds=1.0)
    assert isinstance(done.ended, NobodyAnswered)
    assert words in done.ended.message


@contextmanager
def occupied() -> Iterator[tuple[int, list[str]]]:
    """A local port where something else listens, and what browsers asked it for."""
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                with client:
                    asked.append(client.recv(4096).decode().split(" ")[1])
                    client.sendall(b"HTTP/1.0 200 OK\r\n\r\nsomething else")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_the_person_brings_the_address(tmp_path: Path) -> None:
    """If the person agrees to a busy port of their own, the pasted address is judged and delivered."""
    if sys.platform == "win32":
        pytest.skip("needs a named pipe")
    pasted = tmp_path / "pasted"
    os.mkfifo(pasted)
    with (
        occupied() as (port, asked),
        Stage(APPROVE, login=lambda hermes: loopback_login(hermes, port=port)) as stage,
    ):
        known = replace(provider("xai-oauth"), callback=(port, "/callback"))

        def sign_in_and_paste() -> None:
            with pasted.open("w") as clipboard:
                ended_on = stage.person.wait().url
                for text in ("", "nonsense with blanks", ended_on.replace("state=", "state=x"), ended_on):
                    clipboard.write(f"{text}\n")
                    clipboard.flush()

        person = threading.Thread(target=sign_in_and_paste)
        person.start()
        done = Login(stage, known=known, stdin=pasted, busy_port=BusyPort("paste", yes=True))
        person.join()
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.of(events.Forwarding) == []
    assert events.Prompt("the address that the browser ended on", secret=True) in done.events
    assert done.shown.count("That is not it: ") == 2
    assert "The answer was delivered; Hermes is finishing the login" in done.shown
    assert "The browser came back" not in done.shown
    code = asked[0].partition("code=")[2].partition("&")[0]
    assert len(code) > 8
    assert code not in done.shown


def test_nobody_brings_the_address() -> None:
    """When the input ends, so does the login."""
    with (
        occupied() as (port, _),
        Stage(APPROVE, login=lambda hermes: loopback_login(hermes, port=port)) as stage,
    ):
        known = replace(provider("xai-oauth"), callback=(port, "/callback"))
        busy = BusyPort("paste", yes=True)
        done = Login(stage, known=known, busy_port=busy, open_page=lambda _: True)
    assert isinstance(done.ended, NobodyAnswered)
    assert "nobody pasted the address that the browser ended on" in done.ended.message


def test_without_a_yes_the_address_is_not_asked_for() -> None:
    """What listens there would see the code: the person has to agree, and cannot without a terminal."""
    with (
        occupied() as (port, asked),
        Stage(APPROVE, login=lambda hermes: loopback_login(hermes, port=port)) as stage,
    ):
        done = Login(stage, busy_port=BusyPort("paste"))
    assert isinstance(done.ended, NoWayBack)
    assert "to let it see the answer: --yes" in done.ended.hint
    assert asked == []


WILDCARD = """
import socket, sys
s = socket.socket(socket.AF_INET6 if len(sys.argv) > 1 else socket.AF_INET)
if len(sys.argv) > 1: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
s.bind(("", 0)); s.listen(); print(s.getsockname()[1], flush=True); input()
"""


@contextmanager
def another(*argv: str) -> Iterator[int]:
    """A port where another process listens on all addresses."""
    with subprocess.Popen(
        [sys.executable, "-c", WILDCARD, *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.communicate("\n")


def test_a_listener_beside_ours_is_found() -> None:
    """Where a system shares one port, the other listener is an occupant; a port with only ours is free."""
    with socket.create_server(("127.0.0.1", 0)) as own:
        assert not shared(own.getsockname()[1], ["127.0.0.1"])
    with another() as port:
        assert shared(port, ["127.0.0.1"])


def way_back(
    stage: Stage, host: str, port: int, *, alone: bool = True, lost: bool = False
) -> list[events.Event]:
    """The events of a way back for a redirect, with nobody there to ask."""
    told: list[events.Event] = []
    console = Console(io.StringIO(), Keyboard(None))
    redirect = Redirect(host, port, "/callback")
    decider = Decider(console, told.append)
    entrance = Entrance(Person(console.say, there=False), told.append, decider.mailbox.put, alone=alone)
    with connected(stage) as connection, closing(entrance):
        if lost:
            connection.close()
        delivery = Delivery(lambda: connection, Call(), redirect)
        decider.follow(
            entrance.open(
                connection.destination,
                Expected(redirect, "state"),
                delivery,
                check=connection.check,
                known=False,
            )
        )
    return told


@pytest.mark.parametrize("alone", [True, False])
def test_a_system_that_gives_a_port_away_twice(alone: bool) -> None:
    """On macOS a bind succeeds beside a listener on all addresses, so we look for one."""
    with Stage() as stage, another("IPv6 alone") as port:
        if alone:
            assert way_back(stage, "127.0.0.1", port) == [events.Forwarding(port, ("127.0.0.1",), port)]
        else:
            with pytest.raises(NoWayBack, match=rf"local port {port} is taken by .*, LISTEN on ::\)$"):
                way_back(stage, "127.0.0.1", port, alone=False)
        socket.create_server(("127.0.0.1", port)).close()


def test_a_connection_that_is_lost_beforehand_is_reported() -> None:
    """It may be lost during a question: opening the way back fails at once, and the port is free."""
    with socket.create_server(("127.0.0.1", 0)) as some:
        port = some.getsockname()[1]
    with Stage() as stage, pytest.raises(NetworkFailure, match="was lost"):
        way_back(stage, "127.0.0.1", port, lost=True)
    socket.create_server(("127.0.0.1", port)).close()


def test_localhost_is_both_families() -> None:
    """A browser may use either, so we listen on both; an occupant of one is named, never bound beside."""
    with socket.create_server(("127.0.0.1", 0)) as some:
        port = some.getsockname()[1]
    with Stage() as stage:
        assert way_back(stage, "localhost", port) == [events.Forwarding(port, ("127.0.0.1", "::1"), port)]
        with socket.create_server(("::1", port), family=socket.AF_INET6):
            with pytest.raises(NoWayBack, match=rf"local port {port} is taken by .*, LISTEN on ::1\)$"):
                way_back(stage, "localhost", port)
            assert way_back(stage, "127.0.0.1", port) == [events.Forwarding(port, ("127.0.0.1",), port)]
