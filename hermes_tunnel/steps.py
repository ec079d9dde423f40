"""Work that goes step by step beside everything else: what it waits for is yielded, never waited for.

A generator of ``Step``s reads from top to bottom like any function. Whoever drives it (the decider) sends
the answer to a question or the result of the work back in, and closes it when what it is about has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from hermes_tunnel.question import Question

T = TypeVar("T")


@dataclass(frozen=True)
class Work(Generic[T]):
    """Something that takes its time: it is called in a thread of its own.

    :param undo: closes what it has opened, where nobody wants that any more
    """

    function: Callable[[], T]
    undo: Callable[[T], object] = lambda _: None


@dataclass(frozen=True)
class Pause:
    """Nothing to do for so many seconds."""

    seconds: float


Step: TypeAlias = "Question | Work[Any] | Pause"
Steps: TypeAlias = Generator[Step, Any, T]


def ask(question: Question) -> Steps[str | None]:
    """The person's answer; None where nobody gives one."""
    answer: str | None = yield question
    return answer


def work(function: Callable[[], T], undo: Callable[[T], object] = lambda _: None) -> Steps[T]:
    """The result of a function that may take its time; what it raises is raised here."""
    result: T = yield Work(function, undo)
    return result
