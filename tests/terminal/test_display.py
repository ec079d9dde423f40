"""What a program prints, and where a line of ours may stand between its lines."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from hermes_tunnel.terminal.display import PATIENCE, Display


class Screen:
    """A display, and what comes of it."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._reader, writer = os.pipe()
        self._writer = os.fdopen(writer, "wb", buffering=0)
        self.display = Display(writer, is_terminal=True, patience=patience)

    def close(self) -> None:
        """Close both ends."""
        self._writer.close()
        os.close(self._reader)

    @property
    def shown(self) -> bytes:
        """What was shown since the last look."""
        self._writer.write(b"\0")
        return os.read(self._reader, 1 << 16)[:-1]


@pytest.fixture
def screen() -> Iterator[Screen]:
    """A terminal that a program has for itself."""
    with closing(Screen()) as opened:
        yield opened


MOMENTS = {
    b"": True,
    b"line\r\n": True,
    b"line\n": True,
    b"line": False,
    b"$ ": False,
    b"50 %\r": False,
    b"line\r\n\x1b[0m": True,
    b"line\r\n\x1b[K\x1b[?2004l\r": True,
    b"line\r\n\x1b[1A": False,
    b"line\r\n\x1b]52;c;QUJDRC1FRkdI\x07": True,
    b"line\r\n\x1b]9008;hermes-tunnel;https://id.example/" + b"a" * 99 + b"\x1b\\": True,
    b"line\r\n\x1b]8;;https://id.example/" + b"a" * 99 + b"\x07link\x1b]8;;\x07": False,
    b"line\r\n\x1b]2;title\x07\x1b]133;A\x07\r": True,
    b"line\r\n\x1b]2;" + b"title\r\n" * 9: False,
    b"line\r\n\x1b]2;title\x1b": False,
    b"line\r\n\x1b]2;title\x18": True,
    b"\x1b[?1049h\r\n": False,
    b"\x1b[?1049h\r\n\x1b[?1049l": True,
    b"\x1b[?47h\r\n": False,
    b"\x1b[?25;1049h\r\n": False,
    b"\x1b[?25l\r\n": False,
    b"\x1b[?25l\r\n\x1b[?25h": True,
}


@pytest.mark.parametrize("by_byte", [False, True])
@pytest.mark.parametrize(("printed", "moment"), MOMENTS.items())
def test_a_moment(screen: Screen, printed: bytes, moment: bool, by_byte: bool) -> None:
    """A line of ours comes where a line begins, and never into what a program draws: a full screen, or a
    part of one, for which it hides the cursor.
    """
    display = screen.display
    for data in [printed[at : at + 1] for at in range(len(printed))] if by_byte else [printed]:
        display.write(data)
    assert screen.shown == printed
    display.tell("news")
    display.pause()
    assert screen.shown == (b"\rnews\r\n" if moment else b"")


@pytest.mark.parametrize(
    ("frame", "erased"),
    [
        (b"\x1b[1G\x1b[0K/", 8),
        (b"\r\x1b[K/ waiting", 4),
        (b"\x1b[2K\x1b[1G/", 8),
        (b"\r/ waiting", 0),
        (b"\x1b[1G\x1b[0K\x1b[1A\x1b[0K/\r\n.", 0),
    ],
)
def test_news_and_a_spinner(frame: bytes, erased: int) -> None:
    """A row that is drawn again and again never ends: a line of ours comes when that row has been erased,
    unless it is one of several, or the cursor is hidden.
    """
    with closing(Screen(patience=-1.0)) as screen:
        display = screen.display
        display.write(b"Open https://id.example/\r\n" + frame)
        display.tell("news")
        assert screen.shown
        display.write(frame)
        assert screen.shown == frame[:erased] + (b"\rnews\r\n" if erased else b"") + frame[erased:]
        display.write(b"\x1b[?25l")
        display.tell("more")
        assert screen.shown
        display.write(frame)
        assert screen.shown == frame


