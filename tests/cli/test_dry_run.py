"""--dry-run: the lines for a shell that do a verb's work by hand."""

from __future__ import annotations

import json
import shlex

import pytest
from click.testing import CliRunner

from hermes_tunnel.cli.verbs import cli


def printed(*arguments: str) -> list[str]:
    """What it prints to standard output, a line each; it ends with 0."""
    result = CliRunner().invoke(cli, [arguments[0], "--dry-run", "-F", "none", *arguments[1:]])
    assert result.exit_code in (None, 0), result.output
    return result.stdout.splitlines()


def test_a_login_through_jump_hosts() -> None:
    """The login, the tunnel, and the tunnel for an ssh that has no -J; all else is a comment."""
    lines = printed("login", "spotify", "me@box", "-J", "a@x,b@y", "--", "--label", "my label")
    login, tunnel, old = (line for line in lines if not line.startswith("#"))
    way = ["-J", "a@x,b@y", "-l", "me", "-F", "none", "box"]
    assert shlex.split(login) == [
        *("ssh", "-t", *way),
        "hermes auth spotify --no-browser --label 'my label'",
    ]
    assert shlex.split(tunnel) == ["ssh", "-N", "-L", "43827:127.0.0.1:43827", *way]
    assert shlex.split(old)[:5] == ["ssh", "-N", "-L", "43827:127.0.0.1:43827", "-o"]
    assert len(lines) == 6


@pytest.mark.parametrize(
    ("arguments", "commands"),
    [
        (
            ["login", "openai-codex", "box"],
            ["ssh -t -F none box 'hermes auth add openai-codex --no-browser'"],
        ),
        (
            ["login", "mcp:linear", "box"],
            [
                "ssh -t -F none box 'hermes mcp login linear'",
                "ssh -N -L PORT:127.0.0.1:PORT -F none box",
            ],
        ),
        (
            ["login", "spotify", "box", "--container", "c", "--as-user", "u"],
            ["ssh -t -F none box 'docker exec -it -u u c hermes auth spotify --no-browser'"],
        ),
        (["forward", "box", "56121"], ["ssh -N -L 56121:127.0.0.1:56121 -F none box"]),
        (["forward", "box"], ["ssh -N -L PORT:127.0.0.1:PORT -F none box"]),
    ],
)
def test_only_what_is_needed(arguments: list[str], commands: list[str]) -> None:
    """No tunnel where none can help; a word stands for a port that is known only later; JSON has the same."""
    assert [line for line in printed(*arguments) if not line.startswith("#")] == commands
    told, finished = map(json.loads, printed(*arguments, "--json"))
    assert told == {"event": "dry_run", "commands": commands}
    assert (finished["exit_status"], finished["outcome"]) == (0, "dry_run")
