"""Opening the person's browser without letting it touch their terminal.

A browser has no terminal, its output goes nowhere, and one that stays delays nobody.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import IO

from hermes_tunnel.browser.commands import Command, commands
from hermes_tunnel.browser.machine import Machine, base_name
from hermes_tunnel.text import plain, quote, redact

_SECONDS = 2.0  # a command that has not failed by then stays: it is the browser itself
_LAST_BYTES, _LONGEST = 65536, 200  # of its error output, and of the line that is shown
_STATUS_MEANS_NOTHING = {"explorer"}  # Windows', which ends with 1 whatever it did
if sys.platform == "win32":
    _APART = subprocess.DETACHED_PROCESS | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _APART = 0


def open_browser(
    url: str,
    command: str | None = None,
    *,
    tell: Callable[[str], object] = lambda _: None,
    machine: Machine | None = None,
    seconds: float = _SECONDS,
) -> bool:
    """Open an https page (or the demo's own) that has already been judged.

    :param command: the person's own commands; the URL replaces ``%s`` or comes last.
        None: those of ``$BROWSER``, or the system's.
    :param tell: is told in a sentence why a command opened nothing, before the next is tried
    :param seconds: how long each may take to fail
    :return: whether a browser was started
    """
    machine = machine or Machine()
    for one in commands(command, machine):
        if one.opens_nothing:
            tell(f"Nothing was opened: {quote(one.name)} opens no browser.")
            return False
        problem = one.problem or _start(one, url, machine, seconds)
        if not problem:
            return True
        tell(f"{quote(one.name)} could not be started: {problem}.")
    return False


def _start(command: Command, url: str, machine: Machine, seconds: float) -> str:
    """Run a command; why it failed, in words, or nothing if it opened a browser."""
    words = command.arguments(url, machine)
    words[0] = machine.find(words[0]) or words[0]
    # A file, not a pipe: a browser that stays would hang, or end, at a pipe that nobody reads.
    with _file() as talk:
        try:
            process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL if talk is None else talk,
                env=command.environment(machine),
                start_new_session=True,
                creationflags=_APART,
            )
        except OSError as error:
            return error.strerror or str(error)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            threading.Thread(target=process.wait, name="browser", daemon=True).start()
            return ""
        if status == 0 or base_name(words[0]) in _STATUS_MEANS_NOTHING:
            return ""
        how = f"signal {-status} ended it" if status < 0 else f"it ended with status {status}"
        said = _last_line(talk)
    return f"{how}: {said}" if said else how


def _file() -> AbstractContextManager[IO[bytes] | None]:
    """A file without a name, which is gone once nobody has it open; None if there is no room for one."""
    try:
        return tempfile.TemporaryFile()
    except OSError:
        return nullcontext()


def _last_line(talk: IO[bytes] | None) -> str:
    """The last line that is not blank, safe to show."""
    if talk is None:
        return ""
    talk.seek(max(talk.seek(0, os.SEEK_END) - _LAST_BYTES, 0))
    lines = (plain(line).strip() for line in talk.read().decode("utf-8", "replace").splitlines())
    last = ([""] + [line for line in lines if line])[-1]
    return redact(last)[:_LONGEST].rstrip(". ")
