"""What nine real programs print when they log in: the page is seen, with its code, and never half of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from hermes_tunnel.oauth.sightings import Device, Loopback, Page, Sighting, Sightings
from hermes_tunnel.watching.lines import Lines
from tests.watching.watched import bytewise, seen

RECORDINGS = Path(__file__).parents[1] / "recordings" / "programs"
NAMES = sorted(path.stem for path in RECORDINGS.glob("*.jsonl"))
LOOPBACK = {"codex", "firebase", "mcp-remote"}
BY_LINES = [name for name in NAMES if not name.startswith("netlify")]  # it redraws its line before that ends


def recording(name: str) -> tuple[dict[str, Any], list[bytes]]:
    """What is said of a recording, and what the program wrote, in the chunks that were read."""
    about, *chunks = map(json.loads, (RECORDINGS / f"{name}.jsonl").read_text("utf-8").splitlines())
    return about, [base64.b64decode(chunk["data"]) for chunk in chunks]


def address(one: Sighting) -> str:
    """The address that was seen; empty for a code alone."""
    return one.verification_uri if isinstance(one, Device) else one.url


def expected(about: dict[str, Any]) -> list[str]:
    """The kinds of sighting that have the page, in order."""
    if about["program"] in LOOPBACK:
        return ["Loopback"]
    if about["program"] == "codex-device":
        return ["Page", "Device"]
    return ["Device"] if code(about) else ["Page"]


def code(about: dict[str, Any]) -> str:
    """The code that the person enters; of some programs the page has it."""
    in_page: str = about["page"].partition("user_code=")[2].partition("&")[0]
    return about["code"] or in_page


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_seen(name: str) -> None:
    """As it was read, whole, or byte by byte; nothing else is taken for a request, or for a code."""
    about, chunks = recording(name)
    output = b"".join(chunks)
    size = {key: about["terminal"][key] for key in ("columns", "rows")}
    found = seen(*chunks, **size)
    assert set(seen(output, **size)) == set(seen(*bytewise(output), **size)) == set(found)
    assert [type(one).__name__ for one in found if address(one) == about["page"]] == expected(about)
    assert {one.user_code for one in found if isinstance(one, Device)} == {code(about)} - {""}
    for one in found:
        assert address(one) == about["page"] or not isinstance(one, Loopback)
        assert (
            address(one) == about["page"] or "?" not in address(one) or "auth.firebase.tools" in address(one)
        )


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_seen_in_a_shell(name: str) -> None:
    """Where other things were printed before it, wherever the screen is then, nothing less is seen."""
    about, chunks = recording(name)
    before = b"$ cat README\r\nDocs: https://docs.example/a\r\nexit code 1234\r\n$ "
    size = {key: about["terminal"][key] for key in ("columns", "rows")}
    assert set(seen(*chunks, **size)) <= set(seen(before, *chunks, **size))


@pytest.mark.parametrize("name", BY_LINES)
def test_the_page_is_seen_without_a_screen(name: str) -> None:
    """Under a flood, or without a terminal, lines are enough."""
    about, chunks = recording(name)
    lines = Lines(Sightings(0))
    found = [one for chunk in chunks for one in lines.receive(chunk)]
    assert [type(one).__name__ for one in found if address(one) == about["page"]] == expected(about)


def test_what_is_beside_it() -> None:
    """Terms, documentation, the program's own listener: pages, but no requests."""
    about, chunks = recording(next(name for name in NAMES if name.startswith("firebase")))
    pages = [one.url for one in seen(*chunks, columns=4000, rows=50) if isinstance(one, Page)]
    assert "https://policies.google.com/privacy" in pages
    assert about["page"] not in pages
