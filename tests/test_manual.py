"""The manual pages are those of the commands, and are installed with them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

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


@pytest.mark.slow
def test_the_wheel_installs_them(tmp_path: Path) -> None:
    """They are where man looks, below the prefix of the installation."""
    root = FOLDER.parents[1]
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, check=True, cwd=root, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.iterdir())) as wheel:
        found = [name for name in wheel.namelist() if "/share/man/man1/" in name]
    assert sorted(name.rpartition("/")[2] for name in found) == sorted(PAGES)
    assert {name.split("/")[0].endswith(".data") for name in found} == {True}
