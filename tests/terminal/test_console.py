"""What the person sees and is asked, on a real terminal and without one."""

from __future__ import annotations

import io
import os
import queue
import re
import threading
from collections.abc import Callable, Iterator

import pytest

from hermes_tunnel import events
from hermes_tunnel.question import Question, is_yes, yes_or_no
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import posix
from tests.terminal.pseudo_terminal import SECONDS, Terminal, terminal

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b]0;title\x1b\\\x9b31m\u202e\x07\rhello\x08"
PATH = "/home/" + "y" * 100
URL = "https://auth.x.ai/authorize?client_id=c&state=s" + "&scope=" + "a" * 300
EVENTS = [
    events.Connected(HOSTILE, (HOSTILE,)),
    events.CommandStarted(HOSTILE),
    events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"),
    events.AuthorizationAsked("device", URL, HOSTILE, HOSTILE),
    events.AuthorizationAsked("paste", URL, "", HOSTILE, again=True),
    events.Forwarding(56121, ("127.0.0.1", "::1"), 56121),
    events.Browser(True),
    events.Browser(False),
    events.Callback("delivered"),
    events.Callback("denied", HOSTILE),
    events.Callback("undeliverable"),
    events.Prompt(HOSTILE, secret=True),
    events.RemoteLine(HOSTILE),
    events.RemoteLine("  "),
    events.CommandEnded(-1),
    events.Notice(HOSTILE),
    events.Notice("details", detail=True),
    events.Finished(0, "logged_in", 0),
]


@pytest.fixture
def pty() -> Iterator[Terminal]:
    """A terminal in front of the person."""
    with terminal() as opened:
        yield opened


def on(pty: Terminal, *, color: bool = False, verbosity: int = 0) -> Console:
    """A console on that terminal."""
    return Console(pty.writer, Keyboard(pty.reader), color=color, verbosity=verbosity)


def into(taken: queue.SimpleQueue[str]) -> Callable[[str], str]:
    """Puts every line into a queue."""

    def take(line: str) -> str:
        taken.put(line)
        return ""

    return take


def without_terminal(verbosity: int = 0) -> tuple[Console, io.StringIO]:
    """A console without anybody at it."""
    stream = io.StringIO()
    return Console(stream, Keyboard(None), verbosity=verbosity), stream


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
def test_url_is_whole(pty: Terminal) -> None:
    """The authorization URL stands on a line of its own, whole, unstyled and with its state."""
    console = on(pty, color=True)
    console.show(events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"))
    console.quiet()
    assert URL in pty.shown().split("\r\n")


@posix
@pytest.mark.parametrize(("color", "links"), [(True, True), (True, False), (False, True)])
def test_the_address_is_a_link_where_the_terminal_has_them(pty: Terminal, color: bool, links: bool) -> None:
    """Only that of a page that was judged, and nothing that the remote says; under NO_COLOR there is none."""
    console = Console(pty.writer, Keyboard(pty.reader), color=color, links=links)
    console.show(events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"))
    console.show(events.PageShown(URL))
    console.show(events.RemoteLine(f"\x1b]8;;{URL}\x1b\\here\x1b]8;;\x1b\\"))
    console.quiet()
    shown = pty.shown()
    linked = f"\x1b]8;;{URL}\x1b\\{URL}\x1b]8;;\x1b\\"
    assert shown.count("\x1b]8;;") == (2 if color and links else 0)
    assert (linked in shown.split("\r\n")) == (color and links)
    assert URL in shown.split("\r\n")


@posix
def test_status_line(pty: Terminal) -> None:
    """The status line is rewritten in place, and is gone before anything else is written."""
    console = on(pty)
    console.waiting("the browser to come back", 125.4)
    console.waiting("your answer", 59.6)
    console.say("Something else.")
    console.say("And more.")
    first, second = (
        "Waiting for the browser to come back, 2:05 left. Ctrl-C stops.",
        "Waiting for your answer, 1:00 left. Ctrl-C stops.",
    )
    blanks = " " * (len(first) - len(second))
    gone = "\r" + " " * len(second) + "\r"
    assert pty.shown() == f"\r{first}\r{second}{blanks}{gone}Something else.\r\nAnd more.\r\n"


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


@pytest.mark.parametrize(("status", "told"), [(0, False), (8, True), (130, False)])
def test_quiet_tells_the_last_lines_of_what_failed(status: int, told: bool) -> None:
    """At most eight, behind their margin, since they hold the reason; none after a good end or a signal."""
    console, stream = without_terminal(-1)
    for number in range(10):
        console.show(events.RemoteLine(f"line {number}"))
    assert stream.getvalue() == ""
    console.show(events.Finished(status, "words", 1))
    assert stream.getvalue().splitlines() == [f"  | line {number}" for number in range(2, 10)] * told
    console.show(events.Finished(8, "words", None))
    assert stream.getvalue().count("line 9") == told


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("  ssh -N -L 56121:127.0.0.1:56121 lab@hermes-host", True),
        ("ssh -NL 127.0.0.1:56121:127.0.0.1:56121 -J me@jump lab@hermes-host", True),
        ("run `ssh -p 22 -L56121:localhost:56121 lab@hermes-host`", True),
        ("ssh -N -L 43827:127.0.0.1:43827 lab@hermes-host", False),
        ("an SSH tunnel to 127.0.0.1:56121 is required", False),
    ],
)
def test_a_tunnel_that_the_command_asks_for_is_said_to_be_open(line: str, advice: bool, early: bool) -> None:
    """The command line for the forwarded port tells, wherever it stands; prose does not."""
    console, stream = without_terminal()
    told = [
        events.RemoteLine(line),
        events.Forwarding(56121, ("127.0.0.1",), 56121),
        events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"),
    ]
    for event in told if early else [*told[1:], told[0]]:
        console.show(event)
    console.quiet()
    console.quiet()
    shown = stream.getvalue()
    sentence = "You can ignore what Hermes says above about an SSH tunnel: it is already open\n"
    assert shown.count(sentence) == advice
    if advice:
        words = [line, "The tunnel is open", sentence, "Sign in to"]
        late = ["The tunnel is open", "Sign in to", line, sentence]
        places = [shown.index(each) for each in (words if early else late)]
        assert places == sorted(places)


