"""axe-core: what on a page keeps people from reading it, by the rules of WCAG 2.2 and good practice.

``package-lock.json`` pins its bytes. To renew it, in this folder::

    npm install --package-lock-only --omit-lockfile-registry-resolved axe-core@latest
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.lab.chromium import DevTools, evaluate
from tests.lab.lock import locked

INSTALLED = Path("/var/cache/hermes-tunnel-lab-axe")
_PINS = ("package.json", "package-lock.json")
_SCRIPT = INSTALLED / "node_modules" / "axe-core" / "axe.min.js"

# It says "incomplete" of what it cannot judge itself, such as a colour over a picture: our pages have none.
_RUN = """\
axe.run(document).then(({violations, incomplete}) => [...violations, ...incomplete].map(({id, nodes}) =>
    `${id}: ` + nodes.map(({html, any}) => [html, ...any.map(({message}) => message)].join(" "))
))"""


def install() -> None:
    """Install what is pinned in INSTALLED, unless it is there."""
    INSTALLED.mkdir(mode=0o755, parents=True, exist_ok=True)
    with locked(INSTALLED):
        here = [(Path(__file__).parent / name).read_bytes() for name in _PINS]
        complete = INSTALLED / "complete"
        if complete.exists() and complete.read_bytes() == b"".join(here):
            return
        for name in _PINS:
            shutil.copy(Path(__file__).parent / name, INSTALLED)
        quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(["npm", "ci", *quietly, "--prefix", INSTALLED], check=True)
        complete.write_bytes(b"".join(here))


def violations(tools: DevTools) -> list[str]:
    """What is wrong with the page in the browser: the rule, the element, and why."""
    evaluate(tools, _SCRIPT.read_text("utf-8"))
    found: list[str] = evaluate(tools, _RUN)
    return found
