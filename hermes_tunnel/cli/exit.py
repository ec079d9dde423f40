"""How a run ends: by itself, by a failure, by a signal, or by a fault of ours.

A signal becomes ``Ended``, raised in the main thread, so that everything that is open unwinds as it does
after a failure. A second one ends at once.
"""

from __future__ import annotations

import _thread
import os
import shutil
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import click

from hermes_tunnel.errors import Ended, ExitStatus, Failure
from hermes_tunnel.terminal.mode import columns_of, give_back, in_foreground
from hermes_tunnel.text import folded, plain, redact

_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")  # those that the system has


class Endings:
    """Turns signals, and faults in other threads, into an orderly end; a context manager."""

    def __init__(self) -> None:
        self.fault: BaseException | None = None
        self.directory: Path | None = None
        """What not even a second signal may leave behind: the demo has a key in there."""
        self._signalled = False
        self._over = False
        self._before: dict[int, Any] = {}
        self._terminal: list[Any] | None = None

    def __enter__(self) -> Endings:
        self._terminal = _terminal_mode()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # One that is ignored on purpose (nohup) stays so.
            if number is not None and signal.getsignal(number) != signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._on_signal)
        threading.excepthook = self._on_fault
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over = True
        threading.excepthook = threading.__excepthook__
        for number, handler in self._before.items():
            # After one there is nothing left to end: a second must not take the status from the first.
            signal.signal(number, signal.SIG_IGN if self._signalled else handler)

    def _on_signal(self, number: int, _: FrameType | None) -> None:
        if self._signalled or self._over:
            give_back()
            _restore(self._terminal)
            if self.directory is not None:
                shutil.rmtree(self.directory, ignore_errors=True)
            os._exit(128 + number)
        self._signalled = True
        raise Ended(number)

    def _on_fault(self, arguments: threading.ExceptHookArgs) -> None:
        if self.fault is None:
            self.fault = arguments.exc_value
            _thread.interrupt_main()


def exit_status_of(run: Callable[[], int], endings: Endings) -> int:
    """Run, and say in words what ended it if it did not end well."""
    try:
        status = run()
    except Failure as failure:
        show_failure(failure)
        status = int(failure.status)
    except Ended as ended:
        status = 128 + ended.number
    except (KeyboardInterrupt, click.Abort):
        status = 128 + signal.SIGINT
    except Exception as fault:  # the outermost layer: a fault of ours, told without its values
        endings.fault = fault
        status = ExitStatus.INTERNAL
    if endings.fault is not None:
        _show_fault(endings.fault)
        return ExitStatus.INTERNAL
    return status


def show_failure(failure: Failure) -> None:
    """The two lines of a failure, scrubbed; the first is folded in a window, and the second can be pasted."""
    message = f"hermes-tunnel: error: {redact(plain(failure.message))}"
    columns = columns_of(sys.stderr) if sys.stderr is not None else 0
    for line in folded(message, columns):
        click.echo(line, err=True)
    if failure.hint:
        click.echo(f"hermes-tunnel: hint: {redact(plain(failure.hint))}", err=True)


def _show_fault(fault: BaseException) -> None:
    """Where it happened and its kind; not its message, which may quote what is secret."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    click.echo(
        f"hermes-tunnel: error: a fault of this program: {type(fault).__name__}{plain(where)}", err=True
    )
    click.echo("hermes-tunnel: hint: please report it with that line and what you typed", err=True)


def _terminal_mode() -> list[Any] | None:
    try:
        import termios

        return termios.tcgetattr(sys.stdin.fileno())
    except (ImportError, OSError, ValueError, AttributeError, termios.error):
        return None


def _restore(mode: list[Any] | None) -> None:
    """Not in the background: there the terminal is the shell's, and touching it would stop us (SIGTTOU)."""
    if mode is not None and in_foreground(sys.stdin.fileno()):
        import termios

        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, mode)
