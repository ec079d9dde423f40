"""The options that verbs share, with ssh's letters where ssh has them."""

from __future__ import annotations

import io
import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click
from click.core import ParameterSource

from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.text import quote

if TYPE_CHECKING:
    from hermes_tunnel.remote.call import Call
    from hermes_tunnel.ssh.config.hop import HopConfiguration

F = TypeVar("F", bound=Callable[..., Any])


class _Words(click.types.StringParamType):
    """Any text; in a variable, several of them are separated by spaces, and quoted where they have one."""

    def split_envvar_value(self, rv: str) -> list[str]:
        try:
            return shlex.split(rv, posix=os.name == "posix")
        except ValueError:  # an apostrophe, perhaps
            return [rv]


class _Name(click.Option):
    """An option whose value is a name or a path, which is never empty: an empty one is not the same as none.

    Else ``--as-user "$U"`` would log in another account where U is not set.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value, though it may be empty, which to click is none."""
        return os.environ.get(str(self.envvar), super().resolve_envvar_value(ctx))

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """:raises click.BadParameter: it is empty"""
        if value == "":
            raise click.BadParameter("it is empty", ctx=ctx, param=self)
        return super().process_value(ctx, value)


if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # which takes no type before click 8.5


class Number(_ParamType):
    """A decimal number in a range, told in plain words.

    :param what: what it is, such as ``a port``
    """

    name = "number"

    def __init__(self, what: str, least: int, most: int, *, whole: bool = True) -> None:
        self._what, self._least, self._most, self._whole = what, least, most, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """:raises click.BadParameter: it is no such number"""
        digits = r"[0-9]+" if self._whole else r"[0-9]+(\.[0-9]*)?|\.[0-9]+"
        if not re.fullmatch(digits, str(value)) or not self._least <= float(value) <= self._most:
            self.fail(
                f"{quote(str(value))} is not {self._what}, a number from {self._least} to {self._most}",
                param,
                ctx,
            )
        return int(value) if self._whole else float(value)


def option(*names: str, variable: str, **settings: Any) -> Callable[[F], F]:
    """A click option that can be set as ``HERMES_TUNNEL_<variable>`` as well."""
    if settings.get("multiple"):
        settings["type"] = _Words()
    elif settings.get("metavar") in ("USER", "NAME", "PATH", "FILE"):
        settings["cls"] = _Name
    if not any(name.startswith("--") for name in names):  # else it is called as the option is
        settings["help"] += f" Variable: HERMES_TUNNEL_{variable}."
    return click.option(*names, envvar=f"HERMES_TUNNEL_{variable}", **settings)


def variables_in_use(ctx: click.Context) -> list[str]:
    """The variables that options were taken from."""
    return [
        str(each.envvar)
        for each in ctx.command.params
        if each.name and ctx.get_parameter_source(each.name) is ParameterSource.ENVIRONMENT
    ]


PORT = Number("a port", 1, 65535)
SECONDS = Number("a time in seconds", 1, 86400, whole=False)
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
    option("-p", "port", variable="PORT", type=PORT, metavar="PORT", help="Port of the SSH server."),
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
_REMOTE = (
    option("--as-user", variable="AS_USER", metavar="USER", help="Run it there as USER, by sudo."),
    option(
        "--container",
        variable="CONTAINER",
        metavar="NAME",
        help="Hermes is in this container there, of docker or podman.",
    ),
)
relay_option = option(
    "--relay",
    variable="RELAY",
    type=click.Choice(("auto", "always", "never")),
    default="auto",
    help="Pass the callback on by a command there; auto: where the server forwards nothing.",
)
_WAY_BACK = (
    relay_option,
    option(
        "--on-busy-port",
        variable="ON_BUSY_PORT",
        type=click.Choice(("ask", "kill", "paste", "fail")),
        default="ask",
        help="What to do if the local port is taken; paste: you bring the address yourself.",
    ),
    option("--yes", variable="YES", is_flag=True, help="Answer yes to the question about the local port."),
)
json_option = option(
    "--json", "as_json", variable="JSON", is_flag=True, help="One JSON object a line on standard output."
)
_OUTPUT = (
    option("-v", "verbosity", variable="VERBOSE", count=True, help="Say more."),
    option("-q", "quiet", variable="QUIET", is_flag=True, help="Say only what is needed."),
)


def connection_options(command: F) -> F:
    """Where to connect to, and how."""
    return _all(_CONNECTION, command)


def remote_options(command: F) -> F:
    """Where Hermes is on the remote machine."""
    return _all(_REMOTE, command)


def way_back_options(command: F) -> F:
    """How the callback gets there."""
    return _all(_WAY_BACK, command)


def output_options(command: F) -> F:
    """How much is said."""
    return _all(_OUTPUT, command)


def _all(options: tuple[Callable[[F], F], ...], command: F) -> F:
    for one in reversed(options):
        command = one(command)
    return command


def hops(wanted: dict[str, Any]) -> tuple[HopConfiguration, ...]:
    """The way to the host that was typed, by the connection options."""
    from hermes_tunnel.ssh.config.chain import Options, resolve
    from hermes_tunnel.ssh.config.target import parse_target

    target = parse_target(wanted["host"], wanted["jumps"], wanted["user"], wanted["port"])
    family = {(True, False): "inet", (False, True): "inet6"}.get((wanted["ipv4"], wanted["ipv6"]))
    options = Options(
        config_file=wanted["config_file"],
        options=wanted["ssh_options"],
        identity_files=wanted["identity_files"],
        address_family=family,
    )
    return resolve(target, options)


def call(wanted: dict[str, Any]) -> Call:
    """How Hermes is run there, by those of the options for it that the verb has."""
    from hermes_tunnel.remote.call import Call

    options = {"path": "hermes_path", "as_user": "as_user", "profile": "profile", "container": "container"}
    return Call(**{field: wanted[name] for field, name in options.items() if wanted.get(name)})


def new_console(*, verbosity: int = 0, quiet: bool = False) -> Console:
    """The console on this process's standard error and input."""
    dumb = os.environ.get("TERM") == "dumb"
    # Standard error may have been closed from the start: then nobody is told.
    stream = sys.stderr if sys.stderr is not None else io.StringIO()
    keyboard = Keyboard(sys.stdin)
    keyboard.heed_stops()
    color = not os.environ.get("NO_COLOR") and not dumb
    return Console(stream, keyboard, verbosity=-1 if quiet else verbosity, color=color, moves=not dumb)
