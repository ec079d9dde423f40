"""What is imported before anything happens: a budget without a clock.

Imports are most of what a person waits for before the first packet. ``tests/imports`` has the modules that
``--help``, a completion and a login import, ours first, then other packages; a change that adds one fails
here. If it has to be there, add it to the list, and say in the commit what it costs (``-X importtime``).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LISTS = Path(__file__).parent / "imports"
PROGRAM = """
import atexit, sys
from hermes_tunnel.cli import main
def show():
    print("IMPORTED", *(name for name, module in sys.modules.items() if module is not None))
atexit.register(show)
main(sys.argv[1:])
"""
SLOW = {"asyncio", "concurrent", "http", "multiprocessing", "sqlite3", "unittest", "xml"}
"""Of Python's own: each takes longer than all that we import of it."""

pytestmark = pytest.mark.slow


def imported(*arguments: str, **variables: str) -> set[str]:
    """The modules that a command line imports: all of ours, and the names of all other packages."""
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", **variables}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    names = done.stdout.rpartition("IMPORTED ")[2].split()
    ours = {name.removeprefix("hermes_tunnel.") for name in names if name.startswith("hermes_tunnel.")}
    # The machine's own, if it has one, is imported whatever we do.
    return ours | {name.partition(".")[0] for name in names} - {"hermes_tunnel", "sitecustomize"}


def allowed(name: str) -> set[str]:
    """What may be imported, besides Python's own."""
    return set((LISTS / f"{name}.txt").read_text("utf-8").split())


def excess(modules: set[str], name: str) -> set[str]:
    """What is imported and not on a list; names with an underscore belong to somebody who is on it."""
    others = {each for each in modules if each not in sys.stdlib_module_names and not each.startswith("_")}
    return others - allowed(name)


def test_help() -> None:
    """``--help`` imports click, and hardly anything of ours."""
    modules = imported("--help")
    assert "click" in modules
    assert excess(modules, "help") == set()
    assert modules & SLOW == set()


def completed(*words: str) -> set[str]:
    """What a completion in bash imports."""
    line = " ".join(["hermes-tunnel", *words])
    asked = {"_HERMES_TUNNEL_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    return imported(**asked)


def test_a_completion() -> None:
    """A person waits for it at each Tab: it imports no connection, no screen, and no other verb."""
    for last in ("x", "spotify --j", "spotify h"):
        modules = completed("login", *last.split())
        assert "cli.completion" in modules
        assert excess(modules, "completion") == set()
        assert modules & SLOW == set()


def test_the_completion_of_a_verb() -> None:
    """It imports none of the verbs."""
    assert excess(completed("p"), "help") == {"cli.completion"}


def test_a_login() -> None:
    """A login that finds its host silent has imported all that it begins with, and no invoke or psutil."""
    modules = imported("login", "openai-codex", "127.0.0.1", "-p", "9", "-F", "none", "--no-browser")
    assert {"paramiko", "ssh.connect", "conversation.command"} <= modules
    assert excess(modules, "login") == set()
    assert modules & SLOW == set()


def test_the_lists_have_nothing_that_is_no_longer_imported() -> None:
    """Whatever a change saves stays saved."""
    assert allowed("help") <= imported("--help")
    assert allowed("completion") <= completed("login", "x") | completed("login", "spotify", "h")
    login = imported("login", "openai-codex", "127.0.0.1", "-p", "9", "-F", "none", "--no-browser")
    assert allowed("login") <= login


def test_the_way_to_the_first_hop_needs_no_ssh_library() -> None:
    """It is dialled while paramiko is still being imported."""
    program = "import sys, hermes_tunnel.ssh.first_hop; print('paramiko' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
