"""After every test of the demo: no thread and no socket of it is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Compare threads and sockets before and after the test."""
    process = psutil.Process()
    threads, sockets = set(threading.enumerate()), set(process.net_connections())
    yield
    left = set(threading.enumerate()) - threads
    for thread in left:
        thread.join(1)
    assert not [thread for thread in left if thread.is_alive()]
    assert {one for one in process.net_connections() if one.fd != -1} <= sockets
