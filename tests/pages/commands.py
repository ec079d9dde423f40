"""The verbs and their options, from the commands in ``hermes_tunnel/cli``."""

from __future__ import annotations

import re
from inspect import cleandoc

import click

from hermes_tunnel.cli.help import Verb
from hermes_tunnel.cli.verbs import VERBS, cli
from tests.pages.markdown import code, escaped, table

_TOP = click.Context(cli, info_name="hermes-tunnel", **cli.context_settings)
_VARIABLE = re.compile(r" Variable: HERMES_TUNNEL_\w+\.")


def verbs() -> list[click.Context]:
    """The verbs, in the order of the help."""
    found = {name: cli.get_command(_TOP, name) for name in VERBS}
    return [click.Context(verb, info_name=name, parent=_TOP) for name, verb in found.items() if verb]


def drawn() -> str:
    """Every verb."""
    return "\n\n".join(map(entry, verbs()))


def entry(context: click.Context) -> str:
    """What ``--help`` says of a verb."""
    verb = context.command
    assert isinstance(verb, Verb)
    usage = " ".join([context.command_path, *verb.collect_usage_pieces(context)])
    told = map(paragraph, cleandoc(verb.help or "").split("\n\n"))
    head = ["option", "what it does", "variable"]
    options = [
        f"**{subject}**\n\n{table(head, [row(context, each) for each in found])}"
        for subject, found in verb.by_subject(context).items()
    ]
    statuses = ", ".join(f"{number} ({meaning})" for number, meaning in verb.exit_statuses)
    return "\n\n".join(
        [
            f"## {context.info_name}",
            f"```text\n{usage}\n```",
            *told,
            *options,
            f"**Exit status**: {statuses}.",
        ]
    )


def row(context: click.Context, option: click.Option) -> list[str]:
    """A row for an option."""
    names, meaning = option.get_help_record(context) or ("", "")
    variable = code(str(option.envvar)) if option.envvar else ""
    return [code(names), escaped(_VARIABLE.sub("", meaning)), variable]


def paragraph(text: str) -> str:
    """A paragraph of a help text; after click's mark, its lines are commands."""
    mark, _, lines = text.partition("\b\n")
    if mark or not lines:
        return escaped(text)
    typed = "\n".join(f"$ {line.strip()}" for line in lines.splitlines())
    return f"```console\n{typed}\n```"


def variables() -> str:
    """Each variable, with its option and the verbs that have it."""
    having: dict[tuple[str, str], list[str]] = {}
    for context in verbs():
        for each in context.command.params:
            if isinstance(each, click.Option) and each.envvar:
                having.setdefault((str(each.envvar), each.opts[-1]), []).append(str(context.info_name))
    rows = [[code(name), code(option), ", ".join(names)] for (name, option), names in having.items()]
    return table(["variable", "option", "verbs"], rows)
