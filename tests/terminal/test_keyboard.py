"""Lines from the person: hidden ones, unwanted ones, and the terminal's mode afterwards."""

from __future__ import annotations

import io
import os
import queue
import sys
import threading
from collections.abc import Iterator

import pytest

from hermes_tunnel.terminal.keyboard import Keyboard
from tests.terminal.pseudo_terminal import SECONDS, Terminal, terminal, until

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)


@pytest.fixture
def pty() -> Iterator[Terminal]:
    """A terminal in front of the person."""
    with terminal() as opened:
        yield opened


class Reading:
    """What is read, line by line."""

    def __init__(self, keyboard: Keyboard, *, hidden: bool = True, many: bool = False) -> None:
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        keyboard.read(self.lines.put, hidden=hidden, many=many)

    def result(self) -> str | None:
        """The line, when it has come."""
        return self.lines.get(timeout=SECONDS)


def test_shown_line(pty: Terminal) -> None:
    """A line is echoed and edited as on any terminal, whatever the mode was; that mode comes back."""
    pty.silence()
    before, keyboard = pty.modes, Keyboard(pty.reader)
    assert keyboard.is_terminal
    reading = Reading(keyboard, hidden=False)
    assert pty.echoes
    pty.type("helo\x7flo ä\n")
    assert pty.wait_for("\n").endswith("lo ä\r\n")
    assert reading.result() == "hello ä"
    assert pty.modes == before


def test_hidden_line(pty: Terminal) -> None:
    """A hidden line is not echoed, and echo is back after it."""
    before = pty.modes
    reading = Reading(Keyboard(pty.reader))
    pty.type("secret\n")
    assert reading.result() == "secret"
    assert pty.modes == before
    assert pty.shown() == ""


@pytest.mark.parametrize("length", [1500, 5000, 20000])
def test_a_long_hidden_line(pty: Terminal, length: int) -> None:
    """A pasted address may be longer than the line that a terminal edits, and arrives whole."""
    reading = Reading(Keyboard(pty.reader))
    for at in range(0, length, 500):
        pty.type("0123456789" * 50 if at + 500 <= length else "")
    pty.type("\r")
    line = reading.result()
    assert line is not None
    assert (len(line), line[-10:]) == (length, "0123456789")


def test_typed_before_the_prompt(pty: Terminal) -> None:
    """What was typed before the question does not answer it."""
    pty.type("early\n")
    reading = Reading(Keyboard(pty.reader))
    pty.type("late\n")
    assert reading.result() == "late"


