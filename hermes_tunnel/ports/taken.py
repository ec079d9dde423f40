"""A port that could not be had, for a person who is told now, and may want its holder ended later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hermes_tunnel.ports.occupants import BindRefusal, Occupant, describe, keeps_from, occupants, why_not
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.way_out import way_out


@dataclass(frozen=True)
class Taken:
    """It could not be had; ``message`` and ``hint`` say why, in the form of ``errors.Failure``.

    :param holders: who has it, as the person is told; they can be ended if none is protected
    """

    port: int
    message: str
    hint: str = ""
    holders: tuple[Occupant, ...] = field(default=(), repr=False)

    @property
    def may_end(self) -> bool:
        """Whether those who have it are ours to end, once the person says so."""
        return bool(self.holders) and not any(one.protected for one in self.holders)


def taken(port: int, addresses: Sequence[str], cause: OSError) -> Taken:
    """Who has the port. Takes its time: it looks at the system's sockets.

    :param addresses: where we tried to bind it
    :param cause: what the system said
    """
    holders = [one for one in occupants(port) if keeps_from(one, addresses)]
    refusal = why_not(cause, port, occupied=any(one.listens for one in holders))
    if refusal.reason is not BindRefusal.TAKEN or not holders:
        return Taken(port, refusal.message, refusal.hint)
    living = tuple(one for one in holders if one.role is not Role.CLOSED)
    named = "; ".join(describe(one) for one in living or holders)
    if not living:
        return Taken(port, f"local port {port} is held by {named}", "the system frees it within a minute")
    protected = next((one for one in living if one.protected), None)
    hint = f"we may not end it: {protected.protected}; {way_out(protected)}" if protected else ""
    return Taken(port, f"local port {port} is taken by {named}", hint, living)
