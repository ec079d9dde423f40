"""A program that runs here beside us: what it says on its standard error, and its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from hermes_tunnel.ssh.waiting import SLICE, TOLD_SECONDS, Meanwhile, nothing, telling
from hermes_tunnel.text import plain

if TYPE_CHECKING:
    import psutil

_CHUNK, _LONGEST_LINE, _KEPT_LINES, _KEPT_BYTES = 1 << 16, 1 << 12, 100, 1 << 16
_END_SECONDS = 0.2
_LONGEST_COMMAND = 200

OWN_GROUP = os.name == "posix"
"""Whether a program can have a process group of its own; without one, its children are looked for."""


def unheard(_: object) -> None:
    """Nobody is told."""


class Words(threading.Thread):
    """What a program writes to its standard error, line by line.

    The thread ends when the program and all that it started have ended, or have closed it.

    :param process: started with a pipe for it, which becomes ours
    :param said: called in this thread with each line, as it came
    :param name: of the thread
    """

    def __init__(self, process: subprocess.Popen[bytes], said: Callable[[str], object], *, name: str) -> None:
        super().__init__(name=name, daemon=True)
        if process.stderr is None:
            raise ValueError("its standard error is not a pipe")
        self._pipe, process.stderr = process.stderr, None
        self._said = said
        self._line = bytearray()
        self.begin = bytearray()
        """What it wrote first, as it came."""
        self.lines: list[str] = []
        """The last lines, scrubbed, without those that say nothing."""
        self.start()

    def run(self) -> None:
        """Read to the end."""
        with self._pipe, suppress(OSError):
            while data := os.read(self._pipe.fileno(), _CHUNK):
                self.begin += data[: max(0, _KEPT_BYTES - len(self.begin))]
                *whole, rest = data.split(b"\n")
                for each in whole:
                    self._add(each)
                    self._end_line()
                self._add(rest)
            self._end_line()

    def _add(self, data: bytes) -> None:
        self._line += data[: max(0, _LONGEST_LINE - len(self._line))]

    def _end_line(self) -> None:
        line = self._line.decode(errors="replace")
        self._line.clear()
        if shown := plain(line).strip():
            self.lines = [*self.lines[1 - _KEPT_LINES :], shown]
            self._said(line)


def run(
    words: Sequence[str],
    meanwhile: Meanwhile = nothing,
    *,
    seconds: float,
    quiet: bool = True,
    said: Callable[[str], object] = unheard,
    slow: Callable[[int], object] = unheard,
    patience: float = TOLD_SECONDS,
    own_group: bool = OWN_GROUP,
) -> subprocess.CompletedProcess[bytes]:
    """Run a program to its end, without input; gives what it prints.

    :param seconds: how long it may take
    :param quiet: whether it has no terminal, and its errors are captured too
    :param said: told a few times a second each line of these errors, as it came
    :param slow: told the process, once, if it takes long
    :param patience: how many seconds that is
    :param own_group: whether it can have a process group
    :raises OSError: it cannot be run
    :raises TimeoutError: it took longer, and was ended with all that it started
    """
    until = time.monotonic() + seconds
    lines: deque[str] = deque()
    with subprocess.Popen(
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if quiet else None,
        start_new_session=quiet and own_group,
    ) as process:
        # What it leaves behind may keep this pipe open; so its end is not waited for.
        errors = Words(process, lines.append, name="errors") if quiet else None

        def check() -> None:
            meanwhile()
            while lines:
                said(lines.popleft())
            if time.monotonic() >= until:
                raise TimeoutError

        try:
            output = _output(process, telling(lambda: slow(process.pid), check, patience))
        except BaseException:
            end(process, None if quiet and own_group else started_by(process))
            raise
        if errors:
            errors.join(_END_SECONDS)
    said_first = bytes(errors.begin) if errors else b""
    return subprocess.CompletedProcess(words, process.returncode, output, said_first)


def _output(process: subprocess.Popen[bytes], meanwhile: Meanwhile) -> bytes:
    while True:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=SLICE)[0]
        meanwhile()


def what_runs(pid: int) -> str:
    """The command that a program has started and now waits for; empty if there is none, or none is seen."""
    import psutil  # takes 40 ms, and is rarely needed

    with suppress(psutil.Error, OSError):
        for started in psutil.Process(pid).children():
            if words := started.cmdline():
                shell_s = len(words) == 3 and words[1].lower() in ("-c", "/c")
                return plain(words[2] if shell_s else " ".join(words))[:_LONGEST_COMMAND]
    return ""


def started_by(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A program's children and theirs; not those with a session of their own, which are meant to live on."""
    import psutil

    with suppress(psutil.Error, OSError):
        session = _session_of(process.pid)
        found = psutil.Process(process.pid).children(recursive=True)
        return [each for each in found if _session_of(each.pid) == session]
    return []


def end(
    process: subprocess.Popen[bytes],
    started: Sequence[psutil.Process] | None,
    seconds: float = _END_SECONDS,
) -> None:
    """End a program and all that it has started: first with SIGTERM, and then with SIGKILL.

    :param started: what that is; None if it leads a process group
    :param seconds: how long it has after the first signal
    """
    others = started or ()
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with suppress(OSError):  # it has already ended
            if sys.platform != "win32" and started is None:
                os.killpg(process.pid, number)
            else:
                process.send_signal(number)
        for each in others:
            _send(each, number)
        until = time.monotonic() + seconds
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        if others:
            import psutil

            psutil.wait_procs(others, max(0.0, until - time.monotonic()))
    process.wait()


def _session_of(pid: int) -> int | None:
    if sys.platform != "win32":
        with suppress(OSError):
            return os.getsid(pid)
    return None


def _send(process: psutil.Process, number: int) -> None:
    import psutil

    with suppress(psutil.Error, OSError):
        process.send_signal(number)
