"""A question for the person: what it asks, who asks it, and whether the answer may be seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question, answered by one line.

    :param text: one line, without the trailing blank
    :param hidden: whether to hide the answer as it is typed
    :param whose: ``user@host`` if a server or a command there asks; ``text`` is then in its words and is
        shown after that name, or behind the remote's margin if it does not fit beside it. Empty: we ask.
    :param said: what the server said first, in its own words; each line is shown behind the remote's margin
    :param above: what the person must know to answer, in our words, one line each
    :param piped: whether the answer may come from a standard input that is not a terminal
    """

    text: str
    hidden: bool = False
    whose: str = ""
    said: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    piped: bool = False


Ask = Callable[[Question, Callable[[], bool]], "str | None"]
"""Asks the person and waits for the answer; None if nobody answers. Takes the question, and a function that
says whether its answer still matters, which may change while the person thinks."""


def yes_or_no(text: str, enter: str = "no", above: tuple[str, ...] = ()) -> Question:
    """A question whose answer is no unless the person says yes.

    :param enter: what Enter does
    :param above: what the person must know first
    """
    return Question(f"{text} (Enter: {enter}) [y/N]", above=above)


def is_yes(answer: str | None) -> bool:
    """Whether the answer to such a question is yes; None (nobody answered) is a no."""
    return (answer or "").strip().lower() in ("y", "yes")
