"""A question to the person: what is asked, who asks, and whether the answer may be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question, answered by one line.

    :param text: one line, without the blank that follows it
    :param hidden: whether the answer must not be seen
    :param whose: ``user@host`` where a server or a command there asks; then ``text`` is its words, and they
        stand after that name, or behind the remote's margin where they do not fit beside it. Empty: we ask.
    :param said: what the server said before it, its own words, each line behind the remote's margin
    :param above: what one has to know to answer it, in our own words, a line each
    :param piped: whether the answer may come from a standard input that is no terminal
    """

    text: str
    hidden: bool = False
    whose: str = ""
    said: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    piped: bool = False


Ask = Callable[[Question, Callable[[], bool]], "str | None"]
"""Asks the person, and waits for the answer: the question, and whether its answer matters still, which may
change while the person thinks; None where nobody answers."""


def yes_or_no(text: str) -> Question:
    """A question whose answer is no unless the person says yes."""
    return Question(f"{text} [y/N]")


def is_yes(answer: str | None) -> bool:
    """Whether the answer to such a question is a yes; None, where nobody answered, is a no."""
    return (answer or "").strip().lower() in ("y", "yes")
