"""What is told of a session's lines and screen, each once."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.sightings import (
    MOST_REMEMBERED,
    Device,
    Loopback,
    Page,
    Sighting,
    Sightings,
    sighting_of,
)

HERE = "redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb"
REQUEST = f"https://id.example/authorize?client_id=c&{HERE}&state=s"
LOOPBACK = Loopback(REQUEST, Redirect("127.0.0.1", 4711, "/cb"), "s")
PAGE = "https://id.example/device"


def told(*lines: str, columns: int = 80) -> list[Sighting]:
    """What some lines tell."""
    sightings = Sightings(columns)
    return [one for line in lines for one in sightings.of_line(line)]


@pytest.mark.parametrize(
    ("url", "sighting"),
    [
        (REQUEST, LOOPBACK),
        (f"https://id.example/?{HERE}", Loopback(f"https://id.example/?{HERE}", LOOPBACK.redirect, "")),
        (
            f"{REQUEST}&response_mode=form_post",
            Loopback(f"{REQUEST}&response_mode=form_post", LOOPBACK.redirect, "s", form_post=True),
        ),
        (f"{PAGE}?user_code=ABCD-EFGH", Device(f"{PAGE}?user_code=ABCD-EFGH", "ABCD-EFGH")),
        (PAGE, Page(PAGE)),
        ("https://a.b/oauth?client_id=c&redirect_uri=https%3A%2F%2Fa.b%2Fcode", None),
        ("http://127.0.0.1:8976/start", Page("http://127.0.0.1:8976/start")),
        ("http://id.example/device", ()),
        ("http://localhost:4711/cb?code=secret&state=s", ()),
        (f"{PAGE}?{'a=b&' * 80}", ()),
    ],
)
def test_an_address(url: str, sighting: Sighting | tuple[()] | None) -> None:
    """It is a request whose answer comes here, a page with its code, another page, or none of these."""
    expected = Page(url) if sighting is None else sighting or None
    assert sighting_of(url) == expected


@pytest.mark.parametrize(
    ("lines", "sightings"),
    [
        (
            [PAGE, "", "Enter this code (it lasts 15 minutes)", "  ABCD-EFGH"],
            [Page(PAGE), Device(PAGE, "ABCD-EFGH")],
        ),
        (
            ["First copy your one-time code: ABCD-EFGH", "Press Enter", f"! Failed opening {PAGE}"],
            [Device("", "ABCD-EFGH"), Device(PAGE, "ABCD-EFGH")],
        ),
        (
            [f"Open the page {PAGE} and enter the code A1B2C3D4E there"],
            [Page(PAGE), Device(PAGE, "A1B2C3D4E")],
        ),
        ([f"Enter the code A1B2C3D4E at {PAGE}"], [Device("", "A1B2C3D4E"), Device(PAGE, "A1B2C3D4E")]),
        ([f"Terms: {PAGE}/terms", "code: ABCD-EFGH"], [Page(f"{PAGE}/terms"), Device("", "ABCD-EFGH")]),
        (
            [f"{PAGE}?user_code=ABCD-EFGH", "If asked, the code is ABCD-EFGH"],
            [Device(f"{PAGE}?user_code=ABCD-EFGH", "ABCD-EFGH")],
        ),
        ([PAGE, *["word"] * 30, "code: ABCD-EFGH"], [Page(PAGE), Device("", "ABCD-EFGH")]),
        ([REQUEST, "code: ABCD-EFGH"], [LOOPBACK, Device("", "ABCD-EFGH")]),
        ([PAGE, "Enter the code:", "", "-----", "ABCD-EFGH"], [Page(PAGE), Device(PAGE, "ABCD-EFGH")]),
        ([PAGE, "Enter the code:", "at last", "ABCD-EFGH"], [Page(PAGE)]),
        ([PAGE, "exit code 1234", "HTTP code 404", "code: PRIVATE", "PRIVATE"], [Page(PAGE)]),
        ([PAGE, "Verification code: 123456"], [Page(PAGE)]),
    ],
)
def test_a_page_and_its_code(lines: list[str], sightings: list[Sighting]) -> None:
    """A code belongs to the page before it that is there to be opened, or else to the next one."""
    assert told(*lines) == sightings
    assert Sightings(80).of_screen(lines) == sightings


def test_once() -> None:
    """What is printed or drawn again is told once; another state is another request."""
    other = REQUEST.replace("state=s", "state=t")
    sightings = Sightings(120)
    assert sightings.of_line(REQUEST) == [LOOPBACK]
    assert sightings.of_screen(["", f"Open {REQUEST} now", PAGE, ""]) == [Page(PAGE)]
    assert [one.url for one in sightings.of_line(other) if isinstance(one, Loopback)] == [other]
    assert sightings.of_address(REQUEST) == sightings.of_line(REQUEST) == []


def test_a_flood_is_forgotten() -> None:
    """So many are remembered, and pages do not displace requests."""
    sightings = Sightings(80)
    sightings.of_line(REQUEST)
    for number in range(10 * MOST_REMEMBERED):
        assert len(sightings.of_line(f"{PAGE}/{number}")) == 1
    assert sightings.of_line(REQUEST) == sightings.of_line(f"{PAGE}/{number}") == []
    assert len(sightings.of_line(f"{PAGE}/0")) == 1


def test_secrets_are_not_shown() -> None:
    """Neither a state nor a code is in what is logged of a sighting."""
    assert "state" not in repr(LOOPBACK).replace("state=''", "")
    assert "ABCD" not in repr(Device(PAGE, "ABCD-EFGH"))
    assert "4711" in repr(LOOPBACK)


def test_rows_that_the_terminal_broke() -> None:
    """They are one, whatever stands in them; but if the rest was overwritten, nothing ends there."""
    rows = [REQUEST[:40], REQUEST[40:80], f"{REQUEST[80:]} and more"]
    assert Sightings(40).of_screen(rows, wrapped={0, 1}) == [LOOPBACK]
    assert Sightings(40).of_screen([REQUEST[:40], "Done"], lost={0}) == []
    assert Sightings(40).of_screen([REQUEST[:40], "Done"]) != []


@pytest.mark.parametrize("cursor", range(4))
def test_rows_around_the_cursor(cursor: int) -> None:
    """As long as the cursor is in an address, or right after it, it may still be written."""
    rows = [REQUEST[:40], REQUEST[40:80], REQUEST[80:], ""]
    seen = Sightings(40).of_screen(
        [row[:20] if at == cursor else row for at, row in enumerate(rows)], unfinished=cursor
    )
    assert seen == ([LOOPBACK] if cursor == 3 else [])
