"""The line that says what is waited for: on a terminal, in any window, and where nothing moves."""

from __future__ import annotations

from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ports.holding import posix
from tests.terminal.consoles import on
from tests.terminal.pseudo_terminal import Terminal


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
