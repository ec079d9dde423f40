"""The whole login against servers in this process: every ending, with nothing left behind."""

from __future__ import annotations

import io
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from hermes_tunnel import events
from hermes_tunnel.browser.opening import open_browser
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import Wishes
from hermes_tunnel.deadlines import END, Deadline
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import LoginFailed, redeem
from hermes_tunnel.demo.oauth_client import Attempt
from hermes_tunnel.errors import (
    Failure,
    NetworkFailure,
    NobodyAnswered,
    NoWayBack,
    Refused,
    RemoteCommandFailure,
    Unsafe,
)
from hermes_tunnel.events import as_json
from hermes_tunnel.login import LoggedIn, LoginOrder, login
from hermes_tunnel.oauth.effects import Outcome
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider, with_origin
from hermes_tunnel.remote.program import Program
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.terminal.words import sentences
from hermes_tunnel.text import quote
from tests.stage.hermes import Hermes
from tests.stage.logins import device_login, loopback_login, mcp_login, spotify_login, wait_for_answer
from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.ssh_server import Account, Settings
from tests.stage.stage import HOST, USER, Stage
from tests.stage.variations import asks_first, behind_sudo, ends, ignores, prints_first, stays

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]
APPROVE, DENY = Answer.APPROVE, Answer.DENY
END_SOON = {END: 0.4}


class Login:
    """One login on a stage: what it emitted and showed, and how it ended."""

    def __init__(
        self,
        stage: Stage,
        *,
        known: Program | None = None,
        stdin: Path | None = None,
        call: Call | None = None,
        open_page: Callable[[str], bool] | None = None,
        browser: str = "",
        watch: Callable[[events.Event], None] = lambda _: None,
        shorter: Mapping[Deadline, float] = {},
        **wishes: object,
    ) -> None:
        self.events: list[events.Event] = []
        self._shown = io.StringIO()
        hops = resolve(parse_target(HOST), Options(config_file=str(stage.config_file)))
        order = LoginOrder(
            with_origin(known or provider("xai-oauth"), stage.origin),
            hops,
            call or Call(),
            wishes=replace(Wishes(open_page=open_page or stage.person.open), **wishes),  # type: ignore[arg-type]
        )
        self.ended: LoggedIn | Failure
        with (stdin or Path("/dev/null")).open() as typed:
            console = Console(self._shown, Keyboard(typed), verbosity=1)

            def emit(event: events.Event) -> None:
                self.events.append(event)
                watch(event)

            decider = Decider(console, emit, seconds_of=lambda each: shorter.get(each, each.seconds))
            if browser:
                opens = partial(open_browser, command=browser, tell=decider.mention)
                order = replace(order, wishes=replace(order.wishes, open_page=opens))
            try:
                self.ended = login(order, decider)
            except Failure as failure:
                self.ended = failure
            finally:
                decider.end()

    @property
    def shown(self) -> str:
        """What the person saw."""
        return self._shown.getvalue()

    def of(self, kind: type[events.Event]) -> list[events.Event]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]


def typed(tmp_path: Path, text: str) -> Path:
    """A standard input with this text."""
    file = tmp_path / "stdin"
    file.write_text(text)
    return file


@pytest.mark.parametrize("jump", [False, True])
@pytest.mark.parametrize("kind", [loopback_login, spotify_login, device_login, mcp_login])
def test_a_login_succeeds(kind: Callable[[Hermes], Command], jump: bool) -> None:
    """Each kind of login succeeds, directly and through a jump host, and reports its credential."""
    with Stage(APPROVE, login=kind, jump=jump) as stage:
        done = Login(stage)
        assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
        assert done.ended.outcome is Outcome.LOGGED_IN
        assert done.ended.landing is not None
        assert done.ended.landing.owner == "demo"
        assert len(stage.hermes.credentials) == 1
        assert stage.server.running == []
    assert next(event for event in done.events if isinstance(event, events.Connected)).via == (
        ("demo@jump-demo",) if jump else ()
    )


def test_how_it_connects_is_for_the_curious() -> None:
    """With -v they learn where to, whose key and by what method; others, that it is connected."""
    with Stage(APPROVE) as stage:
        happened = Login(stage).events
    curious, others = (
        " ".join(sentence.text for event in happened for sentence in sentences(event, verbosity))
        for verbosity in (1, 0)
    )
    for words in ("Connecting to demo@", "Accepted the host key", "takes ", "Authenticated to demo@"):
        assert words in curious
        assert words not in others


