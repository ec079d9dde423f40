"""Where everything that happens is put, by any thread, for the one thread that decides."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field

from hermes_tunnel.errors import Failure
from hermes_tunnel.oauth.states import Delivered, Exited, NobodyPasted, Strayed, Undelivered
from hermes_tunnel.remote.command import Output

_CATCH_UP_SECONDS = 1.0
_HOLD_SECONDS = 15.0  # a listener answers at once; else the command goes on for another reason


@dataclass(frozen=True)
class Answer:
    """What the person said to a prompt; None if there is nobody to say anything, or it was given up.

    :param to: the number of the prompt
    """

    text: str | None = field(repr=False)
    to: int


@dataclass(frozen=True)
class Opened:
    """Whether the person's browser could be started, and why not, if there is something to be said."""

    opened: bool
    reason: str = ""


Word = Output | Exited | Failure
"""What comes from the running command: its output, its end, the loss of its connection."""
News = Delivered | Undelivered | Strayed | NobodyPasted
"""What comes from the browser, or from the person in its place."""
Item = Word | News | Answer | Opened


class Mailbox:
    """What happened, in an order that makes sense.

    A callback makes the command go on, and it may be faster than the news of the callback. So from the
    moment that a request is sent, what the command says waits for what became of the request.
    """

    def __init__(self) -> None:
        # No SimpleQueue: after a signal that comes late, as when the program was stopped, it waits for ever.
        self._items: queue.Queue[Item | threading.Event] = queue.Queue()
        self._held: list[Word] = []
        self._held_until = 0.0
        self._lock = threading.Lock()

    def put(self, item: Item) -> None:
        """Something happened; what became of a request lets go what waited for it."""
        with self._lock:
            self._items.put(item)
            if isinstance(item, Delivered | Undelivered):
                self._let_go()

    def hear(self, word: Word) -> None:
        """The command said something, or ended."""
        with self._lock:
            if time.monotonic() < self._held_until:
                self._held.append(word)
            else:
                self._let_go()
                self._items.put(word)

    def before_request(self) -> None:
        """A request is about to be sent to the command: ``put`` will say what becomes of it.

        What was said so far is read before, if that does not take long: it may say where the request has
        to go.
        """
        read_so_far = threading.Event()
        with self._lock:
            self._let_go()
            self._items.put(read_so_far)
        read_so_far.wait(_CATCH_UP_SECONDS)
        with self._lock:
            self._held_until = time.monotonic() + _HOLD_SECONDS

    def hear_on(self) -> None:
        """What the command says counts at once, until the next ``before_request``."""
        with self._lock:
            self._let_go()

    @property
    def request_under_way(self) -> bool:
        """Whether it is not known yet what became of a request."""
        return time.monotonic() < self._held_until

    def get(self, seconds: float) -> Item | None:
        """The next thing that happened; None if nothing does in that time."""
        until = time.monotonic() + seconds
        while True:
            try:
                item = self._items.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                with self._lock:
                    if not self.request_under_way:
                        self._let_go()
                return None
            if not isinstance(item, threading.Event):
                return item
            item.set()

    def _let_go(self) -> None:
        self._held_until = 0.0
        held, self._held = self._held, []
        for word in held:
            self._items.put(word)
