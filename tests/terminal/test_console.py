"""What the person sees and is asked, on a real terminal and without one."""

from __future__ import annotations

import io
import os
import queue
import re
import threading
from collections.abc import Callable

import pytest

from hermes_tunnel import events
from hermes_tunnel.question import Question, is_yes, yes_or_no
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import posix
from tests.terminal.consoles import EVENTS, HOSTILE, URL, on, without_terminal
from tests.terminal.pseudo_terminal import SECONDS, Terminal


def into(taken: queue.SimpleQueue[str]) -> Callable[[str], str]:
    """Puts every line into a queue."""

    def take(line: str) -> str:
        taken.put(line)
        return ""

    return take


class _Counting(io.StringIO):
    """Counts how often something is written."""

    count = 0

    def write(self, text: str) -> int:
        self.count += 1
        return super().write(text)


def test_lines_that_come_together_are_written_together() -> None:
    """A command that prints thousands of lines costs a write for each chunk of them."""
    stream = _Counting()
    console = Console(stream, Keyboard(None))
    with console.at_once():
        for number in range(1000):
            console.show(events.RemoteLine(f"line {number}"))
        assert stream.count == 0
    assert stream.count == 1
    assert len(stream.getvalue().splitlines()) == 999  # the last is shown when another comes


def test_no_terminal_no_escape() -> None:
    """Without a terminal, no escape sequence or control character is written, whatever the remote says."""
    console, stream = without_terminal(verbosity=2)
    for event in EVENTS:
        console.show(event)
        console.waiting("your approval", 60)
    console.done_waiting()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", stream.getvalue())
    assert stream.getvalue().count("Waiting for your approval") == 1


@posix
@pytest.mark.parametrize("color", [True, False])
def test_remote_text_on_a_terminal(pty: Terminal, color: bool) -> None:
    """Remote text reaches the terminal without escape sequences; our own are only styles, if wanted."""
    console = on(pty, color=color, verbosity=2)
    for event in EVENTS:
        console.show(event)
    shown = pty.shown()
    assert "hello" in shown
    assert ("\x1b" in shown) is color
    assert not re.search(r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f\u202e]", re.sub(r"\x1b\[[0-9;]*m", "", shown))
    assert "\r" not in shown.replace("\r\n", "")


@posix
@pytest.mark.parametrize("color", [True, False])
def test_the_terminals_clipboard_is_offered_an_encoded_text(pty: Terminal, color: bool) -> None:
    """In base64, so that no text can end the sequence (OSC 52); under NO_COLOR it is not offered."""
    console = on(pty, color=color)
    assert console.to_clipboard("ABCD\x07\x1b[2J") is color
    console.say("done")
    assert pty.shown().split("done")[0] == ("\x1b]52;c;QUJDRAcbWzJK\x07" if color else "")
    assert without_terminal()[0].to_clipboard("ABCD") is False


@posix
@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("y\n", True),
        ("YES \n", True),
        ("\n", False),
        ("n\n", False),
        ("nope\n", False),
        ("yesterday\n", False),
        ("\x04", False),
    ],
)
def test_confirm(pty: Terminal, typed: str, answer: bool) -> None:
    """Only yes means yes; an empty line and end of input mean no. What was typed before does not count."""
    console, answers = on(pty), queue.SimpleQueue[str | None]()
    pty.type("y\n")
    assert pty.wait_for("\n") == "y\r\n"
    console.ask(yes_or_no("Is that right?"), answers.put)
    assert pty.shown() == "Is that right? (Enter: no) [y/N] "
    pty.type(typed)
    assert is_yes(answers.get(timeout=SECONDS)) is answer
    console.say("Next.")
    assert "\r\nNext." in pty.wait_for("Next.")
    console.stop_asking()


@posix
def test_nobody_to_ask(pty: Terminal) -> None:
    """Unless both ends are a terminal, nothing is asked: an answer is None, a confirmation no."""
    stream = io.StringIO()
    for console in (
        Console(stream, Keyboard(None)),
        Console(stream, Keyboard(pty.reader)),
        Console(pty.writer, Keyboard(None)),
    ):
        assert not console.is_terminal
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        console.ask(Question("Password:", hidden=True), answers.put)
        assert answers.get_nowait() is None
        console.stop_asking()
    assert stream.getvalue() + pty.shown() == ""


@posix
def test_hidden_answer(pty: Terminal) -> None:
    """A hidden answer is not echoed, nor shown in anything that follows."""
    console, answers = on(pty), queue.SimpleQueue[str | None]()
    before = pty.modes
    console.ask(Question(f"{HOSTILE} password:", hidden=True), answers.put)
    assert not pty.echoes
    pty.type("hunter22\n")
    assert answers.get(timeout=SECONDS) == "hunter22"
    assert pty.modes == before
    console.show(events.RemoteLine("wrong password: hunter22"))
    console.quiet()
    assert pty.shown() == "hello password: (hidden) \r\n  | wrong password: [hidden]\r\n"
    assert console.secrets == {"hunter22"}


@posix
@pytest.mark.parametrize("hidden", [True, False])
def test_stop_asking(pty: Terminal, hidden: bool) -> None:
    """A question that is no longer wanted ends without an answer; the next is asked below it."""
    console, answers = on(pty), queue.SimpleQueue[str | None]()
    before, threads, mark = pty.modes, threading.active_count(), "(hidden) " * hidden
    console.ask(Question("Code:", hidden=hidden), answers.put)
    console.waiting("your answer", 10)  # does not overwrite the question
    console.stop_asking()
    assert threading.active_count() == threads
    assert pty.modes == before
    assert pty.shown() == f"Code: {mark}\r\n"
    console.ask(Question("Code:", hidden=True), answers.put)
    pty.type("again\n")
    assert answers.get(timeout=SECONDS) == "again"
    console.stop_asking()
    assert answers.empty()


