"""``forward`` and ``paste``: a login already waits there, started in another session."""

from __future__ import annotations

import io
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider, Signalled
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.errors import Failure, NobodyAnswered, NoWayBack, Refused, Stopped, Unsafe, UsageFailure
from hermes_tunnel.oauth.authorization import Policy, Redirect, assess_authorization
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.text import redact
from hermes_tunnel.tunnel import TunnelOrder, expected_at, expected_by, forward, paste
from tests.ports.holding import LISTENER, child, posix
from tests.ssh.test_proxycommand import RELAY
from tests.stage.client import LOGIN_LINE, Command, connected, redirect_port
from tests.stage.logins import loopback_login, mcp_login, spotify_login
from tests.stage.remote_process import Command as ServerCommand
from tests.stage.remote_process import RemoteProcess
from tests.stage.ssh_server import Account, Settings
from tests.stage.stage import HOST, USER, Stage
from tests.terminal.pseudo_terminal import terminal, until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]
NO_FORWARD = Settings(allow_tcp_forwarding=False)


class Tunnel:
    """What a tunnel is given, and what it reports."""

    def __init__(
        self, stage: Stage, watch: Callable[[events.Event], None] = lambda _: None, *options: str
    ) -> None:
        configuration = Options(config_file=str(stage.config_file), options=options)
        self.hops = resolve(parse_target(HOST), configuration)
        self.events: list[events.Event] = []
        self.shown = io.StringIO()
        self.console = Console(self.shown, Keyboard(None), verbosity=1)
        self._watch = watch

    @property
    def decider(self) -> Decider:
        """The decider of one run."""
        return Decider(self.console, self.emit)

    def emit(self, event: events.Event) -> None:
        """Note an event."""
        self.events.append(event)
        self._watch(event)

    def outcomes(self) -> list[tuple[str, str]]:
        """What became of each callback, and the way that it took."""
        return [(each.outcome, each.way) for each in self.events if isinstance(each, events.Callback)]


@contextmanager
def waiting(answer: Answer = Answer.APPROVE, **stage: Any) -> Iterator[tuple[Stage, Command, str]]:
    """A login that waits there, and its URL."""
    with Stage(answer, **stage) as staged, connected(staged) as transport:
        command = Command(transport, LOGIN_LINE)
        yield staged, command, command.url()


def by_url(url: str, stage: Stage) -> Expected:
    """The callback to expect, from the whole URL."""
    authorization = assess_authorization(url, Policy(origin=stage.origin))
    assert authorization.redirect is not None
    return Expected(authorization.redirect, authorization.state)


def on_forwarding(act: Callable[[], object]) -> Callable[[events.Event], None]:
    """Do something once the tunnel is open."""

    def watch(event: events.Event) -> None:
        if isinstance(event, events.Forwarding):
            act()

    return watch


@pytest.mark.parametrize("login", [loopback_login, spotify_login, mcp_login])
@pytest.mark.parametrize("settings", [Settings(), NO_FORWARD])
@pytest.mark.parametrize("known", ["url", "port"])
def test_the_callback_reaches_the_login_that_waits(login: object, settings: Settings, known: str) -> None:
    """We know its URL or its port, and use a channel or a relay; then we are done, and the login goes on."""
    with waiting(login=login, settings=settings) as (stage, command, url):
        tunnel = Tunnel(stage, on_forwarding(lambda: stage.person.open(url)))
        expected = by_url(url, stage) if known == "url" else expected_at(redirect_port(url))
        redirect = forward(TunnelOrder(tunnel.hops, expected=expected), tunnel.decider)
        assert redirect.port == redirect_port(url)
        command.read_all()
        assert command.status() == 0
    assert tunnel.outcomes() == [("delivered", "forward" if settings == Settings() else "relay")]
    assert ("Only the port is known" in tunnel.shown.getvalue()) == (known == "port")
    phases = [event for event in tunnel.events if isinstance(event, events.Phase) and event.seconds]
    assert ("authentication", "publickey") in [(phase.name, phase.detail) for phase in phases]


def test_a_denial_is_one() -> None:
    """It is delivered, and the failure says so."""
    with waiting(Answer.DENY) as (stage, command, url):
        tunnel = Tunnel(stage, on_forwarding(lambda: stage.person.open(url)))
        with pytest.raises(Refused, match="access_denied"):
            forward(TunnelOrder(tunnel.hops, expected=by_url(url, stage)), tunnel.decider)
        command.read_all()
        assert command.status() == 1


