"""Ending the process that holds a port, after the person said yes: that one, politely, and no other."""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from hermes_tunnel.ports.occupants import Occupant, keeps_from, occupants
from hermes_tunnel.ports.programs import Role

if TYPE_CHECKING:
    import psutil


class Termination(Enum):
    """What became of the occupant and its port."""

    FREED = "freed"
    STILL_HELD = "still held"  # it is gone; others hold the port
    DID_NOT_END = "did not end"  # it was asked to and goes on
    REFUSED = "refused"  # it was not even asked to


@dataclass(frozen=True)
class EndResult:
    """What became of it.

    :param reason: why it was refused
    :param holders: who holds the port now
    """

    outcome: Termination
    reason: str = ""
    holders: tuple[Occupant, ...] = ()


def end(occupant: Occupant, *, wait: float = 3.0) -> EndResult:
    """Ask the process to end (SIGTERM; on Windows, which has no such thing, TerminateProcess).

    Never its children, never SIGKILL. Nothing is signalled unless it is still the process that the person
    saw (by PID and start) and still listens on the port.

    :param occupant: as found and shown to the person, who agreed
    :param wait: seconds until it has to be gone
    """
    now = _holders(occupant)
    if not now:
        return EndResult(Termination.FREED)
    reason, process = occupant.protected, occupant.process
    if not reason:
        same = [it for it in now if it.process is not None and it.process == process]
        reason = same[0].protected if same else f"PID {occupant.pid} is not what held the port when shown"
    if reason or process is None:
        return EndResult(Termination.REFUSED, reason, now)
    import psutil  # 40 ms, for what is rarely needed

    try:
        process.terminate()
        _wait(process, wait)
    except psutil.NoSuchProcess:
        pass  # it was faster
    except psutil.AccessDenied:
        return EndResult(Termination.REFUSED, "the system does not let this user end it", now)
    holders = _holders(occupant)
    if not holders:
        return EndResult(Termination.FREED)
    alive = any(it.process == process for it in holders)
    return EndResult(Termination.DID_NOT_END if alive else Termination.STILL_HELD, holders=holders)


def _holders(occupant: Occupant) -> tuple[Occupant, ...]:
    """Who holds the port where the occupant does: on the other family somebody else may, and harms nobody."""
    found = [it for it in occupants(occupant.port) if it.role is not Role.CLOSED]
    return tuple(it for it in found if keeps_from(it, occupant.addresses))


def _wait(process: psutil.Process, seconds: float) -> None:
    """Until the process has ended, or the time is over. A zombie, uncollected by its parent, has ended."""
    import psutil

    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            # In slices, because psutil waits for a zombie that is another's child as if it lived.
            process.wait(min(0.2, left))
        except psutil.TimeoutExpired:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        else:
            return
