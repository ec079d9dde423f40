"""Programs that run beside us: what they print, what they say meanwhile, and that none outlives us."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.ssh.child import run, what_runs
from tests.ports.holding import posix
from tests.ssh.test_waiting import GivenUpError, after
from tests.terminal.pseudo_terminal import until

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("nothing_left")]


def test_what_a_program_prints() -> None:
    """Output, errors and status, even if there is a lot, or it takes its time."""
    code = "import sys, time; time.sleep(0.5); print('x' * 200_000); sys.stderr.write('no'); sys.exit(3)"
    done = run([sys.executable, "-c", code], seconds=30)
    assert (len(done.stdout.rstrip()), done.stderr, done.returncode) == (200_000, b"no", 3)
    with pytest.raises(FileNotFoundError):
        run(["/no/such/program"], seconds=1)


@posix
@pytest.mark.parametrize("own_group", [True, False])
@pytest.mark.parametrize("why", ["time", "given up"])
def test_a_program_is_ended_with_all_that_it_started(tmp_path: Path, why: str, own_group: bool) -> None:
    """Also where its child ignores SIGTERM and has the output: when its time is over, or nobody waits.

    Without a process group, as on Windows, what it started is looked for.
    """
    pids = tmp_path / "pids"
    child = f"trap : TERM; echo $$ >>{pids}; while :; do sleep 0.1; done"
    line = f"sh -c '{child}' & echo $$ >>{pids}; wait"
    begin = time.monotonic()
    if why == "time":
        with pytest.raises(TimeoutError):
            run(["sh", "-c", line], seconds=0.5, own_group=own_group)
    else:
        with pytest.raises(GivenUpError):
            run(["sh", "-c", line], after(0.5), seconds=30, own_group=own_group)
    assert time.monotonic() - begin < 3
    started = [int(pid) for pid in pids.read_text().split()]
    assert len(started) == 2
    until(lambda: not any(map(psutil.pid_exists, started)))


@posix
def test_what_a_program_leaves_behind_is_not_waited_for(tmp_path: Path) -> None:
    """A program in the background may keep its standard error: an agent that a Match exec has started."""
    pid = tmp_path / "pid"
    begin = time.monotonic()
    done = run(["sh", "-c", f"sleep 5 >/dev/null & echo $! >{pid}; echo done; echo words >&2"], seconds=30)
    assert (done.stdout, done.stderr) == (b"done\n", b"words\n")
    assert time.monotonic() - begin < 3
    psutil.Process(int(pid.read_text())).kill()


@posix
def test_what_a_long_one_says_and_runs_is_told() -> None:
    """Its lines as they come, and once, when it takes long, which program it is."""
    said: list[str] = []
    runs: list[str] = []
    line = "echo 'touch it' >&2; sleep 1.5; echo 'the end' >&2; true"
    done = run(
        ["sh", "-c", f"sh -c '{line.replace(chr(39), chr(34))}'; true"],
        seconds=30,
        said=said.append,
        slow=lambda pid: runs.append(what_runs(pid)),
        patience=0.5,
    )
    assert said == ["touch it"]
    assert runs == [line.replace("'", '"')]
    assert done.stderr == b"touch it\nthe end\n"
    assert what_runs(2**22 + 1) == ""