def test_with_the_url_another_login_s_answer_is_a_stray() -> None:
    """It is reported, but only the time limit ends the wait."""
    with waiting() as (stage, _, url):
        other = url.replace("state=", "state=x")
        tunnel = Tunnel(stage, on_forwarding(lambda: stage.person.open(url)))
        with pytest.raises(NobodyAnswered, match="only with the answer to another login"):
            forward(TunnelOrder(tunnel.hops, expected=by_url(other, stage), seconds=1.5), tunnel.decider)
        stage.person.wait()
    assert tunnel.outcomes() == [("stray", "")]
    assert "Waiting for your browser, at most 2 s\n" in tunnel.shown.getvalue()


def test_nobody_listens_there() -> None:
    """If the login there is gone when the browser comes, the error says so, and what to do."""
    with waiting() as (stage, command, url):
        command.end()
        tunnel = Tunnel(stage, on_forwarding(lambda: stage.person.open(url)))
        with pytest.raises(Refused, match="nothing listens for it on the remote machine"):
            forward(TunnelOrder(tunnel.hops, expected=by_url(url, stage)), tunnel.decider)


def test_the_connection_comes_back_and_the_browser_is_held() -> None:
    """If it drops while the browser is on its way, the answer waits for the next connection."""
    with waiting() as (stage, command, url):

        def lose() -> None:
            stage.server.connections[-1].drop()
            stage.person.open(url)

        tunnel = Tunnel(stage, on_forwarding(lose))
        forward(TunnelOrder(tunnel.hops, expected=by_url(url, stage)), tunnel.decider)
        command.read_all()
        assert command.status() == 0
        assert stage.person.wait().status == 200
    connections = [each for each in tunnel.events if isinstance(each, events.Connected)]
    assert len(connections) == 2
    assert "connecting again ..." in tunnel.shown.getvalue()
    assert tunnel.outcomes() == [("delivered", "forward")]


def test_we_say_what_we_wait_for() -> None:
    """If the connection drops and does not come back, we wait for it, not for the browser."""
    with waiting() as (stage, _, url):
        tunnel = Tunnel(stage, on_forwarding(stage.server.close))
        with pytest.raises(NobodyAnswered):
            forward(TunnelOrder(tunnel.hops, expected=by_url(url, stage), seconds=3), tunnel.decider)
    assert "connecting again ..." in tunnel.shown.getvalue()
    assert "Waiting for the connection to come back, at most " in tunnel.shown.getvalue()


@posix
def test_a_password_for_the_next_connection_is_no_pasted_code() -> None:
    """If the connection drops while a code could be pasted, only the new one's question is asked."""
    account = Account(USER, password="pass-word-1")
    with waiting(account=account) as (stage, command, url), terminal() as pty:
        tunnel = Tunnel(stage, lambda _: None, "PubkeyAuthentication=no")
        tunnel.console = Console(pty.writer, Keyboard(pty.reader), color=False)
        done: Future[Redirect] = Future()

        def lead() -> None:
            try:
                order = TunnelOrder(tunnel.hops, expected=by_url(url, stage))
                done.set_result(forward(order, tunnel.decider))
            except BaseException as problem:
                done.set_exception(problem)
                raise

        leading = threading.Thread(target=lead)
        leading.start()
        pty.wait_for("assword:")
        pty.type("pass-word-1\n")
        shown = pty.wait_for("Waiting for your browser. Ctrl-C stops.")
        until(lambda: not pty.echoes)
        stage.server.connections[-1].drop()
        shown += pty.wait_for("assword:")
        pty.type("pass-word-1\n")
        shown += pty.wait_for("Waiting for your browser. Ctrl-C stops.")
        until(lambda: not pty.echoes)
        pty.type("not a code\n")
        shown += pty.wait_for("That is not it: it is neither an address of this machine nor a code.")
        stage.person.open(url)
        done.result(20)
        leading.join(5)
        command.read_all()
        assert command.status() == 0
    assert shown.count("That is not it") == 1
    assert "pass-word-1" not in shown
    assert tunnel.outcomes() == [("delivered", "forward")]


def lists_two(command: ServerCommand) -> ServerCommand:
    """A machine on which two programs listen that could be a login."""

    def listing(process: RemoteProcess) -> int:
        if "listeners" not in process.line:
            return command(process)
        process.print(f"hermes-tunnel:{process.line.split()[-1]}:listeners")
        for port in (35001, 35002):
            process.print(f'LISTEN 0 5 127.0.0.1:{port} 0.0.0.0:* users:(("python3",pid=1,fd=3))')
        return 0

    return listing


