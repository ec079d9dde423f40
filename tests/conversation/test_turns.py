"""Invitations, one after the other."""

from __future__ import annotations

import io

from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.turns import Turns
from hermes_tunnel.steps import Pause, Steps
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard


def noting(name: str, seen: list[str], *, pauses: bool = True) -> Steps[None]:
    """Steps that say when they begin and when they have ended, with or without a moment between."""
    seen.append(f"{name} begins")
    if pauses:
        yield Pause(0)
    seen.append(f"{name} ends")


def test_the_next_begins_once_the_one_before_is_over() -> None:
    """The listener of one invitation is closed before the next one listens on the same port."""
    decider = Decider(Console(io.StringIO(), Keyboard(None)), lambda _: None)
    turns, seen = Turns(decider), list[str]()
    turns.add(noting("first", seen))
    turns.add(noting("second", seen, pauses=False))
    assert seen == ["first begins"]
    assert not turns.over
    decider.next(0.01)
    assert seen == ["first begins", "first ends", "second begins", "second ends"]
    assert turns.over


def test_what_is_given_up_is_followed_by_nothing() -> None:
    """What had its turn is abandoned, and what waited for it never begins."""
    decider = Decider(Console(io.StringIO(), Keyboard(None)), lambda _: None)
    turns, seen = Turns(decider), list[str]()
    turns.add(noting("first", seen))
    turns.add(noting("second", seen))
    turns.stop()
    decider.next(0.01)
    assert seen == ["first begins"]
    assert turns.over
