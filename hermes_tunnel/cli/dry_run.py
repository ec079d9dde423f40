"""``--dry-run``: the lines of ssh that do by hand what a verb would do; nothing connects, nothing opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel.cli.options import Connecting, Output
from hermes_tunnel.cli.variables import option

if TYPE_CHECKING:
    from hermes_tunnel.cli.report import Ending
    from hermes_tunnel.conversation.decider import Decider
    from hermes_tunnel.ssh.config.hop import HopConfiguration

dry_run_option = option(
    "--dry-run",
    variable="DRY_RUN",
    is_flag=True,
    help="Print the ssh commands that would do it by hand, and stop.",
)
_WITHOUT_PROXY_JUMP = "# The tunnel for an ssh older than 7.3, which has no -J"
_PORT_COMMENT = "; PORT is the one in the address that the login prints, after 127.0.0.1"


def print_forward(connecting: Connecting, port: int | None, output: Output) -> int:
    """Print the lines that forward a port here to the same port there.

    :param port: None if it is known only later
    :return: the exit status
    """
    return _conclude(connecting, output, lambda hops: _forward(hops, port))


def print_login(connecting: Connecting, command: str, port: int | None, why: str, output: Output) -> int:
    """Print the lines that run a login there and take the browser's callback to it.

    :param command: the command line there
    :param port: the port of the callback; None if it is known only later
    :param why: when the tunnel is needed; empty if no tunnel can help
    :return: the exit status
    """

    def lines(hops: Sequence[HopConfiguration]) -> dict[str, str]:
        from hermes_tunnel.ssh.by_hand import running, way_to

        login = {"# The login; open the address that it prints": running(way_to(hops[-1]), command)}
        return {**login, **(_forward(hops, port, why) if why else {})}

    return _conclude(connecting, output, lines)


def _conclude(
    connecting: Connecting, output: Output, lines: Callable[[Sequence[HopConfiguration]], dict[str, str]]
) -> int:
    from hermes_tunnel import events
    from hermes_tunnel.cli.report import Ending, Report

    def run(decider: Decider) -> Ending:
        told = lines(decider.do(partial(connecting.hops, decider.tell, decider.wanted)))
        decider.emit(events.DryRun(tuple(told.values())))
        if not output.as_json:
            click.echo("\n".join(f"{comment}\n{line}" for comment, line in told.items()))
        return Ending("dry_run")

    return Report(output.console(), output).conclude(run)


def _forward(hops: Sequence[HopConfiguration], port: int | None, why: str = "") -> dict[str, str]:
    from hermes_tunnel.ssh.by_hand import forwarding, way_to, without_proxy_jump

    place = "PORT" if port is None else str(port)
    title = f"# The tunnel, in a second terminal{why and f': {why}'}{_PORT_COMMENT if port is None else ''}"
    told = {title: forwarding(way_to(hops[-1]), place)}
    if len(hops) > 1:
        told[_WITHOUT_PROXY_JUMP] = forwarding(without_proxy_jump(hops), place)
    return told
