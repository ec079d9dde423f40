"""Lines from the person: hidden ones, unwanted ones, and the terminal's mode afterwards."""

from __future__ import annotations

import io
import os
import queue
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from types import FrameType

import pytest

from hermes_tunnel.terminal.keyboard import Keyboard, edited
from tests.ports.holding import posix
from tests.terminal.pseudo_terminal import SECONDS, Terminal, terminal, until

pytestmark = posix


@pytest.fixture
def pty() -> Iterator[Terminal]:
    """A terminal in front of the person."""
    with terminal() as opened:
        yield opened


class Reading:
    """A line that is read in a thread."""

    def __init__(self, keyboard: Keyboard, *, hidden: bool) -> None:
        self.line: Future[str | None] = Future()
        self._thread = threading.Thread(target=self._read, args=(keyboard, hidden), daemon=True)
        self._thread.start()

    def _read(self, keyboard: Keyboard, hidden: bool) -> None:
        try:
            self.line.set_result(keyboard.read_line(hidden=hidden))
        except BaseException as error:
            self.line.set_exception(error)
            raise

    def result(self) -> str | None:
        """The line, when it has come."""
        line = self.line.result(SECONDS)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()
        return line


def test_shown_line(pty: Terminal) -> None:
    """A line is echoed and edited as on any terminal, whatever the mode was before and is again."""
    pty.silence()
    before, keyboard = pty.modes, Keyboard(pty.reader)
    assert keyboard.is_terminal
    reading = Reading(keyboard, hidden=False)
    until(lambda: pty.echoes)
    pty.type("helo\x7flo ä\n")
    assert pty.wait_for("\n").endswith("lo ä\r\n")
    assert reading.result() == "hello ä"
    assert pty.modes == before


def test_hidden_line(pty: Terminal) -> None:
    """A hidden line is not echoed, and echo is back after it."""
    before = pty.modes
    reading = Reading(Keyboard(pty.reader), hidden=True)
    until(lambda: not pty.echoes)
    pty.type("secret\n")
    assert reading.result() == "secret"
    assert pty.modes == before
    assert pty.shown() == ""


@pytest.mark.parametrize("length", [1500, 5000, 20000])
def test_a_long_hidden_line(pty: Terminal, length: int) -> None:
    """An address that is pasted may be longer than the line that a terminal edits, and comes whole."""
    reading = Reading(Keyboard(pty.reader), hidden=True)
    until(lambda: not pty.echoes)
    for at in range(0, length, 500):
        pty.type("0123456789" * 50 if at + 500 <= length else "")
    pty.type("\r")
    line = reading.result()
    assert line is not None
    assert (len(line), line[-10:]) == (length, "0123456789")


@pytest.mark.parametrize(
    ("typed", "stands", "ended"),
    [
        (b"line\n", b"line\n", False),
        (b"li\x7fne\r", b"lne\n", False),
        (b"\x7f\bx", b"x", False),
        ("ä\x7fö".encode(), "ö".encode(), False),
        (b"one\ntwo\x15three\n", b"one\nthree\n", False),
        (b"half\x04", b"half\n", False),
        (b"half\x04\x04", b"half\n", False),
        (b"\x04", b"", True),
        (b"\x04late\n", b"late\n", True),
        (b"", b"", True),
    ],
)
def test_edited(typed: bytes, stands: bytes, ended: bool) -> None:
    """As a terminal edits a line that is shown, all at once or key by key."""
    assert edited(b"", typed) == (stands, ended)
    by_key = b""
    for at in range(len(typed)):
        by_key, _ = edited(by_key, typed[at : at + 1])
    assert by_key == stands


def test_typed_before_the_prompt(pty: Terminal) -> None:
    """What was typed before a line was asked for does not answer it."""
    pty.type("early\n")
    reading = Reading(Keyboard(pty.reader), hidden=True)
    until(lambda: not pty.echoes)
    pty.type("late\n")
    assert reading.result() == "late"


@pytest.mark.parametrize("hidden", [True, False])
def test_cancel(pty: Terminal, hidden: bool) -> None:
    """A line that is no longer wanted ends at once, half typed, with the mode as it was."""
    before, keyboard = pty.modes, Keyboard(pty.reader)
    reading = Reading(keyboard, hidden=hidden)
    if hidden:
        until(lambda: not pty.echoes)
    pty.type("half")
    keyboard.cancel()
    assert reading.result() is None
    assert pty.modes == before
    keyboard.cancel()  # nobody reads: no harm


def test_cancel_before_the_line(pty: Terminal) -> None:
    """A line that was given up before its reading began is not waited for; the next one is again."""
    keyboard = Keyboard(pty.reader)
    keyboard.cancel()
    assert Reading(keyboard, hidden=False).result() is None
    keyboard.renew()
    reading = Reading(keyboard, hidden=True)
    until(lambda: not pty.echoes)
    pty.type("wanted\n")
    assert reading.result() == "wanted"


def test_mode_after_an_exception(pty: Terminal) -> None:
    """A signal that raises while a hidden line is read leaves the terminal as it was."""

    class Stop(Exception):
        """What the handler raises."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise Stop

    def interrupt() -> None:
        until(lambda: not pty.echoes)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    before, handler = pty.modes, signal.signal(signal.SIGUSR1, stop)
    other = threading.Thread(target=interrupt, daemon=True)
    try:
        other.start()
        with pytest.raises(Stop):
            Keyboard(pty.reader).read_line(hidden=True)
    finally:
        signal.signal(signal.SIGUSR1, handler)
        other.join(SECONDS)
    assert pty.modes == before


@pytest.mark.parametrize("typed", ["\x04", "half\x04\x04"])
def test_end_of_input(pty: Terminal, typed: str) -> None:
    """Ctrl-D is no answer; after some text it ends the line."""
    reading = Reading(Keyboard(pty.reader), hidden=True)
    until(lambda: not pty.echoes)
    pty.type(typed)
    assert reading.result() == (typed.rstrip("\x04") or None)


def test_hang_up(pty: Terminal) -> None:
    """A terminal that goes away is the end of the input."""
    reading = Reading(Keyboard(pty.reader), hidden=True)
    until(lambda: not pty.echoes)
    pty.hang_up()
    assert reading.result() is None


def test_pipe() -> None:
    """Without a terminal lines come as they are, the last one though nothing ends it, then None."""
    read, write = os.pipe()
    with os.fdopen(read) as stream:
        keyboard = Keyboard(stream)
        assert not keyboard.is_terminal
        os.write(write, b"one\r\ntwo\n\n\xff")
        os.close(write)
        assert [keyboard.read_line(hidden=True) for _ in range(5)] == [
            "one",
            "two",
            "",
            "\N{REPLACEMENT CHARACTER}",
            None,
        ]


def test_endless_line() -> None:
    """A line without an end is not read for ever."""
    read, write = os.pipe()
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with os.fdopen(read) as stream:
        keyboard = Keyboard(stream)
        thread = threading.Thread(target=lambda: lines.put(keyboard.read_line(hidden=False)), daemon=True)
        thread.start()
        for _ in range(20):
            os.write(write, b"a" * 4096)
        assert lines.get(timeout=SECONDS) is None
        thread.join(SECONDS)
        os.close(write)


def test_no_input() -> None:
    """A program that was started without an input, or with a closed one, gets no line."""
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        keyboard = Keyboard(stream)
        assert not keyboard.is_terminal
        assert keyboard.read_line(hidden=False) is None
        keyboard.cancel()
