"""The questions to the person: one stands at a time, and ends with what it is about.

Whoever asks gets the answer as an item, so that nobody waits for it. A question that is withdrawn leaves the
screen, and its late answer does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console

Then = Callable[["str | None"], object]
"""What becomes of an answer; None where nobody gave one."""


@dataclass(frozen=True)
class Answer:
    """A line that the person typed for a question, or for an offer; None at the end of the input.

    :param to: what it answers
    """

    text: str | None = field(repr=False)
    to: Asked


@dataclass(frozen=True)
class Again:
    """The program was stopped and goes on: what stands has to be shown once more."""


@dataclass(eq=False)
class Asked:
    """A question that was put, or is going to be.

    :param question: None for an offer to take what is pasted, which stands until it is withdrawn
    :param needed: of an offer, whether nothing goes on without it
    """

    question: Question | None
    then: Then = field(repr=False)
    needed: bool = False


class Questions:
    """Puts one question after the other, and between them the offer to take what is pasted.

    :param mailbox: gets the answers
    """

    def __init__(self, console: Console, mailbox: Mailbox) -> None:
        self._console = console
        self._mailbox = mailbox
        self._waiting: list[Asked] = []
        self._offer: Asked | None = None
        self._stands: Asked | None = None

    def ask(self, question: Question, then: Then) -> Asked:
        """Put a question, after those that were put before.

        :param then: called with the answer by ``answered``, unless the question was withdrawn
        """
        asked = Asked(question, then)
        self._waiting.append(asked)
        self._stand()
        return asked

    def offer(self, then: Then, *, needed: bool) -> None:
        """Take one hidden line after the other while no question stands, until ``withdraw_offer``."""
        self._offer = Asked(None, then, needed)
        self._stand()

    def withdraw(self, asked: Asked) -> None:
        """The question is pointless now."""
        self._waiting = [one for one in self._waiting if one is not asked]
        self._stand()

    def withdraw_offer(self) -> None:
        """Nothing is to be pasted any more."""
        self._offer = None
        self._stand()

    def withdraw_all(self) -> None:
        """It is all over."""
        self._waiting, self._offer = [], None
        self._stand()

    def answered(self, answer: Answer) -> None:
        """Give an answer to whoever asked; one to what no longer stands does nothing."""
        asked = answer.to
        if asked is not self._stands:
            return
        if asked is self._offer:
            if answer.text is None:
                self._offer = None
        else:
            self._waiting.remove(asked)
        asked.then(answer.text)
        self._stand()

    def _stand(self) -> None:
        """Have on the screen what is to be there: the first question, or else the offer."""
        due = self._waiting[0] if self._waiting else self._offer
        if due is self._stands:
            return
        if self._stands is not None:
            self._console.stop_asking()
        self._stands = due
        if due is None:
            return

        def answered(text: str | None) -> None:
            self._mailbox.put(Answer(text, due))

        if due.question is not None:
            self._console.ask(due.question, answered, self._again)
        else:
            self._console.take_lines(answered, offered=not due.needed, again=self._again)

    def _again(self) -> None:
        self._mailbox.put(Again())
