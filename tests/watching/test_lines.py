"""Reading the lines of a session, whatever is printed, and however much."""

from __future__ import annotations

import time

import pytest

from hermes_tunnel.oauth.sightings import Device, Page, Sightings
from hermes_tunnel.watching.lines import LONGEST_LINE, Lines
from tests.watching.watched import bytewise

REQUEST = "https://id.example/authorize?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb&state=s"
PAGE = "https://a.example/b?c=d"


def urls(*chunks: bytes | str, columns: int = 0) -> list[str]:
    """The addresses in some lines; without a terminal, unless it has columns."""
    lines = Lines(Sightings(columns))
    data = [chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]
    found = [one for chunk in data for one in lines.receive(chunk)]
    return [one.verification_uri if isinstance(one, Device) else one.url for one in found]


@pytest.mark.parametrize(
    "line",
    [
        PAGE,
        f"\x1b[1m\x1b[4mOpen {PAGE}\x1b[0m.",
        f"\x1b[?25l\x1b[?2004l\x1b[6n{PAGE}\x1b]0;title\x07",
        f" 10%\r 99%\r{PAGE}\r",
        f"\x1b[2K\r{PAGE}",
        f"\u8acb\u6253\u5f00{PAGE}\u3002",
        f"\x1b]8;;{PAGE}\x1b\\here\x1b]8;;\x1b\\",
        f"\x1b]9008;hermes-tunnel;{PAGE}\x07",
    ],
)
def test_a_line(line: str) -> None:
    """It says what a terminal would show of it, once it has ended."""
    assert urls(f"{line}\n") == urls(*bytewise(f"{line}\r\n".encode())) == [PAGE]
    assert urls(line) == []


@pytest.mark.parametrize(
    "line",
    [f"{PAGE}\x1b[5;1Hnext", f"https://a.exam\x1b[3D{PAGE}", f"{PAGE}\b\b", f"{PAGE}\x1b[2K", f"\x1b7{PAGE}"],
)
def test_a_line_in_which_the_cursor_moves(line: str) -> None:
    """What it shows is for the screen to say; and the next line does not go on with it."""
    assert urls(f"{line}\n") == []
    assert urls(f"{REQUEST[:80]}\n{line}\n{REQUEST[80:]}\n", columns=80) == []


def test_broken_lines() -> None:
    """A program breaks an address at the terminal's edge; without a terminal, nothing does."""
    pieces = f"{REQUEST[:40]}\r\n{REQUEST[40:80]}\r\n{REQUEST[80:]}\r\n\r\n"
    assert urls(pieces, columns=40) == urls(*bytewise(pieces.encode()), columns=40) == [REQUEST]
    assert urls(f"{PAGE}\n{REQUEST}\n") == [PAGE, REQUEST]


def test_a_long_line() -> None:
    """One that no person reads is passed over, however it comes; what follows is read."""
    long = f"{'a' * LONGEST_LINE} {PAGE}\n{PAGE}/2\n".encode()
    pieces = [long[at : at + 1000] for at in range(0, len(long), 1000)]
    assert urls(long) == urls(*pieces) == [f"{PAGE}/2"]


def test_what_is_missing() -> None:
    """After a gap, the rest of a line says nothing."""
    lines = Lines(Sightings(0))
    lines.receive(b"Open https://a.example/b")
    lines.pass_over()
    assert lines.receive(f"c {PAGE}\n{PAGE}/2\n".encode()) == [Page(f"{PAGE}/2")]


def test_invalid_utf8() -> None:
    """Bytes that are not UTF-8 spoil neither their own line nor the next."""
    assert urls(b"\xff\xfe\xc3( " + f"{PAGE} \n".encode() + b"\xe2\x9c\n" + f"{REQUEST}\n".encode()) == [
        PAGE,
        REQUEST,
    ]


def test_a_flood_of_addresses() -> None:
    """If told to, it looks for requests and codes alone."""
    lines = Lines(Sightings(0))
    flood = f"{PAGE}\n" * 9 + f"{REQUEST}\ncode: ABCD-EFGH\n"
    found = lines.receive(flood.encode(), only_requests=True)
    assert [type(one).__name__ for one in found] == ["Loopback", "Device"]


@pytest.mark.parametrize(
    "line", [b"lorem ipsum dolor sit amet\n", b"a" * 999 + b"\n", b"\n", b"\x1b[31m#\x1b[0m\r\n"]
)
def test_a_flood(line: bytes) -> None:
    """Lines in which there is nothing cost next to nothing: 50 MB, far less than a second."""
    lines, block = Lines(Sightings(80)), line * (65536 // len(line))
    began = time.thread_time()
    for _ in range(800):
        lines.receive(block)
    assert time.thread_time() - began < 0.5
    assert lines.receive(f"\n{REQUEST}\n".encode()) != []
