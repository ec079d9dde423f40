"""Waits that can be given up, and programs that run meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.ssh.waiting import beside, nothing, pause, run
from tests.ports.holding import posix
from tests.terminal.pseudo_terminal import until

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


@pytest.mark.slow
def test_what_a_program_prints() -> None:
    """Output, errors and status come back, even if there is a lot of output or it takes its time."""
    code = "import sys, time; time.sleep(0.5); print('x' * 200_000); sys.stderr.write('no'); sys.exit(3)"
    done = run([sys.executable, "-c", code], seconds=30)
    assert (len(done.stdout.rstrip()), done.stderr, done.returncode) == (200_000, b"no", 3)
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], seconds=1)


@pytest.mark.slow
@posix
@pytest.mark.parametrize("why", ["time", "given up"])
def test_a_program_is_ended_with_all_that_it_started(tmp_path: Path, why: str) -> None:
    """It ends when its time is up or nobody waits, even if its child ignores SIGTERM and holds the output."""
    pids = tmp_path / "pids"
    child = f"trap : TERM; echo $$ >>{pids}; while :; do sleep 0.1; done"
    line = f"sh -c '{child}' & echo $$ >>{pids}; wait"
    begin = time.monotonic()
    if why == "time":
        with pytest.raises(TimeoutError):
            run(["sh", "-c", line], seconds=0.5)
    else:
        with pytest.raises(GivenUpError):
            run(["sh", "-c", line], after(0.5), seconds=30)
    assert time.monotonic() - begin < 2
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    until(lambda: not any(map(psutil.pid_exists, started)))
