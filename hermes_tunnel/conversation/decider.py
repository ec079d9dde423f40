"""The one thread that decides: it takes events out of the mailbox and blocks on nothing else.

Whatever takes time (a person, the network, a lock) is waited for in other threads, which post the result.
So a signal, a lost connection or a fault is heard no matter what the login is waiting for.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from hermes_tunnel import events
from hermes_tunnel.conversation.mailbox import Mailbox
from hermes_tunnel.conversation.news import News
from hermes_tunnel.conversation.questions import Again, Answer, Asked, Questions
from hermes_tunnel.conversation.tasks import Done, Task, Tasks
from hermes_tunnel.conversation.work import LOOK_SECONDS, Reply, Running
from hermes_tunnel.deadlines import Deadline, seconds_of
from hermes_tunnel.errors import Stopped
from hermes_tunnel.question import Question
from hermes_tunnel.steps import Steps, Work
from hermes_tunnel.terminal.console import Console

T = TypeVar("T")

_TICK_SECONDS = 1.0  # how often an open-ended wait wakes up
_AT_ONCE_SECONDS = 0.01  # enough for what is already in the mailbox
UNWIND_SECONDS = 2.0  # how long abandoned work may take to close what it opened


@dataclass(frozen=True)
class Signalled:
    """A signal arrived."""

    number: int


@dataclass(frozen=True)
class Fault:
    """A bug of ours surfaced in some thread."""

    problem: BaseException


@dataclass(frozen=True)
class Told:
    """Another thread reports an event."""

    event: events.Event


@dataclass(frozen=True)
class AskedFor:
    """Another thread has a question, or takes it back."""

    question: Question
    reply: Reply[str]
    wanted: bool = True


class Decider:
    """Handles one item at a time, so that a login can be written from top to bottom.

    ``mailbox`` is where signals, and everything else that happens, are put; ``news`` may hold back from the
    screen what has to come last there.

    :param console: shows events and asks questions
    :param record: is told of each event at once, by this thread alone
    :param seconds_of: how long a deadline is
    """

    def __init__(
        self,
        console: Console,
        record: events.Emit,
        *,
        seconds_of: Callable[[Deadline], float] = seconds_of,
    ) -> None:
        self.console = console
        self.seconds_of = seconds_of
        self.mailbox = Mailbox()
        self.news = News(console)
        self.questions = Questions(console, self.mailbox)
        self.tasks = Tasks(self.questions, self.mailbox)
        self._record = record
        self._asked: dict[Reply[str], Asked] = {}
        self._kept: deque[object] = deque()
        self._ending = threading.Event()

    # -- for the thread that decides -------------------------------------------------------------------

    def next(self, seconds: float) -> object | None:
        """The next item that the caller has to deal with; None if there is none in that time.

        :raises Stopped: a signal came
        :raises Exception: what a task raised, or a bug in any thread
        """
        until = time.monotonic() + seconds
        while not self._kept and (left := until - time.monotonic()) > 0:
            self._step(left)
        return self._kept.popleft() if self._kept else None

    def forget(self) -> None:
        """Drop what has been posted so far."""
        while self.next(_AT_ONCE_SECONDS) is not None:
            pass

    def emit(self, event: events.Event) -> None:
        """Record an event and show it."""
        self.record(event)
        self.news.show(event)

    def record(self, event: events.Event) -> None:
        """Record an event that the person has seen in other words."""
        self._record(event)

    def say(self, text: str) -> None:
        """Tell the person something that they need to know, even with ``-q``."""
        self.emit(events.Notice(text, needed=True))

    def do(self, function: Callable[[], T], *, undo: Callable[[T], object] = lambda _: None) -> T:
        """Run a function in a thread and return its result, or raise what it raises.

        :param undo: closes what the function opened, if the result is no longer wanted
        :raises Stopped: a signal arrived; the work is told (``wanted``) and given a moment to unwind
        """
        result: T = self._done(*self._begun(function, undo))
        return result

    @contextmanager
    def meanwhile(self, function: Callable[[], T], undo: Callable[[T], object]) -> Iterator[Callable[[], T]]:
        """Run a function in a thread beside what is done inside; gives what ``do`` does with it.

        :param undo: closes what the function opened, at the end
        """
        running, done = self._begun(function, undo)
        try:
            yield partial(self._done, running, done)
        finally:
            running.abandon()

    def _begun(self, function: Callable[[], T], undo: Callable[[T], object]) -> tuple[Running, list[object]]:
        done: list[object] = []
        return self.tasks.work(Work(function, undo), done.append), done

    def _done(self, running: Running, done: list[object]) -> Any:
        try:
            while not done:
                self._step(_TICK_SECONDS)
        except BaseException:
            self.end()
            running.abandon()
            running.join(UNWIND_SECONDS)
            raise
        return running.result()

    @contextmanager
    def entered(self, manager: AbstractContextManager[T]) -> Iterator[T]:
        """Enter a context manager in a thread, and leave it here."""
        result = self.do(manager.__enter__, undo=lambda _: _leave(manager))
        try:
            yield result
        finally:
            _leave(manager)

    def answer(self, question: Question, wanted: Callable[[], bool] = lambda: True) -> str | None:
        """Ask the person; None if nobody answers, or once the answer is no longer wanted."""
        given: list[str | None] = []
        asked = self.questions.ask(question, given.append)
        try:
            while not given and wanted():
                self._step(LOOK_SECONDS)
        finally:
            self.questions.withdraw(asked)
        return given[0] if given else None

    def follow(self, steps: Steps[T]) -> T:
        """Run steps to their end and return their result."""
        result: list[T] = []

        def followed() -> Steps[None]:
            result.append((yield from steps))

        task = self.begin(followed())
        try:
            while not result:
                self._step(_TICK_SECONDS)
        finally:
            self.tasks.drop(task)
        return result[0]

    def begin(self, steps: Steps[object]) -> Task:
        """Run steps alongside everything else; what they raise comes out of ``next``."""
        return self.tasks.begin(steps)

    def end(self) -> None:
        """Wind up: withdraw every question and tell the threads that wait for an answer."""
        self._ending.set()
        self.tasks.drop_all()
        self.questions.withdraw_all()
        for reply in self._asked:
            reply.give(None)
        self._asked.clear()

    # -- for other threads -----------------------------------------------------------------------------

    def tell(self, event: events.Event) -> None:
        """Report an event."""
        self.mailbox.put(Told(event))

    def mention(self, text: str) -> None:
        """Tell the person a sentence, unless they want quiet."""
        self.tell(events.Notice(text))

    def wanted(self) -> bool:
        """Whether the work of other threads is still of use."""
        return not self._ending.is_set()

    def ask_for(self, question: Question, wanted: Callable[[], bool] = lambda: True) -> str | None:
        """Ask the person, from a thread that can wait for the answer.

        :param wanted: whether the answer still matters; if not, the question is withdrawn
        """
        reply = Reply[str]()
        self.mailbox.put(AskedFor(question, reply))
        answer = reply.wait(lambda: wanted() and self.wanted())
        self.mailbox.put(AskedFor(question, reply, wanted=False))
        return answer

    # -- what happens ----------------------------------------------------------------------------------

    def _step(self, seconds: float) -> None:
        """Resume what is due and handle the next item; one meant for the caller is kept for ``next``."""
        self.tasks.resume()
        due, now = self.tasks.due, time.monotonic()
        item = self.mailbox.get(seconds if due is None else max(0.0, min(seconds, due - now)))
        if item is not None and not self._handled(item):
            self._kept.append(item)

    def _handled(self, item: object) -> bool:
        match item:
            case Signalled():
                raise Stopped(item.number)
            case Fault():
                raise item.problem
            case Told():
                self.emit(item.event)
            case Again():
                self.console.redraw()
            case Answer():
                self.questions.answered(item)
            case AskedFor():
                self._on_asked_for(item)
            case Done():
                item.then(item.work)
            case _:
                return False
        return True

    def _on_asked_for(self, item: AskedFor) -> None:
        if item.wanted and self.wanted():
            self._asked[item.reply] = self.questions.ask(item.question, partial(self._give, item.reply))
        elif (asked := self._asked.pop(item.reply, None)) is not None:
            self.questions.withdraw(asked)

    def _give(self, reply: Reply[str], answer: str | None) -> None:
        self._asked.pop(reply, None)
        reply.give(answer)


def _leave(manager: AbstractContextManager[Any]) -> None:
    manager.__exit__(None, None, None)
