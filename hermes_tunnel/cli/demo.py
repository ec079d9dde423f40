"""``hermes-tunnel demo``: what a login looks like, without a server of one's own."""

from __future__ import annotations

import click

from hermes_tunnel.cli.exit import Endings
from hermes_tunnel.cli.options import new_console, option, output_options
from hermes_tunnel.cli.report import Report
from hermes_tunnel.terminal.console import Console


@click.command()
@option("--approve", variable="APPROVE", is_flag=True, help="Approve the sign-in without asking.")
@option("--deny", variable="DENY", is_flag=True, help="Deny it without asking.")
@option("--json", "as_json", variable="JSON", is_flag=True, help="One JSON object a line on standard output.")
@output_options
def demo(approve: bool, deny: bool, as_json: bool, verbosity: int, quiet: bool) -> int:
    """A complete login against servers in this process; nothing leaves this machine.

    An SSH server, a jump host, a Hermes and a sign-in page are played here; the login is the real one. You
    sign in in your browser. Without a terminal it approves by itself; denied is exit status 9.
    """
    if approve and deny:
        raise click.UsageError("--approve and --deny cannot both be", click.get_current_context())
    console = new_console(verbosity=verbosity, quiet=quiet)
    answer = "deny" if deny else "approve" if approve or not console.is_terminal else None
    report = Report(console, as_json=as_json)
    return report.conclude(lambda: _play(console, report, answer))


def _play(console: Console, report: Report, answer: str | None) -> str:
    from hermes_tunnel.browser import open_browser
    from hermes_tunnel.conversation.invitation import Wishes
    from hermes_tunnel.demo.authorization_server import Answer
    from hermes_tunnel.demo.stage import HOST, Stage
    from hermes_tunnel.login import Order, login
    from hermes_tunnel.remote.hermes import provider, with_origin
    from hermes_tunnel.ssh.config.chain import Options, resolve
    from hermes_tunnel.ssh.config.target import parse_target

    console.say(
        "A demo: the two SSH servers, the Hermes and the sign-in page that follow run in this process."
    )
    with Stage(None if answer is None else Answer(answer), jump=True) as stage:
        endings = click.get_current_context().find_object(Endings)
        if endings is not None:
            endings.directory = stage.config_file.parent
        open_page = open_browser if answer is None else stage.person.open
        hops = resolve(parse_target(HOST), Options(config_file=str(stage.config_file)))
        known = with_origin(provider("xai-oauth"), stage.origin)
        done = login(Order(known, hops, wishes=Wishes(open_page=open_page)), console, report.emit)
    report.result(f"demo: logged in on {done.destination}; credential in {done.landing}")
    console.say("With a server of yours: hermes-tunnel login xai-oauth me@server")
    return done.outcome.value
