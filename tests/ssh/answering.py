"""Answers a connection's questions from a list, and remembers what was asked and told."""

from __future__ import annotations

from collections.abc import Callable

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.person import Person


class Answering:
    """Gives one answer after another; once none is left, nobody is there.

    :param answers: None for a question that nobody answers
    """

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.questions: list[Question] = []
        self.events: list[events.Event] = []
        self.secrets: set[str] = set()

    @property
    def person(self) -> Person:
        """The person, as the connection knows them."""
        return Person(self.ask, self.events.append, lambda: True, self.secrets.add)

    @property
    def asked(self) -> list[tuple[str, bool]]:
        """Each question as it stands on the screen, and whether its answer is hidden."""
        whose = [f"({each.whose}) " if each.whose else "" for each in self.questions]
        return [(name + each.text, each.hidden) for name, each in zip(whose, self.questions, strict=True)]

    @property
    def told(self) -> list[str]:
        """What is told without -v: our own sentences, and a server's lines behind its name."""
        lines = []
        for event in self.events:
            if isinstance(event, events.Notice) and not event.detail:
                lines.append(event.text)
            elif isinstance(event, events.ServerSaid):
                lines += [f"({event.who}) {line}" for line in event.text.splitlines() if line]
        return lines

    def ask(self, question: Question, wanted: Callable[[], bool]) -> str | None:
        """The next answer."""
        self.questions.append(question)
        return self.answers.pop(0) if self.answers else None
