"""What a login asks of whoever runs it: the things that a session's reaction may consist of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.oauth.authorization import Authorization


class Outcome(str, Enum):
    """How a login succeeded."""

    LOGGED_IN = "logged_in"
    IMPORTED = "imported"


class Proof(Enum):
    """Whether a login that seems to have succeeded still has to show its credential.

    A sign-in is *seen to be answered* where its callback was delivered and taken, or its code typed at the
    command's prompt. The approval of a device login is given on the provider's page, where nobody sees it.
    """

    NEEDLESS = "the sign-in was seen to be answered, and the command exited with 0"
    WANTED = "the command reported success; it is believed where nobody can look for the credential"
    REQUIRED = "nothing but a changed credential shows that somebody signed in"

    def is_met(self, changed: bool | None) -> bool:
        """Whether the login has succeeded.

        :param changed: whether the credential is there and this login changed it; None: nobody could look
        """
        return self is Proof.NEEDLESS or (self is Proof.WANTED if changed is None else changed)


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
    """The login is over and has succeeded, if its proof is met.

    :param announced: whether the command reported success
    :param ended: whether it exited by itself; if not, it reported success and stayed
    """

    outcome: Outcome
    proof: Proof
    announced: bool
    ended: bool


Effect = Invite | DeliverTo | CloseListener | AskPerson | StopAsking | Allow | Conclude
