"""What a run tells: everything to the console, and the contract's events as JSON lines if wanted."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import click

from hermes_tunnel import events
from hermes_tunnel.cli.options import variables_in_use
from hermes_tunnel.errors import ConfigurationFailure, Ended, ExitStatus, Failure, UsageFailure
from hermes_tunnel.terminal.console import Console


class Report:
    """Passes what happens to the console and, if wanted, as JSON lines to standard output."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._json = as_json
        self._remote_status: int | None = None
        self.connected = False

    def emit(self, event: events.Event) -> None:
        """One thing that happened."""
        if isinstance(event, events.Connected):
            self.connected, self._remote_status = True, None
        if isinstance(event, events.CommandEnded):
            self._remote_status = event.status
        if self._json and event.public:
            self._write(json.dumps(events.as_json(event, self._console.secrets)))
        self._console.show(event)

    def conclude(self, run: Callable[[], str]) -> int:
        """Run, and say that it is over however it ended.

        :param run: gives the outcome in a word where it ended well
        :return: the exit status of a good end; the others are raised
        """
        try:
            outcome = run()
        except Failure as failure:
            variables = variables_in_use(click.get_current_context())
            if isinstance(failure, UsageFailure | ConfigurationFailure) and variables:
                failure.hint += f"; options were taken from the environment: {', '.join(variables)}"
            # What was answered or printed may be quoted in it; whoever shows it does not know the secrets.
            failure.message = self._console.safe(failure.message)
            failure.hint = self._console.safe(failure.hint)
            self._finish(failure.status, failure.status.name.lower())
            raise
        except Ended as ended:
            self._finish(128 + ended.number, "interrupted")
            raise
        self._finish(ExitStatus.OK, outcome)
        return ExitStatus.OK

    def _finish(self, status: int, outcome: str) -> None:
        self.emit(events.Finished(int(status), outcome, self._remote_status))

    def result(self, text: str) -> None:
        """The one line that standard output is for."""
        if not self._json:
            self._write(self._console.safe(text))

    def _write(self, line: str) -> None:
        if sys.stdout is None:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            self._json = False  # whoever read it has gone; the login goes on
