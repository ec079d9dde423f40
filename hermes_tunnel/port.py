"""Who holds a local port, and making room on it: for the ``port`` verb, and for a login that needs one."""

from __future__ import annotations

from hermes_tunnel.errors import NoWayBack
from hermes_tunnel.local.console import Console
from hermes_tunnel.local.ending import Outcome, end
from hermes_tunnel.local.ports import BindRefusal, Occupant, Refusal, describe, occupants
from hermes_tunnel.local.programs import Role

ON_BUSY = ("ask", "kill", "fail")


def make_room(port: int, refusal: Refusal, console: Console, *, on_busy: str, yes: bool = False) -> None:
    """Free a port that could not be had, if the person agrees; returns when it is worth another try.

    :param refusal: why it could not be had
    :param on_busy: ``ask``, ``kill`` (the question is asked all the same unless ``yes``) or ``fail``
    :raises NoWayBack: it stays taken, and by whom
    """
    holders = [one for one in occupants(port) if one.listens or refusal.reason is BindRefusal.TAKEN]
    if refusal.reason is not BindRefusal.TAKEN or not holders:
        raise NoWayBack(refusal.message, refusal.hint)
    living = [one for one in holders if one.role is not Role.CLOSED]
    named = "; ".join(describe(one) for one in living or holders)
    if not living:
        raise NoWayBack(
            f"local port {port} is held by {named}", "the system frees it within a minute; then run it again"
        )
    holders = living
    protected = next((one.protected for one in holders if one.protected), "")
    if protected:
        raise NoWayBack(f"local port {port} is taken by {named}", f"it is not ours to end: {protected}")
    if on_busy == "fail" or (not console.is_terminal and not yes):
        raise NoWayBack(
            f"local port {port} is taken by {named}",
            f"to end it: hermes-tunnel port {port} --kill; the port cannot be another, the provider knows it",
        )
    console.say(f"Local port {port} is needed and is taken by {named}.")
    for holder in holders:
        if not end_occupant(holder, console, yes=yes):
            raise NoWayBack(
                f"local port {port} is taken by {named}",
                f"end it yourself, or: hermes-tunnel port {port} --kill",
            )


def end_occupant(occupant: Occupant, console: Console, *, yes: bool = False) -> bool:
    """End the process after a yes; whether the port is free of it now, said in words if it is not."""
    if occupant.protected:
        console.say(f"{describe(occupant)}: not ended, because {occupant.protected}")
        return False
    if not yes and not console.confirm(f"End {describe(occupant)}?"):
        return False
    result = end(occupant)
    if result.outcome is Outcome.FREED:
        console.say(f"Ended {occupant.name} (PID {occupant.pid}); port {occupant.port} is free.")
        return True
    held_by = "; ".join(describe(one) for one in result.holders)
    console.say(
        {
            Outcome.REFUSED: f"It was not ended: {result.reason}.",
            Outcome.DID_NOT_END: f"It was asked to end and did not: {held_by}.",
            Outcome.STILL_HELD: f"It ended, and the port is still held by {held_by}.",
        }[result.outcome]
    )
    return False
