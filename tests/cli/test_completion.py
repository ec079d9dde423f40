"""Completion in a shell, as bash really does it, and as the other shells ask for it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import run

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has hosts in their ssh_config."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "config").write_text("Host hermes-box hermes-lab\n")
    (tmp_path / ".ssh" / "known_hosts").write_text("bastion ssh-ed25519 AAAA\n")
    return {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path)}


def completed(shell: str, home: dict[str, str], *words: str) -> list[str]:
    """What a shell is told for a line whose last word is being typed."""
    line = " ".join(["hermes-tunnel", *words])
    current = words[-1] if shell in ("powershell", "fish") else str(len(words))
    asked = {"_HERMES_TUNNEL_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": current}
    return [line for line in str(run(env={**home, **asked}).stdout).splitlines() if line]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["prov"], ["providers"]),
        (["login", "x"], ["xai-oauth", "x-ai-oauth", "xai-grok-oauth"]),
        (["login", "mcp"], ["mcp:"]),
        (["login", "spotify", "h"], ["hermes-box", "hermes-lab"]),
        (["login", "spotify", "me@hermes-b"], ["me@hermes-box"]),
        (["login", "spotify", "box", "-J", "me@one,b"], ["me@one,bastion"]),
        (["forward", "bas"], ["bastion"]),
        (["login", "spotify", "box", "--on"], ["--on-busy-port"]),
        (["login", "spotify", "box", "--relay", "a"], ["auto", "always"]),
        (["login", "spotify", "box", "--container", "h"], []),
    ],
)
@pytest.mark.parametrize("shell", ["bash", "powershell"])
def test_what_is_completed(home: dict[str, str], shell: str, words: list[str], values: list[str]) -> None:
    """Verbs, options and their choices, providers, hosts behind a user or a jump host; no containers."""
    lines = completed(shell, home, *words)
    split = {"bash": lambda line: line.partition(",")[2], "powershell": lambda line: line.partition("\t")[0]}
    assert [split[shell](line) for line in lines] == values
    assert all(line.partition("\t")[2] for line in lines if shell == "powershell")


@pytest.mark.skipif(sys.platform == "win32" or shutil.which("bash") is None, reason="there is no bash here")
def test_bash_completes_by_the_documented_line(home: dict[str, str], tmp_path: Path) -> None:
    """The line of the documentation, evaluated by a real bash."""
    program = tmp_path / "bin" / "hermes-tunnel"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m hermes_tunnel "$@"\n')
    program.chmod(0o755)
    line = 'eval "$(_HERMES_TUNNEL_COMPLETE=bash_source hermes-tunnel)"'
    root = Path(__file__).parents[2]
    documented = (root / "docs" / "reference.md").read_text("utf-8")
    assert line in documented
    asked = "COMP_WORDS=(hermes-tunnel login spotify hermes-); COMP_CWORD=3"
    script = f'{line}; {asked}; _hermes_tunnel_completion hermes-tunnel; echo "${{COMPREPLY[@]}}"'
    environment = {**os.environ, **home, "PATH": f"{program.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "--norc", "-c", script],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.split() == ["hermes-box", "hermes-lab"], done.stderr


def test_every_shell_has_a_script(home: dict[str, str]) -> None:
    """That calls the program by its name, and leaves no variable behind in PowerShell."""
    for shell in ("bash", "zsh", "fish", "powershell"):
        done = run(env={**home, "_HERMES_TUNNEL_COMPLETE": f"{shell}_source"})
        assert (done.returncode, "hermes-tunnel" in done.stdout, done.stderr) == (0, True, "")
    assert "Remove-Item Env:_HERMES_TUNNEL_COMPLETE" in done.stdout
