"""What a login asks of whoever runs it: the things that a session's reaction may consist of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.oauth.authorization import Authorization


class Outcome(str, Enum):
    """How a login ended well."""

    LOGGED_IN = "logged_in"
    IMPORTED = "imported"


@dataclass(frozen=True)
class Invite:
    """Make this machine ready, show the page to the person, open it; ``again`` if it replaces another."""

    authorization: Authorization
    again: bool = False


@dataclass(frozen=True)
class DeliverTo:
    """The remote waits on this port, whatever the redirect says."""

    port: int


@dataclass(frozen=True)
class CloseListener:
    """Nothing more is expected from the browser."""


@dataclass(frozen=True)
class AskPerson:
    """The command asks the person something; ``secret`` if the answer must not be shown."""

    text: str
    secret: bool


@dataclass(frozen=True)
class StopAsking:
    """The command does not wait for an answer any more, or never did."""


@dataclass(frozen=True)
class Allow:
    """The present state may last this long; ``person`` if it is the person's time, to be counted down."""

    seconds: float
    person: bool = False


@dataclass(frozen=True)
class Conclude:
    """The login is over and well; with ``proof`` only if the credential is seen to be there.

    ``ended`` says of a proof why it is needed: the command ended and had not said that it has logged in, else
    it had said so and did not end.
    """

    outcome: Outcome
    proof: bool = False
    ended: bool = False


Effect = Invite | DeliverTo | CloseListener | AskPerson | StopAsking | Allow | Conclude
