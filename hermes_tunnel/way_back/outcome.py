"""What comes of getting ready at a port, for the person to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from hermes_tunnel.ports.taken import Taken


@dataclass(frozen=True)
class Ready:
    """The port is listened on; ``plainly`` if everything is carried there and nothing is judged."""

    port: int
    addresses: tuple[str, ...]
    plainly: bool = False


@dataclass(frozen=True)
class AnotherWaits:
    """A login at another issuer waits at that port; it stays until the person insists on this one."""

    port: int
    issuer: str


@dataclass(frozen=True)
class Full:
    """At every port that may be open at a time, an answer is just being delivered; or too many requests wait
    until the others are ready for theirs.
    """


@dataclass(frozen=True)
class ForwardRefused:
    """A connection to a plainly forwarded port could not be carried there; ``words`` say why."""

    port: int
    words: str


Outcome: TypeAlias = Ready | Taken | AnotherWaits | Full