@posix
def test_the_question_which_port_is_meant_is_asked_again_over_the_next_connection() -> None:
    """If the connection drops meanwhile, the question ends, and we look at what listens there once more."""
    with Stage(around=lists_two) as stage, terminal() as pty:
        tunnel = Tunnel(stage)
        tunnel.console = Console(pty.writer, Keyboard(pty.reader), color=False)
        done: Future[Redirect] = Future()

        def lead() -> None:
            try:
                done.set_result(forward(TunnelOrder(tunnel.hops, seconds=8), tunnel.decider))
            except Exception as problem:
                done.set_exception(problem)

        leading = threading.Thread(target=lead)
        leading.start()
        pty.wait_for("Which port is the login's? ")
        stage.server.drop()
        pty.wait_for("connecting again ...")
        pty.wait_for("Which port is the login's? ")
        pty.type("35002\n")
        shown = pty.wait_for("The tunnel is open: port 35002")
        assert "fault" not in shown
        with pytest.raises(NobodyAnswered):
            done.result(20)
        leading.join(5)


@posix
def test_a_question_about_the_port_stands_while_the_connection_comes_back() -> None:
    """Its subject is still there, so the answer counts, and the tunnel opens with the next connection."""
    with child(LISTENER, "127.0.0.1", 0) as (holder, port), Stage() as stage, terminal() as pty:
        tunnel = Tunnel(stage)
        tunnel.console = Console(pty.writer, Keyboard(pty.reader), color=False)
        done: Future[Redirect] = Future()

        def lead() -> None:
            try:
                order = TunnelOrder(tunnel.hops, expected=expected_at(port), seconds=8)
                done.set_result(forward(order, tunnel.decider))
            except Exception as problem:
                done.set_exception(problem)

        leading = threading.Thread(target=lead)
        leading.start()
        assert f"PID {holder.pid}" in pty.wait_for("[y/N] ")
        stage.server.drop()
        pty.wait_for("connecting again ...")
        pty.wait_for("Connected to ")
        pty.type("y\n")
        pty.wait_for(f"The tunnel is open: port {port}")
        with pytest.raises(NobodyAnswered):
            done.result(20)
        leading.join(5)


def test_what_listens_there_is_looked_at_when_the_connection_is_back() -> None:
    """If it drops before the look, nobody waits in silence for a connection that nobody makes."""
    with Stage(around=lists_two) as stage:
        drops = [stage.server.drop]

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Connected) and drops:
                drops.pop()()
                until(lambda: not any(isinstance(one, Transport) for one in threading.enumerate()))

        tunnel, began = Tunnel(stage, watch), time.monotonic()
        with pytest.raises(UsageFailure, match="it is not clear which port"):
            forward(TunnelOrder(tunnel.hops), tunnel.decider)
        assert time.monotonic() - began < 15
    assert "connecting again ..." in tunnel.shown.getvalue()


def test_a_signal_is_not_kept_waiting_for_the_connection() -> None:
    """It ends the run even while we wait for the connection to look at what listens there."""
    with Stage() as stage:
        deciders: list[Decider] = []

        def watch(event: events.Event) -> None:
            if isinstance(event, events.Connected):
                stage.server.close()
            if isinstance(event, events.Notice) and "connecting again" in event.text:
                deciders[0].mailbox.put(Signalled(15))

        tunnel = Tunnel(stage, watch)
        deciders.append(tunnel.decider)
        began = time.monotonic()
        with pytest.raises(Stopped):
            forward(TunnelOrder(tunnel.hops), deciders[0])
        assert time.monotonic() - began < 1.5


RELAY_ONCE = """\
#!/bin/sh
if mkdir '{once}' 2>/dev/null; then exec {python} '{relay}' "$1"; fi
exec sleep 60
"""


@posix
def test_the_command_for_the_next_connection_does_not_outlast_the_wait(tmp_path: Path) -> None:
    """If the person's time is up while a ProxyCommand connects again, that is ended, too."""
    relay, command = tmp_path / "relay.py", tmp_path / "command"
    relay.write_text(RELAY)
    command.write_text(RELAY_ONCE.format(once=tmp_path / "once", python=sys.executable, relay=relay))
    command.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with Stage() as stage:
        lost = on_forwarding(stage.server.drop)
        tunnel = Tunnel(stage, lost, f"ProxyCommand={command} %p")
        with pytest.raises(NobodyAnswered):
            forward(TunnelOrder(tunnel.hops, expected=expected_at(port), seconds=3), tunnel.decider)
        assert "connecting again" in tunnel.shown.getvalue()
        assert psutil.Process().children() == []


