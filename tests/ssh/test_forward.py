"""The forward's listener, and the release of sshtunnel that it relies on."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import sshtunnel

from hermes_tunnel.errors import Failure
from hermes_tunnel.ssh.forward import ATTRIBUTES, MEMBERS, check_names
from tests.cli.program import run
from tests.ssh.test_leaned_on import without

NAMES = [(owner, name) for names in (MEMBERS, ATTRIBUTES) for owner in names for name in names[owner]]


def test_this_sshtunnel_has_every_name() -> None:
    """The installed release lacks none, and neither does the stand-in."""
    check_names(sshtunnel)
    check_names(without(sshtunnel, "SSHTunnelForwarder", "", MEMBERS, ATTRIBUTES))


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_missing_name_is_reported(owner: str, name: str) -> None:
    """The error gives the name and the release, and says what to install."""
    with pytest.raises(Failure) as failure:
        check_names(without(sshtunnel, owner, name, MEMBERS, ATTRIBUTES))
    called = f"{owner}.{name}" if owner else name
    assert failure.value.message.startswith(f"this sshtunnel (99) lacks {called}")
    assert failure.value.hint.endswith("sshtunnel>=0.5.1,<0.6")


@pytest.mark.slow
def test_another_sshtunnel_is_an_error_in_words(tmp_path: Path) -> None:
    """Not a traceback, though the names are needed when the module is imported."""
    (tmp_path / "sshtunnel.py").write_text("__version__ = '9'\nclass SSHTunnelForwarder: pass\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run("demo", "--approve", env={"PYTHONPATH": path})
    assert done.returncode == 1
    assert done.stderr.startswith("hermes-tunnel: error: this sshtunnel (9) lacks _ForwardHandler, ")
    assert "Traceback" not in done.stderr
