"""hermes-tunnel as the person at the laptop runs it, and what it must not leave behind."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.lab.lab import Lab
from tests.lab.network import wait_for
from tests.lab.terminal import Terminal

PROGRAM = "hermes-tunnel"


@dataclass(frozen=True)
class Run:
    """A run without a terminal that has ended."""

    status: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """Its JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    def event(self, name: str) -> dict[str, Any]:
        """The last event of that name."""
        return [event for event in self.events if event["event"] == name][-1]


def run(lab: Lab, *arguments: str, stdin: str = "", deadline: float = 60, left: bool = True) -> Run:
    """Run it to its end; it must leave nothing behind, unless something else runs there (not ``left``).

    AssertionError, with what it and the browser said, if it has not ended after ``deadline`` seconds.
    """
    process = lab.laptop(
        [PROGRAM, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # nobody may ask at the terminal that the tests run on
    )
    try:
        stdout, stderr = process.communicate(stdin, timeout=deadline)
    except subprocess.TimeoutExpired:
        process.kill()
        said = "\n".join((*process.communicate(), lab.browser_said))
        raise AssertionError(f"it did not end in {deadline} s:\n{said}") from None
    if left:
        left_nothing(lab)
    return Run(process.returncode, stdout, stderr)


def on_terminal(lab: Lab, *arguments: str) -> Terminal:
    """Start it on a terminal, for a person who answers it."""
    return lab.terminal([PROGRAM, *arguments])


def left_nothing(lab: Lab, deadline: float = 5) -> None:
    """Check that no Hermes runs there any more, and nothing listens on the laptop."""
    for process in lab.hermes_processes():
        wait_for(process, deadline)
    assert listeners(lab) == []


def listeners(lab: Lab) -> list[str]:
    """The TCP listeners of the laptop, as ss(8) prints them."""
    listening = lab.network.laptop.run(
        ["ss", "-Hltn"], env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [line for line in listening.stdout.splitlines() if line.strip()]
