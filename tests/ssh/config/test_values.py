"""Values of ssh_config that need a closer look."""

from __future__ import annotations

from pathlib import Path

import pytest

from hermes_tunnel.ssh.config.values import _files


def test_a_file_with_spaces_in_its_name_is_found(tmp_path: Path) -> None:
    """``ssh -G`` joins the names with spaces; the files themselves show which spaces belong to a name."""
    names = (f"{tmp_path}/a b", f"{tmp_path}/c", f"{tmp_path}/d  e f")
    for name in names:
        Path(name).touch()
    assert _files(" ".join(names), str) == names


@pytest.mark.parametrize("value", ["/nowhere ", " "])
def test_not_many_files_are_looked_for(value: str) -> None:
    """We look for only a few files, however many spaces there are."""
    looked_for: list[str] = []

    def path(name: str) -> str:
        looked_for.append(name)
        return name

    for count in (10, 100, 1000):
        looked_for.clear()
        _files(value * count, path)
        assert len(looked_for) <= 500 + count
