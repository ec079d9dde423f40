"""Work done step by step alongside everything else: it yields what it needs instead of waiting for it.

A generator of ``Step``s reads from top to bottom like any function. Its driver (the decider) sends in
the answer to a question or the result of the work, and closes the generator when its subject has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from hermes_tunnel.question import Question

T = TypeVar("T")


@dataclass(frozen=True)
class Work(Generic[T]):
    """A function that may take its time; it runs in its own thread.

    :param undo: closes what the function opened, if nobody wants that any more
    """

    function: Callable[[], T]
    undo: Callable[[T], object] = lambda _: None


@dataclass(frozen=True)
class Pause:
    """Nothing to do for this many seconds."""

    seconds: float


Step: TypeAlias = "Question | Work[Any] | Pause"
Steps: TypeAlias = Generator[Step, Any, T]


def ask(question: Question) -> Steps[str | None]:
    """The person's answer; None if nobody gives one."""
    answer: str | None = yield question
    return answer


def work(function: Callable[[], T], undo: Callable[[T], object] = lambda _: None) -> Steps[T]:
    """The result of a function that may take its time; whatever it raises is raised here."""
    result: T = yield Work(function, undo)
    return result
