"""Whatever ends or stops a program that has set the terminal's mode, it gives the terminal back."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.terminal.pseudo_terminal import until

if sys.platform == "win32" or shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.lab.terminal import Terminal

pytestmark = pytest.mark.slow

WAYS = ["hidden", "shown", "offered", "answered", "given up", "nothing"]
AS_USUAL, SILENCED = "sane", "-echo -icanon"


@contextmanager
def asking(way: str, before: str) -> Iterator[tuple[Terminal, list[object]]]:
    """A program that asks in this way, and the terminal's mode before that.

    :param before: what stty(1) made of the terminal
    """
    words = ["sh", "-c", f'stty {before}; echo Set.; read -r _; exec "$@"', "sh", sys.executable]
    with Terminal([*words, "-m", "tests.terminal.asking", way], cwd=Path.cwd()) as terminal:
        terminal.expect("Set.")
        modes = terminal.modes
        terminal.send("\n")
        terminal.expect("Ready.")
        if way == "answered":
            terminal.send("secret\n")
            terminal.expect("Answered.")
        yield terminal, modes


@pytest.mark.parametrize("before", [AS_USUAL, SILENCED])
@pytest.mark.parametrize("way", WAYS)
def test_ctrl_backslash_gives_the_terminal_back(way: str, before: str) -> None:
    """It does so whatever is asked and whatever the mode was, then ends the program as it would any other."""
    with asking(way, before) as (terminal, modes):
        terminal.send("\x1c")
        assert terminal.wait() == -signal.SIGQUIT
        assert terminal.modes == modes


@pytest.mark.parametrize("way", ["hidden", "offered"])
def test_so_does_the_signal_from_elsewhere(way: str) -> None:
    """SIGQUIT sent by kill(1) does the same."""
    with asking(way, AS_USUAL) as (terminal, modes):
        assert not terminal.echoes
        terminal.process.send_signal(signal.SIGQUIT)
        assert terminal.wait() == -signal.SIGQUIT
        assert terminal.modes == modes


def test_ctrl_backslash_gives_the_terminal_back_even_if_the_main_thread_is_busy() -> None:
    """That thread ends the program once it hears of it; the person has the echo back at once, for good."""
    with asking("busy", AS_USUAL) as (terminal, modes):
        assert not terminal.echoes
        terminal.send("\x1c")
        until(lambda: terminal.modes == modes)
        assert terminal.process.poll() is None


@pytest.mark.parametrize("way", ["nothing", "given up"])
def test_where_nothing_is_asked_the_signal_is_as_it_was(way: str) -> None:
    """No handler stands in its way, so that it ends even a program that hangs."""
    with asking(way, AS_USUAL) as (terminal, _):
        assert not caught(terminal.process.pid, signal.SIGQUIT)
    with asking("hidden", AS_USUAL) as (terminal, _):
        assert caught(terminal.process.pid, signal.SIGQUIT)


def caught(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal (proc(5))."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        pytest.skip("the system does not tell which signals a process catches")
    mask = next(line for line in status.read_text().splitlines() if line.startswith("SigCgt:"))
    return bool(int(mask.split()[1], 16) >> (number - 1) & 1)
