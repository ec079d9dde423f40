"""What a login asks of whoever runs it: the effects that a session can return."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from hermes_tunnel.oauth.authorization import Authorization


class Outcome(str, Enum):
    """How a login succeeded."""

    LOGGED_IN = "logged_in"
    IMPORTED = "imported"


class Proof(Enum):
    """Whether a login that seems to have succeeded must still show its credential.

    We *see a sign-in answered* when its callback was delivered and taken, or its code typed at the command's
    prompt. The person approves a device login on the provider's page, where we see nothing.
    """

    NEEDLESS = "we saw the sign-in answered, and the command exited with 0"
    WANTED = "the command reported success; we believe it if nobody can look for the credential"
    REQUIRED = "only a changed credential shows that someone signed in"

    def is_met(self, changed: bool | None) -> bool:
        """Whether the login has succeeded.

        :param changed: whether the credential exists and this login changed it; None: nobody could look
        """
        return self is Proof.NEEDLESS or (self is Proof.WANTED if changed is None else changed)


@dataclass(frozen=True)
class Invite:
    """Prepare this machine, show the person the page, open it; ``again`` if it replaces an earlier one."""

    authorization: Authorization
    again: bool = False


@dataclass(frozen=True)
class Offer:
    """Show the person a page that we do not recognise, and open it if they say so."""

    url: str = field(repr=False)
    issuer: str


@dataclass(frozen=True)
class DeliverTo:
    """The remote waits on this port, whatever the redirect says."""

    port: int


@dataclass(frozen=True)
class CloseListener:
    """Expect nothing more from the browser."""


@dataclass(frozen=True)
class AskPerson:
    """The command asks the person something; ``secret`` if the answer must stay hidden."""

    text: str
    secret: bool


@dataclass(frozen=True)
class StopAsking:
    """The command no longer waits for an answer, or never did."""


@dataclass(frozen=True)
class Allow:
    """The current state may last this long; ``person`` if it is the person's time, which we count down."""

    seconds: float
    person: bool = False


@dataclass(frozen=True)
class Conclude:
    """The login is over, and has succeeded if its proof is met.

    :param announced: whether the command reported success
    :param ended: whether it exited by itself; if not, it reported success and kept running
    """

    outcome: Outcome
    proof: Proof
    announced: bool
    ended: bool


Effect = Invite | Offer | DeliverTo | CloseListener | AskPerson | StopAsking | Allow | Conclude
