"""``hermes-tunnel forward``: the tunnel alone, for a login that already waits there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hermes_tunnel.cli.options import (
    SECONDS,
    Number,
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

if TYPE_CHECKING:
    from hermes_tunnel.oauth.callback import Expected
    from hermes_tunnel.terminal.console import Console


@click.command(options_metavar="[OPTIONS]")
@click.argument("host", metavar="[USER@]HOST[:PORT]")
@click.argument(
    "callback_port", type=Number("a port of a login", 1024, 65535), metavar="[PORT]", required=False
)
@connection_options
@remote_options
@option(
    "--timeout",
    variable="TIMEOUT",
    type=SECONDS,
    metavar="SECONDS",
    help="How long to wait for the browser; default: until you stop it.",
)
@way_back_options
@json_option
@output_options
def forward(callback_port: int | None, as_json: bool, quiet: bool, verbosity: int, **wanted: Any) -> int:
    """Lead the browser's callback to a login that already waits on HOST, in tmux or mosh for instance.

    Without PORT you are asked for the authorization URL that Hermes shows there: then nothing but the answer
    to that login is let through. Without that, what waits on the loopback there is looked at. The connection
    comes back by itself when it drops; it ends when the callback was delivered.

    \b
      hermes-tunnel forward me@server
      hermes-tunnel forward hermes-box 56121
    """  # noqa: D301 - the \b is click's
    console = new_console(verbosity=verbosity, quiet=quiet)
    report = Report(console, as_json=as_json)
    return report.conclude(lambda: _forward(callback_port, wanted, console, report))


def _forward(port: int | None, wanted: dict[str, Any], console: Console, report: Report) -> str:
    from hermes_tunnel.tunnel import Order, expected_at
    from hermes_tunnel.tunnel import forward as lead
    from hermes_tunnel.way_back.entrance import BusyPort

    how = call(wanted)
    way = hops(wanted)
    expected = _from_the_url(console) if port is None else expected_at(port)
    busy = BusyPort(wanted["on_busy_port"], wanted["yes"])
    order = Order(way, how, expected, wanted["timeout"], busy, wanted["relay"])
    redirect = lead(order, console, report.emit)
    report.result(
        f"forward: the browser's answer was delivered to port {redirect.port} on {way[-1].label}; "
        "Hermes says there whether it has logged in"
    )
    return "delivered"


def _from_the_url(console: Console) -> Expected | None:
    """What is waited for, by the URL that the person has; None where they have none."""
    from hermes_tunnel.tunnel import expected_by

    question = "The authorization URL that Hermes shows there (Enter: look what waits there): "
    text = (console.ask(question, False) or "").strip()
    if not text:
        return None
    expected = expected_by(text)
    console.secrets.add(expected.state)
    return expected
