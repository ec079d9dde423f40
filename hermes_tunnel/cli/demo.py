"""``hermes-tunnel demo``: what a login looks like, without a server of your own."""

from __future__ import annotations

import sys
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel.cli.exit import folded_hint
from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.options import Output, output
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.variables import option
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.terminal.mode import columns_of

if TYPE_CHECKING:
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider


@click.command(cls=Verb)
@option("--approve", variable="APPROVE", is_flag=True, help="Approve the sign-in without asking.")
@option("--deny", variable="DENY", is_flag=True, help="Deny it without asking.")
@output
def demo(approve: bool, deny: bool, output: Output) -> int:
    """A complete login against servers in this process; nothing leaves this machine.

    An SSH server, a jump host, a Hermes and a sign-in page are played here; the login is the real one. You
    sign in in your browser. Without a terminal it approves by itself; denied is exit status 9.
    """
    from hermes_tunnel import events
    from hermes_tunnel.cli.report import Report

    if approve and deny:
        raise click.UsageError("--approve and --deny cannot both be", click.get_current_context())
    console = output.console()
    answer = "deny" if deny else "approve" if approve or not console.is_terminal else None
    status = Report(console, output).conclude(lambda decider: _play(decider, answer))
    if status == ExitStatus.OK:
        next_step = "With a server of yours: hermes-tunnel login xai-oauth me@server"
        for line in folded_hint(next_step, columns_of(sys.stderr)):
            console.show(events.Notice(line))
    return status


def _play(decider: Decider, answer: str | None) -> Ending:
    from hermes_tunnel.browser.opening import open_browser
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.invitation import YOUR_BROWSER, Wishes
    from hermes_tunnel.demo.authorization_server import Answer
    from hermes_tunnel.demo.stage import HOST, demonstration
    from hermes_tunnel.login import LoginOrder, login
    from hermes_tunnel.remote.hermes import provider, with_origin
    from hermes_tunnel.ssh.config.chain import Options, resolve
    from hermes_tunnel.ssh.config.target import parse_target

    decider.say("A demo: its SSH servers, its Hermes and its sign-in page run in this process")
    stage = demonstration(None if answer is None else Answer(answer))
    signals = click.get_current_context().find_object(Signals)
    if signals is not None:
        signals.directory = lambda: stage.directory
    with stage:
        open_page = partial(open_browser, tell=decider.mention) if answer is None else stage.person.open
        opens_in = YOUR_BROWSER if answer is None else "a stand-in browser"
        options = Options(config_file=str(stage.config_file))
        hops = decider.do(partial(resolve, parse_target(HOST), options, wanted=decider.wanted))
        known = replace(with_origin(provider("xai-oauth"), stage.origin), title="the demo")
        done = login(LoginOrder(known, hops, wishes=Wishes(open_page=open_page, opens_in=opens_in)), decider)
    words = f"demo: logged in on {done.destination}; credential in {done.landing}"
    result = (f"Logged in to the demo on {done.destination}", f"Credential: {done.landing}")
    return Ending(done.outcome.value, words, result, logged_in=done)
