"""Where a login can stand, what can happen to it, and how much time the person has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.oauth.transcript import Said


class State(Enum):
    """Where a login stands."""

    CONNECTED = "the remote shell starts"
    QUESTIONED = "a start-up file seems to ask something"
    STARTING = "the command runs and has asked for nothing yet"
    ASKING = "the command asks something before its sign-in"
    DESERTED = "the command asks something, and nobody is there to answer"
    AWAITING_CALLBACK = "the browser has to come back to a port of this machine"
    AWAITING_APPROVAL = "the person has to approve on a page"
    AWAITING_ANSWER = "the person has to bring a code back"
    ANSWERED = "the command has the code"
    CALLBACK_DELIVERED = "the command has the browser's answer"
    DENIED = "the provider said no"
    ANNOUNCED = "the command says that it has logged in"
    ENDED = "the login is over"


@dataclass(frozen=True)
class Delivered:
    """The callback was delivered; the remote's listener answered ``status``, None if nothing usable.

    ``way`` is how it got there: ``forward``, ``relay``, or ``prompt`` where it was typed; ``pasted`` says
    that the person brought it, and not the browser.
    """

    error: str
    status: int | None
    way: str = "forward"
    pasted: bool = False

    @property
    def taken(self) -> bool:
        """Whether the listener took it, as far as it said (RFC 9110 section 15)."""
        return self.status is None or self.status < 400


class NoDelivery(Enum):
    """Why a callback could not be handed to the listener that waits for it."""

    FORBIDDEN = "the server allows no way to it (RFC 4254 section 5.1: administratively prohibited)"
    NOBODY_LISTENS = "the server tried, and nothing listens there"
    LOST = "the connection was lost before the request was sent, so it may be sent over another"
    LOST_UNDER_WAY = (
        "it was lost after that: a listener that serves once may have it, so it is not sent again"
    )


@dataclass(frozen=True)
class Undelivered:
    """The callback came, and could not be delivered; ``words`` say more, in the server's words or ours."""

    reason: NoDelivery
    words: str


@dataclass(frozen=True)
class Strayed:
    """The browser brought the answer to another login; it was not delivered."""


@dataclass(frozen=True)
class NobodyPasted:
    """The browser cannot come back by itself, and nobody is there to paste where it ended."""


@dataclass(frozen=True)
class Answered:
    """The person's answer was sent to the command; ``nobody`` if there is none and will be none."""

    nobody: bool = False


@dataclass(frozen=True)
class TimeUp:
    """The time that was allowed is over."""


@dataclass(frozen=True)
class Exited:
    """The command has ended; ``status`` is negative where a signal ended it."""

    status: int


Event = Said | Delivered | Undelivered | Strayed | NobodyPasted | Answered | TimeUp | Exited


@dataclass(frozen=True)
class PersonTime:
    """Seconds that the person gets: until the browser is back, for an approval, and to answer the command."""

    callback: float = 175.0
    approval: float = 900.0
    answer: float = 600.0

    def of(self, state: State) -> float:
        """The time in a state where the person's turn has come."""
        if state is State.AWAITING_CALLBACK:
            return self.callback
        return self.approval if state is State.AWAITING_APPROVAL else self.answer