def test_an_answer_of_askpass_is_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Like a typed one, it is not shown, even if the command prints it."""
    program = tmp_path / "askpass"
    program.write_text("#!/bin/sh\necho correct horse\n")
    program.chmod(0o755)
    monkeypatch.setenv("SSH_ASKPASS", str(program))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    account = Account(USER, password="correct horse", all_of=True)
    quoted = b"it is correct horse, is it not?\r\n"
    stage = Stage(APPROVE, account=account, login=lambda hermes: prints_first(quoted, loopback_login(hermes)))
    with stage:
        ended = Login(stage)
    assert isinstance(ended.ended, LoggedIn)
    assert "it is [hidden], is it not?" in ended.shown
    assert "correct horse" not in ended.shown


def test_it_listens_before_it_invites() -> None:
    """The browser may come back in the blink of an eye."""
    with Stage(APPROVE) as stage:
        order = [type(event) for event in Login(stage).events]
    wanted = [events.Connected, events.CommandStarted, events.Forwarding, events.AuthorizationAsked]
    places = [order.index(one) for one in (*wanted, events.Browser, events.Callback, events.CommandEnded)]
    assert places == sorted(places)


class Lingers(CallbackListener):
    """Closes slowly what it has answered, while the command goes on."""

    def answered(self) -> None:
        """Take longer than usual."""
        super().answered()
        threading.Event().wait(0.3)


def test_the_news_of_the_callback_comes_before_what_the_command_makes_of_it() -> None:
    """However fast the command is, its output and its end are reported after the callback."""
    with Stage(APPROVE, login=partial(loopback_login, kind=Lingers)) as stage:
        done = Login(stage)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.shown.index("The browser came back") < done.shown.index("Saved xai-oauth")
    order = [type(event) for event in done.events]
    assert order.index(events.Callback) < order.index(events.CommandEnded)


def test_a_browser_that_is_slow_to_start_holds_nothing_up() -> None:
    """If the browser comes back before its opener has finished, it was opened."""
    with Stage(APPROVE) as stage:
        over = threading.Event()

        def slow(url: str) -> bool:
            stage.person.open(url)
            return over.wait(20)

        def watch(event: events.Event) -> None:
            if isinstance(event, events.CommandEnded):
                over.set()

        done = Login(stage, open_page=slow, watch=watch)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    order = [type(event) for event in done.events]
    assert order.index(events.AuthorizationAsked) < order.index(events.Browser) < order.index(events.Callback)
    assert done.of(events.Browser) == [events.Browser(opened=True)]


def test_a_browser_that_could_not_be_started_is_reported_even_at_the_end() -> None:
    """The login may be over before we know it."""
    pages: list[str] = []

    def fail(url: str) -> bool:
        pages.append(url)
        threading.Event().wait(0.1)
        return False

    with Stage(APPROVE, login=lambda hermes: loopback_login(hermes, attempts=6)) as stage:
        done = Login(stage, open_page=fail)
    assert isinstance(done.ended, Unsafe)
    assert pages
    assert done.of(events.Browser) == [events.Browser(opened=False)] * len(pages)


def test_a_missing_browser_command_is_named(tmp_path: Path) -> None:
    """The address stays on the screen, and the login goes on."""
    with Stage(APPROVE) as stage:
        missing = tmp_path / "nothing"

        def watch(event: events.Event) -> None:
            if isinstance(event, events.AuthorizationAsked):
                threading.Timer(0.5, stage.person.open, (event.url,)).start()

        done = Login(stage, browser=str(missing), watch=watch)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.of(events.Browser) == [events.Browser(opened=False)]
    words = f"{quote(str(missing))} could not be started: No such file or directory.\n"
    assert f"{words}Open that address yourself, in a browser on this machine" in done.shown


def test_denied_is_denied() -> None:
    """The provider's no reaches Hermes, which ends by itself, and is reported as a no."""
    with Stage(DENY) as stage:
        done = Login(stage)
    assert isinstance(done.ended, Refused)
    assert done.of(events.CommandStopped) == []
    assert "access_denied" in done.ended.message
    assert events.Callback("denied", "access_denied", "forward") in done.events


