"""Accounts with every shell that is installed here, for the lines that are run on a remote machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

LOGIN_SHELLS = [
    shell
    for shell in (["bash"], ["dash"], ["fish"], ["tcsh"], ["rbash"], ["zsh"], ["mksh"], ["busybox", "sh"])
    if shutil.which(shell[0])
]
"""What an account may have as its shell."""
SH = [name for name in ("bash", "dash", "mksh", "busybox", "zsh") if shutil.which(name)]
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


@dataclass
class Account:
    """A home directory, a login shell, and what is called ``sh``."""

    home: Path
    shell: list[str]
    sh: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.bin = self.home / "system"
        self.bin.mkdir()
        if self.sh:
            (self.bin / "sh").symlink_to(shutil.which(self.sh) or self.sh)
        # What an account's start-up files may say, in the files that are read without a terminal too.
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

    def run(self, line: str) -> tuple[int, list[str]]:
        """What sshd does with a command: its exit status, and what it printed, line by line."""
        shell = shutil.which(self.shell[0])
        assert shell is not None
        environment = {"HOME": str(self.home), "PATH": f"{self.bin}:{os.defpath}", **self.environment}
        done = subprocess.run(
            [shell, *self.shell[1:], "-c", line],
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, [one for one in done.stdout.splitlines() if not one.startswith("noise")]
