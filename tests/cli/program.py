"""hermes-tunnel as a program of its own, as the command line's contract describes it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

ARGV = [sys.executable, "-m", "hermes_tunnel"]
SECONDS = 30


def run(*arguments: str, stdin: int | None = subprocess.DEVNULL, **popen: Any) -> Any:
    """Run it to its end, without a terminal unless one is given; the streams as text."""
    environment = {**os.environ, **popen.pop("env", {})}
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **popen}
    return subprocess.run(
        [*ARGV, *arguments],
        stdin=stdin,
        text=True,
        timeout=SECONDS,
        env=environment,
        check=False,
        **settings,
    )
