"""``hermes-tunnel paste``: deliver a callback address that the browser could not open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.options import Calling, Connecting, Output, calling, connecting, output, relay_option
from hermes_tunnel.errors import UsageFailure

if TYPE_CHECKING:
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider


@click.command(cls=Verb, options_metavar="[OPTIONS]")
@connecting
@calling
@relay_option
@output
def paste(connecting: Connecting, calling: Calling, relay: str, output: Output) -> int:
    """Deliver the address of a page that did not open (http://127.0.0.1:...) to the login that waits on HOST.

    The address is asked for and stays hidden; without a terminal it is read from standard input. It is
    never an argument, where other users could read it.

    \b
      hermes-tunnel paste me@server
      pbpaste | hermes-tunnel paste hermes-box
    """  # noqa: D301 - the \b is click's
    from hermes_tunnel.cli.report import Ending, Report

    def run(decider: Decider) -> Ending:
        from hermes_tunnel.tunnel import TunnelOrder
        from hermes_tunnel.tunnel import paste as deliver

        call = calling.call()
        way = decider.do(partial(connecting.hops, decider.tell, decider.wanted))
        redirect = deliver(TunnelOrder(way, call, relay=relay), _address(decider), decider)
        return Ending(
            "delivered",
            f"paste: delivered to port {redirect.port} on {way[-1].label}; "
            "Hermes says there whether it has logged in",
            (
                f"The address was delivered to port {redirect.port} on {way[-1].label}",
                "Hermes says there whether it has logged in",
            ),
        )

    return Report(output.console(), output).conclude(run)


def _address(decider: Decider) -> str:
    from hermes_tunnel.conversation.pasting import one_paste
    from hermes_tunnel.oauth.pasted import unwrapped

    decider.say("The address that the browser ended on (it stays hidden):")
    text = one_paste(decider)
    if not text.strip():
        raise UsageFailure(
            "no address was given",
            "copy it from the browser's address bar, and paste it here or give it on standard input",
        )
    decider.console.secrets.update((text, unwrapped(text)))
    return text
