"""The last words of a failed run: the two lines of a failure, or where a bug of ours is."""

from __future__ import annotations

import sys
import traceback

import click

from hermes_tunnel.errors import Failure
from hermes_tunnel.terminal.mode import columns_of
from hermes_tunnel.text import folded, one_line, plain, redact


def show_failure(failure: Failure) -> None:
    """The two lines of a failure, scrubbed. The first folds to the window; the second can be copied."""
    message = f"hermes-tunnel: error: {redact(one_line(failure.message))}"
    for line in folded(message, columns_of(sys.stderr)):
        click.echo(line, err=True)
    if failure.hint:
        click.echo(f"hermes-tunnel: hint: {redact(one_line(failure.hint))}", err=True)


def show_fault(fault: BaseException) -> None:
    """The kind of the bug and where it happened, without its message, which may quote a secret."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" at {frames[-1].filename}:{frames[-1].lineno} in {frames[-1].name}" if frames else ""
    click.echo(
        f"hermes-tunnel: error: a fault of this program: {type(fault).__name__}{plain(where)}", err=True
    )
    click.echo("hermes-tunnel: hint: please report it with that line and what you typed", err=True)
