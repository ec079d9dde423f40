"""A login of each kind, told by the table of ``hermes_tunnel/oauth/session.py``: it is run, and drawn."""

from __future__ import annotations

import re
from typing import NamedTuple

from hermes_tunnel.oauth.effects import Allow, AskPerson, Effect, Invite
from hermes_tunnel.oauth.said import AuthorizationRequest, Begun, DeviceAuthorization, Prompt, Success
from hermes_tunnel.oauth.session import Session
from hermes_tunnel.oauth.states import Answered, Delivered, Event, Exited, State
from hermes_tunnel.remote.hermes import KNOWN

_BEGUN = Begun(("me", "/home/me", "/home/me/.local/bin/hermes"))
_ASKED = "response_type=code&client_id=hermes&state=a-long-random-text"
_FIRST_CLAUSE = re.compile(r"[^;:.(]+")


class Story(NamedTuple):
    """What happens in a login; ``events`` in order."""

    kind: str
    provider: str
    events: tuple[Event, ...]


STORIES = (
    Story(
        "loopback",
        "spotify",
        (
            _BEGUN,
            AuthorizationRequest(
                f"https://accounts.spotify.com/authorize?{_ASKED}"
                "&redirect_uri=http%3A%2F%2F127.0.0.1%3A43827%2Fspotify%2Fcallback"
            ),
            Delivered("", 200),
            Success(),
            Exited(0),
        ),
    ),
    Story(
        "device",
        "xai-oauth",
        (
            _BEGUN,
            DeviceAuthorization("https://accounts.x.ai/oauth2/device?user_code=ABCD-EFGH", "ABCD-EFGH"),
            Success(),
            Exited(0),
        ),
    ),
    Story(
        "paste",
        "anthropic",
        (
            _BEGUN,
            AuthorizationRequest(
                f"https://claude.ai/oauth/authorize?{_ASKED}"
                "&redirect_uri=https%3A%2F%2Fconsole.anthropic.com%2Foauth%2Fcode%2Fcallback"
            ),
            Prompt("Authorization code:"),
            Answered(),
            Success(),
            Exited(0),
        ),
    ),
)


def drawn() -> str:
    """A diagram for each kind of login."""
    return "\n\n".join(f"### {story.kind.capitalize()}\n\n{diagram(story)}" for story in STORIES)


def diagram(story: Story) -> str:
    """The login as Mermaid has it."""
    session = Session(KNOWN[story.provider].policy)
    lines = [note(session.state, session.start())]
    for event in story.events:
        before = session.state
        effects = session.feed(event)
        lines.append(arrow(event))
        lines += [towards(each) for each in effects if not isinstance(each, Allow)]
        if session.state is not before:
            lines.append(note(session.state, effects))
    assert session.state is State.ENDED, story.kind
    return "\n".join(
        [
            "```mermaid",
            "sequenceDiagram",
            "    actor Person as Person, with the browser",
            "    participant Tunnel as hermes-tunnel",
            f"    participant Command as {story.provider} login there",
            *(f"    {line}" for line in lines),
            "```",
        ]
    )


def arrow(event: Event) -> str:
    """Where an event comes from."""
    source = "Person" if isinstance(event, Delivered | Answered) else "Command"
    return f"{source}->>Tunnel: {words(event)}"


def towards(effect: Effect) -> str:
    """Whom an effect concerns."""
    return f"Tunnel->>{'Person' if isinstance(effect, Invite | AskPerson) else 'Tunnel'}: {words(effect)}"


def note(state: State, effects: list[Effect]) -> str:
    """The state that the login is in now, and how long that may last."""
    lasting = [f", for up to {each.seconds:g} s" for each in effects if isinstance(each, Allow)]
    return f"Note over Tunnel: {state.name}<br>{state.value}{''.join(lasting)}"


def words(thing: Event | Effect) -> str:
    """What it is, in its code's own words."""
    (clause,) = _FIRST_CLAUSE.findall(thing.__doc__ or "")[:1]
    return f"{clause[:1].lower()}{clause[1:]}".strip()