@posix
@pytest.mark.parametrize(("encoding", "symbol"), [("utf-8", "\u2713 "), ("ascii", ""), ("latin-1", "")])
def test_a_check_mark_stands_where_the_terminal_has_one(pty: Terminal, encoding: str, symbol: str) -> None:
    """Elsewhere, and without a terminal, the words stand alone."""
    pty.writer.reconfigure(encoding=encoding)  # type: ignore[attr-defined]
    console, connected = on(pty), events.Connected("me@host")
    console.show(connected)
    assert pty.shown() == f"{symbol}Connected to me@host\r\n"
    console, stream = without_terminal()
    console.show(connected)
    assert stream.getvalue() == "Connected to me@host\n"


@posix
def test_a_result_has_weight(pty: Terminal) -> None:
    """It is bold behind its check mark; what else is known stands below, as it is."""
    on(pty, color=True).conclude("Logged in", "Credential: a.json")
    bold, mark = "\x1b[1m", "\x1b[32m\x1b[1m\u2713\x1b[0m"
    assert pty.shown() == f"{mark}{bold} Logged in\x1b[0m\r\n  Credential: a.json\r\n"


@pytest.mark.parametrize("verbosity", [-1, 0])
@pytest.mark.parametrize(
    ("lines", "message", "shown"),
    [
        (["a", "b"], "the remote command failed: b (exit status 1)", ["a"]),
        (["a", "b"], "something else", ["a", "b"]),
        (
            ["Traceback (most recent call last):", "  code", "x.AuthError: too late"],
            "the remote command failed: too late (exit status 1)",
            [],
        ),
    ],
)
def test_the_line_that_an_error_quotes_is_not_shown_as_well(
    lines: list[str], message: str, shown: list[str], verbosity: int
) -> None:
    """One that it does not quote is; and with -v all are."""
    for curious in (False, True):
        console, stream = without_terminal(1 if curious else verbosity)
        for line in lines:
            console.show(events.RemoteLine(line))
        console.show(events.CommandEnded(1))
        console.show(events.Finished(9, "refused", 1, message))
        told = [line[4:] for line in stream.getvalue().splitlines() if line.startswith("  | ")]
        assert told == (lines if curious else shown)


@pytest.mark.parametrize(("verbosity", "told"), [(-1, 0), (0, 0), (1, 2)])
def test_a_denial_says_its_fact_once(verbosity: int, told: int) -> None:
    """Neither the callback nor what the command makes of it repeats what the error says; -v tells all."""
    console, stream = without_terminal(verbosity)
    console.show(events.Callback("denied", "access_denied", "forward"))
    console.show(events.RemoteLine("x.AuthError: the person said no"))
    console.show(events.Finished(9, "refused", 1, "the sign-in was declined (access_denied)"))
    assert len(stream.getvalue().splitlines()) == told


