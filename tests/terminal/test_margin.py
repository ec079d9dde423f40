"""What the remote says stays behind its margin, whatever it says and however wide the window is."""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import posix
from tests.terminal.pseudo_terminal import terminal

OURS = [
    "hermes-tunnel: error: no",
    "hermes-tunnel: hint: sh",
    "Sign in at evil.test:",
    "(me@bastion) Password:",
]
BLANKS = ["\t", "\u00a0", "\u2003", "\u2800", "\u3000", "\u3164", "\u180e", "\u200b", "\u00ad", "\ufe0f"]
ENDS = [
    "\n",
    "\r",
    "\r\n",
    "\v",
    "\f",
    "\x1c",
    "\x85",
    "\u2028",
    "\u2029",
    "\x1b[2K\r",
    "\x1b[1;1H",
    "\b" * 9,
]
WIDE = ["\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 7, "\u1100\u1161", "\U0001f600", "e\u0301" * 9, "\u4dc0" * 5]
LONG = [" " * 30, "x" * 30, "x" * 300]
SAID = st.lists(st.text(max_size=20) | st.sampled_from([*OURS, *BLANKS, *ENDS, *WIDE, *LONG])).map("".join)
WIDTHS = st.integers(12, 200)

Show = Callable[[Console, str], None]
SHOWN: dict[str, tuple[Show, list[str]]] = {
    # What is shown, and how our own lines begin, which alone may begin at the left.
    "a line of the command": (lambda console, said: console.show(events.RemoteLine(said)), []),
    "a banner": (
        lambda console, said: console.show(events.ServerSaid("me@bastion", said)),
        ["me@b"],
    ),
    "a notice": (lambda console, said: console.show(events.Notice(f"It said {said}")), ["It"]),
    "a sentence": (lambda console, said: console.say(f"It said {said}"), ["It"]),
    "a question of ours": (lambda console, said: ask(console, Question(f"End {said}?")), ["End"]),
    "what is above a question": (
        lambda console, said: ask(console, Question("Go on?", above=(f"It said {said}",))),
        ["It", "Go on?"],
    ),
    "a question": (
        lambda console, said: ask(console, Question(said, whose="me@bastion")),
        ["me@b", "(me@"],
    ),
    "an instruction": (
        lambda console, said: ask(console, Question("Code:", whose="me@bastion", said=(said, said))),
        ["me@b", "(me@"],
    ),
    "a phase": (
        lambda console, said: console.show(events.Phase("me@bastion", "key exchange", 0.1, said)),
        ["Exchanged"],
    ),
    "a denial": (lambda console, said: console.show(events.Callback("denied", said)), ["The"]),
    "an invitation": (
        lambda console, said: console.show(events.AuthorizationAsked("device", "", said, said)),
        ["\u2713 This", "This", "Sign", "Enter", "Your"],
    ),
}


def ask(console: Console, question: Question) -> None:
    """Put a question and give it up."""
    console.ask(replace(question, piped=True), lambda _: None)
    console.stop_asking()


def strangers(lines: Iterable[str], ours: list[str], behind: str) -> list[str]:
    """The lines that are not ours (each of ours may come once) and yet not behind the margin."""
    left, found = ours.copy(), []
    for line in lines:
        begins = [one for one in left if line.startswith(one)]
        if begins:
            left.remove(begins[0])
        elif line.strip() and not line.startswith(behind):
            found.append(line)
    return found


def rows(shown: str, columns: int) -> Iterator[str]:
    """The rows that this text fills, as a terminal wraps it."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", shown.replace("\r\n", "\n"))
    for line in shown.replace("\r\n", "\n").split("\n"):
        row, width = "", 0
        for character in line:
            # A later Unicode may make characters wide, as Unicode 16 did with the hexagrams.
            wide = unicodedata.east_asian_width(character) in "WF" or "\u4dc0" <= character <= "\u4dff"
            wide = wide or unicodedata.category(character) == "Cn"
            takes = 0 if unicodedata.combining(character) else 2 if wide else 1
            if width + takes > columns:
                yield row
                row, width = "", 0
            row, width = row + character, width + takes
        yield row


@posix
@pytest.mark.parametrize("what", SHOWN)
def test_on_a_terminal(what: str) -> None:
    """No row of the window begins with what the remote said, and only ours begin at the left."""
    show, ours = SHOWN[what]
    with terminal() as pty:
        console = Console(pty.writer, Keyboard(pty.reader), color=False, verbosity=1)

        @settings(deadline=None)
        @given(SAID, WIDTHS)
        def check(said: str, columns: int) -> None:
            pty.resize(columns)
            show(console, said)
            assert not strangers(rows(pty.shown(), columns), ours, "  ")

        check()


@posix
@pytest.mark.parametrize("what", SHOWN)
def test_in_a_pipe(what: str) -> None:
    """Read line by line, each sentence of ours has its line, and every other line has the margin."""
    show, ours = SHOWN[what]
    with Path(os.devnull).open() as nobody:

        @settings(deadline=None)
        @given(SAID)
        def check(said: str) -> None:
            stream = io.StringIO()
            show(Console(stream, Keyboard(nobody), verbosity=1), said)
            assert not strangers(stream.getvalue().split("\n"), ours, "  | ")

        check()


@posix
def test_a_panel_as_wide_as_the_remote_terminal_takes_as_many_rows_as_it_has() -> None:
    """What is drawn is as wide as the window at most; where nothing wraps, it stays as it is."""
    panel = [f"╭─ Error {'─' * 3990}╮", f"│ no such option{' ' * 3983}│", f"╰{'─' * 3998}╯"]
    with terminal() as pty:
        pty.resize(48)
        console = Console(pty.writer, Keyboard(pty.reader), color=False)
        for line in panel:
            console.show(events.RemoteLine(line))
        console.quiet()
        shown = pty.shown().splitlines()
    stream = io.StringIO()
    narrow = Console(stream, Keyboard(None))
    narrow.show(events.RemoteLine(panel[0]))
    narrow.quiet()
    assert stream.getvalue() == f"  | {panel[0]}\n"
    assert shown == [
        f"  | ╭─ Error {'─' * 34}╮",
        f"  | │ no such option{' ' * 27}│",
        f"  | ╰{'─' * 42}╯",
    ]


def test_a_question_of_a_server_stands_beside_its_name_where_it_fits() -> None:
    """Otherwise it goes above, and a short line of ours is answered; the server is named once for it all."""
    shown = io.StringIO()
    with Path(os.devnull).open() as nobody:
        console = Console(shown, Keyboard(nobody))
        ask(console, Question("Password:", hidden=True, whose="me@bastion"))
        ask(console, Question("Code:", whose="me@bastion", said=("Duo login for me", "\n1. Phone\r\n2. SMS")))
        ask(console, Question("Which of them? " * 6, whose="me@bastion", said=("Two accounts.",)))
        ask(console, Question("", whose="me@bastion"))
    assert shown.getvalue().splitlines() == [
        "(me@bastion) Password: (hidden) ",
        "me@bastion says:",
        "  | Duo login for me",
        "  | 1. Phone",
        "  | 2. SMS",
        "(me@bastion) Code: ",
        "me@bastion says:",
        "  | Two accounts.",
        "  | " + "Which of them? " * 6,
        "(me@bastion) Your answer: ",
        "(me@bastion) Your answer: ",
    ]


def test_who_says_it_is_named_once() -> None:
    """What a program says line by line has one heading, until somebody else speaks."""
    shown = io.StringIO()
    console = Console(shown, Keyboard(None))
    for line in ("one", " ", "two\r", "10%\r 20%\r100%"):
        console.show(events.ServerSaid("ProxyCommand", line))
    console.show(events.ServerSaid("me@bastion", "Welcome\nto bastion\n\n"))
    console.say("Connected.")
    console.show(events.ServerSaid("me@bastion", "Bye"))
    assert shown.getvalue().splitlines() == [
        "ProxyCommand says:",
        "  | one",
        "  | two",
        "  | 100%",
        "me@bastion says:",
        "  | Welcome",
        "  | to bastion",
        "Connected.",
        "me@bastion says:",
        "  | Bye",
    ]
