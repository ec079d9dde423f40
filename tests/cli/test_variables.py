"""Every option of every verb as a variable of the environment."""

from __future__ import annotations

import importlib

import click
import pytest
from click.testing import CliRunner

from hermes_tunnel.cli.verbs import cli
from tests.cli.program import run

VERBS = {
    "login": ["spotify", "host"],
    "run": ["host"],
    "forward": ["host"],
    "paste": ["host"],
    "port": ["5000"],
    "providers": [],
    "demo": [],
}
# A value for an option: its words on the command line, and the variable's text where that differs.
SAMPLES: dict[str, tuple[list[str], str]] = {
    "jumps": (["one,two", "-J", "three"], "one,two three"),
    "port": (["2222"], "2222"),
    "identity_files": (["a file", "-i", "another"], "'a file' another"),
    "ssh_options": (
        ["ProxyCommand=ssh -W %h:%p jump", "-o", "BatchMode=yes"],
        "'ProxyCommand=ssh -W %h:%p jump' BatchMode=yes",
    ),
    "timeout": (["7"], "7"),
    "forwards": (["8080", "--forward", "9090"], "8080 9090"),
    "relay": (["never"], "never"),
    "on_busy_port": (["paste"], "paste"),
    "allowed_hosts": (["a.example", "--allow-host", "b.example"], "a.example b.example"),
}


def command(verb: str) -> click.Command:
    """The command of a verb."""
    found = getattr(importlib.import_module(f"hermes_tunnel.cli.{verb}"), verb)
    assert isinstance(found, click.Command)
    return found


OPTIONS = [
    (verb, each)
    for verb in VERBS
    for each in command(verb).params
    if isinstance(each, click.Option) and each.name != "help"
]


def parsed(verb: str, arguments: list[str], variables: dict[str, str]) -> dict[str, object]:
    """What a verb reads from a command line and an environment."""
    with CliRunner(env=variables).isolation(env=variables):
        return command(verb).make_context(verb, [*arguments, *VERBS[verb]]).params


@pytest.mark.parametrize(
    ("verb", "option"), OPTIONS, ids=[f"{verb} {each.opts[-1]}" for verb, each in OPTIONS]
)
def test_an_option_can_be_set_as_a_variable(verb: str, option: click.Option) -> None:
    """A variable named after the option sets the same values; the command line wins."""
    name = option.opts[-1]
    words, text = SAMPLES.get(str(option.name), (["some"], "some"))
    typed = [name, *words]
    if option.count:
        typed, text = [name, name], "2"
    elif option.is_flag:
        typed, text = [name], "1"
    variable = f"HERMES_TUNNEL_{name[2:].upper().replace('-', '_')}"
    if not name.startswith("--"):
        variable = str(option.envvar)
        assert f"Variable: {variable}." in str(option.help)
    assert option.envvar == variable
    without = parsed(verb, [], {})
    assert parsed(verb, [], {variable: text}) == parsed(verb, typed, {}) != without
    if option.is_flag and not option.count:
        assert parsed(verb, [], {variable: "0"}) == without
    else:
        assert parsed(verb, typed, {variable: "2"}) == parsed(verb, typed, {})


def test_every_verb_is_looked_at() -> None:
    """No verb is missing above."""
    assert list(VERBS) == cli.list_commands(click.Context(cli))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("TIMEOUT", "soon", "'soon' is not a time in seconds"),
        ("ON_BUSY_PORT", "panic", "'panic' is not one of"),
        ("PORT", "0", "'0' is not a port, a number from 1 to 65535"),
        ("IPV4", "perhaps", "'perhaps' is not a valid boolean"),
        ("VERBOSE", "much", "'much' is not a valid integer"),
        ("OPTION", "'unfinished", "is not KEY=VALUE"),
        ("JUMP", "a;b", "'a;b'"),
        ("AS_USER", "a;b", "--as-user"),
        ("AS_USER", "", "'--as-user': it is empty"),
        ("CONTAINER", "", "'--container': it is empty"),
        ("PROFILE", "", "'--profile': it is empty"),
        ("HERMES_PATH", "", "'--hermes-path': it is empty"),
        ("OPTION", "novalue", "'novalue' is not KEY=VALUE"),
    ],
)
def test_a_wrong_value_names_its_variable(variable: str, value: str, words: str) -> None:
    """Nobody typed the value, so the error says where it came from."""
    done = run("login", "spotify", "-F", "none", "127.0.0.1", env={f"HERMES_TUNNEL_{variable}": value})
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert words.lower() in error.lower()
    assert f"HERMES_TUNNEL_{variable}" in hint


@pytest.mark.slow
def test_a_wrong_value_that_was_typed_names_no_variable() -> None:
    """The person would look in the wrong place."""
    done = run("login", "spotify", "host", "--timeout", "soon", env={"HERMES_TUNNEL_TIMEOUT": "9"})
    assert done.returncode == 2
    assert "HERMES_TUNNEL" not in done.stderr


@pytest.mark.slow
def test_the_demo_cannot_do_both() -> None:
    """It cannot both approve and deny."""
    assert run("demo", "--approve", env={"HERMES_TUNNEL_DENY": "1"}).returncode == 2
