"""The verb ``providers``: what Hermes can be logged in to."""

from __future__ import annotations

import json

from click.testing import CliRunner

from hermes_tunnel.cli.verbs import cli
from hermes_tunnel.remote.hermes import ALIASES, KNOWN


def shown(*arguments: str) -> str:
    """What it prints."""
    result = CliRunner().invoke(cli, ["providers", *arguments])
    assert result.exit_code == 0
    return result.output


def test_a_person_reads_what_to_type_and_what_will_happen() -> None:
    """Each provider has its name and aliases, how the login goes, and what runs there."""
    lines = shown().splitlines()
    at = lines.index("spotify")
    assert lines[at : at + 3] == [
        "spotify",
        "  Spotify: your browser comes back to port 43827, through the tunnel",
        "  Runs there: hermes auth spotify --no-browser",
    ]
    assert "xai-oauth (or grok-oauth, x-ai-oauth, xai-grok-oauth)" in lines


def test_a_program_reads_an_object_a_line() -> None:
    """It lists every provider and alias that login knows, and the form for an MCP server."""
    told = [json.loads(line) for line in shown("--json").splitlines()]
    assert [each["name"] for each in told] == [*KNOWN, "mcp:NAME"]
    assert {alias for each in told for alias in each["aliases"]} == set(ALIASES)
    assert {each["event"] for each in told} == {"provider"}
    assert {each["name"]: each["tunnel"] for each in told if each["tunnel"]} == {
        "spotify": True,
        "mcp:NAME": True,
    }
    assert {each["name"]: each["port"] for each in told if each["port"]} == {
        "xai-oauth": 56121,
        "spotify": 43827,
    }
