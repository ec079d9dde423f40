"""What the person wants done about a port that is taken, and what they agreed to beforehand."""

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
    :param yes: whether they said yes beforehand; it counts only where that is safe
    """

    wish: str = "ask"
    yes: bool = False


@dataclass(frozen=True)
class Person:
    """The person, as the one who decides about a busy port.

    :param say: tells them a sentence
    :param there: whether there is anyone to ask
    """

    say: Say
    there: bool
    busy: BusyPort = field(default_factory=BusyPort)

    def agrees_to(self, occupant: Occupant, *, known: bool) -> bool:
        """Whether the yes given beforehand covers this occupant.

        A port that only the remote machine named proves nothing: any of the person's programs could be on
        it, and they never agreed to end that.

        :param known: whether the provider is known to use this port
        """
        return self.busy.yes and (known or (occupant.own and occupant.is_tunnel))
