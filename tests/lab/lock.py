"""A directory for one process at a time; a lock ends with the process that holds it (flock(2))."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked(directory: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a directory while in the context.

    :param wait: for whoever holds it; BlockingIOError otherwise
    """
    if sys.platform == "win32":
        raise OSError("the lab needs Linux")
    import fcntl

    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)
