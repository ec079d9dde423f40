"""What we remember of one login from one event to the next; never changed, only replaced."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import (
    Authorization,
    Policy,
    assess_authorization,
    assess_verification,
    issuer_of_page,
)
from hermes_tunnel.oauth.last_words import LastWords
from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PageShown,
    Prompt,
    Remark,
)
from hermes_tunnel.oauth.states import Delivered, Event, Strayed

MOST_REQUESTS = 4  # authorization requests of one run; some releases start over silently
_MOST_LINES = 8

Request = AuthorizationRequest | DeviceAuthorization


@dataclass(frozen=True)
class Memory:
    """What we remember of a login; each method returns what we remember after one more event.

    :param policy: what may be opened
    """

    policy: Policy
    begun: Begun | None = None
    lines: tuple[str, ...] = field(default=(), repr=False)
    """The last lines, blank ones left out."""
    said_last: LastWords = field(default=LastWords(), repr=False)
    question: Prompt | None = field(default=None, repr=False)
    """The last question asked before the sign-in, or before the command began."""
    pages: tuple[str, ...] = field(default=(), repr=False)
    """The pages that the command showed and that we did not recognise, as far as they were offered."""
    doubted: bool = False
    """Whether another command ran there without a terminal, while this one had not begun on its own."""
    wrapper: str = ""
    """The line by which the program hands over to another, if it is such a script."""
    authorization: Authorization | None = None
    requests: int = 0
    listening: int | None = None
    """The port where the command listens, printed before the request it belongs to."""
    takes_paste: bool = False
    """Whether the command said that it takes the browser's address at its own prompt."""
    typed: bool = False
    callback: Delivered | None = None
    strayed: Strayed | None = None
    """The last thing that came to the callback's port and was not the callback."""
    announced: bool = False
    failure: str = field(default="", repr=False)

    @property
    def answered(self) -> bool:
        """Whether we saw the sign-in answered: by a code, or by a callback that was taken."""
        return self.typed or (self.callback is not None and self.callback.taken and not self.callback.error)

    @property
    def last_words(self) -> str:
        """The last line of the command, or the error that it belongs to."""
        return str(self.said_last)

    def judged(self, request: Request) -> Authorization:
        """What a request asks for.

        :raises Unsafe: we may not invite the person to it
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

    def issuer_of(self, shown: PageShown) -> str:
        """Whose page it is; empty if we do not offer to open it."""
        if shown.url in self.pages or len(self.pages) == MOST_REQUESTS:
            return ""
        try:
            return issuer_of_page(shown.url, self.policy)
        except Unsafe:
            return ""

    def begin(self, begun: Begun) -> Memory:
        """Nothing said before was the command's."""
        return replace(self, begun=begun, lines=(), said_last=LastWords(), question=None)

    def hear(self, line: Line) -> Memory:
        """We quote the last lines if the login fails."""
        text = line.text.strip()
        lines = (*self.lines, text)[-_MOST_LINES:] if text else self.lines
        return replace(self, lines=lines, said_last=self.said_last.hear(line.text))

    def wonder(self, prompt: Prompt) -> Memory:
        """We quote it if the command never starts; else it tells what the answer is."""
        return replace(self, question=prompt)

    def stop_wondering(self, _: Event) -> Memory:
        """It was not a question."""
        return replace(self, question=None)

    def doubt(self, _: Event) -> Memory:
        """The shell is not slow, so it may never come to the command on this terminal."""
        return replace(self, doubted=True)

    def note(self, remark: Remark) -> Memory:
        """What the program is tells why its callback may not arrive."""
        kind, *words = remark.words
        return replace(self, wrapper=":".join(words).strip()) if kind == "wrapper" else self

    def expect(self, request: Request) -> Memory:
        """A request replaces the one before, and everything said about that one."""
        return replace(
            self,
            authorization=self.judged(request),
            requests=self.requests + 1,
            listening=None,
            takes_paste=False,
            typed=False,
        )

    def see_page(self, shown: PageShown) -> Memory:
        """It may be a sign-in; we offer it once."""
        return replace(self, pages=(*self.pages, shown.url))

    def locate(self, listening: Listening) -> Memory:
        """The next request's callback goes to that remote port."""
        return replace(self, listening=listening.port)

    def take_paste(self, _: Event) -> Memory:
        """The command's own prompt is the callback's last resort."""
        return replace(self, takes_paste=True)

    def see_stray(self, strayed: Strayed) -> Memory:
        """We tell the person, and again if no other answer comes."""
        return replace(self, strayed=strayed)

    def give_callback(self, delivered: Delivered) -> Memory:
        """The sign-in was answered, after all."""
        return replace(self, callback=delivered)

    def give_code(self, _: Event) -> Memory:
        """The sign-in was answered."""
        return replace(self, typed=True)

    def announce(self, _: Event) -> Memory:
        """The command reported success."""
        return replace(self, announced=True)

    def fail(self, mark: FailureMark) -> Memory:
        """From now on even exit status 0 is a failure."""
        return replace(self, failure=mark.text)
