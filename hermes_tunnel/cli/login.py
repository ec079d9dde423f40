"""``hermes-tunnel login``: the verb that everything is there for."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel.cli.dry_run import dry_run_option, print_login
from hermes_tunnel.cli.numbers import SECONDS
from hermes_tunnel.cli.options import (
    Busy,
    Calling,
    Connecting,
    Output,
    busy,
    calling_hermes,
    connecting,
    output,
    relay_option,
)
from hermes_tunnel.cli.variables import option
from hermes_tunnel.cli.words import VerbWithWords, words_after_dashes
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.text import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from click.shell_completion import CompletionItem

    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider
    from hermes_tunnel.login import LoggedIn
    from hermes_tunnel.remote.program import Program
    from hermes_tunnel.ssh.first_hop import Begun


class _Login(VerbWithWords):
    """The verb, with an error of its own for a word that is missing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """:raises UsageFailure: one word was typed where a provider and a host are needed"""
        try:
            return super().parse_args(ctx, args)
        except click.MissingParameter as missing:
            only = ctx.params.get("provider")
            if missing.param is not None and missing.param.name == "host" and isinstance(only, str):
                raise _one_word_is_missing(only) from missing
            raise


def _one_word_is_missing(only: str) -> UsageFailure:
    """What to say to somebody who typed one word where a provider and a host are needed."""
    from hermes_tunnel.remote.hermes import KNOWN, is_known

    if is_known(only):
        return UsageFailure(
            f"on which host should Hermes log in to {only}?", f"hermes-tunnel login {only} [USER@]HOST"
        )
    shown = quote(only)
    return UsageFailure(
        f"which provider should the Hermes on {shown} log in to?",
        f"hermes-tunnel login PROVIDER {only}, where PROVIDER is {', '.join(KNOWN)}, or mcp:NAME",
    )


def _print(
    provider: str, connecting: Connecting, calling: Calling, extra: tuple[str, ...], output: Output
) -> int:
    """Print what would do it by hand."""
    from hermes_tunnel.oauth.authorization import Mode
    from hermes_tunnel.remote.hermes import in_profile
    from hermes_tunnel.remote.hermes import provider as known_as

    chosen, call = known_as(provider), calling.call()
    if calling.profile is not None:
        chosen = in_profile(chosen, calling.profile)
    why = "needed where the login prints an address with 127.0.0.1 in it"
    if call.container or (chosen.mode in (Mode.DEVICE, Mode.PASTE) and not chosen.callback):
        why = ""  # a container has a loopback of its own, and such logins need no tunnel
    elif chosen.mode is Mode.LOOPBACK:
        why = "keep it open until the login is done"
    port = chosen.callback[0] if chosen.callback else None
    return print_login(connecting, call.by_hand(chosen, extra), port, why, output)


def _check_order(provider: str, host: str) -> None:
    """:raises UsageFailure: the host was typed where the provider belongs"""
    from hermes_tunnel.remote.hermes import is_known

    if is_known(host) and not is_known(provider):
        raise UsageFailure(
            f"the provider comes first, and then the host: {quote(host)} is a provider",
            f"hermes-tunnel login {host} {provider}",
        )


