"""What ``scripts/new-hermes`` says of a release that is not as the last one that was recorded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.lab import obstacle
from tests.lab.newest import compare

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(bool(obstacle()), reason="needs namespaces")
def test_a_login_of_another_kind_is_told(tmp_path: Path) -> None:
    """A release in which xAI's is a loopback login is told from the last recorded, in which it is not."""
    names = ["--release", "0.18.0", "--into", str(tmp_path), "xai-oauth-approved", "nonsense-unknown"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.lab.newest", *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    said = done.stdout.splitlines()
    assert said[-6:] == [
        "xai-oauth-approved",
        "  kind of login: device -> loopback",
        "  issuer: accounts.x.ai -> auth.x.ai",
        "  port of the redirect: none -> 56121",
        "  what proves it: wanted -> needless",
        "1 of 2 recorded logins have changed.",
    ], done.stderr
    assert done.returncode == 1
    assert {path.name for path in tmp_path.iterdir()} == {
        "0.18.0-xai-oauth-approved.jsonl",
        "0.18.0-nonsense-unknown.jsonl",
    }


def test_a_login_that_does_not_end_is_told(tmp_path: Path) -> None:
    """It has no recording, and that is a change."""
    assert compare("0.19.0", tmp_path, ["nous-denied"]) == {"nous-denied": ["the command does not end"]}
