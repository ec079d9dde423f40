"""Ending the process that holds a port, once the person has said yes: that one, politely, and no other."""

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
    STILL_HELD = "still held"  # it is gone, but others hold the port
    DID_NOT_END = "did not end"  # it was asked to, and goes on
    REFUSED = "refused"  # it was not even asked to


@dataclass(frozen=True)
class EndResult:
    """What became of it.

    :param reason: why we did not end it
    :param holders: who holds the port now
    """

    outcome: Termination
    reason: str = ""
    holders: tuple[Occupant, ...] = ()


def end(occupant: Occupant, *, wait: float = 3.0) -> EndResult:
    """Ask the process to end (SIGTERM; TerminateProcess on Windows, which has no signals).

    Never its children, never SIGKILL. We signal nothing unless it is still the process that the person
    saw (by PID and start time) and still listens on the port.

    :param occupant: as found and shown to the person, who agreed
    :param wait: seconds it may take to end
    """
    now = _holders(occupant)
    if not now:
        return EndResult(Termination.FREED)
    reason, process = occupant.protected, occupant.process
    if not reason:
        same = [it for it in now if it.process is not None and it.process == process]
        reason = same[0].protected if same else f"PID {occupant.pid} is not the process that was shown"
    if reason or process is None:
        return EndResult(Termination.REFUSED, reason, now)
    import psutil  # takes 40 ms, and is rarely needed

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
    """Who holds the port where the occupant does; a holder on the other address family harms nobody."""
    found = [it for it in occupants(occupant.port) if it.role is not Role.CLOSED]
    return tuple(it for it in found if keeps_from(it, occupant.addresses))


def _wait(process: psutil.Process, seconds: float) -> None:
    """Wait until the process has ended or time is up. A zombie, not yet reaped by its parent, has ended."""
    import psutil

    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        try:
            # In slices, because psutil waits for another process's zombie child as if it were alive.
            process.wait(min(0.2, left))
        except psutil.TimeoutExpired:
            if process.status() == psutil.STATUS_ZOMBIE:
                return
        else:
            return
