"""The verb ``demo``, which is what a person sees first."""

from __future__ import annotations

import json

import pytest

from tests.cli.program import run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(("answer", "status"), [([], 0), (["--approve"], 0), (["--deny"], 9)])
def test_it_answers_by_itself(answer: list[str], status: int) -> None:
    """Without a terminal it approves; denied is 9."""
    done = run("demo", *answer)
    assert done.returncode == status
    assert done.stdout.startswith("demo: logged in on demo@hermes-demo; credential in ") == (status == 0)
    assert "\x1b" not in done.stderr


@pytest.mark.parametrize(
    ("answer", "status", "outcome"), [("--approve", 0, "logged_in"), ("--deny", 9, "refused")]
)
def test_json(answer: str, status: int, outcome: str) -> None:
    """One object per line, from connected to finished; nothing else on standard output."""
    done = run("demo", answer, "--json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    names = [event["event"] for event in events]
    assert names[:2] == ["connected", "command_started"]
    assert names.index("forwarding") < names.index("authorization") < names.index("browser")
    assert not events[names.index("browser")]["opened"]  # a stand-in for the person opens the page
    finished = events[-1]
    assert (finished["event"], finished["exit_status"], finished["outcome"]) == ("finished", status, outcome)
    assert finished["remote_exit_status"] == int(status != 0)
    told = done.stderr.splitlines()[-2:]
    why = ["hermes-tunnel: error: " + finished["message"], "hermes-tunnel: hint: " + finished["hint"]]
    assert told == why if status else (finished["message"], finished["hint"]) == ("", "")
    assert finished["provider"] == ("" if status else "xai-oauth")
    assert ("@" in finished["account"], finished["credential"].endswith("auth.json")) == (
        not status,
        not status,
    )


def test_quiet() -> None:
    """With -q only what is needed stays: the address, and the result."""
    done = run("demo", "-q")
    assert "\nhttp://127.0.0.1:" in done.stderr
    assert "Connected" not in done.stderr


def test_nothing_reaches_the_demos_exception() -> None:
    """The demo's issuer is a parameter: no option, variable or file lets another login open plain http."""
    help_text = run("login", "--help").stdout + run("demo", "--help").stdout
    assert "origin" not in help_text
    done = run("demo", env={"HERMES_TUNNEL_ORIGIN": "http://127.0.0.1:1"})
    assert done.returncode == 0
    assert "127.0.0.1:1/" not in done.stderr
