"""Waits that can be given up: each checks a few times a second whether it still makes sense."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")
Meanwhile = Callable[[], object]
"""Called a few times a second during a wait; what it raises ends the wait."""

SLICE = 0.2
"""Seconds between one check and the next. Windows cannot interrupt a longer wait with Ctrl-C."""
_END_SECONDS = 0.2


def nothing() -> None:
    """Wait to the end."""


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


def run(
    words: Sequence[str], meanwhile: Meanwhile = nothing, *, seconds: float, quiet: bool = True
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, without input; gives what it prints.

    :param seconds: how long it may take
    :param quiet: whether it has no terminal, its errors are captured too, and what it started ends with it
    :raises OSError: it cannot be run
    :raises TimeoutError: it took longer, and was ended
    """
    until = time.monotonic() + seconds
    alone = quiet and os.name == "posix"
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        start_new_session=alone,
    ) as process:
        try:
            output, errors = _communicated(process, until, meanwhile)
        except BaseException:
            _end(process, group=alone)
            raise
    return subprocess.CompletedProcess(words, process.returncode, output, errors)


def _communicated(
    process: subprocess.Popen[bytes], until: float, meanwhile: Meanwhile
) -> tuple[bytes, bytes]:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=SLICE)
        meanwhile()
        if time.monotonic() >= until:
            raise TimeoutError


def _end(process: subprocess.Popen[bytes], *, group: bool) -> None:
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with suppress(OSError):  # it has already ended
            if sys.platform != "win32" and group:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
