"""One login as a table of states: what was said goes in, what has to be done comes out.

The remote command is not asked what it does; it is listened to. A login stands in one of the states of
``State``; ``_TABLE`` says which reaction each thing that can happen gets there. A pair that is not in the
table means nothing: a command may print what it likes. Time is told from outside: an effect ``Allow`` says
how long the present state may last, and ``TimeUp`` comes in when it has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hermes_tunnel.oauth.effects import Allow, Effect
from hermes_tunnel.oauth.reactions import Reactions
from hermes_tunnel.oauth.states import (
    EARLY,
    SECONDS_TO_BEGIN,
    Answered,
    Delivered,
    Event,
    Exited,
    NobodyPasted,
    State,
    Strayed,
    TimeUp,
    Undelivered,
)
from hermes_tunnel.oauth.transcript import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PasteOffered,
    Prompt,
    Success,
    Withdrawn,
)


@dataclass
class Session(Reactions):
    """The state of one login.

    :param policy: what may be opened
    :param time: how long the person has
    """

    def feed(self, event: Event) -> list[Effect]:
        """What has to be done now.

        :raises Failure: the login is over and did not succeed, and why
        """
        if isinstance(event, Line) and event.text.strip():
            self._lines.append(event.text.strip())
        react = _TABLE.get((self.state, type(event)))
        return react(self, event) if react else []

    def start(self) -> list[Effect]:
        """What has to be done before anything was said."""
        return [Allow(SECONDS_TO_BEGIN)]


_QUESTIONED = (State.ASKING, State.AWAITING_ANSWER)
_WAITING = (State.AWAITING_CALLBACK, State.AWAITING_APPROVAL, State.AWAITING_ANSWER)
_RUNNING = (
    State.STARTING,
    State.ASKING,
    *_WAITING,
    State.ANSWERED,
    State.CALLBACK_DELIVERED,
    State.ANNOUNCED,
)

_Reaction = Callable[[Session, Any], list[Effect]]

_TABLE: dict[tuple[State, type[Event]], _Reaction] = {
    (State.CONNECTED, Begun): Session._on_begun,
    (State.CONNECTED, Prompt): Session._on_early_prompt,
    (State.CONNECTED, Withdrawn): Session._on_early_withdrawn,
    (State.CONNECTED, Answered): Session._on_early_answer,
    (State.CONNECTED, TimeUp): Session._on_begin_time_up,
    (State.CONNECTED, Exited): Session._on_exit_before_begin,
    **dict.fromkeys([(state, FailureMark) for state in _RUNNING], Session._on_failure_mark),
    **dict.fromkeys([(state, Exited) for state in _RUNNING], Session._on_exit),
    **dict.fromkeys([(state, TimeUp) for state in _RUNNING], Session._on_time_up),
    **dict.fromkeys([(state, Success) for state in _RUNNING], Session._on_success),
    **dict.fromkeys(
        [(state, AuthorizationRequest) for state in (*EARLY, *_WAITING, State.ANSWERED)], Session._on_request
    ),
    **dict.fromkeys(
        [(state, DeviceAuthorization) for state in (*EARLY, State.AWAITING_APPROVAL)], Session._on_device
    ),
    **dict.fromkeys(
        [(state, Prompt) for state in (*EARLY, State.AWAITING_ANSWER, State.ANSWERED)], Session._on_prompt
    ),
    **dict.fromkeys([(state, Withdrawn) for state in _QUESTIONED], Session._on_withdrawn),
    **dict.fromkeys([(state, Answered) for state in _QUESTIONED], Session._on_answered),
    **dict.fromkeys([(state, TimeUp) for state in _QUESTIONED], Session._on_question_time_up),
    **dict.fromkeys(
        [(state, Listening) for state in (*EARLY, State.AWAITING_CALLBACK)], Session._on_listening
    ),
    (State.AWAITING_CALLBACK, PasteOffered): Session._on_paste_offered,
    (State.AWAITING_CALLBACK, NobodyPasted): Session._on_nobody_pasted,
    (State.AWAITING_CALLBACK, Strayed): Session._on_strayed,
    (State.AWAITING_CALLBACK, Delivered): Session._on_delivered,
    (State.AWAITING_CALLBACK, Undelivered): Session._on_undelivered,
    (State.CALLBACK_DELIVERED, AuthorizationRequest): Session._on_request_after_delivery,
    (State.DENIED, AuthorizationRequest): Session._on_denied_end,
    (State.DENIED, Exited): Session._on_denied_end,
    (State.DENIED, TimeUp): Session._on_denied_end,
    (State.ANNOUNCED, TimeUp): Session._on_announced_time_up,
}