def test_a_login_that_starts_over_is_followed() -> None:
    """With another port and state before any callback, the old listener goes and the new page opens."""
    with Stage(APPROVE, login=lambda hermes: loopback_login(hermes, attempts=2)) as stage:
        pages: list[str] = []

        def second_time(url: str) -> bool:
            pages.append(url)
            return len(pages) > 1 and stage.person.open(url)

        done = Login(stage, open_page=second_time)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert len(pages) == 2
    assert len({event.port for event in done.of(events.Forwarding)}) == 2  # type: ignore[attr-defined]
    assert "It started over." in done.shown


def test_a_page_that_opens_a_fifth_time_is_stopped() -> None:
    """A command that asks again and again is not followed for ever."""
    pages: list[str] = []

    def open_page(url: str) -> bool:
        pages.append(url)
        return True

    with Stage(APPROVE, login=lambda hermes: loopback_login(hermes, attempts=6)) as stage:
        done = Login(stage, open_page=open_page)
    assert isinstance(done.ended, Unsafe)
    assert 1 <= len(pages) == len(done.of(events.Browser)) <= 2


def shows_a_code(process: RemoteProcess) -> int:
    """A paste login, as Anthropic's."""
    redirect = "https%3A%2F%2Fconsole.anthropic.com%2Foauth%2Fcode%2Fcallback"
    process.print(f"https://claude.ai/oauth/authorize?client_id=x&redirect_uri={redirect}&state=s1234567")
    process.write(b"Authorization code: ")
    answered = process.read_line(5)
    process.print(f'Added anthropic OAuth credential #1: "{answered}"')
    return 0 if answered == "code-5678#s1234567" else 1


def test_a_paste_login_relays_its_prompt(tmp_path: Path) -> None:
    """The answer goes over the same connection and is not shown, even if the command repeats it."""
    with Stage(APPROVE, login=lambda _: shows_a_code) as stage:
        done = Login(
            stage,
            known=provider("anthropic"),
            stdin=typed(tmp_path, "code-5678#s1234567\n"),
            open_page=lambda _: True,
        )
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert events.Prompt("Authorization code:", secret=True) in done.events
    assert done.of(events.Forwarding) == []
    assert "code-5678" not in done.shown


def test_a_stalled_line_needs_no_answer(tmp_path: Path) -> None:
    """A line that stalls and goes on is no prompt, so it does not matter that nobody answers."""
    if sys.platform == "win32":
        pytest.skip("needs a named pipe")
    os.mkfifo(tmp_path / "stdin")
    asked, never = threading.Event(), threading.Event()

    def stalls(process: RemoteProcess) -> int:
        redirect = "https%3A%2F%2Fconsole.anthropic.com%2Foauth%2Fcode%2Fcallback"
        process.print(f"https://claude.ai/oauth/authorize?client_id=x&redirect_uri={redirect}&state=s1234567")
        process.write(b"Please wa")
        never.wait(0.7)
        process.print("it for a while.")
        never.wait(3 * END_SOON[END])
        process.write(b"Authorization code: ")
        process.print(f'Added anthropic OAuth credential #1: "{process.read_line(5)}"')
        return 0

    def answer() -> None:
        with (tmp_path / "stdin").open("w") as typing:
            asked.wait(20)
            typing.write("code-5678#s1234567\n")

    def watch(event: events.Event) -> None:
        if event == events.Prompt("Authorization code:", secret=True):
            asked.set()

    person = threading.Thread(target=answer)
    person.start()
    with Stage(APPROVE, login=lambda _: stalls) as stage:
        done = Login(
            stage,
            known=provider("anthropic"),
            stdin=tmp_path / "stdin",
            open_page=lambda _: True,
            watch=watch,
            shorter=END_SOON,
        )
    asked.set()
    person.join()
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert "(demo@hermes-demo) Please wa (hidden) \n  | it for a while.\n" in done.shown


def test_a_prompt_with_nobody_to_answer_ends_the_login() -> None:
    """We do not wait for an answer that cannot come."""
    first = lambda hermes: asks_first("Spotify Client ID: ", spotify_login(hermes))  # noqa: E731
    with Stage(APPROVE, login=first) as stage:
        done = Login(stage, shorter=END_SOON)
    assert isinstance(done.ended, NobodyAnswered)
    assert events.Prompt("Spotify Client ID:", secret=False) in done.events


