"""The source distribution: what works in a checkout works in it."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def files_of_the_checkout() -> set[str]:
    """The files that git does not ignore."""
    ignored = [".git", *(line.rstrip("/") for line in (ROOT / ".gitignore").read_text().splitlines())]
    found = set()
    for folder, folders, files in os.walk(ROOT):
        for names in (folders, files):
            names[:] = [name for name in names if not any(fnmatch(name, each) for each in ignored)]
        found |= {Path(folder, name).relative_to(ROOT).as_posix() for name in files}
    return found


@pytest.mark.slow
def test_it_has_every_file(tmp_path: Path) -> None:
    """It has the scripts and what they read, the tests, recordings and pages; programs are executable."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(build, check=True, cwd=ROOT, capture_output=True)
    with tarfile.open(next(tmp_path.iterdir())) as archive:
        members = {name.partition("/")[2]: archive.getmember(name) for name in archive.getnames()}
    assert {*members, "PKG-INFO"} == {*files_of_the_checkout(), "PKG-INFO"}
    programs = {name for name in members if name.startswith(("scripts/", ".ci/"))}
    assert len(programs) > 5
    assert {name for name in programs if not members[name].mode & 0o100} == set()
