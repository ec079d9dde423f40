"""What a run reports: its events, as JSON lines if wanted, and how it ended."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import click

from hermes_tunnel import events
from hermes_tunnel.cli.exit import fault_of, show_failure, show_fault
from hermes_tunnel.cli.options import Output
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.variables import variables_in_use
from hermes_tunnel.cli.words import TYPED
from hermes_tunnel.conversation.decider import Decider, Fault, Signalled
from hermes_tunnel.errors import (
    AGAIN,
    ConfigurationFailure,
    ExitStatus,
    Failure,
    NetworkFailure,
    NobodyAnswered,
    RemoteCommandFailure,
    Stopped,
    UsageFailure,
)
from hermes_tunnel.question import is_yes, yes_or_no
from hermes_tunnel.terminal.console import Console

if TYPE_CHECKING:
    from hermes_tunnel.login import LoggedIn


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    :param outcome: one word, for the JSON
    :param words: the one line for standard output, if that is no terminal
    :param result: the same for a person, and what else is known of it on a second line
    :param problem: why it failed, unless a signal ended it
    :param logged_in: if it did log in, what, where and as whom
    """

    outcome: str
    words: str = ""
    result: tuple[str, str] = ("", "")
    status: int = ExitStatus.OK
    problem: BaseException | None = None
    logged_in: LoggedIn | None = None


Run = Callable[[Decider], Ending]


_AGAIN = "again"
_INTERRUPTED = "interrupted"


