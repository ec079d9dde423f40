"""Who holds a local port, and making room on it: for the ``port`` verb, and for a login that needs one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum

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
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.termination import Termination, end
from hermes_tunnel.terminal.console import Console

ON_BUSY = ("ask", "kill", "paste", "fail")


class Room(Enum):
    """What became of a port that could not be had."""

    MADE = "it is worth another try"
    NONE = "it stays taken, and the person will bring the address that the browser ended on"


def make_room(
    port: int, addresses: Sequence[str], cause: OSError, console: Console, *, on_busy: str, yes: bool = False
) -> Room:
    """Free a port that could not be had, or do without it, if the person agrees.

    :param addresses: where it was to be had
    :param cause: what the system said
    :param on_busy: ``ask``, ``kill`` (and it is asked all the same unless ``yes``), ``paste`` or ``fail``
    :raises NoWayBack: it stays taken, and by whom
    """
    holders = [one for one in occupants(port) if keeps_from(one, addresses)]
    refusal = why_not(cause, port, occupied=any(one.listens for one in holders))
    holders = [one for one in holders if one.listens or refusal.reason is BindRefusal.TAKEN]
    if _may_paste(refusal, holders, console, on_busy):
        return _do_without(port, holders, console, yes=yes)
    if refusal.reason is not BindRefusal.TAKEN or not holders:
        raise NoWayBack(refusal.message, f"{refusal.hint}{'; or ' if refusal.hint else ''}{_PASTE}")
    living = [one for one in holders if one.role is not Role.CLOSED]
    named = "; ".join(describe(one) for one in living or holders)
    if not living:
        raise NoWayBack(
            f"local port {port} is held by {named}", "the system frees it within a minute; then run it again"
        )
    protected = next((one.protected for one in living if one.protected), "")
    if protected:
        raise NoWayBack(
            f"local port {port} is taken by {named}",
            f"it is not ours to end: {protected}; run it again when it has ended",
        )
    if on_busy == "fail" or (not console.is_terminal and not yes):
        raise NoWayBack(
            f"local port {port} is taken by {named}",
            f"to end it: hermes-tunnel port {port} --kill; the port cannot be another, the provider knows "
            f"it; or {_PASTE}",
        )
    by_whom = f" by {named}" if yes else ""  # else it is named where it is asked about
    console.say(f"Local port {port} is needed and is taken{by_whom}.")
    for holder in living:
        if end_occupant(holder, console, yes=yes) is not Termination.FREED:
            raise NoWayBack(
                f"local port {port} is taken by {named}",
                f"end it yourself, or: hermes-tunnel port {port} --kill; or {_PASTE}",
            )
    return Room.MADE


_PASTE = "--on-busy-port paste, and you bring the address yourself"
_UNUSABLE = (BindRefusal.RESERVED, BindRefusal.FORBIDDEN)


def _may_paste(refusal: Refusal, holders: list[Occupant], console: Console, on_busy: str) -> bool:
    """Whether the person wants to bring the address; nobody has to be asked where nobody listens."""
    nobody_there = refusal.reason in _UNUSABLE and not any(one.listens for one in holders)
    return on_busy == "paste" or (on_busy == "ask" and nobody_there and console.is_terminal)


def _do_without(port: int, holders: list[Occupant], console: Console, *, yes: bool) -> Room:
    """The browser will end on that port all the same: whoever listens there will see the code."""
    listening = [one for one in holders if one.listens]
    named = "; ".join(describe(one) for one in listening)
    if any(not one.own for one in listening):
        raise NoWayBack(
            f"local port {port} is taken by {named}, which would get the answer that the browser brings",
            f"it has to end first; to see what it is: hermes-tunnel port {port}",
        )
    if listening and not yes:
        console.say(f"Local port {port} is taken by {named}: the browser will bring the answer there first.")
        if not console.confirm("Go on, and paste the address that the browser ends on?"):
            raise NoWayBack(
                f"local port {port} is taken by {named}",
                f"to end it: hermes-tunnel port {port} --kill; --yes agrees that it sees the answer",
            )
    return Room.NONE


def end_occupants(port: int, console: Console, *, yes: bool) -> None:
    """End whoever holds the port, each after a yes.

    :raises NoWayBack: it is still held, though nobody said no to that
    """
    outcomes = [end_occupant(one, console, yes=yes) for one in _living(port)]
    living = _living(port)
    if not living:
        return
    free = [one for one in living if not one.protected]
    if not free:
        hint = f"it is not ours to end: {living[0].protected}"
    elif None in outcomes:
        if console.is_terminal:
            return
        hint = f"nobody could be asked; if it may end: hermes-tunnel port {port} --kill --yes"
    elif Termination.DID_NOT_END in outcomes:
        force = "taskkill /F /PID" if sys.platform == "win32" else "kill -KILL"
        hint = f"it does not end when it is asked to; if nothing is lost by that: {force} {free[0].pid}"
    else:
        hint = f"to end it as well: hermes-tunnel port {port} --kill"
    raise NoWayBack(f"local port {port} is taken by {'; '.join(map(describe, living))}", hint)


def _living(port: int) -> list[Occupant]:
    return [one for one in occupants(port) if one.role is not Role.CLOSED]


def end_occupant(occupant: Occupant, console: Console, *, yes: bool = False) -> Termination | None:
    """End the process after a yes; what became of it, said in words too; None where there was no yes."""
    if occupant.protected:
        console.say(f"{describe(occupant)}: not ended, because {occupant.protected}")
        return Termination.REFUSED
    if not yes and not console.confirm(f"End {describe(occupant)}?"):
        return None
    result = end(occupant)
    if result.outcome is Termination.FREED:
        console.say(f"Ended {occupant.name} (PID {occupant.pid}); port {occupant.port} is free.")
        return result.outcome
    held_by = "; ".join(describe(one) for one in result.holders)
    console.say(
        {
            Termination.REFUSED: f"It was not ended: {result.reason}.",
            Termination.DID_NOT_END: f"It was asked to end and did not: {held_by}.",
            Termination.STILL_HELD: f"It ended, and the port is still held by {held_by}.",
        }[result.outcome]
    )
    return result.outcome
