"""Replaying recordings of real Hermes into the transcript and the session."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from hermes_tunnel.errors import Failure
from hermes_tunnel.oauth.authorization import Authorization, Mode
from hermes_tunnel.oauth.effects import Allow, AskPerson, Conclude, Effect, Invite, Proof
from hermes_tunnel.oauth.said import Line, Said
from hermes_tunnel.oauth.session import Row, Session, rows
from hermes_tunnel.oauth.states import Answered, Delivered, Event, Exited, State
from hermes_tunnel.oauth.transcript import Transcript
from hermes_tunnel.remote.hermes import provider

RECORDINGS = Path(__file__).parents[1] / "recordings"
MARKER = "hermes-tunnel:0123:"
BEGIN = f"{MARKER}begin:lab:/home/lab:/usr/local/bin/hermes\r\n".encode()
QUIET_SECONDS = 0.3

Cut = Callable[[list[bytes]], Iterator[bytes]]


def as_it_came(chunks: list[bytes]) -> Iterator[bytes]:
    """The reads of the recording."""
    yield from chunks


def whole(chunks: list[bytes]) -> Iterator[bytes]:
    """Everything between two silences, at once."""
    yield b"".join(chunks)


def byte_by_byte(chunks: list[bytes]) -> Iterator[bytes]:
    """One byte at a time."""
    yield from (bytes([one]) for one in b"".join(chunks))


@dataclass
class Recording:
    """One file: its description, and its reads, grouped by the command's silences."""

    name: str
    about: dict[str, Any]
    spells: list[list[bytes]]

    @property
    def delivered(self) -> Delivered | None:
        """What the gate reports once the browser is back; None if it has nothing to deliver."""
        person = self.about["person"]
        if "another state" in person or not person.startswith(("approved", "denied", "typed")):
            return None
        return Delivered("access_denied" if person == "denied" else "", 200)

    @property
    def provider(self) -> str:
        """The name that a person types here for its provider."""
        name: str = self.about["provider"]
        return "mcp:lab" if name == "mcp" else name

    @property
    def types(self) -> bool:
        """Whether the person answered the command's questions; one who merely approved was asked none."""
        return bool(self.about["person"] != "approved")


def read(path: Path) -> Recording:
    """A recording."""
    about, *reads = map(json.loads, path.read_text("utf-8").splitlines())
    spell, last, numbered = 0, 0.0, []
    for one in reads:
        spell += one["at"] - last > QUIET_SECONDS
        last = one["at"]
        numbered.append((spell, base64.b64decode(one["data"])))
    spells = [[data for _, data in group] for _, group in groupby(numbered, key=lambda pair: pair[0])]
    return Recording(path.stem, about, spells)


def followed(session: Session, event: Event) -> list[Effect]:
    """Feed an event, and check that the table alone decides where the login goes."""
    state, memory = session.state, session.memory
    fitting = (row for guard, row in rows(state, type(event)).items() if guard(memory, event))
    row = next(fitting, Row(None))
    try:
        effects = session.feed(event)
    except Failure:
        assert (row.to, session.state) == (State.ENDED, State.ENDED)
        raise
    goes_on = row.to not in (None, State.ENDED)
    assert session.state is (row.to or state)
    assert session.memory == row.keep(memory, event)
    assert row.do(memory, event) == (effects[:-1] if goes_on else effects)
    assert [type(one) is Allow for one in effects] == [False] * (len(effects) - goes_on) + [True] * goes_on
    assert [type(one) for one in effects if isinstance(one, Conclude)] == [Conclude] * (row.to is State.ENDED)
    return effects


@dataclass
class Replayed:
    """What came of it: everything said except lines, everything asked for, and how it ended."""

    said: list[Said] = field(default_factory=list)
    invited: list[Authorization] = field(default_factory=list)
    asked: list[AskPerson] = field(default_factory=list)
    ending: str = ""
    proof: Proof | None = None


def replay(recording: Recording, cut: Cut) -> Replayed:
    """Play it: whoever approves, denies or answers does so at the first silence after the request."""
    played = Replayed()
    transcript, session = Transcript(MARKER), Session(provider(recording.provider).policy)
    deliver, answered = recording.delivered, 0

    def take(effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Invite):
                played.invited.append(effect.authorization)
            elif isinstance(effect, AskPerson):
                played.asked.append(effect)
            elif isinstance(effect, Conclude):
                played.ending, played.proof = effect.outcome.value, effect.proof

    def hear(said: list[Said]) -> None:
        for one in said:
            if not isinstance(one, Line):
                played.said.append(one)
            take(followed(session, one))

    try:
        take(session.start())
        hear(transcript.receive(BEGIN))
        for spell in recording.spells:
            hear(transcript.silence())
            if recording.types and len(played.asked) > answered:
                answered = len(played.asked)
                take(followed(session, Answered()))
            if deliver and played.invited and played.invited[-1].mode is Mode.LOOPBACK:
                take(followed(session, deliver))
                deliver = None
            for chunk in cut(spell):
                hear(transcript.receive(chunk))
        hear(transcript.end())
        take(followed(session, Exited(recording.about["exit_status"])))
    except Failure as failure:
        played.ending = f"{int(failure.status)} {failure.message}"
    return played