@posix
def test_if_only_the_port_is_known_we_ask_for_an_address_not_a_code() -> None:
    """Without the state a code alone is no use; the address of the page that did not open is."""
    with waiting() as (stage, command, url), terminal() as pty:
        tunnel = Tunnel(stage)
        tunnel.console = Console(pty.writer, Keyboard(pty.reader), color=False)
        order = TunnelOrder(tunnel.hops, expected=expected_at(redirect_port(url)))

        def lead() -> None:
            with pytest.raises(Refused):
                forward(order, tunnel.decider)

        leading = threading.Thread(target=lead)
        leading.start()
        shown = pty.wait_for("Ctrl-C stops.")
        until(lambda: not pty.echoes)
        pty.type("a-code-1234567890\n")
        shown += pty.wait_for("is not enough.")
        state = url.partition("state=")[2].partition("&")[0]
        pty.type(f"http://127.0.0.1:{redirect_port(url)}/callback?error=access_denied&state={state}\n")
        leading.join(20)
        command.read_all()
    assert "ends on a page that does not open, paste its address here" in " ".join(shown.split())
    assert "shows a code" not in shown
    assert tunnel.outcomes() == [("denied", "forward")]


@pytest.mark.parametrize("settings", [Settings(), NO_FORWARD])
def test_a_pasted_address_is_delivered(settings: Settings) -> None:
    """It is the address that the browser showed; the paste itself is not shown."""
    with waiting(settings=settings) as (stage, command, url):
        address = address_after(stage, url)
        tunnel = Tunnel(stage)
        redirect = paste(TunnelOrder(tunnel.hops), f" {address}\n", tunnel.decider)
        assert redirect.port == redirect_port(url)
        command.read_all()
        assert command.status() == 0
    assert address.partition("code=")[2][:16] not in tunnel.shown.getvalue()
    assert "The answer was delivered; Hermes" in tunnel.shown.getvalue()
    assert "The browser came back" not in tunnel.shown.getvalue()


@pytest.mark.parametrize(
    "as_pasted",
    [
        lambda address: address.replace("http:", "https:"),
        lambda address: address.removeprefix("http://"),
        lambda address: f'"<{address}>"\n',
        lambda address: f"> <{address[:40]}\r\n> {address[40:80]}\n>   {address[80:]}>\n",
    ],
    ids=["https", "no scheme", "quoted", "broken by a mail program"],
)
def test_an_address_may_be_pasted_as_the_person_has_it(as_pasted: Callable[[str], str]) -> None:
    """Hermes gets the request that the browser would have made, and logs in."""
    with waiting() as (stage, command, url):
        tunnel = Tunnel(stage)
        paste(TunnelOrder(tunnel.hops), as_pasted(address_after(stage, url)), tunnel.decider)
        command.read_all()
        assert command.status() == 0


def test_a_pasted_answer_to_an_older_login_is_the_remote_s_to_refuse() -> None:
    """Nobody here knows the state, so Hermes says no, and the person is told."""
    with waiting() as (stage, command, url):
        address = address_after(stage, url).replace("state=", "state=x")
        tunnel = Tunnel(stage)
        paste(TunnelOrder(tunnel.hops), address, tunnel.decider)
        assert "state mismatch" in command.read_all()
        assert command.status() == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "not an http address of this machine"),
        ("https://evil.test:56121/callback?code=a&state=b", "not an http address of this machine"),
        ("http://evil.test:56121/callback?code=a&state=b", "not an http address of this machine"),
        ("http://127.0.0.1:56121/callback?code=a", "not one state"),
        ("http://127.0.0.1:56121/callback?state=a", "neither one code nor one error"),
        ("http://127.0.0.1:56121/callback?code=a&state=b#c", "a user name or a fragment"),
        ("http://127.0.0.1:80/callback?code=a&state=b", "it leads to port 80"),
        ("http://127.0.0.1:99999/callback?code=a&state=b", "its port is not a port number"),
        ("http://me@127.0.0.1:56121/callback?code=a&state=b", "a user name or a fragment"),
        ("http://127.0.0.1:56121/callback?code=a&code=b&state=c", "neither one code nor one error"),
        ("http://127.0.0.1:56121/callback?code=a&error=b&state=c", "neither one code nor one error"),
        ("http://127.0.0.1:56121/callback?code=a&state=b&state=c", "not one state"),
        ("http://127.0.0.1:56121/callback?code=a b&state=c", "characters that no address has"),
        ("http://[::1:56121/callback?code=a&state=c", "Invalid IPv6 URL"),
        ("javascript:alert(1)", "not an http address of this machine"),
        ("code=a&state=b", "not an http address of this machine"),
    ],
)
def test_anything_but_a_callback_address_is_refused_before_anything_is_opened(text: str, words: str) -> None:
    """It is a usage error, which shows what an address looks like; nothing is connected to."""
    with Stage() as stage:
        tunnel = Tunnel(stage)
        with pytest.raises(UsageFailure, match=words) as failure:
            paste(TunnelOrder(tunnel.hops), text, tunnel.decider)
        assert "it begins with http://127.0.0.1:" in failure.value.hint
        assert tunnel.events == []
        assert stage.server.connections == []


