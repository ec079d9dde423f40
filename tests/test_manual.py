"""The manual pages are those of the commands."""

from __future__ import annotations

import re

import pytest

from tests.manual import FOLDER, pages, roff

REQUESTS = {".TH", ".SH", ".B", ".BR", ".PP", ".TP", ".nf", ".fi"}
PAGES = pages()


def test_they_are_current() -> None:
    """``scripts/man`` would write the same."""
    assert {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()} == PAGES


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole(name: str) -> None:
    """It has the sections that a reader of manuals expects, and nothing that a formatter could misread."""
    text = PAGES[name]
    assert re.findall(r"^\.SH (.+)$", text, re.MULTILINE)[:4] == [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
    ]
    assert ".SH EXIT STATUS\n" in text
    assert {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))} <= REQUESTS
    assert re.search(r"[\x00-\x09\x0b-\x1f]", text) is None
    assert "..." not in text.splitlines()[2]


def test_plain_text_is_neither_a_request_nor_an_escape() -> None:
    """A help text may say anything."""
    assert roff(".TH\n'x\n\\fB --json") == "\\&.TH\n\\&'x\n\\efB \\-\\-json"
