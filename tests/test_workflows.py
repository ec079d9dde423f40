"""The workflows: every system and every Python that we support, and scripts that exist.

That they are well-formed and safe is what ``scripts/check`` asks zizmor.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TESTS = (ROOT / ".github" / "workflows" / "tests.yml").read_text("utf-8")


def listed(name: str) -> list[str]:
    """The values of one dimension of the tests' matrix."""
    (values,) = re.findall(rf"^ +{name}: \[(.*)\]$", TESTS, re.MULTILINE)
    return [value.strip('" ') for value in values.split(",")]


def test_the_tests_run_with_each_python_that_we_support() -> None:
    """The matrix has those that the package index is told, and the package is tried with both ends."""
    told = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text())
    assert listed("python") == told
    (tried,) = re.findall(r"python-version: \|\n((?: +3\.\d+\n)+)", TESTS)
    assert tried.split() == [told[0], told[-1]]


def test_the_tests_run_on_each_system_that_we_support() -> None:
    """Linux, macOS and Windows."""
    assert [system.partition("-")[0] for system in listed("system")] == ["ubuntu", "macos", "windows"]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_each_script_exists(workflow: Path) -> None:
    """What a step runs is in the checkout."""
    scripts = re.findall(r"- run: (scripts/\S+)", workflow.read_text("utf-8"))
    assert scripts
    assert [name for name in scripts if not (ROOT / name).is_file()] == []


def test_a_checkout_on_windows_is_the_same() -> None:
    """Lines end there as they do here: scripts that run on the server are in the package."""
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text("utf-8").splitlines()
