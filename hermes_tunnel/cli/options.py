"""The options that verbs share, with ssh's letters where ssh has them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from hermes_tunnel.cli.numbers import PORT
from hermes_tunnel.cli.variables import option
from hermes_tunnel.ports.person import ON_BUSY, BusyPort

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from hermes_tunnel.conversation.decider import Decider
    from hermes_tunnel.events import Emit
    from hermes_tunnel.remote.call import Call
    from hermes_tunnel.ssh.config.hop import HopConfiguration
    from hermes_tunnel.ssh.first_hop import Begun
    from hermes_tunnel.terminal.console import Console
    from hermes_tunnel.terminal.screen import Screen

RELAY = ("auto", "always", "never")

F = TypeVar("F", bound=Callable[..., Any])


def _group(name: str, kind: type[object], options: tuple[Callable[[F], F], ...]) -> Callable[[F], F]:
    """Options that belong together: the command gets them as one typed argument of that name."""
    members = [each.name for each in fields(kind)]  # type: ignore[arg-type]

    def decorate(command: F) -> F:
        @wraps(command)
        def with_group(**given: object) -> object:
            values = {member: given.pop(member) for member in members if member in given}
            return command(**given, **{name: kind(**values)})

        decorated: Any = with_group
        for one in reversed(options):
            decorated = one(decorated)
        return cast("F", decorated)

    return decorate


def _hosts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from hermes_tunnel.cli.completion import complete_host

    return complete_host(ctx, parameter, incomplete)


_CONNECTING = (
    option(
        "-J",
        "--jump",
        "jumps",
        variable="JUMP",
        multiple=True,
        metavar="HOST[,HOST...]",
        help="Go through these hosts, in this order, as with ssh -J.",
        shell_complete=_hosts,
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
_HOST = click.argument("host", metavar="[USER@]HOST[:PORT]", shell_complete=_hosts)
_ACCOUNT = (
    option("--as-user", variable="AS_USER", metavar="USER", help="As USER, with sudo."),
    option(
        "--container",
        variable="CONTAINER",
        metavar="NAME",
        help="In this docker or podman container.",
    ),
)
_PROGRAM = (
    option("--profile", variable="PROFILE", metavar="NAME", help="With this Hermes profile."),
    option("--hermes-path", variable="HERMES_PATH", metavar="PATH", help="With the hermes at this path."),
)
relay_option = option(
    "--relay",
    variable="RELAY",
    type=click.Choice(RELAY),
    default="auto",
    help="Pass the callback on with a command there; auto: if the server forwards nothing.",
)
_BUSY_PORT = (
    option(
        "--on-busy-port",
        variable="ON_BUSY_PORT",
        type=click.Choice(ON_BUSY),
        default="ask",
        help="What to do if the local port is taken; paste: you paste the address yourself.",
    ),
    option("--yes", variable="YES", is_flag=True, help="Answer yes to the question about the local port."),
)
json_option = option(
    "--json", "as_json", variable="JSON", is_flag=True, help="One JSON object per line on standard output."
)
_OUTPUT = (
    json_option,
    option("-v", "--verbose", "verbosity", variable="VERBOSE", count=True, help="Say more."),
    option("-q", "--quiet", "quiet", variable="QUIET", is_flag=True, help="Say only what is needed."),
    option("--log-file", variable="LOG_FILE", metavar="FILE", help="Add what -v says to FILE, with times."),
)


@dataclass(frozen=True)
class Connecting:
    """Where to connect to, and how."""

    host: str
    jumps: tuple[str, ...]
    port: int | None
    user: str | None
    identity_files: tuple[str, ...]
    config_file: str | None
    ssh_options: tuple[str, ...]
    ipv4: bool
    ipv6: bool

    def hops(self, emit: Emit, wanted: Callable[[], bool]) -> tuple[HopConfiguration, ...]:
        """The way to the host that was typed. Slow, because ssh reads its configuration.

        :param emit: is told what it waits for
        :param wanted: whether the answer is still wanted
        """
        from hermes_tunnel.ssh.config.chain import Options, resolve
        from hermes_tunnel.ssh.config.target import parse_target

        target = parse_target(self.host, self.jumps, self.user, self.port)
        options = Options(
            config_file=self.config_file,
            options=self.ssh_options,
            identity_files=self.identity_files,
            address_family={(True, False): "inet", (False, True): "inet6"}.get((self.ipv4, self.ipv6)),
        )
        return resolve(target, options, emit=emit, wanted=wanted)

    def begun(self, decider: Decider) -> AbstractContextManager[Callable[[], Begun]]:
        """Begin with the way to that host, beside what is done inside: the rest of the program is imported
        meanwhile.

        :return: gives a function that waits for the way
        """
        from hermes_tunnel.ssh.first_hop import Begun, begin

        return decider.meanwhile(partial(begin, self.hops, decider.tell, decider.wanted), Begun.close)


@dataclass(frozen=True)
class Calling:
    """How to run Hermes on the remote machine, by whichever of these options a verb has."""

    as_user: str | None
    container: str | None
    profile: str | None = None
    hermes_path: str | None = None

    def call(self) -> Call:
        """The same, checked."""
        from hermes_tunnel.remote.call import Call

        return Call(
            path=self.hermes_path or "",
            as_user=self.as_user or "",
            container=self.container or "",
        )


@dataclass(frozen=True)
class Busy:
    """What becomes of a local port that is taken."""

    on_busy_port: str
    yes: bool

    def port(self) -> BusyPort:
        """The same, for whoever makes room."""
        return BusyPort(self.on_busy_port, self.yes)


@dataclass(frozen=True)
class Output:
    """How much is said, and in what form."""

    as_json: bool = False
    verbosity: int = 0
    quiet: bool = False
    log_file: str | None = None

    def console(self) -> Console:
        """The console on this process's standard error and input."""
        return new_console(verbosity=-1 if self.quiet else self.verbosity)

    def result_screen(self) -> Screen | None:
        """Standard output as a screen, if it is a terminal: there the result is for a person."""
        from hermes_tunnel.terminal.screen import Screen

        stream = sys.stdout
        return Screen(stream, color=_has_color()) if stream is not None and stream.isatty() else None


connecting = _group("connecting", Connecting, (_HOST, *_CONNECTING))
calling = _group("calling", Calling, _ACCOUNT)
calling_hermes = _group("calling", Calling, (*_ACCOUNT, *_PROGRAM))
busy = _group("busy", Busy, _BUSY_PORT)
output = _group("output", Output, _OUTPUT)


def new_console(*, verbosity: int = 0) -> Console:
    """The console on this process's standard error and input."""
    from hermes_tunnel.terminal.console import Console
    from hermes_tunnel.terminal.keyboard import Keyboard
    from hermes_tunnel.terminal.links import has_links

    dumb = os.environ.get("TERM") == "dumb"
    # Standard error may have been closed from the start; then there is no one to tell.
    stream = sys.stderr if sys.stderr is not None else io.StringIO()
    keyboard = Keyboard(sys.stdin)
    keyboard.heed_stops()
    links = has_links(os.environ)
    return Console(stream, keyboard, verbosity=verbosity, color=_has_color(), moves=not dumb, links=links)


def _has_color() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
