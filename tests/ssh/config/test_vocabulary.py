"""What becomes of each keyword of ssh_config: the list is complete, and the document is the list."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import combinations
from pathlib import Path

import pytest

from hermes_tunnel.ssh.config.vocabulary import HONOURED, IGNORED, OF_A_SESSION, REFUSED, unheard_of

DOCUMENT = (Path(__file__).parents[3] / "docs" / "ssh-config.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("heading", "keywords"),
    [
        ("Honoured", HONOURED),
        ("Honoured by run", OF_A_SESSION),
        ("Refused", REFUSED),
        ("Ignored on purpose", IGNORED),
    ],
)
def test_the_document_has_each_keyword_under_what_becomes_of_it(
    heading: str, keywords: frozenset[str]
) -> None:
    """The document lists every keyword that the code has, and no others."""
    section = DOCUMENT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert {word.lower() for cell in cells for word in re.findall(r"`(\w+)`", cell)} == keywords


def test_a_keyword_has_one_fate() -> None:
    """Honoured, refused or ignored, and only one of them."""
    for one, other in combinations((HONOURED, OF_A_SESSION, REFUSED, IGNORED), 2):
        assert not one & other


PRINTED = sorted(Path(__file__).parent.glob("keywords-openssh-*.txt"))


@pytest.mark.parametrize("release", PRINTED, ids=lambda path: path.stem)
def test_what_a_release_of_ssh_prints_is_known(release: Path) -> None:
    """Every keyword that its ``ssh -G`` can print has a fate: Debian's 9.2, and OpenSSH's own 10.5."""
    words = release.read_text("ascii").split()
    assert {"hostname", "port", "user", "identityfile", "ciphers"} <= set(words)
    assert words == sorted(words)
    assert unheard_of(words) == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here")
def test_what_this_ssh_prints_is_in_the_lists() -> None:
    """The lists are what real programs print: this machine's adds nothing to them, unless it is newer."""
    printed = subprocess.run(
        ["ssh", "-F", "none", "-G", "host"], capture_output=True, text=True, check=True
    ).stdout
    words = {line.partition(" ")[0].lower() for line in printed.splitlines()}
    listed = {word for release in PRINTED for word in release.read_text("ascii").split()}
    assert len(words) > 60
    assert words - listed == set(unheard_of(words))


def test_a_newer_keyword_is_reported() -> None:
    """It is not an error; whoever wants to know is told."""
    assert unheard_of(["Port", "TeleportViaMoon"]) == ["TeleportViaMoon"]
