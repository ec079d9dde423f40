"""A signal that comes while the main thread waits, and whose handler outlasts the wait."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def interrupted(rescue: Callable[[], object]) -> Iterator[None]:
    """As if the program were stopped and continued: what waits within has to end in time.

    :param rescue: ends a wait that does not, so that the test can end
    """
    if sys.platform == "win32":
        pytest.skip("needs a signal of POSIX")
    started = time.monotonic()
    before = signal.signal(signal.SIGUSR1, lambda *_: threading.Event().wait(0.4))
    late = threading.Timer(5, rescue)
    soon = threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGUSR1])
    late.start()
    soon.start()
    try:
        yield
        assert time.monotonic() - started < 4
    finally:
        late.cancel()
        soon.join()
        late.join()
        signal.signal(signal.SIGUSR1, before)
