"""A traceback of the command's: its last line is shown, the others with -v."""

from __future__ import annotations

import pytest

from hermes_tunnel.terminal.traceback import Folding

TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "a.py", line 1, in main',
    "    login()",
    "",
    "hermes_cli.auth.AuthError: denied",
]


def folded(lines: list[str]) -> list[str]:
    """What is shown of some lines, and of their end."""
    folding = Folding()
    shown = [folding.take(line) for line in lines]
    return [line for line in (*shown, folding.end()) if line is not None]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        (["a", "  b", ""], ["a", "  b", ""]),
        (TRACEBACK, ["hermes_cli.auth.AuthError: denied (4 more lines: -v)"]),
        (
            ["before", *TRACEBACK, "  after"],
            ["before", "hermes_cli.auth.AuthError: denied (4 more lines: -v)", "  after"],
        ),
        (
            [
                *TRACEBACK,
                "",
                "During handling of the above exception, another occurred:",
                *TRACEBACK,
            ],
            [
                "hermes_cli.auth.AuthError: denied (4 more lines: -v)",
                "",
                "During handling of the above exception, another occurred:",
                "hermes_cli.auth.AuthError: denied (4 more lines: -v)",
            ],
        ),
        (TRACEBACK[:3], ["Traceback (3 more lines: -v)"]),
        (TRACEBACK[:1], ["Traceback (1 more line: -v)"]),
    ],
)
def test_a_traceback_is_folded_to_its_last_line(lines: list[str], shown: list[str]) -> None:
    """Other lines stay as they are; one that was cut off is said to be a traceback."""
    assert folded(lines) == shown
