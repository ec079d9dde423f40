"""``--log-file``: what ``-v`` says, in a file, and no secret in it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.cli.program import run

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
VALUE = re.compile(r"(?<![a-z_])(?:code|state|access_token)=([^&\s]+)")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A log file that may be written."""
    tmp_path.chmod(0o700)
    return tmp_path / "log"


def lines(file: Path) -> list[str]:
    """The lines of the log, without their times."""
    told = file.read_text("utf-8").splitlines()
    assert all(re.match(TIME, line) for line in told)
    return [re.sub(TIME, "", line, count=1) for line in told]


@pytest.mark.slow
def test_it_has_what_v_shows(file: Path) -> None:
    """Each sentence is in it, also with -q, and at the end what came of it."""
    done = run("demo", "-q", "--log-file", str(file))
    told = lines(file)
    assert re.match(r"hermes-tunnel \d.* \(Python ", told[0])
    for words in (
        "Authenticated to ",
        "Accepted the host key of ",
        "Running hermes ",
        "The tunnel is open: ",
    ):
        assert any(line.startswith(words) for line in told), words
        assert words not in done.stderr
    assert told[-2:] == [done.stdout.strip(), "The exit status is 0."]


@pytest.mark.slow
def test_no_secret_is_in_it(file: Path) -> None:
    """Neither the code, nor state, which only the address on the screen has, nor the token."""
    done = run("demo", "-v", "--log-file", str(file))
    shown = {*re.findall(r"[?&]state=([^&\s]+)", done.stderr)} - {"[hidden]"}
    assert shown
    text = file.read_text("utf-8")
    assert [value for value in shown if value in text] == []
    assert "client_id=" in text
    assert {found[1] for found in VALUE.finditer(text)} <= {"[hidden]"}


@pytest.mark.slow
def test_a_failure_is_in_it(file: Path) -> None:
    """So are its two lines, and its status."""
    done = run("demo", "--deny", "--log-file", str(file))
    told = [line.removeprefix("hermes-tunnel: ") for line in done.stderr.splitlines()[-2:]]
    assert done.returncode == 9
    assert lines(file)[-3:] == [*told, "The exit status is 9."]


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb", [["login", "spotify", "host"], ["forward", "host"], ["paste", "host"], ["demo"]]
)
def test_an_unsafe_one_is_refused_before_anything_else(file: Path, verb: list[str]) -> None:
    """With two lines, exit status 3, and the name of the variable that it came from."""
    file.symlink_to("elsewhere")
    done = run(*verb, env={"HERMES_TUNNEL_LOG_FILE": str(file)})
    assert done.returncode == 3
    error, hint = done.stderr.splitlines()
    assert error.startswith("hermes-tunnel: error: the log file '")
    assert hint.endswith("options were taken from the environment: HERMES_TUNNEL_LOG_FILE")


def test_what_is_asked_is_in_it_and_what_is_answered_is_not() -> None:
    """A question has its line, scrubbed as everything is, and secrets are hidden."""
    told: list[str] = []
    console = Console(io.StringIO(), Keyboard(None))
    console.log = told.append
    console.secrets.add("hunter22")
    console.ask(Question("Password:", whose="me@box", hidden=True, piped=True), lambda _: None)
    console.show(events.RemoteLine("\x1b[2Jyou said hunter22\nand more"))
    console.say("")
    assert told == ["(me@box) Password: (hidden)", "you said [hidden]", "and more"]


SIGN_IN = "Sign in to auth.x.ai. Open this address in a browser on this machine:"


def test_state_is_hidden_in_every_address() -> None:
    """Nobody opens an address from a log, whoever put it there; what is shown can be opened."""
    told: list[str] = []
    shown = io.StringIO()
    console = Console(shown, Keyboard(None))
    console.log = told.append
    url = "https://auth.x.ai/authorize?client_id=c&state={}&nonce=n"
    console.show(events.RemoteLine(f"Open {url.format('OF-THE-STATE')}"))
    console.show(events.AuthorizationAsked("loopback", url.format("OF-THE-STATE"), "", "auth.x.ai"))
    assert shown.getvalue().count("OF-THE-STATE") == 2
    assert told == [f"Open {url.format('[hidden]')}", SIGN_IN, url.format("[hidden]")]


def test_a_traceback_of_the_commands_is_whole_in_it() -> None:
    """It is folded on the screen, but -v shows it, and whoever reads a log looks for it."""
    told: list[str] = []
    console = Console(io.StringIO(), Keyboard(None))
    console.log = told.append
    lines = ["Traceback (most recent call last):", '  File "a.py", line 1, in f', "    f()", "ValueError: no"]
    for line in lines:
        console.show(events.RemoteLine(line))
    assert told == lines


def test_a_log_that_cannot_be_written_ends_no_login() -> None:
    """The person is told once, and the login goes on."""
    shown = io.StringIO()

    def full(line: str) -> None:
        raise OSError(28, "No space left on device")

    console = Console(shown, Keyboard(None))
    console.log = full
    console.say("one")
    console.say("two")
    assert shown.getvalue().splitlines() == [
        "The log file cannot be written any more: No space left on device.",
        "one",
        "two",
    ]
