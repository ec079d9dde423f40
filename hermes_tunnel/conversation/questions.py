"""The questions to the person: one at a time, and each ends with what it is about.

The answer comes as an item, so nothing blocks on it. A question that is withdrawn leaves the screen, and a
late answer to it does nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console

Then = Callable[["str | None"], object]
"""Called with the answer; None if nobody gave one."""


@dataclass(frozen=True)
class Answer:
    """A line that the person typed; None at the end of the input.

    :param to: the question or offer that it answers
    """

    text: str | None = field(repr=False)
    to: Asked


@dataclass(frozen=True)
class Again:
    """The program was stopped and resumed: the question has to be shown again."""


@dataclass(eq=False)
class Asked:
    """A question that is on the screen or in the queue.

    :param question: None for a standing offer to take what is pasted
    :param needed: for an offer, whether the login cannot go on without it
    """

    question: Question | None
    then: Then = field(repr=False)
    needed: bool = False


class Questions:
    """Asks one question after another; between them stands the offer to take what is pasted.

    :param mailbox: gets the answers
    """

    def __init__(self, console: Console, mailbox: Mailbox) -> None:
        self._console = console
        self._mailbox = mailbox
        self._waiting: list[Asked] = []
        self._offer: Asked | None = None
        self._stands: Asked | None = None

    def ask(self, question: Question, then: Then) -> Asked:
        """Queue a question.

        :param then: called with the answer, unless the question is withdrawn first
        """
        asked = Asked(question, then)
        self._waiting.append(asked)
        self._stand()
        return asked

    def offer(self, then: Then, *, needed: bool) -> None:
        """Take hidden lines whenever no question stands, until ``withdraw_offer``."""
        self._offer = Asked(None, then, needed)
        self._stand()

    def withdraw(self, asked: Asked) -> None:
        """Drop a question that has become pointless."""
        self._waiting = [one for one in self._waiting if one is not asked]
        self._stand()

    def withdraw_offer(self) -> None:
        """Take nothing more that is pasted."""
        self._offer = None
        self._stand()

    def withdraw_all(self) -> None:
        """Drop every question and the offer."""
        self._waiting, self._offer = [], None
        self._stand()

    def answered(self, answer: Answer) -> None:
        """Pass an answer on; one that comes too late does nothing."""
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
        """Put the first question on the screen, or else the offer."""
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
