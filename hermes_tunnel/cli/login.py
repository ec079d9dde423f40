"""``hermes-tunnel login``: the verb that everything is there for."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from hermes_tunnel.cli.exit import show_failure
from hermes_tunnel.cli.options import (
    SECONDS,
    call,
    connection_options,
    hops,
    json_option,
    new_console,
    option,
    output_options,
    remote_options,
    way_back_options,
)
from hermes_tunnel.cli.report import Report
from hermes_tunnel.errors import NetworkFailure, NobodyAnswered
from hermes_tunnel.terminal.console import Console

_EXTRA = "hermes_tunnel.extra"


class _WithExtraWords(click.Command):
    """A command whose words after ``--`` are not its own."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours, dashes, extra = _split(args)
        ctx.meta[_EXTRA] = extra if dashes else ()
        return super().parse_args(ctx, ours)


def _split(args: list[str]) -> tuple[list[str], bool, tuple[str, ...]]:
    at = args.index("--") if "--" in args else len(args)
    return args[:at], at < len(args), tuple(args[at + 1 :])


@click.command(cls=_WithExtraWords, options_metavar="[OPTIONS]")
@click.argument("provider")
@click.argument("host", metavar="[USER@]HOST[:PORT]")
@connection_options
@remote_options
@option("--profile", variable="PROFILE", metavar="NAME", help="The Hermes profile there.")
@option("--hermes-path", variable="HERMES_PATH", metavar="PATH", help="Where hermes is there.")
@option("--no-browser", variable="NO_BROWSER", is_flag=True, help="Only show the address.")
@option(
    "--browser",
    variable="BROWSER",
    metavar="CMD",
    help="Open pages with CMD; default: $BROWSER or the system's.",
)
@option(
    "--timeout",
    variable="TIMEOUT",
    type=SECONDS,
    metavar="SECONDS",
    help="Your time to sign in; default: what the provider gives.",
)
@way_back_options
@option(
    "--allow-host",
    "allowed_hosts",
    variable="ALLOW_HOST",
    multiple=True,
    metavar="HOST",
    help="A sign-in page's host that you vouch for.",
)
@json_option
@output_options
@click.pass_context
def login(ctx: click.Context, /, as_json: bool, quiet: bool, verbosity: int, **wanted: Any) -> int:
    """Log the Hermes on HOST in to PROVIDER, with the browser here.

    PROVIDER is xai-oauth, spotify, openai-codex, anthropic, nous, minimax-oauth, mcp:NAME for an MCP
    server, or any other that Hermes knows. Words after -- are handed to Hermes.

    \b
      hermes-tunnel login xai-oauth me@server
      hermes-tunnel login spotify hermes-box -J me@bastion -- --client-id 0123
      hermes-tunnel login mcp:linear hermes-box --as-user hermes
    """  # noqa: D301 - the \b is click's
    console = new_console(verbosity=verbosity, quiet=quiet)
    report = Report(console, as_json=as_json)
    extra = ctx.meta[_EXTRA]
    while True:
        try:
            return report.conclude(lambda: _log_in(extra, wanted, console, report))
        except (NobodyAnswered, NetworkFailure) as failure:
            if not report.connected or not console.is_terminal:
                raise
            show_failure(failure)
            if not console.confirm("Run it again?"):
                return failure.status


def _log_in(extra: tuple[str, ...], wanted: dict[str, Any], console: Console, report: Report) -> str:
    from hermes_tunnel.login import login as log_in

    order = _order(extra, wanted)
    done = log_in(order, console, report.emit)
    imported = done.outcome.value == "imported"
    what = "credentials imported, no sign-in was needed" if imported else "logged in"
    where = f"; credential in {done.landing}" if done.landing else ""
    report.result(f"{order.provider.name}: {what} on {done.destination}{where}")
    return done.outcome.value


def _order(extra: tuple[str, ...], wanted: dict[str, Any]) -> Any:
    """What was typed, checked, before anything is opened."""
    from hermes_tunnel.browser import check_command, open_browser
    from hermes_tunnel.conversation.invitation import Wishes
    from hermes_tunnel.login import Order
    from hermes_tunnel.oauth.authorization import issuer_of
    from hermes_tunnel.remote.hermes import provider
    from hermes_tunnel.way_back.entrance import BusyPort

    chosen = provider(wanted["provider"])
    how = call(wanted)
    how.login_line(chosen, "0", extra)
    if wanted["browser"] is not None:
        check_command(wanted["browser"])
    wishes = Wishes(
        seconds=wanted["timeout"],
        open_page=None if wanted["no_browser"] else partial(open_browser, command=wanted["browser"]),
        allowed_hosts=frozenset(map(issuer_of, wanted["allowed_hosts"])),
        busy_port=BusyPort(wanted["on_busy_port"], wanted["yes"]),
        relay=wanted["relay"],
    )
    return Order(chosen, hops(wanted), how, extra, wishes)
