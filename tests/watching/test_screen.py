"""What is seen on the screen, and what is not seen too early."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.sightings import Device, Page, Sightings
from hermes_tunnel.watching.screen import Screen
from tests.watching.watched import Watched, bytewise, seen, seen_however_cut

REQUEST = (
    "https://id.example/authorize?client_id=abcdefghijklmnopqrstuvwxyz&scope=openid"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb&state=Zq1"
)
PAGE = "https://a.example/b?c=d"
LINE = "\x1b(0x\x1b(B"  # a vertical one, from the line drawing set of the VT100


def urls(*chunks: bytes | str, columns: int = 80, rows: int = 24) -> list[str]:
    """The addresses on a screen alone; its lines are not read."""
    screen = Screen(columns, rows, Sightings(columns))
    data = [chunk.encode() if isinstance(chunk, str) else chunk for chunk in chunks]
    found = [one for chunk in data for one in screen.receive(chunk)]
    return [one.verification_uri if isinstance(one, Device) else one.url for one in found]


def rows(width: int, row: int = 3, column: int = 5) -> str:
    """The request in pieces, each put to its place."""
    pieces = [REQUEST[at : at + width] for at in range(0, len(REQUEST), width)]
    return "".join(f"\x1b[{row + at};{column}H{piece}" for at, piece in enumerate(pieces))


@pytest.mark.parametrize(
    "output",
    [
        f"{REQUEST}\r\n",
        f"\x1b[?1049h\x1b[2J{rows(70)}\x1b[20;1H> ",
        f"\x1b[?1049h\x1b[2J{rows(40, column=39)}\x1b[20;1H> ",
        "".join(f"{LINE} {piece:70} {LINE}\r\n" for piece in (REQUEST[:70], REQUEST[70:])) + "\r\n",
        "".join(f"\x1b[2;2H\x1b[3{ink}m{REQUEST[:70]}\x1b[3;2H{REQUEST[70:]}\x1b[9H" for ink in "123"),
        "".join(f"\r\x1b[K{spin} {REQUEST[:60]}\r\n{REQUEST[60:]}\x1b[A" for spin in "|/-\\") + "\r\n\n\n",
    ],
)  # fmt: skip
def test_a_request_on_the_screen(output: str) -> None:
    """However it was drawn, it is one address."""
    found = seen_however_cut(output)
    assert REQUEST in [getattr(one, "url", "") for one in found]
    assert [getattr(one, "state", "Zq1") for one in found] == ["Zq1"] * len(found)


@pytest.mark.parametrize("columns", [1, 2, 7, 40, 79, 80, 81, 141, 142, 143, 200, 4000])
def test_a_terminal_of_any_width(columns: int) -> None:
    """What the terminal broke is one."""
    high = 200
    assert urls(f"{REQUEST}\r\n\r\nx", columns=columns, rows=high) == [REQUEST]
    assert urls(*bytewise(f"{REQUEST}\r\n\r\nx".encode()), columns=columns, rows=high) == [REQUEST]


def test_nothing_is_seen_before_it_is_complete() -> None:
    """An address that is still being printed, on a row or in several, is not told of."""
    assert urls(*bytewise(REQUEST.encode())) == []
    assert urls(*bytewise(f"\x1b[2J{rows(70)}".encode())) == []
    assert urls(f"Open {PAGE}") == []


@pytest.mark.parametrize("after", [" and press Enter: ", "\r", "\n", "\r\n", "\x1b[9;9H", " > "])
def test_an_unfinished_row(after: str) -> None:
    """Whatever follows the address on its row, it is seen then, without a pause."""
    screen = Screen(80, 24, Sightings(80))
    assert screen.receive(f"Open {PAGE}".encode()) == []
    assert screen.receive(after.encode()) == [Page(PAGE)]


def test_a_row_that_is_redrawn_by_a_carriage_return() -> None:
    """A spinner on the address's own row does not hide it, and what is left of a longer row is no address."""
    frames = "".join(f"\r{spin} Open {PAGE}" for spin in "|/-\\")
    assert urls(frames) == urls(*bytewise(frames.encode())) == [PAGE]
    broken = "".join(f"\r\x1b[2K{spin} Open {REQUEST}" for spin in "|/-\\")
    assert urls(broken) == urls(*bytewise(broken.encode())) == [REQUEST]


