"""Addresses that go on in the next row."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.rows import Rows, address

URL = "https://id.example/authorize?client_id=abc&redirect_uri=http%3A%2F%2Flocalhost%3A4711%2F&scope=a&state=xYz1"


def read(*rows: str, columns: int = 40) -> list[str]:
    """The addresses in some rows."""
    reader = Rows(columns)
    return [one.url for row in rows for one in reader.read(row)[0]]


def cut(width: int, before: str = "", after: str = "") -> list[str]:
    """The address in pieces."""
    return [
        f"{before}{URL[at : at + width]:{width if after else 0}}{after}" for at in range(0, len(URL), width)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        cut(40),
        cut(39),
        cut(36, "  "),
        cut(32, "    ", "    "),
        cut(38, "", "  "),
        cut(34, "|  ", "  |"),
        cut(36, "\u2502 ", " \u2502"),
        cut(20, "\u2502 ", " \u2502 other \u2502"),
        cut(20, "\u2503 left  \u2503 ", " \u2503"),
        cut(38, "\u2502 "),
        [f"Open: {URL[:34]}", *[f"      {URL[at : at + 34]}" for at in range(34, len(URL), 34)]],
        [f"Open: {URL[:34]}", *[URL[at : at + 40] for at in range(34, len(URL), 40)]],
    ],
    ids=lambda rows: rows[0],
)
def test_an_address_in_pieces(rows: list[str]) -> None:
    """Broken at the terminal's edge or in a box, with or without blanks around it, it is one."""
    assert read("Sign in:", *rows, "", "Waiting for it") == [URL]
    assert read("Sign in:", *rows, "Paste it here:") == [URL]
    for count in range(1, len(rows)):
        assert read(*rows[:count]) == []


def test_broken_elsewhere() -> None:
    """A request broken before it says where the answer is to come is one, wherever the edge is."""
    assert read(*cut(70), "", columns=120) == [URL]


@pytest.mark.parametrize(
    "next_row",
    [
        "",
        "Paste the code",
        "https://b.example/",
        "Waiting...",
        "     indented",
        "+------+",
        "\u2500\u2500",
        "> ",
    ],
)
def test_what_does_not_go_on(next_row: str) -> None:
    """An address may end at the edge by chance."""
    url = URL[:40]
    assert read(url, next_row)[0] == url


def test_what_goes_on_in_the_same_box_only() -> None:
    """What stands in the next box is not the rest."""
    url = URL[:36]
    assert read(f"| {url} |", f"|| {URL[36:70]} |") == [url]


@pytest.mark.parametrize("end", [".", ",", ")", "]", "'", "!", "**", ".)", "\u3002", "\u2026", ">", '"'])
def test_the_end_of_a_sentence(end: str) -> None:
    """What ends a sentence, or closes a bracket, does not belong to the address."""
    assert read(f"See {URL[:30]}{end} Then") == [URL[:30]]


def test_unfinished() -> None:
    """In a row that has not ended, an address is known once words follow; so is how the one above ends."""
    assert Rows(80).read("See https://a.b/c", finished=False)[0] == []
    assert [one.url for one in Rows(80).read("See https://a.b/c then", finished=False)[0]] == [
        "https://a.b/c"
    ]
    for row, ends in [("", False), ("Past", False), ("Paste it", True), (">", True)]:
        rows = Rows(40)
        rows.read(URL[:40])
        assert bool(rows.read(row, finished=False)[0]) is ends


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ("https://a.b/c", True),
        ("- https://a.b/c", True),
        ("Open https://a.b/c now", True),
        ("Docs: https://a.b/c", False),
    ],
)
def test_shown_to_be_opened(row: str, shown: bool) -> None:
    """An address alone in its row, or after words that say so, is there to be opened."""
    assert [one.shown for one in Rows(80).read(row)[0]] == [shown]


def test_words_are_left() -> None:
    """What is no address can be read without it."""
    assert Rows(80).read("| code at https://a.b/c?code: ABCD |")[1].split() == ["code", "at", "ABCD"]


@pytest.mark.parametrize(
    "text", ["", "https://", "javascript:1", "a https://a.b", "https://a.b/c d", f"https://{'a' * 9000}"]
)
def test_no_address(text: str) -> None:
    """An address by itself has no blanks, and is not longer than any real one."""
    assert address(text) == ""
