"""Steps that run alongside everything else: each goes on when what it waits for arrives."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.conversation.questions import Asked, Questions
from hermes_tunnel.conversation.work import Running
from hermes_tunnel.question import Question
from hermes_tunnel.steps import Pause, Steps, Work


@dataclass(frozen=True)
class Done:
    """Some work has ended.

    :param then: called with the work, which has the result
    """

    work: Running
    then: Callable[[Running], object]


@dataclass(eq=False)
class Task:
    """Steps in progress, and what they are waiting for."""

    steps: Generator[Any, Any, object] = field(repr=False)
    asked: Asked | None = None
    working: Running | None = None
    over: bool = False


class Tasks:
    """Everything in progress.

    :param questions: asks the steps' questions
    :param mailbox: gets the results of their work
    """

    def __init__(self, questions: Questions, mailbox: Mailbox) -> None:
        self._questions = questions
        self._mailbox = mailbox
        self._tasks: list[Task] = []
        self._timers: list[tuple[float, int, Task]] = []
        self._numbers = count()

    def begin(self, steps: Steps[object]) -> Task:
        """Run steps up to the first that has to wait. What they raise comes out of here, and later out of
        whatever resumes them.
        """
        task = Task(steps)
        self._tasks.append(task)
        self._go_on(task, partial(steps.send, None))
        return task

    def drop(self, task: Task) -> None:
        """Abandon steps whose reason has gone: withdraw their question and let them unwind."""
        if task.over:
            return
        self._forget(task)
        self._timers = [one for one in self._timers if one[2] is not task]
        if task.asked is not None:
            self._questions.withdraw(task.asked)
        if task.working is not None:
            task.working.abandon()
        task.steps.close()

    def drop_all(self) -> None:
        """Abandon everything."""
        for task in list(self._tasks):
            self.drop(task)

    def work(self, work: Work[Any], then: Callable[[Running], object]) -> Running:
        """Start some work; whoever takes ``Done`` out of the mailbox calls ``then``."""
        running = Running(work, lambda done: self._mailbox.put(Done(done, then)))
        running.start()
        return running

    @property
    def due(self) -> float | None:
        """When the next pause ends, by the monotonic clock."""
        return self._timers[0][0] if self._timers else None

    def resume(self) -> None:
        """Resume the steps whose pause is over."""
        while self._timers and self._timers[0][0] <= time.monotonic():
            _, _, task = heapq.heappop(self._timers)
            self._go_on(task, partial(task.steps.send, None))

    def _go_on(self, task: Task, step: Callable[[], object]) -> None:
        task.asked = task.working = None
        try:
            wanted = step()
        except StopIteration:
            self._forget(task)
        except BaseException:
            self._forget(task)
            raise
        else:
            self._wait_for(task, wanted)

    def _forget(self, task: Task) -> None:
        task.over = True
        self._tasks.remove(task)

    def _wait_for(self, task: Task, wanted: object) -> None:
        if isinstance(wanted, Question):
            task.asked = self._questions.ask(
                wanted, lambda text: self._go_on(task, partial(task.steps.send, text))
            )
        elif isinstance(wanted, Pause):
            heapq.heappush(self._timers, (time.monotonic() + wanted.seconds, next(self._numbers), task))
        elif isinstance(wanted, Work):
            task.working = self.work(wanted, partial(self._on_work_done, task))

    def _on_work_done(self, task: Task, work: Running) -> None:
        if task.over:
            return
        try:
            value = work.result()
        except BaseException as problem:
            self._go_on(task, partial(task.steps.throw, problem))
        else:
            self._go_on(task, partial(task.steps.send, value))