def test_typed_and_echoed() -> None:
    """A shell's editor breaks the line itself, and moves about in it: the address is what was entered."""
    typed = f"$ curl {REQUEST}"
    echoed = " \r".join(typed[at : at + 80] for at in range(0, len(typed), 80))
    assert urls(*bytewise(f"{echoed}\r\n".encode())) == [REQUEST]
    edited = f"$ open https://a.exam/b?c=d{chr(8) * 6}ple/b?c=d{chr(8) * 6}\r\n"
    assert urls(*bytewise(edited.encode())) == [PAGE]


def test_a_browsers_page_by_an_escape() -> None:
    """A link has its address beside its text; a page that is handed to a browser is not printed at all."""
    assert urls(f"\x1b]8;id=a:b;{REQUEST}\x1b\\Sign in\x1b]8;;\x1b\\") == [REQUEST]
    assert urls(*bytewise(f"\x1b]9008;hermes-tunnel;{REQUEST}\x07".encode())) == [REQUEST]
    assert urls(f"\x1b]9008;other;{REQUEST}\x07\x1b]52;c;{REQUEST}\x07\x1bP{REQUEST}\x1b\\") == []
    assert urls(f"\x1b]8;;javascript:alert(1)\x07\x1b]8;;{PAGE} {PAGE}\x07\x1b]8;;{'a' * 9000}\x07") == []


def test_a_shells_line_editor_at_the_edge() -> None:
    """It writes the first character of the next row twice; what it wrote up to there is no address yet."""
    typed = f"$ open '{REQUEST}'"
    for columns in range(20, len(typed) - 2):
        rows = [typed[at : at + columns] for at in range(0, len(typed), columns)]
        drawn = rows[0] + "".join(f"{row[0]}\r{row}" for row in rows[1:]) + "\r\n$ \r\n"
        assert urls(drawn, columns=columns) == [REQUEST]
        assert urls(*bytewise(drawn.encode()), columns=columns) == [REQUEST]


def test_a_page_that_is_wanted_is_told_though_it_was_shown() -> None:
    """A program that would open it may have named it long before; which of the two it was is said."""
    found = seen(
        f"{PAGE}\r\n\x1b]9008;hermes-tunnel;{PAGE}\x07\x1b]9008;hermes-tunnel;{PAGE}\x07\r\n".encode()
    )
    assert [(one.wanted, getattr(one, "url", "")) for one in found] == [(False, PAGE), (True, PAGE)]


def test_wide_and_combining_characters() -> None:
    """They take the columns that they take on a terminal."""
    for before in ("\u8acb\u6253\u5f00 ", "e\u0301\u200b\ufe0f ", "\U0001f511 "):
        assert urls(f"{before}{REQUEST}\u3002\r\n\r\n") == [REQUEST]
        assert urls(f"\u2502{before}{PAGE} \u2502\r\n\r\n") == [PAGE]


def test_what_was_shown_at_another_size() -> None:
    """A row that a smaller window cuts is not read again."""
    watched = Watched(200, 24)
    watched.receive(f"{REQUEST}".encode())
    watched.sightings.resize(40)
    watched.screen.resize(40, 24)
    assert watched.receive(b"\x1b[20;1H > ") == []
    assert len(watched.receive(f"\r\n{REQUEST}\r\n".encode())) == 1


@pytest.mark.parametrize(
    "flood",
    [
        *(b"\x1b7" * 9000, b"\x1b[9999@" * 3000, b"\x1b[9999b" * 300, b"e" + "\u0301".encode() * 9000),
        *(b"\x1b]" + b"a" * 300_000, b"\x1b[" + b"1;" * 100_000, b"\x1bP" * 9000, b"\xff\xfe\x9b\xc3" * 9000),
        *(b"\x1b[9999;9999r\x1b[9999S\x1b[9999T" * 500, b"\x1b[?1049h\x1b[?1049l" * 2000),
        b"\x1b[7J\x1b[7K\x1b[1;2;3;4A\x1b[1$x\x1b[!p\x1b[?9999h",
    ],
    ids=lambda flood: repr(flood[:8]),
)  # fmt: skip
@pytest.mark.timeout(20)
def test_a_hostile_program(flood: bytes) -> None:
    """It takes neither long nor much, and what comes after it is read."""
    after = b"\x1b\\\x18\x1bc\r\n" + f"{REQUEST}\r\n".encode()
    assert REQUEST in [getattr(one, "url", "") for one in seen(flood, after)]
