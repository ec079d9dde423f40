"""Which row of the table in ``session`` applies, given what we remember of a login and what happened."""

from __future__ import annotations

import re

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Mode
from hermes_tunnel.oauth.memory import Memory, Request
from hermes_tunnel.oauth.said import Begun, PageShown, Prompt
from hermes_tunnel.oauth.states import Answered, Delivered, Event, Exited, Tried
from hermes_tunnel.text import asks_for_a_secret

_TIME_IS_UP = re.compile(r"(?i)\btimed? ?out\b|\btimeout\b|\bexpired\b")
# Chinese colons and question marks too. Any other line may come from a slow start-up file.
_QUESTION = re.compile(r"[:?\uff1a\uff1f]$|(?i:\by/n[)\]]?)$")


def otherwise(_: Memory, __: Event) -> bool:
    """In every other case."""
    return True


def missing(_: Memory, begun: Begun) -> bool:
    """The program or its container was not found."""
    return begun.words[:1] in (("missing",), ("alias",), ("no-container",))


def question(_: Memory, prompt: Prompt) -> bool:
    """It looks like a question or a shell's prompt, not like a slow start-up file."""
    return prompt.taken or _QUESTION.search(prompt.text) is not None


def replaced(_: Memory, tried: Tried) -> bool:
    """A start-up file runs something in place of any command."""
    return not tried.runs


def nobody(_: Memory, answered: Answered) -> bool:
    """Nobody is there to answer."""
    return answered.nobody


def unsafe(memory: Memory, request: Request) -> bool:
    """We may not invite the person to it."""
    try:
        memory.judged(request)
    except Unsafe:
        return True
    return False


def repeated(memory: Memory, request: Request) -> bool:
    """It repeats the current request."""
    return memory.judged(request) == memory.authorization


def not_offered(memory: Memory, shown: PageShown) -> bool:
    """We do not offer to open it: it is unsafe, or was offered before, or too many were."""
    return not memory.issuer_of(shown)


def shown(memory: Memory, _: Event) -> bool:
    """The command has shown a page that we did not recognise."""
    return bool(memory.pages)


def signs_in(memory: Memory, _: Event) -> bool:
    """Such a page was shown, and what the command then asked for looks like what it gives."""
    return bool(memory.pages) and memory.question is not None and asks_for_a_secret(memory.question.text)


def loopback(memory: Memory, request: Request) -> bool:
    """The redirect sends the browser to a port of this machine."""
    return memory.judged(request).mode is Mode.LOOPBACK


def paste(memory: Memory, request: Request) -> bool:
    """The page shows a code for the command's prompt."""
    return memory.judged(request).mode is Mode.PASTE


def invited(memory: Memory, _: Event) -> bool:
    """The person has been invited to sign in."""
    return memory.authorization is not None


def given(memory: Memory, _: Event) -> bool:
    """The person has given the command a code."""
    return memory.typed


def denied(_: Memory, delivered: Delivered) -> bool:
    """The provider's answer is an error."""
    return bool(delivered.error)


def failed(memory: Memory, event: Event) -> bool:
    """The command failed, by its exit status or a line with the mark of failure."""
    return bool(memory.failure) or (isinstance(event, Exited) and event.status != 0)


def gave_up(memory: Memory, event: Event) -> bool:
    """The command failed after its request and before any answer, and says that its time is over.

    That nobody answered is known without its words. They only tell its patience from another failure.
    """
    unanswered = invited(memory, event) and memory.callback is None and not (memory.typed or memory.announced)
    words = memory.failure or memory.last_words
    return unanswered and failed(memory, event) and bool(_TIME_IS_UP.search(words))


def recognised(memory: Memory, _: Event) -> bool:
    """The output shows that it was a login."""
    return memory.announced or memory.authorization is not None or bool(memory.pages)
