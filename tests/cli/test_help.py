"""What a verb says about itself: options by subject, and its exit statuses."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.verbs import cli, run
from hermes_tunnel.errors import ExitStatus

CONTEXT = click.Context(cli, **cli.context_settings)
VERBS = {name: cli.get_command(CONTEXT, name) for name in cli.list_commands(CONTEXT)}


def help_of(verb: str) -> str:
    """What --help prints."""
    return CliRunner().invoke(cli, [verb, "--help"]).output


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_listed_once(verb: str) -> None:
    """It is under its subject, or among the options of the verb alone."""
    command = VERBS[verb]
    assert isinstance(command, Verb)
    options = [each.opts[0] for each in command.get_params(CONTEXT) if isinstance(each, click.Option)]
    assert sorted(re.findall(r"^  (--?[\w-]+)", help_of(verb), re.MULTILINE)) == sorted(options)


def test_options_are_grouped() -> None:
    """A long list reads as a few short ones."""
    subjects = re.findall(r"^(\w[\w -]+):$", help_of("login"), re.MULTILINE)
    assert subjects == ["Connection", "On HOST", "Sign-in", "Way back", "Output", "Exit status"]


@pytest.mark.parametrize(
    ("verb", "statuses"), [("login", list(ExitStatus)), ("port", [0, 1, 2, 7]), ("providers", [0, 1, 2])]
)
def test_the_exit_statuses_end_the_help(verb: str, statuses: list[int]) -> None:
    """The help lists those that the verb may end with, and those of signals."""
    end = help_of(verb).partition("Exit status:\n")[2].splitlines()
    assert [int(line.split()[0].rstrip(",")) for line in end] == [*statuses, 129]


def test_run_ends_with_the_status_of_its_command() -> None:
    """Its help says so first; ours follow, and none of them says that all went well."""
    first, *_ = end = help_of("run").partition("Exit status:\n")[2].splitlines()
    assert first.split()[:5] == ["0", "to", "255", "that", "of"]
    assert not [line for line in end[1:] if line.split()[0] == "0"]


def test_what_run_runs_need_not_be_hermes() -> None:
    """Its options do not speak of Hermes."""
    assert "Hermes" not in help_of("run")


@pytest.mark.parametrize(
    ("typed", "error", "hint"),
    [
        (["host", "cmd"], "a command needs -- in front of it", "run [USER@]HOST -- COMMAND..."),
        (["host", "gh", "--web"], "no such option '--web'", "run [USER@]HOST -- COMMAND..."),
        (["host", "--forward", "x"], "'x' is not a port, a number from 1 to 65535", "run --help"),
        (["host", "cmd", "--", "x"], "got unexpected extra argument (cmd)", "run --help"),
        (["--", "cmd"], "on which host should the command run?", "run [USER@]HOST -- COMMAND..."),
        ([], "missing argument '[USER@]HOST[:PORT]'", "run --help"),
    ],
)
def test_what_is_typed_wrong(
    typed: list[str], error: str, hint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Before anything is connected to, whoever is used to ssh is told what is different here."""
    assert run(["run", *typed], Signals()) == 2
    first, second = capfd.readouterr().err.splitlines()
    assert first.startswith("hermes-tunnel: error: ")
    assert first.endswith(error)
    assert second.startswith("hermes-tunnel: hint: ")
    assert second.endswith(f"hermes-tunnel {hint}")
