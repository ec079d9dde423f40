"""The verbs, and the errors of a command line that names none of them."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from hermes_tunnel import __version__
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.streams import lenient
from hermes_tunnel.cli.variables import variables_in_use
from hermes_tunnel.cli.words import TYPED
from hermes_tunnel.errors import ExitStatus, Failure, Stopped, UsageFailure

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

COMPLETION = "_HERMES_TUNNEL_COMPLETE"
"""The variable by which a shell asks for completion; click makes it of the program's name."""
VERBS = {
    "login": "Log a remote Hermes in, with the browser here.",
    "run": "Run any program there, with the browser here.",
    "forward": "Take the callback to a login that already waits there.",
    "paste": "Deliver a callback address that the browser could not open.",
    "port": "Say who holds a local port, and end it if you want.",
    "providers": "List what Hermes can log in to.",
    "demo": "See a complete login against servers in this process.",
}


class _Verbs(click.Group):
    """The verbs, each imported when it is used: ``--help`` and ``--version`` need none of them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the words of the command line, and keep them: a hint may repeat them."""
        ctx.meta[TYPED] = tuple(args)
        return super().parse_args(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        command = getattr(importlib.import_module(f"hermes_tunnel.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The verbs and options that begin with this; click would import each such verb for its help."""
        from click.shell_completion import CompletionItem

        verbs = [CompletionItem(verb, help=it) for verb, it in VERBS.items() if verb.startswith(incomplete)]
        return [*verbs, *click.Command.shell_complete(self, ctx, incomplete)]

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb.

        :raises UsageFailure: no verb has that name
        """
        if args[0] not in VERBS and not args[0].startswith("-"):
            from difflib import get_close_matches

            from hermes_tunnel.text import quote

            close = get_close_matches(args[0], VERBS, 1)
            hint = f"did you mean hermes-tunnel {close[0]}?" if close else f"the verbs are {', '.join(VERBS)}"
            raise UsageFailure(f"{quote(args[0])} is not a verb", hint)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb, and see that a usage error knows which verb it belongs to."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            verb = ctx.invoked_subcommand
            if error.ctx is None and verb is not None:  # as click's parser leaves it
                error.ctx = click.Context(click.Command(verb), parent=ctx, info_name=verb)
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


def version() -> str:
    """What this is, and what it runs on: the first line of a good bug report."""
    from platform import release, system

    python = ".".join(map(str, sys.version_info[:3]))
    return f"hermes-tunnel {__version__} (Python {python}, {system()} {release()})"


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(version())
        ctx.exit()


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="hermes-tunnel VERB --help says more. An environment variable, such as HERMES_TUNNEL_TIMEOUT, can "
    "set any option; separate several values with spaces, and quote a value that contains one.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version, Python's and the system's, and exit.",
)
def cli() -> None:
    """Browser logins for a Hermes Agent that runs on another machine.

    One SSH connection from this machine runs the login command there; its page opens in the browser
    here, and the browser's answer goes back over that same connection.

    \b
      hermes-tunnel login xai-oauth me@server
      hermes-tunnel login spotify hermes-box --jump me@bastion
      hermes-tunnel login mcp:linear hermes-box --container hermes
    """  # noqa: D301 - the \b is click's


def run(arguments: Sequence[str] | None, signals: Signals) -> int:
    """Run the command line and return the exit status."""
    sys.stdout, sys.stderr = lenient(sys.stdout), lenient(sys.stderr)
    try:
        status = _run(arguments, signals)
    except Failure as failure:
        from hermes_tunnel.cli.exit import show_failure

        show_failure(failure)
        status = int(failure.status)
    except Stopped as stopped:
        status = 128 + stopped.number
    except Exception as fault:  # the outermost layer: a bug, reported without its values
        from hermes_tunnel.cli.exit import show_fault

        show_fault(fault)
        status = ExitStatus.INTERNAL
    signals.hear_no_more()
    return status


def _run(arguments: Sequence[str] | None, signals: Signals) -> int:
    if COMPLETION in os.environ:
        importlib.import_module("hermes_tunnel.cli.completion")
    try:
        result = cli.main(arguments, prog_name="hermes-tunnel", standalone_mode=False, obj=signals)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx is not None else "hermes-tunnel"
        _complain(error.format_message(), f"see {verb} --help{_variable(error)}")
        return 2
    except click.ClickException as error:
        _complain(error.format_message(), "")
        return 2
    return result if isinstance(result, int) else 0


def _variable(error: click.UsageError) -> str:
    """Where the value came from, if no one typed it."""
    parameter = getattr(error, "param", None)
    if error.ctx is None or parameter is None or parameter.envvar not in variables_in_use(error.ctx):
        return ""
    return f"; the value is that of the variable {parameter.envvar}"


def _complain(message: str, hint: str) -> None:
    """Report it in our form; click would repeat what was typed unscrubbed."""
    from hermes_tunnel.text import plain, redact

    shown = redact(plain(" ".join(message.split("\n"))))
    click.echo(f"hermes-tunnel: error: {shown[:1].lower()}{shown[1:].rstrip('.')}", err=True)
    if hint:
        click.echo(f"hermes-tunnel: hint: {hint}", err=True)
