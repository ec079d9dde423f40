"""Making room on a local port: for the ``port`` verb, and for a login that needs the port.

Whatever takes time (the person, a look at the system's sockets, a program asked to end) is a step.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from functools import partial

from hermes_tunnel.errors import NoWayBack
from hermes_tunnel.ports.occupants import (
    BindRefusal,
    Occupant,
    Refusal,
    describe,
    keeps_from,
    occupants,
    why_not,
)
from hermes_tunnel.ports.person import Person, Say
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.termination import Termination, end
from hermes_tunnel.ports.way_out import way_out
from hermes_tunnel.question import is_yes, yes_or_no
from hermes_tunnel.steps import Steps, ask, work


class Room(Enum):
    """What became of a port that was not available."""

    MADE = "it is worth another try"
    NONE = "it stays taken, and the person will paste the address that the browser ended on"


def make_room(
    port: int, addresses: Sequence[str], cause: OSError, person: Person, *, known: bool = False
) -> Steps[Room]:
    """Free a port that was not available, or do without it, if the person agrees.

    :param addresses: where we tried to bind it
    :param cause: what the system said
    :param known: whether the provider is known to use this port; if not, only the remote named it
    :raises NoWayBack: it stays taken; says by whom
    """
    holders = yield from work(partial(occupants, port))
    holders = [one for one in holders if keeps_from(one, addresses)]
    refusal = why_not(cause, port, occupied=any(one.listens for one in holders))
    holders = [one for one in holders if one.listens or refusal.reason is BindRefusal.TAKEN]
    if _may_paste(refusal, holders, person):
        return (yield from _do_without(port, holders, person, known=known))
    if refusal.reason is not BindRefusal.TAKEN or not holders:
        raise NoWayBack(refusal.message, f"{_PASTE}{'; or ' if refusal.hint else ''}{refusal.hint}")
    living = [one for one in holders if one.role is not Role.CLOSED]
    named = "; ".join(describe(one) for one in living or holders)
    if not living:
        raise NoWayBack(
            f"local port {port} is held by {named}", "the system frees it within a minute; then run it again"
        )
    protected = next((one for one in living if one.protected), None)
    if protected:
        raise NoWayBack(f"local port {port} is taken by {named}", _not_ours(protected))
    agreed = all(person.agrees_to(one, known=known) for one in living)
    if person.busy.wish == "fail" or not (person.there or agreed):
        raise NoWayBack(
            f"local port {port} is taken by {named}",
            f"no other port will do, as the provider expects this one; {_PASTE}; {_ours(living[0])}",
        )
    if agreed:  # otherwise the question names it
        person.say(f"Local port {port} is needed and is taken by {named}")
    for holder in living:
        yes = person.agrees_to(holder, known=known)
        ended = yield from end_occupant(holder, person.say, yes=yes, enter="no, and the login ends")
        if ended is not Termination.FREED:
            named = ", ".join(f"{one.name} (PID {one.pid})" for one in living)  # the question told the rest
            raise NoWayBack(f"local port {port} stays taken by {named}", f"{_PASTE}; {_ours(living[0])}")
    return Room.MADE


_PASTE = "with --on-busy-port paste you paste the address yourself"
_UNUSABLE = (BindRefusal.RESERVED, BindRefusal.FORBIDDEN)


def _may_paste(refusal: Refusal, holders: list[Occupant], person: Person) -> bool:
    """Whether the person wants to paste the address; if nobody listens there, we need not ask."""
    nobody_there = refusal.reason in _UNUSABLE and not any(one.listens for one in holders)
    return person.busy.wish == "paste" or (person.busy.wish == "ask" and nobody_there and person.there)


def _do_without(port: int, holders: list[Occupant], person: Person, *, known: bool) -> Steps[Room]:
    """Leave the port to its holders. The browser still ends on it: whoever listens there sees the code."""
    listening = [one for one in holders if one.listens]
    named = "; ".join(describe(one) for one in listening)
    foreign = next((one for one in listening if not one.own), None)
    if foreign:
        raise NoWayBack(
            f"local port {port} is taken by {named}, which would get the answer that the browser brings",
            f"it must end first: {way_out(foreign)}",
        )
    if not all(person.agrees_to(one, known=known) for one in listening):
        first = f"Local port {port} is taken by {named}: the browser will bring the answer there first"
        paste = "Go on, and paste the address that the browser ends on?"
        question = yes_or_no(paste, "no, and the login ends", (first,))
        if not is_yes((yield from ask(question))):
            raise NoWayBack(
                f"local port {port} is taken by {named}",
                f"to let it see the answer: --yes; {_ours(listening[0])}",
            )
    return Room.NONE


def _not_ours(occupant: Occupant) -> str:
    whose = occupant.user is not None and occupant.protected.startswith("it belongs to")
    return way_out(occupant) if whose else f"we may not end it: {occupant.protected}; {way_out(occupant)}"


def _ours(occupant: Occupant) -> str:
    """How to end it; for a container not what serves it, which may serve others too."""
    if occupant.role is Role.CONTAINER:
        return way_out(occupant)
    return f"to end it: hermes-tunnel port {occupant.port} --kill"


def end_occupants(port: int, person: Person) -> Steps[None]:
    """End every process that holds the port, each after a yes.

    :raises NoWayBack: the port is still held, though nobody said no
    """
    outcomes = []
    for one in (yield from _living(port)):
        outcomes.append((yield from end_occupant(one, person.say, yes=person.busy.yes)))
    living = yield from _living(port)
    if not living:
        return
    free = [one for one in living if not one.protected]
    if not free:
        hint = _not_ours(living[0])
    elif None in outcomes:
        if person.there:
            return
        hint = f"there was nobody to ask; to end it anyway: hermes-tunnel port {port} --kill --yes"
    elif Termination.DID_NOT_END in outcomes:
        force = "taskkill /F /PID" if sys.platform == "win32" else "kill -KILL"
        hint = f"it did not end when asked; to force it: {force} {free[0].pid}"
    else:
        hint = f"to end it as well: hermes-tunnel port {port} --kill"
    raise NoWayBack(f"local port {port} is taken by {'; '.join(map(describe, living))}", hint)


def _living(port: int) -> Steps[list[Occupant]]:
    holders = yield from work(partial(occupants, port))
    return [one for one in holders if one.role is not Role.CLOSED]


def end_occupant(
    occupant: Occupant, say: Say, *, yes: bool = False, enter: str = "leave it"
) -> Steps[Termination | None]:
    """End the process after a yes, and say and return what became of it; None if there was no yes.

    :param enter: what Enter does
    """
    if occupant.protected:
        return Termination.REFUSED
    if not yes and occupant.role is Role.CONTAINER:
        say(f"Rather than ending {occupant.name}, stop its container: {way_out(occupant)}")
    taken = f"Local port {occupant.port} is taken by {describe(occupant)}"
    if not yes and not is_yes((yield from ask(yes_or_no("End it?", enter, (taken,))))):
        return None
    result = yield from work(partial(end, occupant))
    if result.outcome is Termination.FREED:
        say(f"Ended {occupant.name} (PID {occupant.pid}); port {occupant.port} is free.")
        return result.outcome
    held_by = "; ".join(describe(one) for one in result.holders)
    say(
        {
            Termination.REFUSED: f"It was not ended: {result.reason}.",
            Termination.DID_NOT_END: f"It was asked to end, but did not: {held_by}.",
            Termination.STILL_HELD: f"It ended, but the port is still held by {held_by}.",
        }[result.outcome]
    )
    return result.outcome
