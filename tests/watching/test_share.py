"""A share of the processor."""

from __future__ import annotations

import time

from hermes_tunnel.watching.share import Share


def spend(seconds: float) -> None:
    """Use this thread's time."""
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass


def test_what_is_used_is_paid_for() -> None:
    """What was saved may be used at once; then there is a pause, as long as it takes to earn the rest."""
    share = Share(0.001)
    assert share.left > 0.4
    assert share.pause == 0
    with share.used():
        spend(0.6)
    assert share.left < 0
    assert 50 < share.pause < 150


def test_another_ones_time_is_not() -> None:
    """A busy machine, or a wait, costs nothing."""
    share = Share(0.1)
    with share.used():
        time.sleep(0.05)
    assert share.left > 0.45


def test_giving_up() -> None:
    """Nothing may be used for a while; giving up again does not make it longer."""
    share = Share(0.001)
    for _ in range(100):
        share.give_up(0.05)
    assert 40 < share.pause <= 50