def test_news_wait_for_the_end_of_the_full_screen(screen: Screen) -> None:
    """The lines come in their order, once the program is back."""
    display = screen.display
    display.write(b"\x1b[?1049h")
    display.tell("one")
    display.tell("two")
    display.pause()
    display.write(b"\x1b[?1049l\r\n")
    display.pause()
    assert screen.shown == b"\x1b[?1049h\x1b[?1049l\r\n\rone\r\n\rtwo\r\n"


def test_only_the_last_news_wait(screen: Screen) -> None:
    """A program that fills the screen for hours may have any number told."""
    screen.display.write(b"\x1b[?1049h")
    for number in range(1000):
        screen.display.tell(f"news {number}")
    told = screen.display.end(lost=False)
    assert told == [f"news {number}" for number in range(980, 1000)]


def test_whoever_types_or_decides_does_not_wait_for_a_reader_that_has_stopped() -> None:
    """What the program prints is not taken, as in a stopped window: nothing of ours is shown then."""
    if sys.platform == "win32":
        pytest.skip("a pipe cannot be asked there")
    with closing(Screen()) as screen:
        printed = b"\x1b[?1049h" * 100_000
        thread = threading.Thread(target=screen.display.write, args=(printed,), daemon=True)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        begun = time.monotonic()
        screen.display.show(b"~?")
        assert screen.display.end(lost=True) == []
        assert time.monotonic() - begun < 5
        left = len(printed)
        while left:
            left -= len(os.read(screen._reader, 1 << 16))
        thread.join()
        assert screen.shown == b""


def test_a_program_that_ended_leaves_the_terminal_alone(screen: Screen) -> None:
    """It has tidied up itself, or is a shell whose last words are there to stay."""
    screen.display.write(b"$ \x1b[?2004h")
    assert screen.display.end(lost=False) == []
    assert screen.shown == b"$ \x1b[?2004h"


def test_a_program_that_was_lost_leaves_a_usable_terminal(screen: Screen) -> None:
    """The connection broke in the middle of an editor: its screen, its mouse and its cursor are reset."""
    screen.display.write(b"\x1b[?1049h\x1b[?1000h\x1b[?1006h\x1b[?25l\x1b[1mtext")
    screen.display.tell("news")
    assert screen.display.end(lost=True) == ["news"]
    *_, after = screen.shown.partition(b"text")
    assert set(after.split(b"\x1b")[1:]) == {b"[?1000l", b"[?1006l", b"[?1049l", b"[?25h", b"[0m\r\n"}


def test_what_it_reset_itself_is_not_reset_again(screen: Screen) -> None:
    """Only what is still set needs it; and the next line begins a line."""
    screen.display.write(b"\x1b[?1049h\x1b[?1049lx")
    screen.display.end(lost=True)
    assert screen.shown.endswith(b"lx\x1b[0m\r\n")


def test_a_display_that_is_no_terminal_gets_the_bytes_alone(screen: Screen) -> None:
    """Byte for byte, whatever they are."""
    display = Display(screen.display._descriptor)
    display.write(b"\x1b[?1049h\xff")
    display.end(lost=True)
    assert screen.shown == b"\x1b[?1049h\xff"


def test_a_closed_output_swallows_all() -> None:
    """Standard output may have been closed from the start."""
    Display(-1).write(b"x")


def test_a_reader_that_has_gone_is_an_error() -> None:
    """So that the program can be told."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0), pytest.raises(OSError, match="pipe"):
        Display(writer).write(b"x")


def test_a_descriptor_that_does_not_block() -> None:
    """Another program may have set it so; all of the output arrives nevertheless."""
    if sys.platform == "win32":
        pytest.skip("a pipe always blocks")
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    data, got = os.urandom(1 << 20), bytearray()

    def read() -> None:
        while len(got) < len(data):
            got.extend(os.read(reader, 1 << 16))

    thread = threading.Thread(target=read)
    thread.start()
    Display(writer).write(data)
    thread.join(10)
    os.close(reader)
    os.close(writer)
    assert bytes(got) == data
