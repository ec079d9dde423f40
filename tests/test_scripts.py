"""The scripts: they name system packages before they install them, and ask; the demo needs little."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lab.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="shell scripts, and packages of Debian and Ubuntu"),
]

ROOT = Path(__file__).parents[1]
INSTALL = ["scripts/lab", "--install"]
SAID = r"These packages will be installed: .*\bcurl\b"
QUESTION = r"Install them\? \[y/N\] "


@pytest.fixture
def machine(tmp_path: Path) -> dict[str, str]:
    """Root's variables on a machine that has next to nothing; apt-get notes how it was called."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("bash", "dirname", "env", "setsid", "uname"):
        (tools / name).symlink_to(shutil.which(name) or name)
    for name, body in (("id", "echo 0"), ("apt-get", f'echo "$*" >>{tmp_path}/called'), ("python", "")):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    return {"PATH": str(tools), "PYTHON": str(tools / "python")}


def installed(tmp_path: Path) -> bool:
    """Whether apt-get was told to install the missing packages."""
    called = tmp_path / "called"
    return called.exists() and "curl" in called.read_text().splitlines()[-1].split()


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1), ("", 1)])
def test_a_person_is_asked(tmp_path: Path, machine: dict[str, str], answer: str, status: int) -> None:
    """Without a yes nothing is installed."""
    with Terminal(INSTALL, cwd=ROOT, env=machine) as terminal:
        terminal.expect(SAID)
        terminal.expect(QUESTION)
        assert not installed(tmp_path)
        terminal.send(f"{answer}\n")
        assert terminal.wait() == status
    assert installed(tmp_path) == (answer == "y")


def test_ci_is_not_asked(tmp_path: Path, machine: dict[str, str]) -> None:
    """CI is told, but not asked, even on a terminal."""
    with Terminal(INSTALL, cwd=ROOT, env={**machine, "CI": "true"}) as terminal:
        terminal.expect(SAID)
        assert terminal.wait() == 0
    assert installed(tmp_path)


def test_nobody_is_asked_without_a_terminal(tmp_path: Path, machine: dict[str, str]) -> None:
    """The packages are named, and then installed."""
    done = subprocess.run(
        INSTALL, cwd=ROOT, env=machine, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert "These packages will be installed: " in done.stderr
    assert installed(tmp_path)


def test_the_demo_installs_only_what_a_login_needs(tmp_path: Path) -> None:
    """It makes an environment without the development tools, once for each pyproject.toml."""
    for name in ("scripts/demo", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    python = tmp_path / "python"  # notes how it is called; its venv has two such programs
    note = '#!/bin/sh\necho "${0##*/} $*" >>called\n'
    make = "mkdir -p .venv-demo/bin; cp $0 .venv-demo/bin/python; cp $0 .venv-demo/bin/hermes-tunnel\n"
    python.write_text(f'{note}case "$*" in *venv*) {make};; esac\n')
    python.chmod(0o755)

    def called() -> list[str]:
        """How the programs are called by one run."""
        (tmp_path / "called").unlink(missing_ok=True)
        demo = [str(tmp_path / "scripts" / "demo"), "--approve"]
        subprocess.run(demo, env={"PATH": os.environ["PATH"], "PYTHON": str(python)}, check=True)
        return (tmp_path / "called").read_text().splitlines()

    install = [
        "python -m venv --clear .venv-demo",
        "python -m pip install --quiet --disable-pip-version-check -e .",
    ]
    run = "hermes-tunnel demo --approve"
    assert called() == [*install, run]
    assert called() == [run]
    with (tmp_path / "pyproject.toml").open("a") as project:
        project.write("# another\n")
    assert called() == [*install, run]
