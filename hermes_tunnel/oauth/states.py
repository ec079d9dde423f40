"""Where a login can stand, what can happen there, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from hermes_tunnel.errors import Undeliverable
from hermes_tunnel.oauth.authorization import Mode
from hermes_tunnel.oauth.transcript import Said

SECONDS_TO_BEGIN = 30.0  # a shell with a slow start-up file
SECONDS_TO_GO_ON = 5.0  # a start-up file that seems to ask something
SECONDS_TO_ASK = 60.0  # the first run of a fresh install, and its own request to the issuer
SECONDS_TO_FINISH = 60.0  # the token exchange after the answer
SECONDS_TO_END = 5.0  # a command that has nothing more to do


class State(Enum):
    """Where a login stands."""

    CONNECTED = "the remote shell starts"
    STARTING = "the command runs and has asked for nothing yet"
    ASKING = "the command asks something before its sign-in"
    AWAITING_CALLBACK = "the browser has to come back to a port of this machine"
    AWAITING_APPROVAL = "the person has to approve on a page"
    AWAITING_ANSWER = "the person has to bring a code back"
    ANSWERED = "the command has the code"
    CALLBACK_DELIVERED = "the command has the browser's answer"
    DENIED = "the provider said no"
    ANNOUNCED = "the command says that it has logged in"
    ENDED = "the command has ended"


@dataclass(frozen=True)
class Delivered:
    """The callback was delivered; the remote's listener answered ``status``, None if nothing usable."""

    error: str
    status: int | None


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


Event = Said | Delivered | Undeliverable | Answered | TimeUp | Exited


@dataclass(frozen=True)
class PersonTime:
    """Seconds that the person gets, by the kind of login."""

    callback: float = 175.0
    approval: float = 900.0
    answer: float = 600.0

    def of(self, mode: Mode) -> float:
        """The time for one mode."""
        if mode is Mode.LOOPBACK:
            return self.callback
        return self.answer if mode is Mode.PASTE else self.approval


# What is said when the time of a state is over: a fact and the next thing to do, as a Failure takes them.
NOBODY_THERE = (
    "the remote command asked something, and there is nobody to answer",
    "run it in a terminal, or give the answer on standard input",
)
NOBODY_ANSWERED = {
    State.STARTING: (
        f"the command asked for no sign-in within {SECONDS_TO_ASK:.0f} s",
        "its last lines are above; can the remote machine reach the provider?",
    ),
    State.AWAITING_CALLBACK: (
        "nobody signed in: the browser did not come back in time",
        "run the login again; the page must be opened in a browser on this machine",
    ),
    State.AWAITING_APPROVAL: ("nobody approved the sign-in in time", "run the login again"),
    State.ASKING: ("no answer was given in time", "run the login again"),
    State.AWAITING_ANSWER: ("no answer was given in time", "run the login again"),
    State.ANSWERED: (
        f"the answer was delivered, and the command did not finish within {SECONDS_TO_FINISH:.0f} s",
        "can the remote machine reach the provider's token endpoint?",
    ),
    State.CALLBACK_DELIVERED: (
        f"the callback was delivered, and the command did not finish within {SECONDS_TO_FINISH:.0f} s",
        "can the remote machine reach the provider's token endpoint?",
    ),
}
