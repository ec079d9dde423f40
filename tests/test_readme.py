"""The readme in two languages: alike in structure and commands, and as the program is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hermes_tunnel.cli.verbs import cli

ROOT = Path(__file__).resolve().parents[1]
ENGLISH = (ROOT / "README.md").read_text("utf-8")
CHINESE = (ROOT / "README.zh-CN.md").read_text("utf-8")
HAN = re.compile(r"[\u4e00-\u9fff]")

in_both = pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["English", "Chinese"])


def blocks(text: str) -> list[list[str]]:
    """The lines of each heading, paragraph, list, table and fenced block."""
    found = re.findall(r"^```[^`]*^```$|(?:^(?!```).+\n)+", text, re.MULTILINE)
    return [block.splitlines() for block in found]


def shape(block: list[str]) -> list[str]:
    """What both languages have of a block: code without comments, and marks of what the rest is."""
    if block[0].startswith("```"):
        return [re.sub(r"\s+# .*", "", line) for line in block]
    if block[0].startswith("|"):
        return ["|" * line.count("|") for line in block]
    return re.findall(r"^(?:#+|-|!|\*\*)|^$", "\n".join(block), re.MULTILINE)


def links(text: str) -> list[str]:
    """Where the links lead, but for those from one language to the other."""
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    return sorted(target for target in targets if not target.startswith("README"))


def spans(text: str) -> list[str]:
    """The code within the prose; a language may have it in an order of its own."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    return sorted(re.findall(r"`([^`\n]+)`", prose))


def test_both_languages_have_the_same_structure() -> None:
    """Headings, paragraphs, lists, tables and code come in the same order; only comments in code differ."""
    assert [shape(each) for each in blocks(CHINESE)] == [shape(each) for each in blocks(ENGLISH)]
    assert [shape(each)[0] for each in blocks(ENGLISH) if shape(each)].count("##") > 5


def test_both_languages_name_the_same_places_and_commands() -> None:
    """Each link and each code span of one is in the other, as often."""
    assert links(CHINESE) == links(ENGLISH)
    assert spans(CHINESE) == spans(ENGLISH)
    assert len(links(ENGLISH)) > 10


def test_each_language_leads_to_the_other() -> None:
    """A reader who came to the wrong one is a click away from the right one."""
    assert "](README.zh-CN.md)" in blocks(ENGLISH)[1][0]
    assert "](README.md)" in blocks(CHINESE)[1][0]


def test_nothing_is_left_in_english() -> None:
    """Each block of prose has Chinese in it, but for the name at the top; and the English has none."""
    prose = [block for block in blocks(CHINESE) if not block[0].startswith("```")]
    assert [block for block in prose[1:] if not HAN.search("".join(block))] == []
    assert [line for line in ENGLISH.splitlines()[3:] if HAN.search(line)] == []


def test_no_chinese_sentence_is_broken_between_two_of_its_characters() -> None:
    """A viewer shows the line feed as a space, which belongs only beside other scripts."""
    assert re.findall(r"[\u3000-\u9fff\uff00-\uffef]\n *[\u3000-\u9fff]", CHINESE) == []


@in_both
def test_it_fits_on_two_screens(text: str) -> None:
    """Anything longer goes into docs/."""
    assert len(text.splitlines()) <= 110


@in_both
def test_it_has_every_verb(text: str) -> None:
    """The table has each, in the order of --help."""
    rows = re.findall(r"^\| `([a-z]+)(?: [A-Z ]+)?` \|", text, re.MULTILINE)
    assert [row for row in rows if row in cli.commands] == list(cli.commands)


@in_both
def test_it_names_the_pythons_and_the_releases_that_are_tested(text: str) -> None:
    """The oldest Python is that of the package; the releases of Hermes are those of the recordings."""
    oldest = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert oldest
    assert f"Python {oldest[1]}" in text
    recordings = (ROOT / "tests" / "recordings").glob("*.jsonl")
    releases = {path.name.partition("-")[0] for path in recordings} - {"none"}
    assert set(re.findall(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.])", text)) == releases
