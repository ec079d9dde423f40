"""What happened, in JSON, as the command line's contract describes it."""

from __future__ import annotations

import json

import pytest

from hermes_tunnel import events
from hermes_tunnel.events import as_json

URL = "https://auth.x.ai/a?client_id=c&state=s&code_challenge=x"
CONTRACT = [
    (
        events.Phase("me@host", "dial", 0.5, "192.0.2.1"),
        {"event": "phase", "hop": "me@host", "name": "dial", "seconds": 0.5, "detail": "192.0.2.1"},
    ),
    (events.Connected("me@host", ("b",)), {"event": "connected", "destination": "me@host", "via": ["b"]}),
    (events.CommandStarted("hermes"), {"event": "command_started", "command": "hermes"}),
    (
        events.AuthorizationAsked("device", URL, "ABCD-EFGH", "auth.x.ai"),
        {
            "event": "authorization",
            "mode": "device",
            "url": URL,
            "user_code": "ABCD-EFGH",
            "issuer": "auth.x.ai",
            "again": False,
        },
    ),
    (
        events.Forwarding(1, ("127.0.0.1",), 2),
        {"event": "forwarding", "port": 1, "addresses": ["127.0.0.1"], "remote_port": 2},
    ),
    (events.Browser(True), {"event": "browser", "opened": True}),
    (
        events.Callback("denied", "why", "relay"),
        {"event": "callback", "outcome": "denied", "error": "why", "way": "relay", "pasted": False},
    ),
    (events.Prompt("Code:", True), {"event": "prompt", "text": "Code:", "secret": True}),
    (
        events.DryRun(("ssh -t host hermes",)),
        {"event": "dry_run", "commands": ["ssh -t host hermes"]},
    ),
    (
        events.Finished(0, "logged_in", None, "", "", "spotify", "me@host", "/home/me/.hermes/auth.json"),
        {
            "event": "finished",
            "exit_status": 0,
            "outcome": "logged_in",
            "remote_exit_status": None,
            "message": "",
            "hint": "",
            "provider": "spotify",
            "account": "me@host",
            "credential": "/home/me/.hermes/auth.json",
        },
    ),
]  # fmt: skip


@pytest.mark.parametrize(("event", "members"), CONTRACT)
def test_contract(event: events.Event, members: dict[str, object]) -> None:
    """Each public event has its name and members, and is JSON."""
    assert as_json(event) == members
    assert event.public
    assert json.loads(json.dumps(as_json(event)))["event"] == members["event"]


def test_public() -> None:
    """The contract's events are exactly the public ones; all others are for the console."""
    kinds = set(events.Event.__subclasses__())
    assert {kind for kind in kinds if kind.public} == {type(event) for event, _ in CONTRACT}
    assert {kind for kind in kinds if not kind.public} == {
        events.CommandStopped,
        events.PageShown,
        events.PasteOffered,
        events.RemoteLine,
        events.CommandEnded,
        events.Notice,
        events.QrCode,
        events.ServerSaid,
    }


def test_scrubbed() -> None:
    """Every text loses its escapes and secrets, except the authorization URL, which stays whole."""
    prompt = as_json(events.Prompt("\x1b[31mwrong: hunter22, code=abc", secret=False), {"hunter22"})
    assert prompt["text"] == "wrong: [hidden], code=[hidden]"
    assert as_json(events.AuthorizationAsked("loopback", URL), {"state"})["url"] == URL


def test_reprs() -> None:
    """A repr shows neither the authorization URL nor the remote's words."""
    assert "SECRET" not in repr(events.AuthorizationAsked("loopback", "https://a.b/?state=SECRET"))
    assert "SECRET" not in repr(events.RemoteLine("SECRET"))
