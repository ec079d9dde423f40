"""What the person wants to become of a port that is taken, and what they have agreed to beforehand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hermes_tunnel.ports.occupants import Occupant

ON_BUSY = ("ask", "kill", "paste", "fail")
Say = Callable[[str], object]


@dataclass(frozen=True)
class BusyPort:
    """What the person wants if the local port is taken.

    :param wish: one of ``ON_BUSY``
    :param yes: whether the question is answered beforehand, where that is safe
    """

    wish: str = "ask"
    yes: bool = False


@dataclass(frozen=True)
class Person:
    """The person, as far as a busy port is theirs to decide about.

    :param say: tells them a sentence
    :param there: whether there is somebody to ask
    """

    say: Say
    there: bool
    busy: BusyPort = field(default_factory=BusyPort)

    def agrees_to(self, occupant: Occupant, *, known: bool) -> bool:
        """Whether the yes that was given beforehand is meant for this occupant.

        A port that only the remote machine named proves nothing: it could be that of any program of the
        person's, who would not have said yes to its end.

        :param known: whether the provider is known to use this port
        """
        return self.busy.yes and (known or (occupant.own and occupant.is_tunnel))
