"""``hermes-tunnel providers``: what Hermes can log in to."""

from __future__ import annotations

import json

import click

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.options import json_option
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.oauth.authorization import Mode
from hermes_tunnel.remote.hermes import KNOWN, aliases_of, provider
from hermes_tunnel.remote.line import typed
from hermes_tunnel.remote.program import Program


@click.command(cls=Verb, statuses=(ExitStatus.OK, ExitStatus.INTERNAL, ExitStatus.USAGE))
@json_option
def providers(as_json: bool) -> None:
    """List what Hermes can log in to, and how each login goes.

    Hermes knows more providers, and other releases may log in differently: what Hermes prints decides.
    """
    for known in (*KNOWN.values(), provider("mcp:NAME")):
        click.echo(json.dumps(_members(known)) if as_json else "\n".join(_lines(known)))


def _lines(known: Program) -> list[str]:
    """What a person wants to know about a provider, one fact per line."""
    aliases = aliases_of(known.name)
    port = f"port {known.callback[0]}" if known.callback else "a port that Hermes chooses"
    how = {
        Mode.DEVICE: "you approve on a page; no tunnel needed",
        Mode.PASTE: "you paste the code that a page shows; no tunnel needed",
        Mode.LOOPBACK: f"your browser comes back to {port}, through the tunnel",
    }
    facts = [f"{known.title}: {how[known.mode]}"] if known.mode in how else [known.title]
    facts += [known.before] if known.before else []
    facts.append(f"Runs there: {_command(known)}")
    name = known.name + (f" (or {', '.join(aliases)})" if aliases else "")
    return [name, *(f"  {fact[:1].upper()}{fact[1:]}" for fact in facts)]


def _members(known: Program) -> dict[str, object]:
    return {
        "event": "provider",
        "name": known.name,
        "aliases": aliases_of(known.name),
        "command": _command(known),
        "mode": known.mode.value if known.mode else None,
        "port": known.callback[0] if known.callback else None,
        "tunnel": known.mode is Mode.LOOPBACK,
        "before": known.before,
    }


def _command(known: Program) -> str:
    return typed((known.executable.name, *known.words))