def test_a_prompt_before_the_login_is_answered(tmp_path: Path) -> None:
    """Without a terminal the answer is the next line of standard input."""
    first = lambda hermes: asks_first("Spotify Client ID: ", spotify_login(hermes))  # noqa: E731
    with Stage(APPROVE, login=first) as stage:
        done = Login(stage, stdin=typed(tmp_path, "my-client\n"))
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)


def test_sudo_is_asked_for_under_our_own_name(tmp_path: Path) -> None:
    """Its prompt cannot be mistaken for another, and the password is not shown."""
    with Stage(APPROVE, around=lambda command: behind_sudo("open sesame", command)) as stage:
        done = Login(stage, stdin=typed(tmp_path, "wrong\nopen sesame\n"), call=Call(as_user="demo"))
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.shown.count("(demo@hermes-demo) sudo's password:") == 2
    assert "open sesame" not in done.shown
    assert "  | Sorry, try again." in done.shown


def sudo_asks_always(command: Command) -> Command:
    """A sudo that asks every time: a second session gets nowhere without a password."""

    def asking(process: RemoteProcess) -> int:
        if process.line.startswith("sudo -n "):
            process.print("sudo: a password is required")
            return 1
        return behind_sudo("open sesame", command)(process)

    return asking


@pytest.mark.parametrize("answered", [True, False], ids=["answered", "said only"])
def test_a_credential_behind_a_sudo_that_asks_is_seen(tmp_path: Path, answered: bool) -> None:
    """It is looked at in the session that is there: sudo asks once, nothing is taken on trust, and the
    result names the account that the credential belongs to.
    """
    login = loopback_login if answered else lambda hermes: asks_and_ends(hermes, stores=True)
    with Stage(APPROVE, login=login, around=sudo_asks_always) as stage:
        stdin, open_page = typed(tmp_path, "open sesame\n"), None if answered else lambda _: True
        done = Login(stage, stdin=stdin, call=Call(as_user="svc"), open_page=open_page)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.ended.landing is not None
    assert done.ended.destination == "svc@hermes-demo"
    assert done.shown.count("sudo's password:") == 1


def test_a_missing_credential_behind_a_sudo_that_asks(tmp_path: Path) -> None:
    """The look in the same session shows that it is missing."""
    login = lambda hermes: asks_and_ends(hermes, stores=False)  # noqa: E731
    with Stage(APPROVE, login=login, around=sudo_asks_always) as stage:
        stdin = typed(tmp_path, "open sesame\n")
        done = Login(stage, stdin=stdin, call=Call(as_user="svc"), open_page=lambda _: True)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert "left no new credential" in done.ended.message
    assert done.ended.hint.endswith("sudo -H -u svc hermes auth status xai-oauth")


@pytest.mark.parametrize("kind", [loopback_login, spotify_login, device_login])
def test_a_server_that_gives_no_terminal(kind: Callable[[Hermes], Command]) -> None:
    """The command runs without one, and the person is told; everything else is as usual."""
    with Stage(APPROVE, login=kind, settings=Settings(permit_tty=False)) as stage:
        done = Login(stage)
        assert stage.server.running == []
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert done.ended.landing is not None
    assert "The command runs without a terminal: the server gives it none." in done.shown


def test_without_a_terminal_questions_are_still_answered(tmp_path: Path) -> None:
    """The answer goes to standard input, which sudo then reads, too."""
    first = lambda hermes: asks_first("Spotify Client ID: ", spotify_login(hermes))  # noqa: E731
    with Stage(APPROVE, login=first, settings=Settings(permit_tty=False), around=sudo_asks_always) as stage:
        stdin = typed(tmp_path, "open sesame\nmy-client\n")
        done = Login(stage, stdin=stdin, call=Call(as_user="svc"))
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)


@pytest.mark.parametrize("end", ["time", "loss"])
def test_without_a_terminal_the_command_ends_with_the_login(end: str) -> None:
    """Its lifeline does what hanging up a terminal does."""
    with Stage(APPROVE, settings=Settings(permit_tty=False)) as stage:

        def lose(url: str) -> bool:
            if end == "loss":
                stage.server.drop()
            return bool(url)

        done = Login(stage, open_page=lose, seconds=2)
        (process,) = [*stage.server.running, None][:1]
        assert process is None or process.ended.wait(5)
    assert isinstance(done.ended, NetworkFailure if end == "loss" else NobodyAnswered)


def insists(process: RemoteProcess) -> int:
    """Like an MCP login, which fails without a terminal and exits with 0."""
    process.print("\u2717 Authentication failed: non-interactive environment and no cached tokens found")
    return 0


