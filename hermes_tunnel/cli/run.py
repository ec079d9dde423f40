"""``hermes-tunnel run``: ssh, in which a program that logs in through a browser works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from hermes_tunnel.cli.numbers import PORT
from hermes_tunnel.cli.options import Calling, Connecting, Output, calling, connecting, output, relay_option
from hermes_tunnel.cli.variables import option
from hermes_tunnel.cli.words import VerbWithWords, words_after_dashes
from hermes_tunnel.errors import ExitStatus, UsageFailure
from hermes_tunnel.text import quote

if TYPE_CHECKING:
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider
    from hermes_tunnel.ssh.first_hop import Begun


_STATUS = ("0 to 255", "that of COMMAND, or 128 plus the signal that ended it; or else, with an error:")
_OF_OURS = (
    ExitStatus.INTERNAL,
    ExitStatus.USAGE,
    ExitStatus.CONFIGURATION,
    ExitStatus.NETWORK,
    ExitStatus.HOST_KEY,
    ExitStatus.AUTHENTICATION,
    ExitStatus.REMOTE_COMMAND,
)


class _Run(VerbWithWords):
    """A verb whose exit status is its command's, with errors of its own for what people of ssh type."""

    @property
    def exit_statuses(self) -> list[tuple[str, str]]:
        """That of the command, and then ours, if it did not run to its end."""
        return [_STATUS, *super().exit_statuses]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """:raises UsageFailure: the command stands where only a host may"""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _typing_mistake(error, command="--" in args) from error

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """What is typed, with the command."""
        return [*super().collect_usage_pieces(ctx), "[-- COMMAND...]"]


def _typing_mistake(error: click.UsageError, *, command: bool) -> Exception:
    """A mistake that people make who are used to ssh, in words of its own; any other as it is.

    :param command: whether ``--`` and a command were typed
    """
    message = error.format_message()
    if isinstance(error, click.MissingParameter) and command:
        return UsageFailure(
            "on which host should the command run?", "hermes-tunnel run [USER@]HOST -- COMMAND..."
        )
    if command:
        return error
    if "unexpected extra argument" in message:
        return UsageFailure(
            "a command needs -- in front of it", "hermes-tunnel run [USER@]HOST -- COMMAND..."
        )
    if isinstance(error, click.NoSuchOption):
        return UsageFailure(
            f"no such option {quote(error.option_name)}",
            "see hermes-tunnel run --help; if it is an option of your command: "
            "hermes-tunnel run [USER@]HOST -- COMMAND...",
        )
    return error


def _ports(ctx: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> tuple[int, ...]:
    """Each as a number, before anything is connected."""
    return tuple(int(PORT.convert(each, parameter, ctx)) for each in given)


@click.command(cls=_Run, options_metavar="[OPTIONS]", statuses=_OF_OURS)
@connecting
@calling
@option(
    "-t",
    "terminals",
    variable="TERMINAL",
    count=True,
    help="Give the command a terminal; -tt: even if there is none here.",
)
@option("-T", "no_terminal", variable="NO_TERMINAL", is_flag=True, help="Give it no terminal.")
@option(
    "--browser-here",
    variable="BROWSER_HERE",
    is_flag=True,
    help="Bring here the pages that programs there open in a browser.",
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
@option(
    "--no-browser", variable="NO_BROWSER", is_flag=True, help="Never open a page here; ~o shows its address."
)
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
    """Run a command on HOST as ssh -t does; a program that logs in through a browser works in it.

    Without COMMAND you get your shell there. One word is a command line for that shell, as with ssh; several
    are a program and its arguments, which it gets as you typed them. ~? at the beginning of a line lists what
    you can type meanwhile.

    \b
      hermes-tunnel run me@server
      hermes-tunnel run me@server -- codex login
      hermes-tunnel run hermes-box -- 'cd project && gh auth login'
    """  # noqa: D301 - the \b is click's
    from hermes_tunnel.cli.report import Ending, Report

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
