"""One after the other: an invitation, its end, the next invitation."""

from __future__ import annotations

from collections import deque

from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.tasks import Task
from hermes_tunnel.steps import Steps


class Turns:
    """Steps that wait for one another: each begins once the one before it is over."""

    def __init__(self, decider: Decider) -> None:
        self._decider = decider
        self._due: deque[Steps[None]] = deque()
        self._task: Task | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is under way."""
        return self._task is None or self._task.over

    def add(self, steps: Steps[None]) -> None:
        """Begin with these as soon as it is their turn; a question that stands is withdrawn, for it was about
        what these replace.
        """
        self._due.append(steps)
        if self._task is not None and self._task.asked is not None:
            self._drop()
        if self.over:
            self._task = self._decider.begin(self._in_turn())

    def stop(self) -> None:
        """Give up what is under way and what was to follow."""
        self._due.clear()
        self._drop()

    def _in_turn(self) -> Steps[None]:
        while self._due:
            yield from self._due.popleft()

    def _drop(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            self._decider.tasks.drop(task)
