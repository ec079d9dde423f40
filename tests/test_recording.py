"""The readme's picture of the demo: it shows what the demo says now."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

if sys.platform == "win32" or shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.recording import COLUMNS, PICTURE, picture, rows, settled


def texts(drawn: str) -> list[str]:
    """What the rows say, with their styles. Their order may change: the command and the browser do not wait
    for each other.
    """
    return sorted(re.findall(r"^<text [^>]*>(.*)</text>$", drawn, re.MULTILINE))


@pytest.mark.slow
def test_the_picture_is_what_the_demo_shows_now() -> None:
    """If it is not, ``scripts/record`` draws it again."""
    drawn = PICTURE.read_text("utf-8")
    assert texts(drawn) == texts(picture()), "the demo shows something else now: scripts/record"
    assert len(texts(drawn)) > 8


def test_the_picture_has_nothing_but_text() -> None:
    """It is well-formed, runs nothing, and loads nothing."""
    elements = ET.parse(PICTURE).iter()
    assert {each.tag.rpartition("}")[2] for each in elements} == {
        "svg",
        "title",
        "style",
        "rect",
        "text",
        "tspan",
    }
    assert not re.search(r"url\(|@import|href", PICTURE.read_text("utf-8"))


def shown(output: str) -> list[str]:
    """The rows without their styles."""
    return ["".join(character for character, _ in row) for row in rows(output)]


def test_rows_are_those_of_the_terminal() -> None:
    """A line that is too long goes on in the next row; of a rewritten line the last words stay."""
    assert shown(f"one\r\n\r\n{'x' * COLUMNS}y\r\n") == ["one", "", "x" * COLUMNS, "y"]
    assert shown("waiting\r\x1b[Kdone\r\n\x1b]8;;https://x.test\x1b\\here\x1b]8;;\x1b\\\r\n") == [
        "done",
        "here",
    ]


def test_styles_last_until_they_are_reset() -> None:
    """A style that the picture does not have changes nothing."""
    assert rows("\x1b[1;32mo\x1b[0mk\x1b[4m!\r\n") == [[("o", "bold green"), ("k", ""), ("!", "")]]


def test_what_changes_from_run_to_run_is_settled() -> None:
    """Two runs with other ports and another state show the same, whichever port is named first."""
    runs = (
        settled(
            f"{before}http://127.0.0.1:{page}/?to=http%3A%2F%2F127.0.0.1%3A{port}&state={state}&x=1 {port}"
        )
        for before, page, port, state in [
            ("", 40001, 20001, "a-B_c"),
            ("127.0.0.1:56121 ", 56121, 50007, "defgh"),
        ]
    )
    same = "http://127.0.0.1:56122/?to=http%3A%2F%2F127.0.0.1%3A56121&state=xxxxx&x=1 56121"
    assert list(runs) == [same, f"127.0.0.1:56122 {same}"]


@pytest.mark.slow
def test_a_demo_that_fails_is_not_drawn() -> None:
    """There is an error, with what the demo said."""
    program = [sys.executable, "-c", "import tests.recording as r; r.VERB = ['demo', '--deny']; r.picture()"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "hermes-tunnel: error: " in done.stderr
