"""What is remembered of one login, from one event to the next; it is never changed, but replaced."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import (
    Authorization,
    Policy,
    assess_authorization,
    assess_verification,
)
from hermes_tunnel.oauth.states import Delivered, Event
from hermes_tunnel.oauth.transcript import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    Prompt,
)

MOST_REQUESTS = 4  # authorization requests of one run; some releases start over silently
_MOST_LINES = 8
_EXCEPTION = re.compile(r"^(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception): ")

Request = AuthorizationRequest | DeviceAuthorization


@dataclass(frozen=True)
class Memory:
    """What is remembered of a login; each method gives what is remembered after one more event.

    :param policy: what may be opened
    """

    policy: Policy
    begun: Begun | None = None
    lines: tuple[str, ...] = field(default=(), repr=False)
    """The last lines that are not blank."""
    question: Prompt | None = field(default=None, repr=False)
    """What was asked before the command began, or seems to have been."""
    authorization: Authorization | None = None
    requests: int = 0
    listening: int | None = None
    """Where the command listens, said before the request that it belongs to."""
    takes_paste: bool = False
    """Whether the command said that the browser's address may be typed at its own prompt."""
    typed: bool = False
    callback: Delivered | None = None
    strayed: bool = False
    announced: bool = False
    failure: str = field(default="", repr=False)

    @property
    def answered(self) -> bool:
        """Whether the sign-in was seen to be answered: by a code, or by a callback that was taken."""
        return self.typed or (self.callback is not None and self.callback.taken and not self.callback.error)

    @property
    def last_words(self) -> str:
        """The last thing that the command said, without the name of a Python exception before it."""
        return _EXCEPTION.sub("", self.lines[-1]) if self.lines else ""

    def judged(self, request: Request) -> Authorization:
        """What a request asks for.

        :raises Unsafe: nobody may be invited to it
        """
        if isinstance(request, AuthorizationRequest):
            wanted = assess_authorization(request.url, self.policy)
        else:
            wanted = assess_verification(request.verification_uri, request.user_code, self.policy)
        before = self.authorization
        if before is not None and before != wanted:
            if before.issuer != wanted.issuer:
                raise failures.another_issuer(before.issuer, wanted.issuer)
            if self.requests == MOST_REQUESTS:
                raise failures.too_many_requests(MOST_REQUESTS + 1)
        return wanted

    def begin(self, begun: Begun) -> Memory:
        """What was said before is none of the command's."""
        return replace(self, begun=begun, lines=(), question=None)

    def hear(self, line: Line) -> Memory:
        """The last lines are quoted if the login fails."""
        text = line.text.strip()
        return replace(self, lines=(*self.lines, text)[-_MOST_LINES:]) if text else self

    def wonder(self, prompt: Prompt) -> Memory:
        """It is quoted if the command never starts."""
        return replace(self, question=prompt)

    def stop_wondering(self, _: Event) -> Memory:
        """It was no question."""
        return replace(self, question=None)

    def expect(self, request: Request) -> Memory:
        """A request replaces the one before, and all that was said about that."""
        return replace(
            self,
            authorization=self.judged(request),
            requests=self.requests + 1,
            listening=None,
            takes_paste=False,
            typed=False,
        )

    def locate(self, listening: Listening) -> Memory:
        """The callback of the request that follows goes to that port there."""
        return replace(self, listening=listening.port)

    def take_paste(self, _: Event) -> Memory:
        """The command's own prompt is the last way for the callback."""
        return replace(self, takes_paste=True)

    def see_stray(self, _: Event) -> Memory:
        """The person is told, and told again if nobody else comes."""
        return replace(self, strayed=True)

    def give_callback(self, delivered: Delivered) -> Memory:
        """The sign-in was answered after all."""
        return replace(self, callback=delivered)

    def give_code(self, _: Event) -> Memory:
        """The sign-in was answered."""
        return replace(self, typed=True)

    def announce(self, _: Event) -> Memory:
        """The command reported success."""
        return replace(self, announced=True)

    def fail(self, mark: FailureMark) -> Memory:
        """From now on an exit status of 0 is a failure too."""
        return replace(self, failure=mark.text)