class Report:
    """Writes events as JSON lines to standard output, if wanted, and reports how the run ended.

    :param output: how much is said, and in what form
    """

    def __init__(self, console: Console, output: Output) -> None:
        self.console = console
        self._json = output.as_json
        self._log_file = output.log_file
        self._output = output
        self._remote_status: int | None = None
        self._connected = False
        self._listening = False
        self._ended = False
        self._signals = _signals()

    def record(self, event: events.Event) -> None:
        """Write an event, if it is one for the JSON."""
        if isinstance(event, events.Connected):
            self._connected, self._remote_status = True, None
            self._listening = self._ended = False
        if isinstance(event, events.CommandEnded):
            self._remote_status = event.status
        self._listening = self._listening or isinstance(event, events.Forwarding)
        self._ended = self._ended or isinstance(event, events.CommandStopped)
        if self._json and event.public and (self.console.is_curious or not event.detailed):
            import json

            self._write(json.dumps(events.as_json(event, self.console.secrets)))

    def conclude(self, run: Run, *, may_repeat: bool = False) -> int:
        """Run and report the end; the last event and the exit status always agree.

        :param may_repeat: whether to offer another try after a time-out or a lost connection
        :return: the exit status
        """
        with ExitStack() as logging:
            return self._conclude(partial(self._logged, run, logging), may_repeat=may_repeat)

    def _logged(self, run: Run, logging: ExitStack, decider: Decider) -> Ending:
        """Run with a log file, if one is wanted; it stays open until all is said."""
        if self._log_file is not None and self.console.log is None:
            from hermes_tunnel.cli.verbs import version
            from hermes_tunnel.log_file import LogFile

            log = logging.enter_context(closing(LogFile(self._log_file)))
            logging.callback(setattr, self.console, "log", None)
            self.console.log = log.write
            self.console.note(version())
        return run(decider)

    def _conclude(self, run: Run, *, may_repeat: bool) -> int:
        while True:
            ending = self._ending_of(run)
            lost = isinstance(ending.problem, NobodyAnswered | NetworkFailure) and self._connected
            if not (may_repeat and lost and self.console.is_terminal):
                self._signals.hear_no_more()
                return self._say_last(self._last_word(ending))
            if isinstance(ending.problem, Failure) and ending.problem.hint.startswith(AGAIN):
                ending.problem.hint = ""  # the question says so
            self._say(ending)
            again = self._ending_of(_ask_again)
            if again.outcome != _AGAIN:
                self._signals.hear_no_more()
                return self._say_last(again) if again.status else int(ending.status)

    def _ending_of(self, run: Run) -> Ending:
        decider = Decider(self.console, self.record)
        heard_by(decider)
        try:
            return run(decider)
        except Failure as failure:
            variables = variables_in_use(click.get_current_context())
            if isinstance(failure, UsageFailure | ConfigurationFailure) and variables:
                failure.hint += f"; options were taken from the environment: {', '.join(variables)}"
            if failure.hint.endswith(AGAIN):
                failure.hint += f": {_typed()}"
            # It may quote what was typed or printed, and whoever shows it does not know the secrets.
            failure.message = self.console.safe(failure.message)
            failure.hint = self.console.safe(failure.hint)
            return Ending(failure.status.name.lower(), status=int(failure.status), problem=failure)
        except Stopped as stopped:
            return Ending(_INTERRUPTED, status=128 + stopped.number)
        except BaseException as fault:  # the outermost layer: a bug, whatever a library calls it
            return Ending("internal", status=ExitStatus.INTERNAL, problem=fault)
        finally:
            decider.end()

    def _last_word(self, ending: Ending) -> Ending:
        """A signal or a bug during the teardown counts too."""
        if self._signals.fault is not None:
            return Ending("internal", status=ExitStatus.INTERNAL, problem=self._signals.fault)
        if self._signals.number is not None:
            return Ending(_INTERRUPTED, status=128 + self._signals.number)
        return ending

    def _say_last(self, ending: Ending) -> int:
        self._signals.status = int(ending.status)
        return self._say(ending)

    def _say(self, ending: Ending) -> int:
        if ending.words and not self._json:
            self._say_result(ending)
        finished = events.Finished(
            int(ending.status), ending.outcome, self._remote_status, *_why(ending), *_what(ending)
        )
        self.record(finished)
        for line in ending.problem.said if isinstance(ending.problem, Failure) else ():
            self.console.show(events.RemoteLine(line))
        self.console.show(finished)
        self.console.note(ending.words)
        if ending.problem is not None or ending.outcome == _INTERRUPTED:  # else a program ended as it does
            self._ended = self._ended and not isinstance(ending.problem, RemoteCommandFailure)  # it never ran
            self._say_state(stopped=ending.problem is None)
        if isinstance(ending.problem, Failure):
            self.console.note(f"error: {ending.problem.message}")
            self.console.note(f"hint: {ending.problem.hint}" if ending.problem.hint else "")
            show_failure(ending.problem)
        elif ending.problem is not None:
            self.console.note(f"error: {fault_of(ending.problem)}")
            show_fault(ending.problem)
        self.console.note(f"The exit status is {int(ending.status)}.")
        return int(ending.status)

    def _say_state(self, *, stopped: bool) -> None:
        """Say what is no more of what was opened and run, as far as we know and it is not plain.

        :param stopped: whether a signal ended it all; if not, an error follows
        """
        closed = "the port is closed" if self._listening else ""
        ended = "Hermes there was ended" if self._ended else ""
        state = ", and ".join(filter(None, (closed, ended)))
        state = f"{state[:1].upper()}{state[1:]}"
        if stopped and state:
            self.console.show(events.Notice(f"Stopped. {state}."))
        elif ended:  # what has ended by itself has closed everything
            self.console.show(events.Notice(state))

    def _say_result(self, ending: Ending) -> None:
        screen = self._output.result_screen()
        if screen is None:
            self._write(self.console.safe(ending.words))
            return
        result, more = ending.result
        screen.secrets.update(self.console.secrets)
        screen.conclude(result or ending.words, more)

    def _write(self, line: str) -> None:
        if sys.stdout is None:
            return
        try:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
        except OSError:
            self._json = False  # the reader has gone; the login goes on


def heard_by(decider: Decider) -> None:
    """Have signals, and bugs in any thread, posted to its mailbox."""
    _signals().heard_by(
        lambda number: decider.mailbox.put(Signalled(number)),
        lambda problem: decider.mailbox.put(Fault(problem)),
    )


def _signals() -> Signals:
    return click.get_current_context().find_object(Signals) or Signals()


def _typed() -> str:
    """What the person typed, to be typed again."""
    return shlex.join(["hermes-tunnel", *click.get_current_context().meta.get(TYPED, ())])


def _why(ending: Ending) -> tuple[str, str]:
    """Why it failed and what to type next, if a person is told."""
    failure = ending.problem
    return (failure.message, failure.hint) if isinstance(failure, Failure) else ("", "")


def _what(ending: Ending) -> tuple[str, str, str]:
    """The provider, the account and the credential of a login."""
    done = ending.logged_in
    if done is None:
        return ("", "", "")
    return (done.provider, done.destination, done.landing.path if done.landing else "")


def _ask_again(decider: Decider) -> Ending:
    return Ending(_AGAIN if is_yes(decider.answer(yes_or_no("Run it again?"))) else "")