@pytest.mark.parametrize(("verbosity", "told"), [(0, False), (1, True)])
def test_what_the_person_can_do_without_is_for_the_curious(verbosity: int, told: bool) -> None:
    """An instruction that we follow ourselves is shown with -v alone."""
    console, stream = without_terminal(verbosity)
    console.show(events.RemoteLine("Open this URL:", detail=True))
    console.quiet()
    assert ("Open this URL:" in stream.getvalue()) is told


def test_a_second_run_is_told_as_the_first() -> None:
    """What the first run advised, got and waited for ends with it."""
    console, stream = without_terminal()
    for _ in range(2):
        console.show(events.Connected("me@host"))
        console.show(events.RemoteLine("ssh -N -L 56121:127.0.0.1:56121 me@host"))
        console.waiting("the browser to come back", 60)
        console.show(events.Forwarding(56121, ("127.0.0.1",), 56121))
        console.show(events.Finished(10, "nobody_answered", None))
    first, second = (f"Connected{run}" for run in stream.getvalue().split("Connected")[1:])
    assert second == first
    assert first.index("Waiting") < first.index("The tunnel is open") < first.index("You can ignore")


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


@pytest.mark.parametrize("columns", [20, 80, 200])
def test_what_the_remote_says_stays_behind_its_margin(pty: Terminal, columns: int) -> None:
    """However long a line is, the window never wraps it to where only we write, and nothing of it is lost."""
    pty.resize(columns)
    console = on(pty)
    line = "Docs: " + "x" * 300 + " \N{CJK UNIFIED IDEOGRAPH-4E2D}" * 60 + " end"
    console.show(events.RemoteLine(line))
    console.quiet()
    rows = pty.shown().splitlines()
    assert all(row.startswith("  | ") for row in rows)
    assert all(len(row) + row.count("\N{CJK UNIFIED IDEOGRAPH-4E2D}") <= columns for row in rows)
    assert "".join(row[4:] for row in rows).replace(" ", "") == line.replace(" ", "")


def test_our_sentences_fit_the_window_and_the_address_stays_whole(pty: Terminal) -> None:
    """They break between words, and within a word that may be the remote's; the address never breaks."""
    pty.resize(80)
    console = on(pty, verbosity=2)
    for event in EVENTS:
        console.show(event)
    console.say(f"The credential is in {PATH}, as it has been seen to be there.")
    rows = pty.shown().splitlines()
    assert {row for row in rows if len(row) > 80} == {URL}
    assert PATH in "".join(row.removeprefix("  ") for row in rows)
    assert rows[-2:] == [f"  {PATH[:78]}", f"  {PATH[78:]}, as it has been seen to be there."]
    assert rows.count(URL) == 3


def test_a_window_that_changes_does_no_harm(pty: Terminal) -> None:
    """The status line always fits on one row, starting with the time left."""
    console = on(pty)
    for columns, shown in [
        (200, "Waiting for the browser to come back, 1:05 left. Ctrl-C stops."),
        (50, "Waiting for the browser to come back, 1:05 left"),
        (20, "Waiting, 1:05 left"),
        (10, "Waiting, "),
    ]:
        pty.resize(columns)
        console.waiting("the browser to come back", 65)
        row = pty.shown()
        assert row.strip() == shown.strip()
        assert len(row.lstrip("\r")) < columns
    console.done_waiting()
    assert len(pty.shown().strip("\r")) < 10


def test_a_terminal_that_can_only_add_lines(pty: Terminal) -> None:
    """Nothing is rewritten there, but questions are still asked."""
    console = Console(pty.writer, Keyboard(pty.reader), color=False, moves=False)
    assert console.is_terminal
    for left in (59, 58):
        console.waiting("your approval", left)
    console.done_waiting()
    assert pty.shown() == "Waiting for your approval, at most 59 s\r\n"


def test_waiting_without_an_end(pty: Terminal) -> None:
    """If there is no time limit, none is shown."""
    console = on(pty)
    console.waiting("the browser to come back", None)
    assert "Waiting for the browser to come back. Ctrl-C stops." in pty.wait_for("stops.")
    console.done_waiting()


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
