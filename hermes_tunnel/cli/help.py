"""How a verb explains itself: its options by subject, and the exit statuses at the end."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from hermes_tunnel.errors import ExitStatus

_SUBJECTS = {
    "Connection": "-J -p -l -i -F -o -4 -6",
    "On HOST": "--as-user --container --profile --hermes-path",
    "Sign-in": "--no-browser --browser --copy-code --qr --timeout --allow-host",
    "Way back": "--relay --on-busy-port --yes",
    "Output": "--dry-run --json -v -q --log-file -h",
}
_STATUSES = {
    ExitStatus.OK: "done",
    ExitStatus.INTERNAL: "a fault of this program",
    ExitStatus.USAGE: "a bad option, host, user, provider or port",
    ExitStatus.CONFIGURATION: "ssh_config, the chain of jump hosts, or the log file",
    ExitStatus.NETWORK: "could not connect, or the connection was lost",
    ExitStatus.HOST_KEY: "host key unknown, declined, changed or revoked",
    ExitStatus.AUTHENTICATION: "the server did not let you in",
    ExitStatus.NO_WAY_BACK: "no way for the callback: port taken, or forwarding refused",
    ExitStatus.REMOTE_COMMAND: "the command there could not run, or said nothing we recognise",
    ExitStatus.REFUSED: "the remote or the provider said no",
    ExitStatus.NOBODY_ANSWERED: "nobody answered in time",
    ExitStatus.UNSAFE: "refused, because it could have harmed you",
}
_SIGNALS = ("129, 130, 143", "ended by SIGHUP, SIGINT, SIGTERM")


def exit_statuses(statuses: Iterable[ExitStatus]) -> list[tuple[str, str]]:
    """Each of these statuses, then those of signals, with what they mean."""
    return [*((str(int(each)), _STATUSES[each]) for each in statuses), _SIGNALS]


class Verb(click.Command):
    """A verb of the command line.

    :param statuses: the exit statuses that it may end with
    """

    def __init__(
        self, *arguments: Any, statuses: tuple[ExitStatus, ...] = tuple(ExitStatus), **settings: Any
    ) -> None:
        super().__init__(*arguments, **settings)
        self.statuses = statuses

    @property
    def exit_statuses(self) -> list[tuple[str, str]]:
        """The exit statuses that it may end with, and what they mean."""
        return exit_statuses(self.statuses)

    def by_subject(self, ctx: click.Context) -> dict[str, list[click.Option]]:
        """The options, those of one subject together; first those of this verb alone."""
        options = {each.opts[0]: each for each in self.get_params(ctx) if isinstance(each, click.Option)}
        about = {
            subject: [options.pop(name) for name in names.split() if name in options]
            for subject, names in _SUBJECTS.items()
        }
        return {
            subject: found for subject, found in {"Options": [*options.values()], **about}.items() if found
        }

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options by subject."""
        for subject, options in self.by_subject(ctx).items():
            records = [each.get_help_record(ctx) for each in options]
            with formatter.section(subject):
                formatter.write_dl([each for each in records if each is not None])

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the exit statuses."""
        with formatter.section("Exit status"):
            formatter.write_dl(self.exit_statuses)