def test_the_prompt_is_shown_when_what_is_typed_begins_to_count(pty: Terminal) -> None:
    """The mode is set before the prompt, so that an instant answer is neither lost nor seen."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def ready() -> None:
        assert not pty.echoes
        pty.type("at once\n")

    Keyboard(pty.reader).read(lines.put, hidden=True, ready=ready)
    assert lines.get(timeout=SECONDS) == "at once"


def test_the_terminal_is_as_it_was_when_the_line_is_handed_over(pty: Terminal) -> None:
    """Whoever receives the line may end the program."""
    before, modes = pty.modes, queue.SimpleQueue[object]()
    Keyboard(pty.reader).read(lambda _: modes.put(pty.modes), hidden=True)
    pty.type("line\n")
    assert modes.get(timeout=SECONDS) == before


@pytest.mark.parametrize("hidden", [True, False])
@pytest.mark.parametrize("typed", ["", "half"])
def test_stop(pty: Terminal, hidden: bool, typed: str) -> None:
    """A half-typed line that is no longer wanted is given up, the mode restored, and the next one read."""
    before, threads, keyboard = pty.modes, threading.active_count(), Keyboard(pty.reader)
    given_up = Reading(keyboard, hidden=hidden)
    pty.type(typed)
    keyboard.stop()
    assert pty.modes == before
    assert threading.active_count() == threads
    keyboard.stop()  # nobody reads: harmless
    reading = Reading(keyboard, hidden=hidden)
    pty.type("wanted\n")
    assert reading.result() == "wanted"
    assert given_up.lines.empty()
    keyboard.stop()
    assert threading.active_count() == threads


def test_a_line_after_another(pty: Terminal) -> None:
    """Everything pasted at once is handed over line by line, and so is what comes later."""
    before, keyboard = pty.modes, Keyboard(pty.reader)
    reading = Reading(keyboard, many=True)
    pty.type("one\ntwo\n")
    assert [reading.result(), reading.result()] == ["one", "two"]
    assert not pty.echoes
    pty.type("three\n")
    assert reading.result() == "three"
    keyboard.stop()
    assert pty.modes == before


def test_mode_after_an_exception(pty: Terminal) -> None:
    """If showing the prompt fails, the terminal is as it was, and nobody is reading it."""

    class Stop(Exception):
        """What a signal handler might raise."""

    def fail() -> None:
        raise Stop

    before, threads = pty.modes, threading.active_count()
    with pytest.raises(Stop):
        Keyboard(pty.reader).read(lambda _: None, hidden=True, ready=fail)
    assert pty.modes == before
    assert threading.active_count() == threads


@pytest.mark.parametrize("typed", ["\x04", "half\x04\x04"])
def test_end_of_input(pty: Terminal, typed: str) -> None:
    """Ctrl-D is not an answer; after some text it ends the line."""
    reading = Reading(Keyboard(pty.reader))
    pty.type(typed)
    assert reading.result() == (typed.rstrip("\x04") or None)


def test_hang_up(pty: Terminal) -> None:
    """A terminal that goes away is the end of the input."""
    reading = Reading(Keyboard(pty.reader))
    pty.hang_up()
    assert reading.result() is None


@pytest.mark.parametrize("selectable", [True, False])
def test_pipe(selectable: bool) -> None:
    """Without a terminal, lines arrive as they are, even an unterminated last one, then None."""
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as stream:
        keyboard = Keyboard(stream, selectable=selectable)
        assert not keyboard.is_terminal
        os.write(write, b"one\r\ntwo\n\n\xff")
        os.close(write)
        assert [Reading(keyboard).result() for _ in range(5)] == [
            "one",
            "two",
            "",
            "\N{REPLACEMENT CHARACTER}",
            None,
        ]
        keyboard.stop()


@pytest.mark.parametrize("selectable", [True, False])
def test_a_line_of_a_pipe_is_the_present_question_s(selectable: bool) -> None:
    """A question that was given up takes nothing, even if its read cannot be woken (Windows)."""
    read, write = os.pipe()
    threads = threading.active_count()
    with os.fdopen(read) as stream:
        keyboard = Keyboard(stream, selectable=selectable)
        first = Reading(keyboard)
        keyboard.stop()
        second = Reading(keyboard)
        assert threading.active_count() == threads + 1
        os.write(write, b"for the second\n")
        assert second.result() == "for the second"
        third = Reading(keyboard)
        keyboard.stop()
        os.write(write, b"for the fourth\nand the fifth\n")
        assert [Reading(keyboard).result() for _ in range(2)] == ["for the fourth", "and the fifth"]
        assert first.lines.empty()
        assert third.lines.empty()
        keyboard.stop()
        os.close(write)
        until(lambda: threading.active_count() == threads)


@pytest.mark.parametrize("selectable", [True, False])
def test_endless_line(selectable: bool) -> None:
    """An endless line is not read for ever."""
    read, write = os.pipe()
    with os.fdopen(read) as stream:
        reading = Reading(keyboard := Keyboard(stream, selectable=selectable))
        for _ in range(20):
            os.write(write, b"a" * 4096)
        assert reading.result() is None
        keyboard.stop()
        os.close(write)


def test_no_input() -> None:
    """A program started without standard input, or with it closed, gets no line."""
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        keyboard = Keyboard(stream)
        assert not keyboard.is_terminal
        assert Reading(keyboard).result() is None
        keyboard.stop()


class Typed:
    """Windows' console: the keys that are typed on it, and what it shows of them."""

    def __init__(self) -> None:
        self.keys: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.shown = ""

    def type(self, text: str) -> None:
        """Press some keys."""
        for key in text:
            self.keys.put(key)

    def kbhit(self) -> bool:
        """Whether a key is waiting to be read."""
        return not self.keys.empty()

    def getwch(self) -> str:
        """The next key."""
        return self.keys.get(timeout=SECONDS)

    def putwch(self, key: str, /) -> None:
        """Show it."""
        self.shown += key


def test_windows_console(pty: Terminal) -> None:
    """Keys make up lines; what was typed before, or for a question that was given up, is not an answer."""
    console, threads = Typed(), threading.active_count()
    keyboard = Keyboard(pty.reader, keys=console)
    console.type("early\r")
    given_up = Reading(keyboard, hidden=False)
    console.type("half")
    until(lambda: console.shown == "half")
    keyboard.stop()
    reading = Reading(keyboard, many=True)
    console.type("one\rtwo\r\x1a")
    assert [reading.result() for _ in range(3)] == ["one", "two", None]
    assert given_up.lines.empty()
    keyboard.stop()
    assert threading.active_count() == threads
    assert console.shown == "half"
