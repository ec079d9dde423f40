"""``hermes-tunnel run``: ssh, in which a program that logs in through a browser works."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.options import (
    Calling,
    Connecting,
    Output,
    calling,
    connecting,
    option,
    output,
)
from hermes_tunnel.cli.report import Ending, Report
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.errors import UsageFailure

_WORDS = "hermes_tunnel.words"


class _Run(Verb):
    """A command whose words after ``--`` are not its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_WORDS] = tuple(args[at + 1 :])
        try:
            return super().parse_args(ctx, args[:at])
        except click.UsageError as error:
            if "unexpected extra argument" in error.format_message() and at == len(args):
                raise UsageFailure(
                    "the command comes behind two hyphens", "hermes-tunnel run [USER@]HOST -- COMMAND..."
                ) from error
            raise


@click.command(cls=_Run, options_metavar="[OPTIONS]")
@connecting
@calling
@option(
    "-t",
    "terminals",
    variable="TERMINAL",
    count=True,
    help="Have a terminal there; -tt: even without one here.",
)
@option("-T", "no_terminal", variable="NO_TERMINAL", is_flag=True, help="Have no terminal there.")
@option(
    "--browser-here",
    variable="BROWSER_HERE",
    is_flag=True,
    help="Have pages that programs there want to open come here.",
)
@output
def run(
    *,
    connecting: Connecting,
    calling: Calling,
    terminals: int,
    no_terminal: bool,
    browser_here: bool,
    output: Output,
) -> int:
    """Run a command on HOST as ssh -t does: any program that logs in through a browser works in it.

    Without COMMAND it is your shell there. One word is a command line for that shell, as with ssh; several
    are a program and its words, which it gets as you typed them.

    \b
      hermes-tunnel run me@server
      hermes-tunnel run me@server -- codex login
      hermes-tunnel run hermes-box -- 'cd project && gh auth login'
    """  # noqa: D301 - the \b is click's
    words: tuple[str, ...] = click.get_current_context().meta[_WORDS]

    def go(decider: Decider) -> Ending:
        from hermes_tunnel.run import RunOrder
        from hermes_tunnel.run import run as run_there

        hops = decider.do(partial(connecting.hops, decider.tell, decider.wanted))
        wish = "no" if no_terminal else {0: "auto", 1: "yes"}.get(terminals, "force")
        order = RunOrder(
            hops,
            words,
            calling.call(),
            terminal=wish,
            browser=browser_here,
            scrubbed=output.as_json,
            input=_descriptor(sys.stdin),
            output=_descriptor(sys.stdout),
            errors=_descriptor(sys.stderr),
        )
        return Ending("ended", status=run_there(order, decider))

    return Report(output.console(), output).conclude(go)


def _descriptor(stream: Any) -> int:
    """A stream's descriptor; -1 if it was closed from the start."""
    try:
        return -1 if stream is None else int(stream.fileno())
    except (OSError, ValueError):
        return -1
