"""The states of a login, what can happen to it, and how much time the person has."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.oauth.callback import Amiss
from hermes_tunnel.oauth.said import Said


class State(Enum):
    """Where a login stands."""

    CONNECTED = "the remote shell is starting"
    QUESTIONED = "a start-up file seems to ask something"
    STARTING = "the command is running and has asked for nothing yet"
    SHOWN = "the command shows a page that we do not recognise, and waits"
    ASKING = "the command asks something before its sign-in"
    DESERTED = "the command asks something, and nobody is there to answer"
    AWAITING_CALLBACK = "the browser must come back to a port of this machine"
    AWAITING_APPROVAL = "the person must approve on a page"
    AWAITING_ANSWER = "the person must bring back a code"
    ANSWERED = "the command has the code"
    CALLBACK_DELIVERED = "the command has the browser's answer"
    DENIED = "the provider said no"
    ANNOUNCED = "the command says that it has logged in"
    ENDED = "the login is over"


@dataclass(frozen=True)
class Delivered:
    """The callback was delivered; the remote's listener answered ``status``, None if nothing usable.

    ``way`` is how it got there: ``forward``, ``relay``, or ``prompt`` if it was typed; ``pasted`` means that
    the person brought it, not the browser.
    """

    error: str
    status: int | None
    way: str = "forward"
    pasted: bool = False

    @property
    def taken(self) -> bool:
        """Whether the listener took it, as far as it told us (RFC 9110 section 15)."""
        return self.status is None or self.status < 400


class NoDelivery(Enum):
    """Why a callback did not reach the listener that waits for it."""

    FORBIDDEN = "the server allows no way to it (RFC 4254 section 5.1: administratively prohibited)"
    NOBODY_LISTENS = "the server tried, and nothing listens there"
    LOST = "the connection was lost before we sent the request, so we may send it over another"
    LOST_UNDER_WAY = (
        "it was lost after that: a listener that serves once may have it, so we do not send it again"
    )


@dataclass(frozen=True)
class Undelivered:
    """The callback came but could not be delivered; ``words`` say more, the server's or ours."""

    reason: NoDelivery
    words: str


@dataclass(frozen=True)
class Strayed:
    """Something came to the callback's port that is not the callback; we did not deliver it.

    :param amiss: what is wrong with it
    :param error: the error that it carries, if that is what it is about
    """

    amiss: Amiss = Amiss.ANOTHER_LOGIN
    error: str = ""


@dataclass(frozen=True)
class NobodyPasted:
    """The browser cannot come back by itself, and nobody is there to paste the address it ended on."""


@dataclass(frozen=True)
class Answered:
    """The person's answer went to the command; ``nobody`` if there is none and never will be."""

    nobody: bool = False


@dataclass(frozen=True)
class Tried:
    """The account's shell was given another command, without a terminal, while ours had not begun.

    :param runs: whether it ran; if not, something else did in its place, and has ended
    """

    runs: bool


@dataclass(frozen=True)
class TimeUp:
    """The allowed time is over."""


@dataclass(frozen=True)
class Exited:
    """The command has ended; ``status`` is negative if a signal ended it."""

    status: int


Event = Said | Delivered | Undelivered | Strayed | NobodyPasted | Answered | Tried | TimeUp | Exited


@dataclass(frozen=True)
class PersonTime:
    """Seconds the person has: until the browser is back, to approve, and to answer the command."""

    callback: float = 175.0
    approval: float = 900.0
    answer: float = 600.0

    def of(self, state: State) -> float:
        """The time in a state where it is the person's turn."""
        if state is State.AWAITING_CALLBACK:
            return self.callback
        return self.approval if state in (State.AWAITING_APPROVAL, State.SHOWN) else self.answer