@posix
def test_only_who_asks_writes(pty: Terminal) -> None:
    """The line of an answered question ends when something else is shown, not in the reading thread."""
    console, answers = on(pty), queue.SimpleQueue[str | None]()
    console.ask(Question("Code:", hidden=True), answers.put)
    pty.type("1234\n")
    assert answers.get(timeout=SECONDS) == "1234"
    assert pty.shown() == "Code: (hidden) "
    console.waiting("the browser to come back", 60)
    assert pty.shown().startswith("\r\n\rWaiting for the browser")
    console.stop_asking()
    console.done_waiting()


@posix
def test_what_is_shown_while_a_question_stands(pty: Terminal) -> None:
    """It goes above the question, which is shown again below it, as it is after the program was stopped."""
    console, answers = on(pty), queue.SimpleQueue[str | None]()
    console.ask(Question("Code:", hidden=True), answers.put)
    console.say("By the way.")
    assert pty.shown() == "Code: (hidden) \r\nBy the way.\r\nCode: (hidden) "
    console.redraw()
    assert pty.shown() == "Code: (hidden) "
    console.stop_asking()
    console.redraw()
    assert pty.shown() == "\r\n"


def test_piped_answer() -> None:
    """Without a terminal, the answer to a prompt of the remote's is read from the input as it is."""
    read, write = os.pipe()
    os.write(write, b"from a pipe\n")
    os.close(write)
    with os.fdopen(read) as stream:
        console, answers = Console(io.StringIO(), Keyboard(stream)), queue.SimpleQueue[str | None]()
        for expected in ("from a pipe", None):
            console.ask(Question("Code:", piped=True), answers.put)
            assert answers.get(timeout=SECONDS) == expected
            console.stop_asking()


@pytest.mark.parametrize(
    ("verbosity", "words"),
    [
        (-1, ["Sign in to auth.x.ai. Open this address in a browser on this machine:", URL]),
        (0, ["Connected to me@host through jump", "  | a line"]),
        (0, ["The tunnel is open: port 1 here leads to Hermes there", URL]),
        (1, ["Running hermes there:", "It listens on 127.0.0.1 and delivers to port 2", "details"]),
    ],
)  # fmt: skip
def test_verbosity(verbosity: int, words: list[str]) -> None:
    """-q shows only the invitation; -v shows more."""
    console, stream = without_terminal(verbosity)
    some = [
        events.Connected("me@host", ("jump",)),
        events.CommandStarted("hermes"),
        events.RemoteLine("a line"),
        events.Forwarding(1, ("127.0.0.1",), 2),
        events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"),
        events.Notice("details", detail=True),
    ]
    for event in some:
        console.show(event)
    lines = [line for line in stream.getvalue().splitlines() if line]
    assert set(words) <= set(lines)
    assert verbosity > -1 or lines == words


def test_an_answer_from_elsewhere_ends_its_line() -> None:
    """If nobody types it on a terminal, nothing else ends the prompt's line."""
    read, write = os.pipe()
    os.write(write, b"my-client\n")
    os.close(write)
    stream = io.StringIO()
    with os.fdopen(read) as typed:
        console = Console(stream, Keyboard(typed))
        answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        console.ask(Question("Client ID:", piped=True), answers.put)
        assert answers.get(timeout=SECONDS) == "my-client"
        console.stop_asking()
    console.say("Next.")
    assert stream.getvalue() == "Client ID: \nNext.\n"


@posix
def test_nobody_reads() -> None:
    """Output that nobody reads any more does not end the login."""
    read, write = os.pipe()
    os.close(read)
    stream = os.fdopen(write, "w")
    Console(stream, Keyboard(None)).say("hello")
    with pytest.raises(BrokenPipeError):
        stream.close()


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (events.Callback("delivered", "", "relay"), "a command there passed the answer on"),
        (events.Callback("delivered", "", "prompt"), "typed at the command's own prompt"),
        (events.Callback("stray"), "the answer to another login"),
        (
            events.Callback("unclear_denial", "access_denied"),
            "(access_denied) that does not say which",
        ),
        (events.Callback("tls"), "https at the callback's port"),
        (events.Callback("too_long"), "more than a callback can be"),
        (events.Callback("fetched"), "a script or an image brought it"),
        (events.Callback("elsewhere"), "to another address on this port"),
        (events.Callback("other_method"), "not by GET"),
        (events.Callback("refused"), "The answer came, but the command there did not take it"),
        (events.Callback("delivered", "", "forward"), "The browser came back; Hermes is finishing the login"),
        (events.Callback("delivered", "", "forward", pasted=True), "The answer was delivered; Hermes"),
        (
            events.Callback("denied", "access_denied", "forward", pasted=True),
            "The answer is a no (access_denied)",
        ),
        (events.Callback("denied", "access_denied"), "came back with a no (access_denied)"),
    ],
)
def test_what_became_of_the_callback_is_told(event: events.Callback, words: str) -> None:
    """Each ending of the way back has its own words."""
    console, stream = without_terminal(1)
    console.show(event)
    assert words in stream.getvalue()
    if event.pasted:
        assert "browser" not in stream.getvalue()
