"""What each thing that happens means to a login: what it remembers, and what has to be done.

Which of these reactions an event gets in which state is in the table in ``session``.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

from hermes_tunnel.errors import NobodyAnswered, Unsafe
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import (
    Authorization,
    Policy,
    assess_authorization,
    assess_verification,
)
from hermes_tunnel.oauth.effects import (
    Allow,
    AskPerson,
    CloseListener,
    Conclude,
    DeliverTo,
    Effect,
    Invite,
    Outcome,
    StopAsking,
)
from hermes_tunnel.oauth.states import (
    CREDIBLE,
    EARLY,
    SECONDS_TO_ASK,
    SECONDS_TO_BEGIN,
    SECONDS_TO_END,
    SECONDS_TO_FINISH,
    SECONDS_TO_GO_ON,
    STATE_OF_MODE,
    Answered,
    Delivered,
    Event,
    Exited,
    NobodyPasted,
    PersonTime,
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
    Listening,
    PasteOffered,
    Prompt,
    Success,
    Withdrawn,
)
from hermes_tunnel.text import quote

MOST_REQUESTS = 4  # authorization requests of one run; some releases start over silently
_SECRET_PROMPT = re.compile(r"(?i)passw|passphrase|secret|token|\bkey\b|code")
# Colons and question marks as Chinese has them too. Other words may be of a start-up file that is slow.
_QUESTION = re.compile(r"[:?\uff1a\uff1f]$|(?i:\by/n[)\]]?)$")
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception): ")


@dataclass
class Reactions:
    """What each event means to one login, by what it remembers of it.

    :param policy: what may be opened
    :param time: how long the person has
    """

    policy: Policy
    time: PersonTime = field(default_factory=PersonTime)
    state: State = State.CONNECTED
    authorization: Authorization | None = None
    begun: Begun | None = None
    takes_paste: bool = False
    """Whether the command said that the browser's address may be typed at its own prompt."""
    _listening: int | None = None
    _strayed: bool = False
    _requests: int = 0
    _failure: str = ""
    _pending: str = ""
    _deserted: bool = False
    _lines: deque[str] = field(default_factory=lambda: deque(maxlen=8))

    @property
    def last_words(self) -> str:
        """The last thing that the command said, without the name of a Python exception before it."""
        return _EXCEPTION.sub("", self._lines[-1]) if self._lines else ""

    def _on_begun(self, begun: Begun) -> list[Effect]:
        if begun.words[:1] == ("missing",):
            raise failures.hermes_missing(", ".join(begun.words[1:]))
        if begun.words[:1] == ("no-container",):
            raise failures.container_missing(":".join(begun.words[1:]))
        self.begun = begun
        self._lines.clear()
        self.state = State.STARTING
        return [Allow(SECONDS_TO_ASK)]

    def _on_request(self, request: AuthorizationRequest) -> list[Effect]:
        return self._invite(assess_authorization(request.url, self.policy))

    def _on_device(self, offer: DeviceAuthorization) -> list[Effect]:
        return self._invite(assess_verification(offer.verification_uri, offer.user_code, self.policy))

    def _invite(self, authorization: Authorization) -> list[Effect]:
        before, self.authorization = self.authorization, authorization
        if before == authorization:
            return []
        self._requests += 1
        if before is not None and before.issuer != authorization.issuer:
            raise Unsafe(
                f"the login began at {quote(before.issuer)} and now asks for {quote(authorization.issuer)}",
                "do not sign in there; look at the Hermes on the remote machine",
            )
        if self._requests > MOST_REQUESTS:
            raise Unsafe(
                f"the command asked for a sign-in {self._requests} times; it was stopped",
                "look at what it printed above, then try again",
            )
        self.state, self.takes_paste = STATE_OF_MODE[authorization.mode], False
        listening, self._listening = self._listening, None
        return [
            Invite(authorization, again=before is not None),
            *([] if listening is None else [DeliverTo(listening)]),
            Allow(self.time.of(authorization.mode), person=True),
        ]

    def _on_listening(self, listening: Listening) -> list[Effect]:
        if self.state in EARLY:  # said before the request that it belongs to
            self._listening = listening.port
            return []
        return [DeliverTo(listening.port)]

    def _on_prompt(self, prompt: Prompt) -> list[Effect]:
        self.state = State.ASKING if self.state in EARLY else State.AWAITING_ANSWER
        return [
            AskPerson(prompt.text, bool(_SECRET_PROMPT.search(prompt.text))),
            Allow(self.time.answer, person=True),
        ]

    def _on_withdrawn(self, _: Withdrawn) -> list[Effect]:
        """It was no prompt: the output had stalled in the middle of a line."""
        return [StopAsking(), *self._go_on()]

    def _on_answered(self, answered: Answered) -> list[Effect]:
        if answered.nobody:  # the end, unless it turns out that nothing was asked
            self._deserted = True
            return [Allow(SECONDS_TO_END)]
        return self._go_on(State.ANSWERED)

    def _go_on(self, answered: State = State.AWAITING_ANSWER) -> list[Effect]:
        """After a question: the command's turn again."""
        self._deserted = False
        if self.state is State.ASKING:
            self.state = State.STARTING
            return [Allow(SECONDS_TO_ASK)]
        self.state = answered
        person = answered is State.AWAITING_ANSWER
        return [Allow(self.time.answer if person else SECONDS_TO_FINISH, person)]

    def _on_question_time_up(self, _: TimeUp) -> list[Effect]:
        if self._deserted:
            raise NobodyAnswered(*failures.NOBODY_THERE)
        raise failures.nobody_answered(self.state)

    def _on_early_answer(self, answered: Answered) -> list[Effect]:
        """An answer to sudo, which asks before the command begins."""
        if answered.nobody:
            raise NobodyAnswered(*failures.NOBODY_THERE)
        return [Allow(SECONDS_TO_BEGIN)]

    def _on_early_prompt(self, prompt: Prompt) -> list[Effect]:
        """A password that has expired, say: nobody answers it here, and it will not go away."""
        self._pending = prompt.text
        return [Allow(SECONDS_TO_GO_ON)] if _QUESTION.search(prompt.text) else []

    def _on_early_withdrawn(self, _: Withdrawn) -> list[Effect]:
        before, self._pending = self._pending, ""
        return [Allow(SECONDS_TO_BEGIN)] if _QUESTION.search(before) else []

    def _on_success(self, _: Success) -> list[Effect]:
        self.state = State.ANNOUNCED
        return [CloseListener(), Allow(SECONDS_TO_END)]

    def _on_failure_mark(self, mark: FailureMark) -> list[Effect]:
        self._failure = mark.text
        return []

    def _on_delivered(self, delivered: Delivered) -> list[Effect]:
        if delivered.error:
            self.state, self._failure = State.DENIED, delivered.error
            return [CloseListener(), Allow(SECONDS_TO_END)]
        self.state = State.CALLBACK_DELIVERED
        return [CloseListener(), Allow(SECONDS_TO_FINISH)]

    def _on_undelivered(self, failed: Undelivered) -> list[Effect]:
        raise failures.undelivered(failed)

    def _on_strayed(self, _: Strayed) -> list[Effect]:
        self._strayed = True
        return []

    def _on_paste_offered(self, _: PasteOffered) -> list[Effect]:
        self.takes_paste = True
        return []

    def _on_nobody_pasted(self, _: NobodyPasted) -> list[Effect]:
        raise NobodyAnswered(*failures.NOBODY_PASTED)

    def _on_request_after_delivery(self, _: Event) -> list[Effect]:
        raise failures.asked_again()

    def _on_exit(self, exited: Exited) -> list[Effect]:
        before, self.state = self.state, State.ENDED
        if exited.status != 0 or self._failure:
            words = self._failure or self.last_words
            raise failures.command_failed(exited.status, words, delivered=before is State.CALLBACK_DELIVERED)
        if self.authorization is not None:
            proof = before not in CREDIBLE
            return [Conclude(Outcome.LOGGED_IN, proof=proof, ended=proof)]
        if before is State.ANNOUNCED:
            return [Conclude(Outcome.IMPORTED)]
        raise failures.nothing_recognised(self.last_words)

    def _on_exit_before_begin(self, exited: Exited) -> list[Effect]:
        # Of several lines of sudo's the first has the reason.
        by_sudo = next((line for line in self._lines if line.startswith("sudo: ")), "")
        if by_sudo:
            raise failures.sudo_refused(by_sudo)
        raise failures.something_else_ran(exited.status, self.last_words)

    def _on_denied_end(self, _: Event) -> list[Effect]:
        raise failures.declined(self._failure)

    def _on_begin_time_up(self, _: TimeUp) -> list[Effect]:
        raise failures.never_began(self._pending)

    def _on_time_up(self, _: TimeUp) -> list[Effect]:
        raise failures.nobody_answered(self.state, strayed=self._strayed)

    def _on_announced_time_up(self, _: TimeUp) -> list[Effect]:
        if self._failure:
            return self._on_exit(Exited(0))
        outcome = Outcome.LOGGED_IN if self.authorization else Outcome.IMPORTED
        return [Conclude(outcome, proof=True)]
