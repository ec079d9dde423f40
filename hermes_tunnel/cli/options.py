"""The options that verbs share, with ssh's letters where ssh has them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from hermes_tunnel.local.console import Console
from hermes_tunnel.local.keyboard import Keyboard

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, variable: str, **settings: Any) -> Callable[[F], F]:
    """A click option that can be set as ``HERMES_TUNNEL_<variable>`` as well."""
    return click.option(*names, envvar=f"HERMES_TUNNEL_{variable}", **settings)


_CONNECTION = (
    option(
        "-J",
        "--jump",
        "jumps",
        variable="JUMP",
        multiple=True,
        metavar="HOST[,HOST...]",
        help="Go through these hosts, in this order, as ssh -J does.",
    ),
    option("-p", "port", variable="PORT", type=click.IntRange(1, 65535), help="Port of the SSH server."),
    option("-l", "user", variable="USER", metavar="USER", help="Account to connect as."),
    option(
        "-i",
        "identity_files",
        variable="IDENTITY_FILE",
        multiple=True,
        metavar="FILE",
        help="Private key to try first.",
    ),
    option("-F", "config_file", variable="CONFIG_FILE", metavar="FILE", help="Use this ssh_config, or none."),
    option(
        "-o",
        "ssh_options",
        variable="OPTION",
        multiple=True,
        metavar="KEY=VALUE",
        help="An option of ssh_config.",
    ),
    option("-4", "ipv4", variable="IPV4", is_flag=True, help="IPv4 only."),
    option("-6", "ipv6", variable="IPV6", is_flag=True, help="IPv6 only."),
)
_OUTPUT = (
    option("-v", "verbosity", variable="VERBOSE", count=True, help="Say more."),
    option("-q", "quiet", variable="QUIET", is_flag=True, help="Say only what is needed."),
)


def connection_options(command: F) -> F:
    """Where to connect to, and how."""
    return _all(_CONNECTION, command)


def output_options(command: F) -> F:
    """How much is said."""
    return _all(_OUTPUT, command)


def _all(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for one in reversed(options):
        command = one(command)
    return command


def new_console(*, verbosity: int = 0, quiet: bool = False) -> Console:
    """The console on this process's standard error and input."""
    color = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    # Standard error may have been closed from the start: then nobody is told.
    stream = sys.stderr if sys.stderr is not None else io.StringIO()
    return Console(stream, Keyboard(sys.stdin), verbosity=-1 if quiet else verbosity, color=color)
