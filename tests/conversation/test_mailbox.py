"""The mailbox: events come out in order, whoever posts them, and whenever."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from hermes_tunnel.conversation.mailbox import Mailbox
from tests.interrupted import interrupted


def test_what_is_put_comes_out_in_order() -> None:
    """And nothing comes out of an empty mailbox."""
    mailbox = Mailbox()
    assert mailbox.get(0) is None
    for one in range(3):
        mailbox.put(one)
    assert [mailbox.get(0) for _ in range(4)] == [0, 1, 2, None]


def test_a_wait_ends_with_what_is_put() -> None:
    """What another thread puts in ends the wait at once."""
    mailbox = Mailbox()
    threading.Timer(0.1, mailbox.put, ("news",)).start()
    began = time.monotonic()
    assert mailbox.get(5) == "news"
    assert time.monotonic() - began < 2


def put_many(mailbox: Mailbox, name: int) -> None:
    """Five hundred items of one name."""
    for one in range(500):
        mailbox.put((name, one))


def test_many_threads_lose_nothing() -> None:
    """Each thread's own items come out in their order."""
    mailbox = Mailbox()
    threads = [threading.Thread(target=put_many, args=(mailbox, name)) for name in range(8)]
    for thread in threads:
        thread.start()
    got = [mailbox.get(5) for _ in range(8 * 500)]
    for thread in threads:
        thread.join()
    assert mailbox.get(0) is None
    of_one = {name: [one for one in got if isinstance(one, tuple) and one[0] == name] for name in range(8)}
    assert of_one == {name: [(name, each) for each in range(500)] for name in range(8)}


def test_a_signal_s_handler_may_put() -> None:
    """It may while the main thread waits or puts: it takes no lock that the main thread may hold."""
    if sys.platform == "win32":
        pytest.skip("needs a signal of POSIX")
    mailbox = Mailbox()
    before = signal.signal(signal.SIGUSR1, lambda *_: mailbox.put("signal"))
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        assert mailbox.get(5) == "signal"
        for _ in range(200):
            os.kill(os.getpid(), signal.SIGUSR1)
            mailbox.put("ours")
        got = [mailbox.get(5) for _ in range(400)]
        assert sorted(map(str, got)) == ["ours"] * 200 + ["signal"] * 200
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_wait_ends_in_time_even_after_a_signal_that_took_longer() -> None:
    """When a stopped program goes on, it shows the time that is left again."""
    mailbox = Mailbox()
    with interrupted(lambda: mailbox.put("late")):
        assert mailbox.get(0.3) is None