def test_the_address_of_the_sign_in_page_is_told_from_that_of_the_page_after_it() -> None:
    """The authorization URL is what people have at hand, but it is no use here."""
    with Stage() as stage:
        tunnel = Tunnel(stage)
        with pytest.raises(UsageFailure, match="that is the address of the sign-in page"):
            paste(TunnelOrder(tunnel.hops), XAI, tunnel.decider)
        assert stage.server.connections == []


def test_no_way_for_a_pasted_address() -> None:
    """If the server allows neither way, the error is that of a login."""
    with waiting(settings=Settings(allow_tcp_forwarding=False)) as (stage, _, url):
        tunnel = Tunnel(stage)
        with pytest.raises(NoWayBack, match="does not let the callback through"):
            paste(TunnelOrder(tunnel.hops, relay="never"), address_after(stage, url), tunnel.decider)


def address_after(stage: Stage, url: str) -> str:
    """The address where the browser ends after the sign-in: a local port where nobody listens."""
    stage.person.open(url)
    return stage.person.wait().url


XAI = (
    "https://auth.x.ai/oauth2/authorize?client_id=c&state=STATE&redirect_uri="
    "http%3A%2F%2F127.0.0.1%3A56121%2Fcallback"
)


def test_a_url_has_the_path_the_state_and_the_pages_of_its_provider() -> None:
    """Any page of a known provider may fetch the callback; of another provider, only the page itself."""
    xai = expected_by(XAI)
    assert (xai.redirect, xai.state) == (Redirect("127.0.0.1", 56121, "/callback"), "STATE")
    assert xai.origins == {"https://auth.x.ai", "https://accounts.x.ai"}
    assert expected_by(XAI.replace("auth.x.ai", "mcp.example")).origins == {"https://mcp.example"}


@pytest.mark.parametrize(
    ("url", "failure", "words"),
    [
        ("nonsense", UsageFailure, "not the address of a sign-in page: it does not begin with https://"),
        (XAI.partition("//")[2], UsageFailure, "cut off: it does not begin with https://"),
        (XAI.partition("redirect")[2], UsageFailure, "cut off: it does not begin with https://"),
        (XAI.partition("&")[0], UsageFailure, "cut off, .* it has no redirect_uri and no state"),
        (XAI.partition("&redirect")[0], UsageFailure, "cut off, .* it has no redirect_uri$"),
        (XAI.replace("https:", "http:", 1), Unsafe, "not https"),
        (XAI.replace("state=STATE", ""), UsageFailure, "it has no state$"),
        (XAI.replace("56121", "22"), Unsafe, "port 22"),
        (
            XAI.replace("http%3A%2F%2F127.0.0.1", "https%3A%2F%2Fconsole.example"),
            UsageFailure,
            "its answer goes to console.example",
        ),
    ],
)
def test_what_is_no_url_of_a_login_that_waits(url: str, failure: type[Failure], words: str) -> None:
    """Each is refused with its reason, which never shows the state."""
    with pytest.raises(failure, match=words) as refused:
        expected_by(url)
    assert refused.value.hint
    assert "STATE" not in redact(refused.value.message + refused.value.hint)


def test_a_known_port_has_its_path() -> None:
    """A provider's known port lets only its path and pages through; another port, any path."""
    xai = expected_at(56121)
    assert (xai.redirect.path, xai.state) == ("/callback", "")
    assert "https://accounts.x.ai" in xai.origins
    assert expected_at(43827).redirect.path == "/spotify/callback"
    assert expected_at(50000) == Expected(Redirect("127.0.0.1", 50000, ""), "")
