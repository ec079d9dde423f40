"""Accounts with every shell, for the lines that are run on a remote machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lab.terminal import Terminal

LOGIN_SHELLS = [
    *(["bash"], ["dash"], ["fish"], ["tcsh"], ["rbash"], ["zsh"], ["mksh"], ["ksh"]),
    ["busybox", "sh"],
]
"""What an account may have as its shell."""
SH = ["bash", "dash", "mksh", "ksh", "busybox", "zsh"]
"""What may be called ``sh`` there."""

HERMES = """#!/bin/sh
printf 'ran %s\\n' "$0"
printf '[%s]\\n' "$@"
printf 'unbuffered %s, terminal %s\\n' "$PYTHONUNBUFFERED" "$SSH_TTY"
exit 7
"""
SUDO = """#!/bin/sh
printf 'sudo'; while [ "$1" != sh ]; do printf ' %s' "$1"; shift; done; echo; exec "$@"
"""


def installed(program: str) -> str:
    """Where a program is, preferably the system's own; without it the test is skipped."""
    path = shutil.which(program, path=os.defpath) or shutil.which(program)
    if path is None:
        pytest.skip(f"there is no {program} here")
    return path


def make_home(home: Path) -> None:
    """Make a home directory in which fish has been used before.

    In a new one, an interactive fish has a program of its own read every manual page of the machine, in the
    background and long after the shell has ended.
    """
    (home / ".local/share/fish/generated_completions").mkdir(parents=True)


@contextmanager
def nobodys_terminal() -> Iterator[int]:
    """A terminal at which nobody types."""
    if sys.platform == "win32":
        pytest.skip("there are no such terminals")
    nobody, terminal = os.openpty()
    try:
        yield terminal
    finally:
        os.close(nobody)
        os.close(terminal)


@dataclass
class Account:
    """A home directory, a login shell, and a program called ``sh``."""

    home: Path
    shell: list[str]
    sh: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.environment.setdefault("SHELL", installed(self.shell[0]))
        self.bin = self.home / "system"
        self.bin.mkdir()
        if self.sh:
            (self.bin / "sh").symlink_to(installed(self.sh))
        # What an account's start-up files may print, even those that are read without a terminal.
        for name in (".tcshrc", ".zshenv", ".config/fish/config.fish"):
            (self.home / name).parent.mkdir(parents=True, exist_ok=True)
            (self.home / name).write_text("echo noise from a start-up file\n")

    def install(self, place: str, text: str = HERMES, name: str = "hermes") -> Path:
        """A program below the home directory."""
        path = self.home / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
        return path

    def argv(self, line: str) -> list[str]:
        """What sshd starts for a command."""
        return [installed(self.shell[0]), *self.shell[1:], "-c", line]

    @property
    def variables(self) -> dict[str, str]:
        """Its whole environment."""
        return {"HOME": str(self.home), "PATH": f"{self.bin}:{os.defpath}", **self.environment}

    def run(self, line: str) -> tuple[int, list[str]]:
        """What sshd does with a command: its exit status, and what it printed, line by line.

        Its input is a terminal at which nobody types.
        """
        with nobodys_terminal() as terminal:
            done = subprocess.run(
                self.argv(line),
                env=self.variables,
                cwd=self.home,
                stdin=terminal,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
            )
        return done.returncode, [one for one in done.stdout.splitlines() if not one.startswith("noise")]

    def on_terminal(self, line: str) -> Terminal:
        """A command on a terminal of its own."""
        from tests.lab.terminal import Terminal

        return Terminal(self.argv(line), env=self.variables, cwd=self.home)

    def on_pipes(self, line: str) -> subprocess.Popen[bytes]:
        """A command without a terminal, in a session of its own."""
        return subprocess.Popen(
            self.argv(line),
            env=self.variables,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
