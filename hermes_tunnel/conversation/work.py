"""Work in a thread of its own, and an answer that such a thread can wait for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, Generic, TypeVar

from hermes_tunnel.steps import Work

T = TypeVar("T")
LOOK_SECONDS = 0.2  # how often a waiting thread checks whether the answer still matters


class _State(Enum):
    RUNS = auto()
    ENDED = auto()
    ABANDONED = auto()


class Running(threading.Thread):
    """Work in progress.

    :param done: called in that thread when it has ended
    """

    def __init__(self, work: Work[Any], done: Callable[[Running], object]) -> None:
        super().__init__(name="work", daemon=True)
        self._work = work
        self._done = done
        self._value: Any = None
        self._problem: BaseException | None = None
        self._lock = threading.Lock()
        self._state = _State.RUNS

    def run(self) -> None:
        """Do the work and report that it is done."""
        try:
            self._value = self._work.function()
        except BaseException as problem:  # raised again by ``result``
            self._problem = problem
        with self._lock:
            abandoned, self._state = self._state is _State.ABANDONED, _State.ENDED
        if abandoned:
            self._undo()
        else:
            self._done(self)

    def abandon(self) -> None:
        """Give up on the result; whatever the work opened is closed again."""
        with self._lock:
            ended, self._state = self._state is _State.ENDED, _State.ABANDONED
        if ended:
            self._undo()

    def _undo(self) -> None:
        if self._problem is None:
            self._work.undo(self._value)

    def result(self) -> Any:
        """The result; raises what the work raised."""
        if self._problem is not None:
            raise self._problem
        return self._value


class Reply(Generic[T]):
    """An answer that another thread waits for."""

    def __init__(self) -> None:
        self._given = threading.Event()
        self._answer: T | None = None

    def give(self, answer: T | None) -> None:
        """Give the answer and let the other thread go on."""
        self._answer = answer
        self._given.set()

    def wait(self, wanted: Callable[[], bool]) -> T | None:
        """Wait for the answer; None once it is no longer wanted."""
        while not self._given.wait(LOOK_SECONDS):
            if not wanted():
                return None
        return self._answer