def test_a_login_that_insists_on_a_terminal() -> None:
    """It ends with 8, not 9: the error quotes the command, and says what is missing and how to get it."""
    with Stage(APPROVE, login=lambda _: insists, settings=Settings(permit_tty=False)) as stage:
        done = Login(stage)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert done.ended.message.startswith("without a terminal the remote command failed: \u2717 Auth")
    assert "PermitTTY yes" in done.ended.hint


TAKEN = {
    "fish": b"Welcome to fish\r\n\x1b[?2004h\rme@box ~> ",
    "bash": b"me@box:~$ ",
    "zsh": b"%   \r \r\rbox% \x1b[?2004h",
    "a screen of its own": b"\x1b[?1049h\x1b[22;0;0t\x1b[H\x1b[2J\x1b[>c",
}


def taken(output: bytes, command: Command, *, always: bool = False) -> Command:
    """A start-up file that runs another program on the terminal, and if unguarded, without one, too."""

    def taking(process: RemoteProcess) -> int:
        if process.pty is None and not always:
            return command(process)
        process.write(output)
        with suppress(EOFError):
            process.read_line()
        return 0

    return taking


@pytest.mark.parametrize("output", TAKEN.values(), ids=TAKEN)
def test_a_start_up_file_that_takes_the_terminal(output: bytes) -> None:
    """After a few seconds the login runs without a terminal, and the message says what takes it."""
    with Stage(APPROVE, around=lambda command: taken(output, command)) as stage:
        began = time.monotonic()
        done = Login(stage)
        assert time.monotonic() - began < 12
        assert stage.server.running == []
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert "The command runs without a terminal: a start-up file of /bin/bash takes it." in done.shown


def test_a_start_up_file_that_becomes_what_ends_at_once() -> None:
    """As with tmux on a terminal that it does not know, the login runs without a terminal."""

    def around(command: Command) -> Command:
        def becoming(process: RemoteProcess) -> int:
            if process.pty is None:
                return command(process)
            process.print("open terminal failed: terminal does not support clear")
            return 1

        return becoming

    with Stage(APPROVE, around=around) as stage:
        done = Login(stage)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)


def test_a_start_up_file_that_takes_the_terminal_of_a_login_that_insists() -> None:
    """The hint names the file to look into."""
    with Stage(
        APPROVE, login=lambda _: insists, around=lambda command: taken(TAKEN["bash"], command)
    ) as stage:
        done = Login(stage)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert "non-interactive" in done.ended.message
    assert "look for exec in ~/.bashrc there" in done.ended.hint


def test_a_start_up_file_that_lets_nothing_through() -> None:
    """If it becomes a shell wherever it is read, the error quotes that shell and says where to look."""
    with Stage(APPROVE, around=lambda command: taken(TAKEN["fish"], command, always=True)) as stage:
        began = time.monotonic()
        done = Login(stage)
        assert time.monotonic() - began < 12
    assert isinstance(done.ended, RemoteCommandFailure)
    assert "waits at 'me@box ~>'" in done.ended.message
    assert "~/.config/fish/config.fish" in done.ended.hint


NOISE = (
    b"\x1b]0;owned\x07\x1b]52;c;ZXZpbA==\x07\x9b31mOpen "
    b"https://evil.example/authorize?client_id=x&redirect_uri=http%3A%2F%2F127.0.0.1%3A1234%2F&state=s\r\n"
)


def test_noise_before_the_marker_decides_nothing() -> None:
    """A start-up file may print what it likes: no page of it is opened, no escape byte is shown."""
    with Stage(APPROVE, around=lambda command: prints_first(NOISE, command)) as stage:
        done = Login(stage)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert len(done.of(events.AuthorizationAsked)) == 1
    assert "\x1b" not in done.shown
    assert "\x9b" not in done.shown


def test_the_same_noise_after_the_marker_is_refused() -> None:
    """If the command itself asks for somebody else's page, nothing opens without a yes."""
    with Stage(APPROVE, login=lambda hermes: prints_first(NOISE, loopback_login(hermes))) as stage:
        done = Login(stage)
    assert isinstance(done.ended, Unsafe)
    assert done.of(events.Browser) == []


