"""One login as a table of states: what was said goes in, what to do comes out.

We never ask the remote command what it is doing; we listen. ``TABLE`` says what each event means in each
state; the diagram in docs/how-it-works.md is drawn from it. There is no clock here: an ``Allow`` effect says
how long a state may last, and ``TimeUp`` comes in when that time is over.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from hermes_tunnel import deadlines
from hermes_tunnel.errors import Failure
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth import guards as when
from hermes_tunnel.oauth import reactions as do
from hermes_tunnel.oauth.authorization import Policy
from hermes_tunnel.oauth.effects import Allow, Effect
from hermes_tunnel.oauth.guards import otherwise
from hermes_tunnel.oauth.memory import Memory
from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PageShown,
    PasteOffered,
    Prompt,
    Remark,
    Success,
    Withdrawn,
)
from hermes_tunnel.oauth.states import (
    Answered,
    Delivered,
    Event,
    Exited,
    NobodyPasted,
    PersonTime,
    State,
    Strayed,
    TimeUp,
    Tried,
    Undelivered,
)


@dataclass(frozen=True)
class Row:
    """What an event leads to.

    :param to: the next state, whose time starts; None: the login stays in its state, and the time runs on
    :param do: what to do, or the ``Failure`` that ends the login
    :param keep: what we remember afterwards
    """

    to: State | None
    do: Callable[[Memory, Any], list[Effect] | Failure] = do.nothing
    keep: Callable[[Memory, Any], Memory] = lambda memory, _: memory


Guard: TypeAlias = Callable[[Memory, Any], bool]
Rows: TypeAlias = dict[type[Event], Row | dict[Guard, Row]]
"""The row for each kind of event, or a row for each of its guards; the first guard that holds wins."""

_STAY = None
_BEFORE_THE_COMMAND: Rows = {
    Line: Row(_STAY, keep=Memory.hear),
    Begun: {when.missing: Row(State.ENDED, do.not_there), otherwise: Row(State.STARTING, keep=Memory.begin)},
    Prompt: {
        when.question: Row(State.QUESTIONED, keep=Memory.wonder),
        otherwise: Row(_STAY, keep=Memory.wonder),
    },
    Answered: {
        when.nobody: Row(State.ENDED, do.end(failures.nobody_there)),
        otherwise: Row(State.CONNECTED),
    },
    TimeUp: Row(State.ENDED, do.never_began),
    Exited: Row(State.ENDED, do.something_else_ran),
}
_TO_THE_END: Rows = {
    Line: Row(_STAY, keep=Memory.hear),
    FailureMark: Row(_STAY, keep=Memory.fail),
    Exited: {
        when.gave_up: Row(State.ENDED, do.gave_up),
        when.failed: Row(State.ENDED, do.command_failed),
        when.recognised: Row(State.ENDED, do.conclude),
        otherwise: Row(State.ENDED, do.nothing_recognised),
    },
}
_RUNNING: Rows = {**_TO_THE_END, Success: Row(State.ANNOUNCED, do.close_listener, Memory.announce)}
_REQUEST: Rows = {
    AuthorizationRequest: {
        when.unsafe: Row(State.ENDED, do.refuse),
        when.repeated: Row(_STAY),
        when.loopback: Row(State.AWAITING_CALLBACK, do.invite, Memory.expect),
        when.paste: Row(State.AWAITING_ANSWER, do.invite, Memory.expect),
        otherwise: Row(State.AWAITING_APPROVAL, do.invite, Memory.expect),
    },
}
_PAGE: Rows = {
    PageShown: {
        when.not_offered: Row(_STAY),
        otherwise: Row(State.SHOWN, do.offer, Memory.see_page),
    },
}
_DEVICE: Rows = {
    DeviceAuthorization: {
        when.unsafe: Row(State.ENDED, do.refuse),
        when.repeated: Row(_STAY),
        otherwise: Row(State.AWAITING_APPROVAL, do.invite, Memory.expect),
    },
}
_BEFORE_A_REQUEST: Rows = {
    **_RUNNING,
    **_REQUEST,
    **_DEVICE,
    Listening: Row(_STAY, keep=Memory.locate),
    Prompt: Row(State.ASKING, do.ask_person, Memory.wonder),
}

TABLE: dict[State, Rows] = {
    State.CONNECTED: {
        **_BEFORE_THE_COMMAND,
        Withdrawn: Row(_STAY, keep=Memory.stop_wondering),
        Tried: {
            when.replaced: Row(State.ENDED, do.replaced),
            otherwise: Row(State.QUESTIONED, keep=Memory.doubt),
        },
    },
    State.QUESTIONED: {
        **_BEFORE_THE_COMMAND,
        Withdrawn: Row(State.CONNECTED, keep=Memory.stop_wondering),
    },
    State.STARTING: {
        **_BEFORE_A_REQUEST,
        **_PAGE,
        Remark: Row(_STAY, keep=Memory.note),
        TimeUp: Row(State.ENDED, do.end(failures.nothing_asked)),
    },
    State.SHOWN: {
        **_BEFORE_A_REQUEST,
        **_PAGE,
        TimeUp: Row(State.ENDED, do.end(failures.nobody_approved)),
    },
    State.ASKING: {
        **_BEFORE_A_REQUEST,
        Withdrawn: {
            when.shown: Row(State.SHOWN, do.stop_asking),
            otherwise: Row(State.STARTING, do.stop_asking),
        },
        Answered: {
            when.nobody: Row(State.DESERTED),
            when.signs_in: Row(State.ANSWERED, keep=Memory.give_code),
            when.shown: Row(State.SHOWN),
            otherwise: Row(State.STARTING),
        },
        TimeUp: Row(State.ENDED, do.end(failures.no_answer)),
    },
    State.DESERTED: {
        **_RUNNING,
        Withdrawn: {
            when.given: Row(State.ANSWERED, do.stop_asking),
            when.invited: Row(State.AWAITING_ANSWER, do.stop_asking),
            when.shown: Row(State.SHOWN, do.stop_asking),
            otherwise: Row(State.STARTING, do.stop_asking),
        },
        TimeUp: Row(State.ENDED, do.end(failures.nobody_there)),
    },
    State.AWAITING_CALLBACK: {
        **_RUNNING,
        **_REQUEST,
        Listening: Row(_STAY, do.deliver_there),
        PasteOffered: Row(_STAY, keep=Memory.take_paste),
        Strayed: Row(_STAY, keep=Memory.see_stray),
        Delivered: {
            when.denied: Row(State.DENIED, do.close_listener, Memory.give_callback),
            otherwise: Row(State.CALLBACK_DELIVERED, do.close_listener, Memory.give_callback),
        },
        Undelivered: Row(State.ENDED, do.not_delivered),
        NobodyPasted: Row(State.ENDED, do.end(failures.nobody_pasted)),
        TimeUp: Row(State.ENDED, do.nobody_came),
    },
    State.AWAITING_APPROVAL: {
        **_RUNNING,
        **_REQUEST,
        **_DEVICE,
        TimeUp: Row(State.ENDED, do.end(failures.nobody_approved)),
    },
    State.AWAITING_ANSWER: {
        **_RUNNING,
        **_REQUEST,
        Prompt: Row(State.AWAITING_ANSWER, do.ask_for_code),
        Withdrawn: {
            when.given: Row(State.ANSWERED, do.stop_asking),
            otherwise: Row(State.AWAITING_ANSWER, do.stop_asking),
        },
        Answered: {when.nobody: Row(State.DESERTED), otherwise: Row(State.ANSWERED, keep=Memory.give_code)},
        TimeUp: Row(State.ENDED, do.end(failures.no_answer)),
    },
    State.ANSWERED: {
        **_RUNNING,
        **_REQUEST,
        Prompt: Row(State.AWAITING_ANSWER, do.ask_for_code),
        TimeUp: Row(State.ENDED, do.end(failures.code_not_redeemed)),
    },
    State.CALLBACK_DELIVERED: {
        **_RUNNING,
        AuthorizationRequest: Row(State.ENDED, do.end(failures.asked_again)),
        TimeUp: Row(State.ENDED, do.end(failures.callback_not_redeemed)),
    },
    State.DENIED: {
        AuthorizationRequest: Row(State.ENDED, do.declined),
        Exited: Row(State.ENDED, do.declined),
        TimeUp: Row(State.ENDED, do.declined),
    },
    State.ANNOUNCED: {
        **_TO_THE_END,
        Delivered: Row(_STAY, keep=Memory.give_callback),
        TimeUp: {when.failed: Row(State.ENDED, do.command_failed), otherwise: Row(State.ENDED, do.conclude)},
    },
    State.ENDED: {},
}
# How long each state may last. The others last as long as the person has (``PersonTime``).
LASTS = {
    State.CONNECTED: deadlines.BEGIN,
    State.QUESTIONED: deadlines.GO_ON,
    State.STARTING: deadlines.ASK,
    State.DESERTED: deadlines.END,
    State.ANSWERED: deadlines.FINISH,
    State.CALLBACK_DELIVERED: deadlines.FINISH,
    State.DENIED: deadlines.END,
    State.ANNOUNCED: deadlines.END,
}


def rows(state: State, kind: type[Event]) -> dict[Guard, Row]:
    """The rows of an event in a state, by guard; none if the event means nothing there."""
    found = TABLE[state].get(kind, {})
    return {otherwise: found} if isinstance(found, Row) else found


@dataclass
class Session:
    """The state of one login, and what we remember of it.

    :param policy: what may be opened
    :param time: how long the person has
    :param seconds_of: how long a deadline is
    """

    policy: Policy
    time: PersonTime = field(default_factory=PersonTime)
    state: State = State.CONNECTED
    seconds_of: Callable[[deadlines.Deadline], float] = deadlines.seconds_of

    def __post_init__(self) -> None:
        self.memory = Memory(self.policy)

    @property
    def takes_paste(self) -> bool:
        """Whether the command said that it takes the browser's address at its own prompt."""
        return self.memory.takes_paste

    def start(self) -> list[Effect]:
        """What to do before anything has been said."""
        return [self._allowed()]

    def feed(self, event: Event) -> list[Effect]:
        """What to do now. An event that the table does not list for this state means nothing: a command may
        print what it likes.

        :raises Failure: the login has failed; says why
        """
        fitting = (row for guard, row in rows(self.state, type(event)).items() if guard(self.memory, event))
        row = next(fitting, Row(_STAY))
        done = row.do(self.memory, event)
        self.state = row.to or self.state
        if isinstance(done, Failure):
            raise done
        self.memory = row.keep(self.memory, event)
        return [*done, self._allowed()] if row.to not in (_STAY, State.ENDED) else done

    def _allowed(self) -> Allow:
        ours = LASTS.get(self.state)
        return Allow(self.seconds_of(ours)) if ours else Allow(self.time.of(self.state), person=True)