def _providers(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hermes_tunnel.cli.completion import complete_provider

    return complete_provider(ctx, parameter, incomplete)


def ending(chosen: Program, done: LoggedIn) -> Ending:
    """How a login that has succeeded ends."""
    from hermes_tunnel.cli.report import Ending

    imported = done.outcome.value == "imported"
    what = "credentials imported, no sign-in was needed" if imported else "logged in"
    where = f"; credential in {done.landing}" if done.landing else ""
    reached = "Credentials imported for" if imported else "Logged in to"
    credential = f"Credential: {done.landing}" if done.landing else ""
    return Ending(
        done.outcome.value,
        f"{chosen.name}: {what} on {done.destination}{where}",
        (f"{reached} {chosen.title} on {done.destination}", credential),
        logged_in=done,
    )


@click.command(cls=_Login, options_metavar="[OPTIONS]")
@click.argument("provider", shell_complete=_providers)
@connecting
@calling_hermes
@option("--no-browser", variable="NO_BROWSER", is_flag=True, help="Only show the address.")
@option(
    "--browser",
    variable="BROWSER",
    metavar="CMD",
    help="Open pages with CMD; none: with nothing. Default: $BROWSER or the system's.",
)
@option("--copy-code", variable="COPY_CODE", is_flag=True, help="Put a device login's code on the clipboard.")
@option("--qr", variable="QR", is_flag=True, help="Show a device login's page as a QR code too.")
@option(
    "--timeout",
    variable="TIMEOUT",
    type=SECONDS,
    metavar="SECONDS",
    help="Your time to sign in; default: what the provider gives.",
)
@relay_option
@busy
@option(
    "--allow-host",
    "allowed_hosts",
    variable="ALLOW_HOST",
    multiple=True,
    metavar="HOST",
    help="A sign-in page's host that you vouch for.",
)
@dry_run_option
@output
def login(
    *,
    provider: str,
    connecting: Connecting,
    calling: Calling,
    no_browser: bool,
    browser: str | None,
    copy_code: bool,
    qr: bool,
    timeout: float | None,
    relay: str,
    busy: Busy,
    allowed_hosts: tuple[str, ...],
    dry_run: bool,
    output: Output,
) -> int:
    """Log the Hermes on HOST in to PROVIDER, with the browser here.

    PROVIDER is xai-oauth, spotify, openai-codex, anthropic, nous, minimax-oauth, mcp:NAME for an MCP
    server, or any other that Hermes knows. Words after -- are handed to Hermes.

    \b
      hermes-tunnel login xai-oauth me@server
      hermes-tunnel login spotify hermes-box -J me@bastion -- --client-id 0123
      hermes-tunnel login mcp:linear hermes-box --as-user hermes
    """  # noqa: D301 - the \b is click's
    from hermes_tunnel.cli.report import Report

    extra = words_after_dashes()
    _check_order(provider, connecting.host)
    if dry_run:
        return _print(provider, connecting, calling, extra, output)

    def run(decider: Decider) -> Ending:
        with connecting.begun(decider) as begun:
            return log_in(decider, begun)

    def log_in(decider: Decider, begun: Callable[[], Begun]) -> Ending:
        from hermes_tunnel.browser.commands import check_command
        from hermes_tunnel.browser.opening import open_browser
        from hermes_tunnel.clipboard import copy
        from hermes_tunnel.conversation.invitation import Wishes
        from hermes_tunnel.login import LoginOrder
        from hermes_tunnel.login import login as log_hermes_in
        from hermes_tunnel.oauth.authorization import issuer_of
        from hermes_tunnel.remote.hermes import in_profile, is_known, similar
        from hermes_tunnel.remote.hermes import provider as known_as
        from hermes_tunnel.terminal.qr import check_library
        from hermes_tunnel.way_back.delivery import check_way

        chosen, call = known_as(provider), calling.call()
        meant = "" if is_known(provider) else similar(provider)
        if meant:
            decider.say(f"We do not know {provider}, and pass it on to Hermes. Did you mean {meant}?")
        if calling.profile is not None:
            chosen = in_profile(chosen, calling.profile)
        call.login_line(chosen, "0", extra)
        if qr:
            check_library()
        if browser is not None:
            check_command(browser)
        wishes = Wishes(
            seconds=timeout,
            open_page=None if no_browser else partial(open_browser, command=browser, tell=decider.mention),
            allowed_hosts=frozenset(map(issuer_of, allowed_hosts)),
            busy_port=busy.port(),
            relay=relay,
            copy_code=copy if copy_code else None,
            qr=qr,
        )
        check_way(call, relay)
        way = begun()
        order = LoginOrder(chosen, way.hops, call, extra, wishes, way.sock)
        return ending(chosen, log_hermes_in(order, decider))

    report = Report(output.console(), output)
    return report.conclude(run, may_repeat=True)
