"""What every test can ask for: that nothing of it is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psutil
import pytest


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """After the test there is no thread, socket or child that was not there before."""
    process = psutil.Process()
    threads, sockets = set(threading.enumerate()), set(process.net_connections())
    children = set(process.children(recursive=True))
    yield
    for thread in set(threading.enumerate()) - threads:
        thread.join(2)
    assert not [thread for thread in set(threading.enumerate()) - threads if thread.is_alive()]
    assert {one for one in process.net_connections() if one.fd != -1} <= sockets
    assert set(process.children(recursive=True)) <= children
