"""A page as a QR code on the terminal."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from itertools import chain

import pytest
import segno

from hermes_tunnel import events
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.terminal.qr import check_library, rows
from tests.terminal.pseudo_terminal import Terminal, terminal

URL = "https://accounts.x.ai/oauth2/device?user_code=ABCD-EFGH"
CODE = [[bool(module) for module in row] for row in segno.make_qr(URL, error="l", boost_error=False).matrix]
WIDTH = len(CODE) + 2 * 2
HALVES = {"\u2588": (1, 1), "\u2580": (1, 0), "\u2584": (0, 1), " ": (0, 0)}
posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


@pytest.fixture
def pty() -> Iterator[Terminal]:
    """A terminal in front of the person."""
    with terminal() as opened:
        yield opened


def modules(lines: list[str], *, blocks: bool) -> list[list[bool]]:
    """Which modules the lines show written."""
    if not blocks:
        return [
            [pair == "##" for pair in map("".join, zip(line[::2], line[1::2], strict=True))] for line in lines
        ]
    halves = [[HALVES[sign] for sign in line] for line in lines]
    return list(
        chain.from_iterable([[bool(pair[half]) for pair in row] for half in (0, 1)] for row in halves)
    )


@pytest.mark.parametrize("blocks", [True, False])
@pytest.mark.parametrize("inverted", [True, False])
def test_the_lines_are_the_code(blocks: bool, inverted: bool) -> None:
    """Every module is there, inside a light border, whether dark or light is what is written."""
    lines = rows(URL, blocks=blocks, inverted=inverted)
    assert {len(line) for line in lines} == {WIDTH * (1 if blocks else 2)}
    written = modules(lines, blocks=blocks)[:WIDTH]
    dark = [[module is not inverted for module in row] for row in written]
    border = [[False] * WIDTH] * 2
    assert dark == [*border, *([False, False, *row, False, False] for row in CODE), *border]


def shown(pty: Terminal, *, color: bool = True, columns: int = 100) -> list[str]:
    """What a terminal shows of the code."""
    pty.resize(columns)
    Console(pty.writer, Keyboard(pty.reader), color=color).show(events.QrCode(URL))
    return pty.shown().splitlines()


@posix
def test_a_terminal_shows_it_black_on_white(pty: Terminal) -> None:
    """Whatever the theme: cameras read it best that way."""
    lines = shown(pty)
    assert lines == [f"\x1b[30m\x1b[107m{line}\x1b[0m" for line in rows(URL, blocks=True, inverted=False)]


@posix
def test_without_colour_the_light_modules_are_written(pty: Terminal) -> None:
    """Most terminals are dark then."""
    assert shown(pty, color=False) == rows(URL, blocks=True, inverted=True)


@posix
def test_an_encoding_without_blocks_has_ascii(pty: Terminal) -> None:
    """A module is two signs then, and so a square."""
    pty.resize(100)
    with os.fdopen(os.dup(pty.writer.fileno()), "w", encoding="ascii") as ascii_only:
        Console(ascii_only, Keyboard(pty.reader), color=False).show(events.QrCode(URL))
    assert pty.shown().splitlines() == rows(URL, blocks=False, inverted=True)


@posix
def test_a_narrow_window_shows_none(pty: Terminal) -> None:
    """A code that is wrapped cannot be read; the person is told how wide the window has to be."""
    assert len(shown(pty, columns=WIDTH + 1)) == WIDTH // 2 + 1
    said = " ".join(map(str.strip, shown(pty, columns=WIDTH)))
    assert said == f"The QR code needs a window of more than {WIDTH} columns."


def test_without_a_terminal_there_is_none() -> None:
    """Nobody holds a phone before a file."""
    stream = io.StringIO()
    Console(stream, Keyboard(None)).show(events.QrCode(URL))
    assert stream.getvalue() == ""


def test_a_missing_library_is_told_before_anything_else() -> None:
    """It is an extra, which not every installation has; the hint says how to add it."""
    check_library()
    with pytest.raises(UsageFailure, match="--qr needs segno, which is not installed") as caught:
        check_library("hermes_tunnel_lacks_this")
    assert "pipx inject hermes-tunnel segno" in caught.value.hint
