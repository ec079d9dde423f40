"""``hermes-tunnel paste``: deliver a callback address that the browser could not open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from hermes_tunnel.cli.options import (
    call,
    connection_options,
    hops,
    json_option,
    new_console,
    output_options,
    relay_option,
    remote_options,
)
from hermes_tunnel.cli.report import Report
from hermes_tunnel.errors import UsageFailure

if TYPE_CHECKING:
    from hermes_tunnel.terminal.console import Console


@click.command(options_metavar="[OPTIONS]")
@click.argument("host", metavar="[USER@]HOST[:PORT]")
@connection_options
@remote_options
@relay_option
@json_option
@output_options
def paste(as_json: bool, quiet: bool, verbosity: int, **wanted: Any) -> int:
    """Deliver the address of a page that did not open (http://127.0.0.1:...) to the login that waits on HOST.

    The address is asked for and stays hidden; without a terminal it is a line of standard input. It is
    never an argument, where other users could read it.

    \b
      hermes-tunnel paste me@server
      pbpaste | hermes-tunnel paste hermes-box
    """  # noqa: D301 - the \b is click's
    console = new_console(verbosity=verbosity, quiet=quiet)
    report = Report(console, as_json=as_json)
    return report.conclude(lambda: _paste(wanted, console, report))


def _paste(wanted: dict[str, Any], console: Console, report: Report) -> str:
    from hermes_tunnel.tunnel import Order
    from hermes_tunnel.tunnel import paste as deliver

    how = call(wanted)
    way = hops(wanted)
    text = _address(console)
    redirect = deliver(Order(way, how, relay=wanted["relay"]), text, report.emit, console)
    report.result(
        f"paste: delivered to port {redirect.port} on {way[-1].label}; "
        "Hermes says there whether it has logged in"
    )
    return "delivered"


def _address(console: Console) -> str:
    if console.is_terminal:
        text = console.ask("The address that the browser ended on (it stays hidden): ", True)
    else:
        text = sys.stdin.readline(65536) if sys.stdin is not None else ""
    if not (text or "").strip():
        raise UsageFailure(
            "no address was given",
            "copy it from the browser's address line, and paste it here or give it on standard input",
        )
    console.secrets.add((text or "").strip())
    return text or ""
