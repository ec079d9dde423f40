"""The JSON lines, from ``hermes_tunnel/events.py``, and the outcomes of a run."""

from __future__ import annotations

from dataclasses import fields

from hermes_tunnel.cli.help import exit_statuses
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.events import Event, as_json
from hermes_tunnel.oauth.effects import Outcome
from tests.pages.markdown import code, prose, table

GOOD = {
    Outcome.LOGGED_IN.value: "`login`, `demo`: logged in",
    Outcome.IMPORTED.value: "`login`: Hermes took over credentials that were there already",
    "delivered": "`forward`, `paste`: the answer was delivered",
    "dry_run": "`--dry-run`: nothing was connected, nothing opened",
}
"""The words for a good end; each bad one is that of its exit status."""


def public() -> dict[str, type[Event]]:
    """The events of the contract, by their names in JSON."""
    kinds = [kind for kind in Event.__subclasses__() if kind.public]
    return {str(as_json(kind(*(None for _ in fields(kind))))["event"]): kind for kind in kinds}


def drawn() -> str:
    """Each event with its members, then what they mean."""
    rows = [
        [code(name), ", ".join(code(each.name) for each in fields(kind))] for name, kind in public().items()
    ]
    meanings = [f"- {code(name)}: {prose(kind.__doc__ or '')}" for name, kind in public().items()]
    return "\n\n".join([table(["event", "members"], rows), "\n".join(meanings)])


def outcomes() -> str:
    """Each outcome, with the exit status that it has."""
    *bad, signals = exit_statuses(each for each in ExitStatus if each)
    names = [each.name.lower() for each in ExitStatus if each]
    rows = [
        *([code(name), "0", meaning] for name, meaning in GOOD.items()),
        *([code(name), number, meaning] for name, (number, meaning) in zip(names, bad, strict=True)),
        [code("interrupted"), *signals],
    ]
    return table(["outcome", "exit status", "what it says"], rows)
