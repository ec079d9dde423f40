"""What today's terminals do, and the library does not, or without a bound."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.sightings import Sightings
from hermes_tunnel.watching.emulator import GOES_ON, LOST
from hermes_tunnel.watching.screen import Screen


def rows(output: str, columns: int = 10, count: int = 4) -> list[str]:
    """The rows of a screen after some output, which begins at its top."""
    screen = Screen(columns, count, Sightings(columns))
    screen.receive(f"\x1b[H{output}".encode())
    screen._drawn.refresh()
    return screen._drawn.texts


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("a\r\nb\r\nc\r\nd\r\ne", ["b", "c", "d", "e"]),
        ("ab\x1b[3bc", ["abbbbc", "", "", ""]),
        ("a\r\nb\x1b[S", ["b", "", "", ""]),
        ("a\r\nb\x1b[2T", ["", "", "a", "b"]),
        ("one\x1b[?1049hfull\x1b[?1049ltwo", ["   two", "", "", ""]),
        ("\x1b[2;2H\x1b7\x1b[4;4Hx\x1b8y\x1b8z", ["", " z", "", "   x"]),
        ("\x1b[2;2H\x1b[s\x1b[4;4Hx\x1b[uy", ["", " y", "", "   x"]),
        ("\x1b[2;3r\x1b[3;1Ha\r\nb\r\nc", ["", "b", "c", ""]),
        ("\u754c\u754cx", ["\u754c\0\u754c\0x", "", "", ""]),
        ("e\u0301\u200b\ufe0fx", ["ex", "", "", ""]),
        ("\x1b(0lqx\x1b(Blqx", ["\u250c\u2500\u2502lqx", "", "", ""]),
        ("abc\x1b[4h\x1b[1Gx\x1b[4l\x1b[9Gy", ["xabc    y", "", "", ""]),
        ("\x1b[?7labcdefghijklm", ["abcdefghim", "", "", ""]),
        ("\x1b[31;4:3m\x1b[>4;2m\x1b[=1u\x1b[?1u\x1b[1 q\x1b[!px", ["x", "", "", ""]),
        ("\tx", ["        x", "", "", ""]),
    ],
)
def test_rows(output: str, expected: list[str]) -> None:
    """Scrolling, repeating, saving the cursor, the alternate screen, wide and combining characters, lines."""
    assert rows(output) == expected


@pytest.mark.parametrize(
    ("output", "goes_on", "lost"),
    [
        ("abcdefghijk", {0}, set()),
        ("abcdefghij\r\nk", set(), set()),
        ("abcdefghij\rk", set(), set()),
        ("abcdefghij \rk", {0}, set()),
        ("abcdefghijk\rx", set(), {0}),
        ("abcdefghijk\r\x1b[2K", set(), {0}),
        ("abcdefghijk\x1b[K", {0}, set()),
        ("abcdefghijk\x1b[1;1Hx", {0}, set()),
        ("abcdefghijk\x1b[2;1Hx", set(), {0}),
        ("abcdefghijk\x1b[1;1H0123456789", set(), set()),
        ("abcdefghijklmnopqrstuvwxyz\r\n\n", {0}, set()),
    ],
)
def test_rows_that_go_on(output: str, goes_on: set[int], lost: set[int]) -> None:
    """A row that the terminal broke goes on in the next, until what it goes on with is overwritten."""
    screen = Screen(10, 4, Sightings(10))
    screen.receive(f"\x1b[H{output}".encode())
    assert (screen._drawn.noted(GOES_ON), screen._drawn.noted(LOST)) == (goes_on, lost)


def test_a_screen_is_not_larger_than_any_window() -> None:
    """A terminal may claim any size."""
    drawn = Screen(10**6, 10**6, Sightings(10**6))._drawn
    assert drawn.columns * drawn.lines <= 10**7
