"""What to do when something happens to a login, or how it fails.

The table in ``session`` says which of these applies when. All are pure, and none knows the state.
"""

from __future__ import annotations

from collections.abc import Callable

from hermes_tunnel.errors import Failure, Unsafe
from hermes_tunnel.oauth import failures, no_start
from hermes_tunnel.oauth.authorization import Mode
from hermes_tunnel.oauth.effects import (
    AskPerson,
    CloseListener,
    Conclude,
    DeliverTo,
    Effect,
    Invite,
    Offer,
    Outcome,
    Proof,
    StopAsking,
)
from hermes_tunnel.oauth.memory import Memory, Request
from hermes_tunnel.oauth.said import Begun, Listening, PageShown, Prompt
from hermes_tunnel.oauth.states import Event, Exited, Undelivered
from hermes_tunnel.text import asks_for_a_secret


def nothing(_: Memory, __: Event) -> list[Effect]:
    """There is nothing to do."""
    return []


def end(failure: Callable[[], Failure]) -> Callable[[Memory, Event], Failure]:
    """Fail in the same words, whatever we remember."""
    return lambda _, __: failure()


def not_there(_: Memory, begun: Begun) -> Failure:
    """The program, or its container, was not found."""
    what, *words = begun.words
    if what == "missing":
        return no_start.program_missing(words[0], ", ".join(words[1:]))
    if what == "alias":
        return no_start.no_program(words[0], ":".join(words[1:]))
    return no_start.container_missing(":".join(words))


def never_began(memory: Memory, _: Event) -> Failure:
    """The shell's start-up files took too long."""
    return no_start.never_began(memory.question, memory.lines, doubted=memory.doubted)


def replaced(memory: Memory, _: Event) -> Failure:
    """A start-up file runs something in place of any command."""
    return no_start.replaced(memory.lines)


def something_else_ran(memory: Memory, exited: Exited) -> Failure:
    """It was not our command that ended. If sudo printed several lines, the first has the reason."""
    by_sudo = next((line for line in memory.lines if line.startswith("sudo: ")), "")
    if by_sudo:
        return no_start.sudo_refused(by_sudo)
    return no_start.something_else_ran(exited.status, memory.last_words, memory.lines)


def refuse(memory: Memory, request: Request) -> list[Effect] | Failure:
    """We do not invite the person to it."""
    try:
        memory.judged(request)
    except Unsafe as refusal:
        return refusal
    return []


def invite(memory: Memory, request: Request) -> list[Effect]:
    """It replaces the one before."""
    authorization = memory.judged(request)
    where: list[Effect] = [] if memory.listening is None else [DeliverTo(memory.listening)]
    return [Invite(authorization, again=memory.authorization is not None), *where]


def offer(memory: Memory, shown: PageShown) -> list[Effect]:
    """The person may know the page."""
    return [Offer(shown.url, memory.issuer_of(shown))]


def deliver_there(_: Memory, listening: Listening) -> list[Effect]:
    """The callback goes to that remote port."""
    return [DeliverTo(listening.port)]


def ask_person(_: Memory, prompt: Prompt) -> list[Effect]:
    """We ask the person here."""
    return [AskPerson(prompt.text, asks_for_a_secret(prompt.text))]


def ask_for_code(memory: Memory, prompt: Prompt) -> list[Effect]:
    """We ask the person here. Until a code was given, the answer may be one, whatever the prompt calls it."""
    return [AskPerson(prompt.text, not memory.typed or asks_for_a_secret(prompt.text))]


def stop_asking(_: Memory, __: Event) -> list[Effect]:
    """The line went on: it was not a question, only output that had stalled."""
    return [StopAsking()]


def close_listener(_: Memory, __: Event) -> list[Effect]:
    """We expect nothing more from the browser."""
    return [CloseListener()]


def not_delivered(memory: Memory, failed: Undelivered) -> Failure:
    """The callback did not reach the command."""
    return failures.undelivered(failed, memory.wrapper)


def nobody_came(memory: Memory, _: Event) -> Failure:
    """The browser did not come back in time."""
    return failures.ONLY_CAME[memory.strayed.amiss]() if memory.strayed else failures.nobody_came()


def declined(memory: Memory, _: Event) -> Failure:
    """The provider said no; we repeat its own word for it."""
    return failures.declined(memory.callback.error if memory.callback else "")


def command_failed(memory: Memory, event: Event) -> Failure:
    """The command says that it failed, or its exit status does."""
    status = event.status if isinstance(event, Exited) else 0
    delivered = memory.callback is not None
    return failures.command_failed(status, memory.failure or memory.last_words, delivered=delivered)


def gave_up(memory: Memory, _: Event) -> Failure:
    """The command waited for the person no longer."""
    return failures.gave_up(memory.failure or memory.last_words)


def nothing_recognised(memory: Memory, _: Event) -> Failure:
    """Exit status 0 alone is not a success."""
    return failures.nothing_recognised(memory.last_words)


def conclude(memory: Memory, event: Event) -> list[Effect]:
    """It has succeeded, if its proof is met."""
    ended = isinstance(event, Exited)
    wanted = memory.authorization
    if memory.answered:
        proof = Proof.NEEDLESS if ended else Proof.WANTED
    elif memory.announced and wanted and wanted.mode in (Mode.DEVICE, Mode.EXTERNAL):
        proof = Proof.WANTED
    else:
        proof = Proof.REQUIRED
    outcome = Outcome.LOGGED_IN if wanted or memory.pages else Outcome.IMPORTED
    return [Conclude(outcome, proof, announced=memory.announced, ended=ended)]