@pytest.mark.parametrize(
    ("login_command", "failure", "words"),
    [
        (ends(1, b"Unknown provider: nonsense\r\n"), Refused, "Unknown provider: nonsense"),
        (ends(0, b"The command has been removed.\r\n"), RemoteCommandFailure, "has been removed"),
        (ends(0, b"  \x1b[31m\xe2\x9c\x97 Authentication failed: no\x1b[0m\r\n"), Refused, "failed: no"),
        (prints_first(b"x" * 70_000, ends(0)), Unsafe, "far more than a login"),
        (prints_first((b"line " * 50 + b"\r\n") * 5_000, stays()), Unsafe, "far more than a login"),
    ],
)
def test_a_command_that_does_not_log_in(login_command: Command, failure: type[Failure], words: str) -> None:
    """Its last words are the reason; so are too many words."""
    with Stage(APPROVE, login=lambda _: login_command) as stage:
        done = Login(stage)
        assert stage.server.running == []
    assert isinstance(done.ended, failure), done.ended
    assert words in done.ended.message


def test_hermes_is_not_there() -> None:
    """The error names the places that we looked in."""
    with Stage(APPROVE, login=None) as stage:
        done = Login(stage)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert "not found" in done.ended.message


def test_an_account_that_runs_something_else() -> None:
    """If the account has a forced command, or no shell, its words are quoted."""
    with Stage(APPROVE, around=lambda _: ends(1, b"This account is closed.\r\n")) as stage:
        done = Login(stage)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert "This account is closed." in done.ended.message


@pytest.mark.parametrize(
    ("settings", "failure", "words"),
    [
        (Settings(max_sessions=0), RemoteCommandFailure, "session"),
    ],
)
def test_what_a_server_may_refuse(settings: Settings, failure: type[Failure], words: str) -> None:
    """Each refusal has its own error, with the setting that would help."""
    with Stage(APPROVE, settings=settings) as stage:
        done = Login(stage)
    assert isinstance(done.ended, failure), done.ended
    assert words in done.ended.message


def test_nobody_signs_in() -> None:
    """When the person's time is up, the command there is ended."""
    with Stage(APPROVE) as stage:
        done = Login(stage, open_page=lambda _: True, seconds=2)
        assert stage.server.running == []
    assert isinstance(done.ended, NobodyAnswered)
    assert "Waiting for your browser, at most 2 s\n" in done.shown
    assert done.of(events.CommandStopped) == [events.CommandStopped()]


def test_a_success_line_and_no_end_is_proven_by_the_credential() -> None:
    """The command has some time to exit; then it is ended, and the credential decides."""
    with Stage(
        APPROVE, login=lambda hermes: ignores({"INT", "TERM"}, stays(loopback_login(hermes)))
    ) as stage:
        done = Login(stage, shorter=END_SOON)
    assert isinstance(done.ended, LoggedIn), done.ended
    assert done.ended.landing is not None


@pytest.mark.parametrize("then", [stays(), ends(0)], ids=["stays", "exits with 0"])
def test_a_success_line_without_a_credential_is_not_believed(then: Command) -> None:
    """If nothing was stored, it does not matter what the command printed, or that it exits with 0."""
    claim = prints_first(b"Login successful!\r\n", then)
    with Stage(APPROVE, login=lambda _: claim) as stage:
        done = Login(stage, shorter=END_SOON)
    assert isinstance(done.ended, RemoteCommandFailure)
    assert done.ended.message.startswith("hermes reported success")
    assert done.ended.message.endswith("left no new credential")


def asks_and_ends(hermes: Hermes, *, stores: bool) -> Command:
    """Ask for a sign-in, and exit with 0 before anybody comes back, without a word."""

    def command(process: RemoteProcess) -> int:
        with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            process.print(hermes.client.authorization_url(Attempt(listener.redirect_uri)))
        if stores:
            hermes.store("token")
        return 0

    return command


