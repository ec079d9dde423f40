"""Every screen and every ending, as it is written down in a file; ``scripts/screens`` writes it anew."""

from __future__ import annotations

import sys

import pytest

from tests.cli.scenes import FILES, OTHERS, SCENES, drawn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(sys.platform != "linux", reason="the paths and programs in the files are Linux'"),
]
MOST_LINES = 8  # beside the address, and blank ones apart
AS_ROOT = {"busy-port-of-another", "run-taken-by-another"}


def test_every_file_has_its_scene() -> None:
    """And every scene its file."""
    assert {file.stem for file in FILES.glob("*.txt")} == {*SCENES, *OTHERS}


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=pytest.mark.root if one in AS_ROOT else ()) for one in (*SCENES, *OTHERS)],
)
def test_a_screen(name: str) -> None:
    """What the person sees is what was written down when somebody had looked at it."""
    assert drawn(name) == (FILES / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", ["xai", "spotify", "device", "codex", "anthropic", "mcp"])
def test_a_login_through_a_jump_host_takes_eight_lines(name: str) -> None:
    """Beside the address, which may fill several rows, and blank ones."""
    before, address, after = (FILES / f"{name}.txt").read_text("utf-8").partition("\nhttp")
    assert address
    rows = [*before.splitlines(), *after.partition("\n\n")[2].splitlines()]
    assert len([row for row in rows if row.strip()]) <= MOST_LINES
