"""``hermes-tunnel port``: who holds a local port."""

from __future__ import annotations

import click

from hermes_tunnel.cli.options import new_console, option
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.local.ports import describe, occupants
from hermes_tunnel.port import end_occupant
from hermes_tunnel.text import plain


@click.command()
@click.argument("port", type=click.IntRange(1, 65535))
@option("--kill", variable="KILL", is_flag=True, help="End it, after a yes. Never another user's process.")
@option("--yes", variable="YES", is_flag=True, help="Do not ask.")
def port(port: int, kill: bool, yes: bool) -> int:
    """Say who holds local PORT: free is exit status 0, taken 7.

    \b
      hermes-tunnel port 56121
      hermes-tunnel port 56121 --kill
    """  # noqa: D301 - the \b is click's
    holders = occupants(port)
    for holder in holders:
        click.echo(plain(describe(holder)))
    if kill:
        console = new_console()
        ended = [end_occupant(holder, console, yes=yes) for holder in holders]
        holders = [] if all(ended) else occupants(port)
    elif not holders:
        click.echo(f"local port {port} is free")
    return ExitStatus.NO_WAY_BACK if holders else ExitStatus.OK
