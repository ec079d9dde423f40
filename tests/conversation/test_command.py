"""The conversation with a difficult command: noise, lost connections and late answers."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import Wishes
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import redeem
from hermes_tunnel.demo.oauth_client import Attempt
from hermes_tunnel.errors import NetworkFailure, NobodyAnswered, Refused, RemoteCommandFailure
from hermes_tunnel.login import LoggedIn, LoginOrder, login
from hermes_tunnel.remote.hermes import provider, with_origin
from hermes_tunnel.remote.program import Program
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import LISTENER, child, posix
from tests.stage.hermes import Hermes
from tests.stage.logins import loopback_login, wait_for_answer
from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.stage import HOST, Stage
from tests.terminal.pseudo_terminal import Terminal, terminal, until
from tests.test_login import Login

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]
APPROVE = Answer.APPROVE


class Watched(io.StringIO):
    """A stream that knows when a text first appeared on it."""

    def __init__(self) -> None:
        super().__init__()
        self._times: list[tuple[float, int]] = []

    def write(self, text: str) -> int:
        """Note the time, and how much has appeared by then."""
        written = super().write(text)
        self._times.append((time.monotonic(), len(self.getvalue())))
        return written

    def when(self, text: str) -> float:
        """When the whole text was there."""
        end = self.getvalue().index(text) + len(text)
        return next(moment for moment, length in self._times if length >= end)


def talks(frame: bytes, *, seconds: float) -> Callable[[Hermes], Command]:
    """A login that keeps printing after its request, without a pause."""

    def login_command(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
                attempt = Attempt(listener.redirect_uri)
                process.print(hermes.client.authorization_url(attempt))
                until = time.monotonic() + seconds
                while time.monotonic() < until:
                    process.write(frame)
                    threading.Event().wait(0.1)
                process.print()
                redeem(hermes, attempt, wait_for_answer(process, listener), "The authorization")
                process.print('Saved xai-oauth OAuth credentials: "demo"')
            return 0

        return command

    return login_command


@pytest.mark.parametrize("frame", [b"a line\n", b".", b"\r- waiting"], ids=["lines", "dots", "spinner"])
def test_the_invitation_is_shown_within_a_second_whatever_comes(frame: bytes) -> None:
    """The address appears, and then the countdown, though the command never falls silent."""
    asked: list[float] = []
    with Stage(APPROVE, login=talks(frame, seconds=3.5)) as stage:
        shown = Watched()

        def watch(event: events.Event) -> None:
            if isinstance(event, events.AuthorizationAsked):
                asked.append(time.monotonic())

        hops = resolve(parse_target(HOST), Options(config_file=str(stage.config_file)))
        console = Console(shown, Keyboard(None))
        came = threading.Timer(3, lambda: None)

        def open_later(url: str) -> bool:
            came.function = lambda: stage.person.open(url)
            came.start()
            return True

        decider = Decider(console, watch)
        try:
            known = with_origin(provider("xai-oauth"), stage.origin)
            done = login(LoginOrder(known, hops, wishes=Wishes(open_page=open_later)), decider)
        finally:
            decider.end()
            came.join()
    assert isinstance(done, LoggedIn)
    assert shown.when("/authorize?") - asked[0] < 1
    assert shown.when("Waiting for your browser") - asked[0] < 2.5


class Person:
    """A login in front of a person, who has not answered yet."""

    def __init__(self, stage: Stage, pty: Terminal, known: Program) -> None:
        self.pty = pty
        self.pages: list[str] = []
        self.ended: Future[LoggedIn] = Future()
        hops = resolve(parse_target(HOST), Options(config_file=str(stage.config_file)))
        console = Console(pty.writer, Keyboard(pty.reader), color=False)
        order = LoginOrder(known, hops, wishes=Wishes(open_page=self._open))

        def log_in() -> None:
            decider = Decider(console, lambda _: None)
            try:
                self.ended.set_result(login(order, decider))
            except Exception as problem:
                self.ended.set_exception(problem)
            finally:
                decider.end()

        self.thread = threading.Thread(target=log_in)
        self.thread.start()

    def _open(self, url: str) -> bool:
        self.pages.append(url)
        return True


@contextmanager
def asked(stage: Stage, question: str, known: Program | None = None) -> Iterator[Person]:
    """A login that stands at a question."""
    with terminal() as pty:
        person = Person(stage, pty, with_origin(known or provider("xai-oauth"), stage.origin))
        try:
            assert question in pty.wait_for(END)
            yield person
        finally:
            stage.server.drop()
            person.thread.join(10)
            assert not person.thread.is_alive()


END = "[y/N]"


def busy(port: int, after: Command | None = None) -> Callable[[Hermes], Command]:
    """A login whose port is taken here; before anybody has answered, it goes on to something else."""

    def login_command(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            redirect_uri = f"http://127.0.0.1:{port}/callback"
            process.print(hermes.client.authorization_url(Attempt(redirect_uri)))
            if after is None:
                process.wait_for(lambda: False)
                return 0
            threading.Event().wait(0.7)
            return after(process)

        return command

    return login_command


def fails(process: RemoteProcess) -> int:
    """Fail, like a command whose time is up."""
    process.print("the authorization timed out")
    return 1


@posix
@pytest.mark.parametrize("loses", [True, False], ids=["the connection is lost", "the command ends"])
def test_a_question_about_the_port_ends_with_what_it_is_about(loses: bool) -> None:
    """The loss decides how the login ends, and a late yes ends nobody's program."""
    with child(LISTENER, "127.0.0.1", 0) as (program, port):
        with (
            Stage(APPROVE, login=busy(port, None if loses else fails)) as stage,
            asked(stage, f"(PID {program.pid}") as person,
        ):
            if loses:
                stage.server.drop()
            with pytest.raises(NetworkFailure if loses else NobodyAnswered) as ended:
                person.ended.result(10)
            person.pty.type("y\n")
            assert person.pty.echoes
        assert ended.value.status == (4 if loses else 10)
        assert program.poll() is None
        assert person.pages == []


