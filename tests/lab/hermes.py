"""Real Hermes releases from the package index, and home directories that have one installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.lab import programs
from tests.lab.accounts import User
from tests.lab.lock import locked
from tests.lab.programs import CACHE

RELEASES = CACHE

REQUIREMENTS = {
    "0.14.0": "hermes-agent==0.14.0",
    "0.18.0": "hermes-agent==0.18.0",
    "0.19.0": "hermes-agent[mcp]==0.19.0",
}


def install(releases: Iterable[str] = REQUIREMENTS) -> None:
    """Install these releases in RELEASES, each in a virtual environment that every user can read."""
    RELEASES.mkdir(mode=0o755, parents=True, exist_ok=True)
    with locked(RELEASES):
        for release in releases:
            complete = RELEASES / release / "complete"
            if complete.exists():
                continue
            requirement = REQUIREMENTS.get(release, f"hermes-agent[mcp]=={release}")
            print(f"installing {requirement} in {complete.parent}", file=sys.stderr)  # noqa: T201
            shutil.rmtree(complete.parent, ignore_errors=True)  # left by an interrupted install
            # The system's interpreter: ours may live where other users cannot follow.
            python = shutil.which("python3", path="/usr/bin:/usr/local/bin")
            subprocess.run([python or "python3", "-m", "venv", complete.parent], check=True, umask=0o022)
            pip = complete.parent / "bin" / "pip"
            subprocess.run([pip, "install", "--quiet", requirement], check=True, umask=0o022)
            complete.touch()


def make_home(user: User, home: Path) -> None:
    """Give ``user`` a new home directory with what they have: Hermes as its install.sh leaves it, or more."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree("/etc/skel", home)
    # Otherwise the first fish there would read every manual page of the machine, for a minute.
    (home / ".local" / "share" / "fish" / "generated_completions").mkdir(parents=True)
    if user.release is not None:
        shim = home / ".local" / "bin" / "hermes"
        shim.parent.mkdir()
        shim.write_text(
            "#!/usr/bin/env bash\nunset PYTHONPATH\nunset PYTHONHOME\n"
            f'exec "{RELEASES / user.release}/bin/hermes" "$@"\n'
        )
        shim.chmod(0o755)
        # Debian's .bashrc returns before this line in a shell that is not interactive.
        for startup in (home / ".bashrc", home / ".profile"):
            with startup.open("a") as file:
                file.write('\nexport PATH="$HOME/.local/bin:$PATH"\n')
        if user.shell.endswith("fish"):
            config = home / ".config" / "fish" / "config.fish"
            config.parent.mkdir(parents=True)
            config.write_text('fish_add_path "$HOME/.local/bin"\n')
    if user.programs:
        startup = home / ".bashrc"
        startup.write_text(f'export PATH="{programs.BIN}:$PATH"\n{startup.read_text()}')
    for path in (home, *home.rglob("*")):
        shutil.chown(path, user.uid, user.uid)
    home.chmod(0o750)
