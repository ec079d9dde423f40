"""The thread that decides: nothing keeps it from hearing that the run is over."""

from __future__ import annotations

import io
import threading
import time

import pytest

from hermes_tunnel.conversation.decider import Decider, Signalled
from hermes_tunnel.errors import Stopped
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard

pytestmark = pytest.mark.usefixtures("nothing_left")


@pytest.mark.slow
def test_work_that_does_not_give_up_is_not_waited_for() -> None:
    """A stalling server holds nobody up for more than a moment; what was opened by then is closed."""
    decider = Decider(Console(io.StringIO(), Keyboard(None)), lambda _: None)
    answers, undone = threading.Event(), threading.Event()

    def stalls() -> None:
        decider.mailbox.put(Signalled(2))
        answers.wait(20)

    began = time.monotonic()
    with pytest.raises(Stopped):
        decider.do(stalls, undo=lambda _: undone.set())
    assert time.monotonic() - began < 3
    answers.set()
    assert undone.wait(5)
