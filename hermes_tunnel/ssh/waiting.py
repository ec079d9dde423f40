"""Waits that can be given up: each checks a few times a second whether it still makes sense."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Meanwhile = Callable[[], object]
"""Called a few times a second during a wait; what it raises ends the wait."""

SLICE = 0.2
"""Seconds between one check and the next. Windows cannot interrupt a longer wait with Ctrl-C."""
TOLD_SECONDS = 5.0
"""Seconds until a person who sees nothing happen is told what is waited for."""


def nothing() -> None:
    """Wait to the end."""


def telling(
    slow: Callable[[], object], meanwhile: Meanwhile = nothing, seconds: float = TOLD_SECONDS
) -> Meanwhile:
    """The same check for one wait, which also says once that it is a long one.

    :param slow: says so
    :param seconds: until then, from now on
    """
    due: float | None = time.monotonic() + seconds

    def check() -> None:
        nonlocal due
        meanwhile()
        if due is not None and time.monotonic() >= due:
            due = None
            slow()

    return check


def pause(seconds: float, meanwhile: Meanwhile) -> None:
    """Wait this long."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        meanwhile()
        time.sleep(min(left, SLICE))


def beside(work: Callable[[], T], name: str, meanwhile: Meanwhile) -> T:
    """The result of work that cannot be given up: a thread does it, and is left to itself if we give up.

    :param name: of the thread
    :raises Exception: what the work raised
    """
    results: list[T] = []
    problems: list[Exception] = []

    def worked() -> None:
        try:
            results.append(work())
        except Exception as problem:
            problems.append(problem)

    thread = threading.Thread(target=worked, name=name, daemon=True)
    thread.start()
    while thread.is_alive():
        meanwhile()
        thread.join(SLICE)
    if problems:
        raise problems.pop()
    return results.pop()
