"""The last words of a failed run: the two lines of a failure, or where a bug of ours is."""

from __future__ import annotations

import sys
import traceback

import click

from hermes_tunnel.errors import Failure
from hermes_tunnel.terminal.mode import columns_of
from hermes_tunnel.text import folded, one_line, plain, redact

_PROGRAMS = ("hermes-tunnel", "hermes", "pipx", "ssh", "ssh-add", "ssh-copy-id", "ssh-keygen", "sudo")
"""What the commands of our hints begin with."""


def show_failure(failure: Failure) -> None:
    """The two lines of a failure, scrubbed and folded to the window."""
    columns = columns_of(sys.stderr)
    for line in folded(f"hermes-tunnel: error: {redact(one_line(failure.message))}", columns):
        click.echo(line, err=True)
    if failure.hint:
        for line in folded_hint(f"hermes-tunnel: hint: {redact(one_line(failure.hint))}", columns):
            click.echo(line, err=True)


def folded_hint(hint: str, columns: int) -> list[str]:
    """A hint, folded to the window; the command at its end stays whole, on a line of its own, to be copied.

    :param columns: the window's width; 0 if nothing wraps
    """
    prose, colon, command = hint.rpartition(": ")
    if not columns or len(hint) <= columns or command.partition(" ")[0] not in _PROGRAMS:
        return folded(hint, columns)
    return [*folded(f"{prose}{colon.rstrip()}", columns), f"  {command}"]


def fault_of(fault: BaseException) -> str:
    """The kind of the bug and where it happened, without its message, which may quote a secret."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    return f"a fault of this program: {type(fault).__name__}{plain(where)}"


def show_fault(fault: BaseException) -> None:
    """What it is, and what to do about it."""
    click.echo(f"hermes-tunnel: error: {fault_of(fault)}", err=True)
    click.echo("hermes-tunnel: hint: please report it with that line and what you typed", err=True)
