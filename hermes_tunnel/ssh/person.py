"""The person who wants a connection: what they are asked and told, and whether they still want it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hermes_tunnel import events
from hermes_tunnel.question import Ask, Question
from hermes_tunnel.ssh.connection import NotWanted
from hermes_tunnel.ssh.waiting import TOLD_SECONDS, Meanwhile, nothing, telling
from hermes_tunnel.text import asks_for_a_secret, plain

_MOST_LINES, _LONGEST_LINE = 100, 400


@dataclass
class PhaseResult:
    """The outcome of a phase, in words."""

    words: str = ""


@dataclass(frozen=True)
class Person:
    """Whom to ask and tell while a connection is made, from the thread that makes it.

    :param ask: asks, and waits for the answer
    :param emit: is told what happens
    :param wanted: whether the connection is still wanted; every wait checks
    :param secret: is told each answer that must not be shown, before anybody else
    :param present: raises if the server that waits for the person has left
    :param patience: the seconds until they are told what is waited for
    """

    ask: Ask = field(repr=False)
    emit: events.Emit = field(repr=False)
    wanted: Callable[[], bool] = field(repr=False)
    secret: Callable[[str], object] = field(repr=False)
    present: Callable[[], object] = field(repr=False, default=nothing)
    patience: float = TOLD_SECONDS

    def check(self) -> None:
        """Do nothing while the connection is wanted.

        :raises NotWanted: it is no longer wanted
        """
        if not self.wanted():
            raise NotWanted

    def waiting_for(self, what: str) -> Meanwhile:
        """``check``, for one wait: if it is a long one, the person is told, once, what is waited for."""
        return telling(lambda: self.tell(f"Still waiting for {what} ..."), self.check, self.patience)

    def go_on(self) -> None:
        """Do nothing while waiting for the person, or for their agent, makes sense.

        :raises NotWanted: the connection is no longer wanted
        :raises Failure: the server has left
        """
        self.check()
        self.present()

    def answer(self, question: Question) -> str | None:
        """The person's answer; None if nobody gives one.

        :raises NotWanted: the connection is no longer wanted
        :raises Failure: the server has left
        """
        answer = self.ask(question, self.wanted)
        # A server may want its code to be seen as it is typed (RFC 4256 section 3.3), and never again.
        if answer and (question.hidden or (question.whose and asks_for_a_secret(question.text))):
            self.secret(answer)
        self.go_on()
        return answer

    def tell(self, text: str) -> None:
        """Tell the person a sentence."""
        self.emit(events.Notice(text))

    def detail(self, text: str) -> None:
        """Tell the person a sentence that only the curious want to hear."""
        self.emit(events.Notice(text, detail=True))

    def quote(self, who: str, text: str) -> None:
        """Pass on what a server, or the program that leads to it, said; nothing if it said nothing.

        :param text: its words as they came, in lines
        """
        lines = (plain(line)[:_LONGEST_LINE] for line in text.splitlines()[:_MOST_LINES])
        if words := "\n".join(filter(str.strip, lines)):
            self.emit(events.ServerSaid(who, words))

    @contextmanager
    def phase(self, hop: str, name: str, what: str = "") -> Iterator[PhaseResult]:
        """A phase of a hop: it begins and, unless it fails, ends.

        :param what: what is about to be done, in words
        """
        began, outcome = time.monotonic(), PhaseResult()
        self.emit(events.Phase(hop, name, detail=what))
        yield outcome
        self.emit(events.Phase(hop, name, time.monotonic() - began, outcome.words))
