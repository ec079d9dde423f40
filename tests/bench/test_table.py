"""The table of the bench: what it makes of what was measured."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.bench.table import HEAD, Result, cells, markdown, plain

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "performance.md").read_text("utf-8")


def test_the_ratio_is_that_within_a_turn() -> None:
    """A turn in which the machine was busy slows both down, and so changes the medians but not the ratio."""
    result = Result("first output", "ssh", 0.65, [50, 60, 500], [100, 1000, 1000])
    assert result.ratio == 0.5
    assert result.reached
    assert cells(result)[2:5] == ("60 ms", "1000 ms", "0.50")


def test_a_bound_is_reached_or_not() -> None:
    """At most, for a ratio; at least, for a rate; and what has no bound is only shown."""
    assert Result("first output", "ssh", 0.4, [50], [100]).reached is False
    assert Result("read", "", 20, [21.0], unit="MB/s", at_least=True).reached
    assert Result("read", "", 20, [6.8], unit="MB/s", at_least=True).reached is False
    assert Result("page", "by hand", None, [1], [2]).reached is None


def test_a_table_for_a_page_and_one_for_a_terminal() -> None:
    """Both have the same cells, and a row each."""
    results = [Result("page", "by hand", None, [1.0] * 8, [2.0] * 8), Result("read", "", 20, [21.0])]
    assert (
        markdown(results).splitlines()[2]
        == "| page | by hand | 1.0 ms | 2.0 ms | 0.50 | 0.50 to 0.50 |  |  |"
    )
    assert plain(results).splitlines()[1].split("  ")[0] == "page"
    assert len(plain(results).splitlines()) == 3


def published() -> list[list[str]]:
    """The rows of the table that the documentation has, as cells."""
    table = PAGE.partition("<!-- scripts/bench -->\n")[2].partition("<!-- end -->")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()]


def test_the_published_table_is_one_of_the_bench() -> None:
    """It is pasted as it was printed, with every column."""
    head, rule, *rows = published()
    assert tuple(head) == HEAD
    assert set("".join(rule)) <= set("- |:")
    assert len(rows) > 20


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_has_its_times_from_that_table(name: str) -> None:
    """Enter to the browser's page, by hand and with this, at a round trip of 100 ms."""
    (row,) = [row for row in published() if row[0] == "Enter to the browser's page, 100 ms"]
    ours, by_hand = (f"{float(cell.split()[0]) / 1000:.1f}" for cell in row[2:4])
    text = (ROOT / name).read_text("utf-8")
    (line,) = [line for line in text.splitlines() if "performance.md" in line and line.startswith("|")]
    assert re.findall(r"\d\.\d", line) == [by_hand, ours]
