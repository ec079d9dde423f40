"""What a verb says about itself: options by subject, and its exit statuses."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.verbs import cli
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
    assert subjects == ["Connection", "Hermes there", "Sign-in", "Way back", "Output", "Exit status"]


@pytest.mark.parametrize(
    ("verb", "statuses"), [("login", list(ExitStatus)), ("port", [0, 1, 2, 7]), ("providers", [0, 1, 2])]
)
def test_the_exit_statuses_end_the_help(verb: str, statuses: list[int]) -> None:
    """The help lists those that the verb may end with, and those of signals."""
    end = help_of(verb).partition("Exit status:\n")[2].splitlines()
    assert [int(line.split()[0].rstrip(",")) for line in end] == [*statuses, 129]
