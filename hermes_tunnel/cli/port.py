"""``hermes-tunnel port``: who holds a local port."""

from __future__ import annotations

from functools import partial

import click

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.numbers import PORT
from hermes_tunnel.cli.options import new_console
from hermes_tunnel.cli.report import heard_by
from hermes_tunnel.cli.variables import option
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.ports.occupants import BindRefusal, Occupant, describe, occupants, why_unavailable
from hermes_tunnel.ports.person import BusyPort, Person
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.room import end_occupants
from hermes_tunnel.ports.way_out import way_out
from hermes_tunnel.text import plain


@click.command(
    cls=Verb,
    statuses=(ExitStatus.OK, ExitStatus.INTERNAL, ExitStatus.USAGE, ExitStatus.NO_WAY_BACK),
)
@click.argument("port", type=PORT)
@option("--kill", variable="KILL", is_flag=True, help="End it, after a yes. Never another user's process.")
@option("--yes", variable="YES", is_flag=True, help="Do not ask.")
def port(port: int, kill: bool, yes: bool) -> int:
    """Say who holds local PORT: free is exit status 0, taken 7.

    \b
      hermes-tunnel port 56121
      hermes-tunnel port 56121 --kill
    """  # noqa: D301 - the \b is click's
    console = new_console()
    decider = Decider(console, lambda _: None)
    heard_by(decider)
    try:
        holders = decider.do(partial(occupants, port))
        for holder in holders if not kill else ():  # the question, or the error, names it
            click.echo(plain(describe(holder)))
        if kill:
            person = Person(decider.say, console.is_terminal, BusyPort("kill", yes))
            decider.follow(end_occupants(port, person))
            holders = decider.do(partial(occupants, port))
        elif any(not holder.protected for holder in holders):
            click.echo(f"hermes-tunnel: hint: to end it: hermes-tunnel port {port} --kill", err=True)
        elif listening := [holder for holder in holders if holder.listens]:
            click.echo(f"hermes-tunnel: hint: {plain(way_out(listening[0]))}", err=True)
        return _free_or_taken(port, holders)
    finally:
        decider.end()


def _free_or_taken(port: int, holders: list[Occupant]) -> int:
    """Try to bind: a closed connection holds a port only sometimes, and not every holder is visible."""
    if any(holder.role is not Role.CLOSED for holder in holders):
        return ExitStatus.NO_WAY_BACK
    refusal = why_unavailable(port)
    if refusal is None:
        click.echo(f"local port {port} is free")
        return ExitStatus.OK
    by_whom = ", and the system does not show by whom" * (refusal.reason is BindRefusal.TAKEN and not holders)
    click.echo(plain(refusal.message + by_whom))
    if refusal.reason is BindRefusal.RESERVED:
        click.echo(f"hermes-tunnel: hint: {refusal.hint}", err=True)
    return ExitStatus.OK if refusal.reason is BindRefusal.FORBIDDEN else ExitStatus.NO_WAY_BACK
