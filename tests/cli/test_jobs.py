"""As a job of a shell: stopped and continued, sent to the background and brought back."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.program import ARGV
from tests.stage.ssh_server import Account
from tests.stage.stage import HOST, USER, Stage
from tests.stage.variations import stays
from tests.terminal.pseudo_terminal import until

if shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.lab.terminal import Terminal

pytestmark = pytest.mark.slow


@contextmanager
def shell() -> Iterator[Terminal]:
    """A shell with job control that leaves the terminal's mode as its jobs leave it."""
    environment = {**os.environ, "TERM": "xterm", "PS1": "shell> ", "ENV": "", "BROWSER": ""}
    with Terminal(["sh", "-i"], cwd=Path.cwd(), env=environment) as terminal:
        terminal.expect("shell> ")
        yield terminal


def run(terminal: Terminal, *words: str, background: bool = False) -> None:
    """Type a command line of ours."""
    terminal.send(shlex.join([*ARGV, *words]) + (" &\n" if background else "\n"))


@contextmanager
def asked_for_a_password(terminal: Terminal, *, background: bool = False) -> Iterator[Stage]:
    """A login at a hidden question; if it starts in the background, it is brought to the foreground."""
    with Stage(login=lambda _: stays(), account=Account(USER, password="open sesame")) as stage:
        options = ["-F", str(stage.config_file), "-o", "PubkeyAuthentication=no"]
        run(terminal, "login", "xai-oauth", HOST, *options, background=background)
        if background:
            until(lambda: is_stopped(terminal))
            terminal.send("fg\n")
        terminal.expect("assword: ")
        until(lambda: not terminal.echoes)
        yield stage


def test_a_hidden_question_gives_the_terminal_back_while_it_is_stopped() -> None:
    """The shell has its echo back; after fg the question is shown again, but not what is typed."""
    with shell() as terminal, asked_for_a_password(terminal):
        terminal.send("\x1a")
        terminal.expect("shell> ")
        assert terminal.echoes
        terminal.send("echo seen\n")
        terminal.expect("^(shell> )?seen")
        terminal.send("fg\n")
        terminal.expect("assword: ")
        until(lambda: not terminal.echoes)
        terminal.send("open sesame\n")
        terminal.expect("Waiting for Hermes there to start")
        assert "open sesame" not in terminal.output
        terminal.send("\x03")
        terminal.expect("shell> ")
        assert terminal.echoes


def test_ctrl_backslash_at_a_hidden_question() -> None:
    """It ends the program as it ends any other, even one that was stopped; the shell has its echo back."""
    with shell() as terminal, asked_for_a_password(terminal):
        terminal.send("\x1a")
        terminal.expect("shell> ")
        terminal.send("ulimit -c 0; fg\n")
        terminal.expect("assword: ")
        until(lambda: not terminal.echoes)
        terminal.send("\x1c")
        terminal.expect("shell> ")
        assert terminal.echoes
        terminal.send("echo en''ded $?\n")
        terminal.expect("^(shell> )?ended 131")


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash edits its lines itself")
def test_a_question_in_the_background_of_a_shell_that_edits_lines() -> None:
    """We do not restore the mode in which such a shell waits for a command."""
    environment = {**os.environ, "TERM": "xterm", "PS1": "shell> ", "HISTFILE": "", "BROWSER": ""}
    with Terminal(["bash", "--norc", "--noprofile", "-i"], cwd=Path.cwd(), env=environment) as terminal:
        terminal.expect("shell> ")
        with asked_for_a_password(terminal, background=True):
            terminal.send("open sesame\n")
            terminal.expect("Waiting for Hermes there to start")
            assert terminal.echoes
            terminal.send("\x03")
            terminal.expect("shell> ")


def is_stopped(terminal: Terminal) -> bool:
    """Whether the shell says that its job is stopped."""
    terminal.send("jobs\n")
    terminal.expect("shell> ")
    return "Stopped" in terminal.output


def test_a_question_in_the_background_waits_for_the_foreground() -> None:
    """Like any program that asks for a password, it is stopped; then it asks, and hides what is typed."""
    with shell() as terminal, asked_for_a_password(terminal, background=True):
        terminal.send("open sesame\n")
        terminal.expect("Waiting for Hermes there to start")
        assert "open sesame" not in terminal.output
        terminal.send("\x03")
        terminal.expect("shell> ")
        assert terminal.echoes


def test_a_login_in_the_background_waits_for_the_browser() -> None:
    """It reads nothing, so it is not stopped, and the shell keeps its echo; fg brings its offer back."""
    with shell() as terminal:
        run(terminal, "demo", background=True)
        terminal.expect("Waiting for your browser, at most")
        assert terminal.echoes
        terminal.send("echo se''en\n")
        terminal.expect("^(shell> )?seen")
        terminal.send("jobs\n")
        terminal.expect("Running")
        terminal.send("fg\n")
        terminal.expect(r"2:\d\d left")
        until(lambda: not terminal.echoes)
        terminal.send("never-the-code-1\x15\n\x1a")
        terminal.expect("shell> ")
        assert terminal.echoes
        terminal.send("bg\n")
        terminal.send("jobs\n")
        terminal.expect("Running")
        terminal.send("kill %1; wait %1; echo en''ded $?\n")
        terminal.expect("^(shell> )?ended 143")
        assert terminal.echoes
