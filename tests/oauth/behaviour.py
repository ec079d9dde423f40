"""What a recorded login did, apart from its words; and in what two recordings of the same login differ."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hermes_tunnel.remote.hermes import provider
from tests.oauth.replay import Recording, replay, whole

_RANDOM = re.compile(r"[\w-]{20,}|(?<=port )\d+")
"""A code, a state, a port: another one in every login."""


def behaviour(recording: Recording) -> dict[str, str]:
    """Everything that a login depends on, by a name for a person."""
    played = replay(recording, whole)
    invited = played.invited
    known = provider(recording.provider).callback
    ports = [one.redirect.port for one in invited if one.redirect]
    return {
        "kind of login": _all(one.mode.value for one in invited),
        "issuer": _all(one.issuer for one in invited),
        "port of the redirect": _all(str(port) if known and port == known[0] else "any" for port in ports),
        "questions": _all(one.text for one in played.asked),
        # At the first visit: how often a retry finds somebody listening is a matter of milliseconds.
        "browser answered": _all("yes" if one else "no" for one in recording.about["reached"][:1]),
        "exit status": str(recording.about["exit_status"]),
        "how it ends": _RANDOM.sub("...", played.ending),
        "what proves it": played.proof.name.lower() if played.proof else "",
    }


def changes(before: Recording, after: Recording) -> list[str]:
    """A line for each thing that has changed."""
    old, new = behaviour(before), behaviour(after)
    return [
        f"{name}: {old[name] or 'none'} -> {new[name] or 'none'}" for name in old if old[name] != new[name]
    ]


def _all(values: Iterable[str]) -> str:
    return ", ".join(values)
