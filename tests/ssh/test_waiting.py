"""Waits that can be given up, and that are told of."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from hermes_tunnel.ssh.waiting import beside, nothing, pause, telling

pytestmark = pytest.mark.usefixtures("nothing_left")


class GivenUpError(Exception):
    """What ends a wait."""


def after(seconds: float) -> Callable[[], None]:
    """Give a wait up after this long."""
    begin = time.monotonic()

    def meanwhile() -> None:
        if time.monotonic() - begin >= seconds:
            raise GivenUpError

    return meanwhile


def test_a_pause_is_given_up() -> None:
    """A pause lasts as long as it should, or until it makes no more sense."""
    begin = time.monotonic()
    pause(0.3, nothing)
    assert 0.3 <= time.monotonic() - begin < 1
    with pytest.raises(GivenUpError):
        pause(30, after(0.1))
    assert time.monotonic() - begin < 2


def test_work_in_a_thread() -> None:
    """Its result or its exception comes back; once given up, it is left to itself."""
    assert beside(lambda: 7, "work", nothing) == 7
    with pytest.raises(ZeroDivisionError):
        beside(lambda: 1 // 0, "work", nothing)
    go_on = threading.Event()
    begin = time.monotonic()
    with pytest.raises(GivenUpError):
        beside(lambda: go_on.wait(30), "work", after(0.1))
    assert time.monotonic() - begin < 1
    go_on.set()


def test_a_long_wait_is_told_once() -> None:
    """And not before it is one, nor instead of being given up."""
    told: list[str] = []
    begin = time.monotonic()
    pause(0.1, telling(lambda: told.append("too soon"), seconds=30))
    pause(0.5, telling(lambda: told.append("long"), seconds=0.1))
    assert told == ["long"]
    with pytest.raises(GivenUpError):
        pause(30, telling(lambda: told.append("too late"), after(0.1), 0.1))
    assert time.monotonic() - begin < 3
    assert "too late" not in told