@pytest.mark.parametrize("stores", [False, True])
def test_an_end_before_anybody_signed_in_is_proven_by_the_credential(stores: bool) -> None:
    """Without a callback or a success line, exit status 0 is believed only if the credential is there."""
    with Stage(APPROVE, login=lambda hermes: asks_and_ends(hermes, stores=stores)) as stage:
        done = Login(stage, open_page=lambda _: True)
    if stores:
        assert isinstance(done.ended, LoggedIn), done.ended
        assert done.ended.landing is not None
    else:
        assert isinstance(done.ended, RemoteCommandFailure)
        assert done.ended.message == "hermes exited with 0 but reported no success and left no new credential"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("", "hermes exited with 0 but reported no success and left no new credential"),
        ("Login successful!", "hermes reported success but left no new credential"),
    ],
)
def test_a_device_login_is_proven_by_the_credential(said: str, told: str) -> None:
    """We do not see the approval, and neither an exit status nor a success line replaces it."""
    opened = threading.Event()

    def polls(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            device = hermes.client.request_device()
            process.print(f"Open: {device['verification_uri_complete']}")
            assert opened.wait(10)
            process.print(said)
            return 0

        return command

    def opens(_: str) -> bool:
        opened.set()
        return True

    with Stage(APPROVE, login=polls) as stage:
        done = Login(stage, open_page=opens)
    assert len(done.of(events.AuthorizationAsked)) == 1
    assert isinstance(done.ended, RemoteCommandFailure)
    assert done.ended.message == told


def waits_elsewhere(hermes: Hermes, *, said: str) -> Command:
    """Listen on another port than the redirect's, as behind a proxy there, and say so before or after."""

    def command(process: RemoteProcess) -> int:
        with (
            socket.create_server(("127.0.0.1", 0)) as some,
            CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener,
        ):
            attempt = Attempt(f"http://127.0.0.1:{some.getsockname()[1]}/callback")
            some.close()
            waiting = f"Waiting for callback on {listener.redirect_uri}"
            process.print(waiting if said == "before" else "")
            process.print(hermes.client.authorization_url(attempt))
            process.print(waiting if said == "after" else "")
            redeem(hermes, attempt, wait_for_answer(process, listener), "The authorization")
            process.print('Saved xai-oauth OAuth credentials: "demo"')
        return 0

    return command


@pytest.mark.parametrize("said", ["before", "after"])
def test_a_listener_on_another_port_than_the_redirect_s(said: str) -> None:
    """The local port comes from the redirect_uri, the remote one from what the command says."""
    with Stage(APPROVE, login=lambda hermes: waits_elsewhere(hermes, said=said)) as stage:
        done = Login(stage)
    assert isinstance(done.ended, LoggedIn), (done.ended, done.shown)
    assert events.Callback("delivered", "", "forward") in done.events


def fails_afterwards(hermes: Hermes) -> Command:
    """Have the token refused, after the browser has been told that all is well."""

    def command(process: RemoteProcess) -> int:
        with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            process.print(hermes.client.authorization_url(Attempt(listener.redirect_uri)))
            wait_for_answer(process, listener)
            raise LoginFailed("token exchange failed (HTTP 400)")

    return command


def test_the_code_is_not_shown_though_the_command_prints_it() -> None:
    """It is hidden even where nothing around it says that it is a code."""

    def tells(hermes: Hermes) -> Command:
        def command(process: RemoteProcess) -> int:
            with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
                process.print(hermes.client.authorization_url(Attempt(listener.redirect_uri)))
                given = wait_for_answer(process, listener)["code"]
                process.print(f"could not redeem {given}, sorry")
                return 1

        return command

    with Stage(APPROVE, login=tells) as stage:
        done = Login(stage)
    assert "could not redeem [hidden], sorry" in done.shown


def gives_up(hermes: Hermes) -> Command:
    """Close the listener, and go on."""

    def command(process: RemoteProcess) -> int:
        with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            url = hermes.client.authorization_url(Attempt(listener.redirect_uri))
        process.print(url)
        return stays()(process)

    return command


def comes_with(parameters: str) -> Callable[[str], bool]:
    """A browser that comes back with parameters of its own."""

    def browse(url: str) -> bool:
        fields = parse_qs(urlsplit(url).query)
        back = urlsplit(fields["redirect_uri"][0])
        with socket.create_connection(("127.0.0.1", back.port or 0)) as browser:
            target = f"{back.path}?{parameters.replace('STATE', fields['state'][0])}"
            browser.sendall(f"GET {target} HTTP/1.1\r\nHost: {back.netloc}\r\n\r\n".encode())
            browser.recv(100)
        return True

    return browse


@pytest.mark.parametrize(
    ("kind", "page", "outcome", "status", "told"),
    [
        (loopback_login, "code", "delivered", 0, "The browser came back; Hermes is finishing the login"),
        (
            loopback_login,
            "error=server_error&state=STATE",
            "denied",
            9,
            "The browser came back with a no (server_error); it was delivered\n"
            "the sign-in was declined at the provider (server_error)",
        ),
        (
            loopback_login,
            "code=abcd&state=other",
            "stray",
            10,
            "The browser brought the answer to another login (its state differs), so it was not delivered.\n"
            "nobody signed in: the browser came back only with the answer to another login",
        ),
        (
            loopback_login,
            "",
            "",
            10,
            "nobody signed in: the browser did not come back in time\n"
            "in the profile that you are signed in with?\n"
            "if it showed a code, paste the code while the login waits;\n"
            "if the browser asked to reach the local network, allow it",
        ),
        (
            fails_afterwards,
            "code",
            "delivered",
            9,
            "The browser came back; Hermes is finishing the login\n"
            "the remote command failed: token exchange failed (HTTP 400) (exit status 1)\n"
            "the browser's answer had been delivered, so the tunnel is not the cause",
        ),
        (
            gives_up,
            "code",
            "undeliverable",
            9,
            "The answer came, but could not be delivered\n"
            "the callback came, but nothing listens for it on the remote machine any more",
        ),
    ],
)
def test_the_person_is_told_what_became_of_the_callback(
    kind: Callable[[Hermes], Command], page: str, outcome: str, status: int, told: str
) -> None:
    """Delivered, a no and which, another login's, never came and perhaps why, or failed afterwards."""
    with Stage(APPROVE, login=kind) as stage:
        browse = stage.person.open if page == "code" else comes_with(page) if page else lambda _: True
        done = Login(stage, open_page=browse, seconds=1.5 if status == 10 else None)
    words = done.shown
    if isinstance(done.ended, Failure):
        words += f"{done.ended.message}\n{done.ended.hint}"
    assert (done.ended.status if isinstance(done.ended, Failure) else 0) == status
    for one in told.split("\n"):
        assert one in words
    assert [as_json(event)["outcome"] for event in done.of(events.Callback)] == [outcome] * bool(outcome)


def test_a_lost_connection_is_one() -> None:
    """It is reported as one while we wait for the browser."""
    with Stage(APPROVE) as stage:

        def lose(_: str) -> bool:
            stage.server.drop()
            return True

        done = Login(stage, open_page=lose)
    assert isinstance(done.ended, NetworkFailure)


def test_a_taken_port_is_no_way_back() -> None:
    """Another process would get the code: nothing opens, and the occupant is named."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with Stage(APPROVE, login=lambda hermes: loopback_login(hermes, port=port)) as stage:
            done = Login(stage)
    assert isinstance(done.ended, NoWayBack)
    assert f"port {port} is taken by" in done.ended.message
    assert done.of(events.Browser) == []


def test_what_is_not_the_callback_never_reaches_the_remote() -> None:
    """Idle connections, favicons and a wrong state get nowhere, and the login goes on."""
    with Stage(APPROVE) as stage:
        answers: list[bytes] = []
        seen: list[events.Event] = []

        def pester(url: str, port: int) -> None:
            idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(6)]
            for target in ("/favicon.ico", "/callback", "/callback?code=x&state=guessed"):
                with socket.create_connection(("127.0.0.1", port)) as connection:
                    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
                    answers.append(connection.recv(12))
            stage.person.open(url)
            stage.person.wait()
            for connection in idle:
                connection.close()

        def browse_badly(url: str) -> bool:
            port = next(event.port for event in seen if isinstance(event, events.Forwarding))
            threading.Thread(target=pester, args=(url, port)).start()
            return True

        done = Login(stage, open_page=browse_badly, watch=seen.append)
    assert isinstance(done.ended, LoggedIn), done.ended
    assert answers == [b"HTTP/1.1 404"] * 3


def test_no_secret_is_in_what_was_shown() -> None:
    """The state is in the authorization URL and nowhere else; the code is nowhere."""
    with Stage(APPROVE) as stage:
        done = Login(stage)
        visit = stage.person.wait()
    fields = dict(pair.split("=", 1) for pair in visit.url.partition("?")[2].split("&"))
    assert fields["code"] not in done.shown
    assert done.shown.count(fields["state"]) == 1


def test_ten_logins_in_one_process_leave_nothing() -> None:
    """No more descriptors are open after the tenth than after the second."""
    counts = []
    for _ in range(10):
        with Stage(APPROVE) as stage:
            assert isinstance(Login(stage).ended, LoggedIn)
        counts.append(len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else 0)
    assert counts[-1] <= counts[1]