def unknown(after: Command | None) -> Callable[[Hermes], Command]:
    """A login at an issuer that nobody knows."""

    def login_command(_: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            redirect = "http%3A%2F%2F127.0.0.1%3A23456%2Fcallback"
            process.print(
                f"https://unknown.example/authorize?client_id=c&redirect_uri={redirect}&state=s1234567"
            )
            if after is None:
                process.wait_for(lambda: False)
                return 0
            threading.Event().wait(0.7)
            return after(process)

        return command

    return login_command


@posix
@pytest.mark.parametrize("loses", [True, False], ids=["the connection is lost", "the command ends"])
def test_a_question_about_the_issuer_ends_with_what_it_is_about(loses: bool) -> None:
    """A late yes opens no page."""
    with (
        Stage(APPROVE, login=unknown(None if loses else fails)) as stage,
        asked(stage, "unknown.example") as person,
    ):
        if loses:
            stage.server.drop()
        with pytest.raises(NetworkFailure if loses else NobodyAnswered) as ended:
            person.ended.result(10)
        person.pty.type("y\n")
    assert ended.value.status == (4 if loses else 10)
    assert person.pages == []


@posix
def test_output_goes_on_while_a_question_stands() -> None:
    """What the command says is shown above the question, which is still there to be answered."""

    def says(process: RemoteProcess) -> int:
        process.print("still here")
        process.wait_for(lambda: False)
        return 0

    with child(LISTENER, "127.0.0.1", 0) as (program, port):
        with Stage(APPROVE, login=busy(port, says)) as stage, asked(stage, END) as person:
            person.pty.wait_for("still here")
            person.pty.type("y\n")
            person.pty.wait_for("is free.")
            assert program.wait(5) is not None
            until = time.monotonic() + 5
            while not person.pages and time.monotonic() < until:
                threading.Event().wait(0.01)
        assert len(person.pages) == 1


OPENROUTER = (
    "https://openrouter.ai/auth?callback_url=https%3A%2F%2Fhermes.example%2Fcode"
    "&code_challenge=qCo2MiZpEDcZ5zX3B0Kt_0NzPq0kL4Vx3pE2g6Y0a1c&code_challenge_method=S256"
)
PANEL = f"╭{'─' * 3998}╮\r\n│ Sign in{' ' * 3990}│\r\n╰{'─' * 3998}╯\r\n"


def pastes(page: str, prompt: str, typed: list[str]) -> Callable[[Hermes], Command]:
    """A login that shows a page, and asks for the code that it gives."""

    def login_command(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            process.write(PANEL.encode())
            process.print("Open this URL in your browser:")
            process.print(page)
            process.write(prompt.encode())
            typed.append(process.read_line().strip())
            process.print()
            process.print(f"Took {typed[0]}.")
            process.print('Added openrouter OAuth credential #1: "demo"')
            return 0

        return command

    return login_command


PASTE_LOGINS = {
    "it names nobody": (OPENROUTER, "Key or address: "),
    "it is not recognised": ("https://login.example/cli?session=0123&challenge=c", "Paste the code here: "),
}


@posix
@pytest.mark.parametrize("what", PASTE_LOGINS)
def test_a_paste_login_that_is_not_recognised(what: str) -> None:
    """Its page is shown whole on a line of its own, opened after a yes; what is pasted is hidden."""
    page, prompt = PASTE_LOGINS[what]
    typed: list[str] = []
    with Stage(APPROVE, login=pastes(page, prompt, typed)) as stage, terminal() as pty:
        person = Person(stage, pty, provider("openrouter"))
        shown = pty.wait_for("Open it in your browser? (Enter: do not open it) [y/N]")
        assert f"\r\n{page}\r\n" in shown
        assert shown.count("\u2500") < 200
        pty.type("y\n")
        pty.wait_for(prompt.strip())
        until(lambda: not pty.echoes)
        pty.type("S3CRETS3CRET\n")
        done = person.ended.result(10)
        person.thread.join(10)
        shown += pty.shown()
    assert isinstance(done, LoggedIn)
    assert typed == ["S3CRETS3CRET"]
    assert person.pages == [page]
    assert "S3CRET" not in shown


@pytest.mark.parametrize("what", PASTE_LOGINS)
def test_a_paste_login_that_is_not_recognised_without_a_terminal(what: str, tmp_path: Path) -> None:
    """Nothing is opened; the page is shown whole, and the code may be piped."""
    page, prompt = PASTE_LOGINS[what]
    typed, opened = list[str](), list[str]()
    (tmp_path / "code").write_text("S3CRETS3CRET\n")

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    with Stage(APPROVE, login=pastes(page, prompt, typed)) as stage:
        done = Login(stage, known=provider("openrouter"), stdin=tmp_path / "code", open_page=open_page)
    assert isinstance(done.ended, LoggedIn), done.ended
    assert (typed, opened) == (["S3CRETS3CRET"], [])
    assert page in done.shown.splitlines()
    assert "S3CRET" not in done.shown


@posix
def test_an_offer_ends_with_what_it_is_about() -> None:
    """The page was not the sign-in's: the question about it goes when the request comes."""

    def later(hermes: Hermes) -> Command:
        request = loopback_login(hermes)

        def command(process: RemoteProcess) -> int:
            process.print("https://docs.example/start")
            threading.Event().wait(0.7)
            return request(process)

        return command

    with Stage(APPROVE, login=later) as stage, asked(stage, "https://docs.example/start") as person:
        person.pty.wait_for("The tunnel is open")
        person.pty.type("y\n")
        until(lambda: bool(person.pages))
    assert "docs.example" not in person.pages[0]


def test_a_listener_that_takes_its_time_is_waited_for() -> None:
    """The callback came in time; a late answer from the listener does not change the ending."""

    class Slow(CallbackListener):
        def hear(self, target: str) -> int:
            threading.Event().wait(18)
            return super().hear(target)

    with Stage(APPROVE, login=partial(loopback_login, kind=Slow)) as stage:
        done = Login(stage, seconds=2)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert "did not come back" not in done.shown


def test_a_line_that_claims_success_proves_nothing() -> None:
    """If no answer was given and no credential changed, it ends with 8, in words that say so."""

    def claims(process: RemoteProcess) -> int:
        process.print("Login successful!")
        return 0

    with Stage(APPROVE, login=lambda _: claims) as stage:
        done = Login(stage)
    assert isinstance(done.ended, RemoteCommandFailure), done.ended


def test_fifty_browsers_at_once_all_get_the_page() -> None:
    """The callback is delivered once, and nobody sees a reset."""
    answers: list[bytes] = []

    there = threading.Barrier(50)

    def come(port: int, target: str) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as browser:
            there.wait(10)
            browser.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            answers.append(b"".join(iter(lambda: browser.recv(65536), b"")))

    threads: list[threading.Thread] = []
    with Stage(APPROVE, login=loopback_login) as stage:

        def open_page(url: str) -> bool:
            parts = dict(pair.split("=", 1) for pair in url.partition("?")[2].split("&"))
            port = int(parts["redirect_uri"].split("%3A")[2].split("%2F")[0])
            target = f"/callback?code=abcdefgh&state={parts['state']}"
            threads.extend(threading.Thread(target=come, args=(port, target)) for _ in range(50))
            for thread in threads:
                thread.start()
            return True

        done = Login(stage, open_page=open_page)
        for thread in threads:
            thread.join(20)
    assert [event.outcome for event in done.of(events.Callback)] == ["delivered"]  # type: ignore[attr-defined]
    assert len(answers) == 50
    assert {answer[:12] + answer[-8:] for answer in answers} == {b"HTTP/1.1 200</html>\n"}


def test_a_fault_beside_the_conversation_ends_it() -> None:
    """It is raised where the conversation is read, whichever thread it comes from."""

    def breaks(_: str) -> bool:
        raise ZeroDivisionError

    with Stage(APPROVE) as stage, pytest.raises(ZeroDivisionError):
        Login(stage, open_page=breaks)


@posix
def test_a_question_does_not_make_us_forget_where_the_command_listens() -> None:
    """The command named its port before its request, whose issuer is asked about first."""

    def elsewhere(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            with (
                socket.create_server(("127.0.0.1", 0)) as some,
                CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener,
            ):
                attempt = Attempt(f"http://127.0.0.1:{some.getsockname()[1]}/callback")
                some.close()
                process.print(f"Waiting for callback on {listener.redirect_uri}")
                url = hermes.client.authorization_url(attempt).partition("/authorize")[2]
                process.print(f"https://unknown.example/authorize{url}")
                wait_for_answer(process, listener)
                process.print("it came")
            return 1

        return command

    with Stage(APPROVE, login=elsewhere) as stage, asked(stage, "unknown.example") as person:
        person.pty.type("y\n")
        person.pty.wait_for("The tunnel is open")
        until = time.monotonic() + 5
        while not person.pages and time.monotonic() < until:
            threading.Event().wait(0.01)
        fields = dict(pair.split("=", 1) for pair in person.pages[0].partition("?")[2].split("&"))
        port = int(fields["redirect_uri"].split("%3A")[2].split("%2F")[0])
        with socket.create_connection(("127.0.0.1", port)) as browser:
            target = f"/callback?code=abcdefgh&state={fields['state']}"
            browser.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
            assert browser.recv(12) == b"HTTP/1.1 200"
        with pytest.raises(Refused, match="it came"):
            person.ended.result(10)
