"""``hermes-tunnel forward``: the tunnel alone, for a login that already waits there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel.cli.dry_run import dry_run_option, print_forward
from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.numbers import SECONDS, Number
from hermes_tunnel.cli.options import (
    Busy,
    Calling,
    Connecting,
    Output,
    busy,
    calling,
    connecting,
    output,
    relay_option,
)
from hermes_tunnel.cli.variables import option
from hermes_tunnel.question import Question

if TYPE_CHECKING:
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider
    from hermes_tunnel.oauth.callback import Expected


@click.command(cls=Verb, options_metavar="[OPTIONS]")
@connecting
@click.argument(
    "callback_port", type=Number("a port of a login", 1024, 65535), metavar="[PORT]", required=False
)
@calling
@option(
    "--timeout",
    variable="TIMEOUT",
    type=SECONDS,
    metavar="SECONDS",
    help="How long to wait for the browser; default: until you stop it.",
)
@relay_option
@busy
@dry_run_option
@output
def forward(
    *,
    connecting: Connecting,
    callback_port: int | None,
    calling: Calling,
    timeout: float | None,
    relay: str,
    busy: Busy,
    dry_run: bool,
    output: Output,
) -> int:
    """Take the browser's callback to a login that already waits on HOST, in tmux or mosh for instance.

    Without PORT you are asked for the authorization URL that Hermes shows there, and then only the answer to
    that login is let through. Without the URL, we look at what listens on the loopback there. A connection
    that drops is made again. It all ends once the callback has been delivered.

    \b
      hermes-tunnel forward me@server
      hermes-tunnel forward hermes-box 56121
    """  # noqa: D301 - the \b is click's
    from hermes_tunnel.cli.report import Ending, Report

    if dry_run:
        return print_forward(connecting, callback_port, output)

    def run(decider: Decider) -> Ending:
        from hermes_tunnel.tunnel import TunnelOrder, expected_at
        from hermes_tunnel.tunnel import forward as lead

        call = calling.call()
        way = decider.do(partial(connecting.hops, decider.tell, decider.wanted))
        expected = _from_the_url(decider) if callback_port is None else expected_at(callback_port)
        redirect = lead(TunnelOrder(way, call, expected, timeout, busy.port(), relay), decider)
        return Ending(
            "delivered",
            f"forward: the browser's answer was delivered to port {redirect.port} on {way[-1].label}; "
            "Hermes says there whether it has logged in",
            (
                f"The browser's answer was delivered to port {redirect.port} on {way[-1].label}",
                "Hermes says there whether it has logged in",
            ),
        )

    return Report(output.console(), output).conclude(run)


def _from_the_url(decider: Decider) -> Expected | None:
    """The callback to expect, from the URL that the person pastes; None if they have none."""
    from hermes_tunnel.tunnel import expected_by

    question = Question("The authorization URL that Hermes shows there (Enter: look for what waits):")
    text = (decider.answer(question) or "").strip()
    if not text:
        return None
    expected = expected_by(text)
    decider.console.secrets.add(expected.state)
    return expected
