"""``hermes-tunnel run``: ssh, in which a program that logs in through a browser works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hermes_tunnel.cli.numbers import PORT
from hermes_tunnel.cli.options import Calling, Connecting, Output, calling, connecting, output, relay_option
from hermes_tunnel.cli.report import Ending, Report
from hermes_tunnel.cli.variables import option
from hermes_tunnel.cli.words import VerbWithWords, words_after_dashes
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.errors import UsageFailure

if TYPE_CHECKING:
    from hermes_tunnel.ssh.first_hop import Begun


class _Run(VerbWithWords):
    """The verb, with an error of its own for a command without ``--``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """:raises UsageFailure: the command stands where only a host may"""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            if "unexpected extra argument" in error.format_message() and "--" not in args:
                raise UsageFailure(
                    "the command comes behind two hyphens", "hermes-tunnel run [USER@]HOST -- COMMAND..."
                ) from error
            raise

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What is typed, with the command."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def _ports(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(int(PORT.convert(each, parameter, ctx)) for each in given)


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
@option(
    "--forward",
    "forwards",
    variable="FORWARD",
    multiple=True,
    callback=_ports,
    metavar="PORT",
    help="Forward this port plainly, as ssh -L does; for a program whose own page runs in the browser.",
)
@option("--no-browser", variable="NO_BROWSER", is_flag=True, help="Open no page here.")
@option(
    "--browser",
    variable="BROWSER",
    metavar="CMD",
    help="Open pages with CMD; none: with nothing. Default: $BROWSER or the system's.",
)
@relay_option
@option(
    "--allow-host",
    "allowed_hosts",
    variable="ALLOW_HOST",
    multiple=True,
    metavar="HOST",
    help="A sign-in page's host that you vouch for.",
)
@output
def run(
    *,
    connecting: Connecting,
    calling: Calling,
    terminals: int,
    no_terminal: bool,
    browser_here: bool,
    forwards: tuple[int, ...],
    no_browser: bool,
    browser: str | None,
    relay: str,
    allowed_hosts: tuple[str, ...],
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
    words = words_after_dashes()

    def go(decider: Decider) -> Ending:
        with connecting.begun(decider) as begun:
            return run_it(decider, begun)

    def run_it(decider: Decider, begun: Callable[[], Begun]) -> Ending:
        from hermes_tunnel.browser.commands import check_command
        from hermes_tunnel.browser.opening import open_browser
        from hermes_tunnel.conversation.interactive import SignInWishes, Streams
        from hermes_tunnel.oauth.authorization import issuer_of
        from hermes_tunnel.run import RunOrder
        from hermes_tunnel.run import run as run_there

        if browser is not None:
            check_command(browser)

        def open_page(url: str, tell: Callable[[str], object]) -> bool:
            return open_browser(url, browser, tell=tell)

        way = begun()
        wish = "no" if no_terminal else {0: "auto", 1: "yes"}.get(terminals, "force")
        order = RunOrder(
            way.hops,
            words,
            calling.call(),
            terminal=wish,
            browser=browser_here,
            streams=Streams(
                _descriptor(sys.stdin),
                _descriptor(sys.stdout),
                _descriptor(sys.stderr),
                scrubbed=output.as_json,
            ),
            wishes=SignInWishes(
                None if no_browser else open_page,
                frozenset(map(issuer_of, allowed_hosts)),
                relay,
                forwards,
            ),
            sock=way.sock,
        )
        return Ending("ended", status=run_there(order, decider))

    return Report(output.console(), output).conclude(go)


def _descriptor(stream: Any) -> int:
    """A stream's descriptor; -1 if it was closed from the start."""
    try:
        return -1 if stream is None else int(stream.fileno())
    except (OSError, ValueError):
        return -1
