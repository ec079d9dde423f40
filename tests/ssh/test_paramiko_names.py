"""The releases of paramiko that the connection relies on."""

from __future__ import annotations

import ast
import os
import re
import sys
from pathlib import Path

import paramiko
import pytest

import hermes_tunnel.ssh
from hermes_tunnel.errors import Failure
from hermes_tunnel.ssh.paramiko_names import ATTRIBUTES, MEMBERS, check_names
from tests.cli.program import run
from tests.ssh.test_leaned_on import without

NAMES = [(owner, name) for names in (MEMBERS, ATTRIBUTES) for owner in names for name in names[owner]]


def test_this_paramiko_has_every_name() -> None:
    """The installed release lacks none, and neither does the stand-in."""
    check_names(paramiko)
    check_names(without(paramiko, "Transport", "", MEMBERS, ATTRIBUTES))


@pytest.mark.parametrize(("owner", "name"), NAMES)
def test_a_missing_name_is_reported(owner: str, name: str) -> None:
    """The error gives the name and the release, and says what to install."""
    with pytest.raises(Failure) as failure:
        check_names(without(paramiko, owner, name, MEMBERS, ATTRIBUTES))
    assert failure.value.message == f"this paramiko (99) lacks {owner}.{name}"
    assert failure.value.hint.endswith("paramiko>=5.1,<6")


def test_no_name_is_forgotten() -> None:
    """Every name of paramiko's that the connection uses and that begins with an underscore is checked."""
    classes = (paramiko.Transport, paramiko.Channel, paramiko.packet.Packetizer)
    members = [member for each in classes for member in vars(each).values()]
    codes = [getattr(getattr(member, "fget", member), "__code__", None) for member in members]
    theirs = {name for each in classes for name in vars(each)}
    theirs |= {name for code in codes if code for name in code.co_names}
    used = set()
    for path in Path(hermes_tunnel.ssh.__path__[0]).rglob("*.py"):
        text = path.read_text("utf-8")
        if "paramiko" in text and path.name != "forward.py":
            nodes = list(ast.walk(ast.parse(text)))
            used |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            bodies = [one for node in nodes if isinstance(node, ast.ClassDef) for one in node.body]
            used |= {one.name for one in bodies if isinstance(one, ast.FunctionDef)}
            used |= {one.target.id for one in bodies if isinstance(one, ast.AnnAssign)}  # type: ignore[union-attr]
    private = {name for name in used & theirs if re.match("_[^_]", name)}
    assert private == {name for _, name in NAMES if name.startswith("_")}


@pytest.mark.slow
def test_another_paramiko_is_an_error_in_words(tmp_path: Path) -> None:
    """Not a traceback, though the names are needed when the modules are imported."""
    (tmp_path / "paramiko.py").write_text(
        "__version__ = '9'\nclass Transport: pass\nclass Channel: pass\nclass Message: pass\n"
        "class SSHException(Exception): pass\nclass ChannelException(Exception): pass\nclass PKey: pass\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    done = run("login", "xai-oauth", "nowhere.invalid", "-F", "none", env={"PYTHONPATH": path})
    assert done.returncode == 1
    assert done.stderr.startswith("hermes-tunnel: error: this paramiko (9) lacks Transport._preferred_kex, ")
    assert "Traceback" not in done.stderr
