"""SSH_ASKPASS (ssh(1), ENVIRONMENT): a program that asks the person when no terminal can."""

from __future__ import annotations

import math
import os
import shutil
import sys
from collections.abc import Callable, Mapping

from hermes_tunnel.question import Ask, Question
from hermes_tunnel.ssh.child import run

_DEFAULT = "ssh-askpass"
_LONGEST = 1024


def at_terminal() -> bool:
    """Whether the person could have answered here: both typing and asking happen at a terminal."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def through_askpass(
    ask: Ask,
    environment: Mapping[str, str] = os.environ,
    at_terminal: Callable[[], bool] = at_terminal,
) -> Ask:
    """Ask the person through SSH_ASKPASS if ssh would, otherwise through ``ask``.

    SSH_ASKPASS_REQUIRE ``force`` means always, ``prefer`` if there is a display, and ``never`` never; without
    it, ssh would if there is a display and no terminal.

    :param ask: asks at the terminal
    :param at_terminal: whether anybody could have answered there
    """
    required = environment.get("SSH_ASKPASS_REQUIRE", "").lower()
    has_display = bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
    program = shutil.which(environment.get("SSH_ASKPASS", _DEFAULT))
    if program is None or required == "never" or not (has_display or required == "force"):
        return ask

    def asked(question: Question, wanted: Callable[[], bool]) -> str | None:
        if required in ("force", "prefer"):
            return _run(program, question, wanted)
        answer = ask(question, wanted)
        if answer is None and wanted() and not at_terminal():
            return _run(program, question, wanted)
        return answer

    return asked


def _run(program: str, question: Question, wanted: Callable[[], bool]) -> str | None:
    """What the program prints, up to the end of the line; None if the person cancelled it.

    Its question goes away once nobody wants the answer any more.
    """

    def check() -> None:
        if not wanted():
            raise TimeoutError

    whose = f"({question.whose}) " if question.whose else ""
    prompt = "\n".join((*question.said, *question.above, f"{whose}{question.text} "))
    try:
        done = run([program, prompt], check, seconds=math.inf, quiet=False)
    except OSError:
        return None
    if done.returncode:
        return None
    line = done.stdout[:_LONGEST].partition(b"\n")[0].partition(b"\r")[0]
    return line.decode(errors="replace")
