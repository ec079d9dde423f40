"""The bench itself, once through: nothing is measured here."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.root, pytest.mark.slow]
ROWS = (
    "packet",
    "first-0",
    "jump-1",
    "agent",
    "there-0",
    "crowd",
    "exit",
    "stop",
    "version",
    "memory",
    "page-0",
)


@pytest.mark.timeout(300)
def test_a_quick_run_measures_every_kind_of_row(
    nothing_left: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of row gives a ratio; afterwards the hosts are gone, with the wires and the programs."""
    from tests.bench.__main__ import main

    before = set(Path("/run/netns").glob("*"))
    main(["--quick", "--markdown", str(tmp_path / "table.md"), *ROWS])
    rows = (tmp_path / "table.md").read_text().splitlines()[2:]
    assert len(rows) == len(ROWS) + 1  # there-0 is compared with two
    assert all(float(row.split(" | ")[4]) > 0 for row in rows)
    assert "not measured" not in capsys.readouterr().err
    assert set(Path("/run/netns").glob("*")) <= before
