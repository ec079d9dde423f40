"""The manual pages, made from the commands by ``scripts/man``."""

from __future__ import annotations

from inspect import cleandoc
from pathlib import Path

import click
from click_man.man import ManPage

from hermes_tunnel import __version__
from hermes_tunnel.cli.help import Verb, exit_statuses
from hermes_tunnel.cli.verbs import VERBS, cli
from hermes_tunnel.errors import ExitStatus

FOLDER = Path(__file__).parents[1] / "docs" / "man"


def pages() -> dict[str, str]:
    """Each page by its file's name: the program's, and one for each verb."""
    top = click.Context(cli, info_name="hermes-tunnel", **cli.context_settings)
    verbs = {name: cli.get_command(top, name) for name in cli.list_commands(top)}
    contexts = [click.Context(verb, info_name=name, parent=top) for name, verb in verbs.items() if verb]
    return {f"{each.command_path.replace(' ', '-')}.1": page(each) for each in (top, *contexts)}


def page(context: click.Context) -> str:
    """One page."""
    command, path = context.command, context.command_path
    told = cleandoc(command.help or "")
    made = ManPage(path)
    made.version, made.date = f"hermes-tunnel {__version__}", ""  # a date would make every page old
    made.short_help = roff(VERBS.get(context.info_name or "", told.partition("\n")[0]).rstrip("."))
    made.synopsis = " ".join(command.collect_usage_pieces(context))
    made.description = "\n\n".join(map(paragraph, told.split("\n\n")))
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    records = [record for each in options if (record := each.get_help_record(context)) is not None]
    made.options = [(names, roff(meaning)) for names, meaning in records]
    sections = {}
    if isinstance(command, click.Group):
        made.commands = [(name, roff(text)) for name, text in VERBS.items()]
        sections["ENVIRONMENT"] = [roff(command.epilog or "")]
    statuses = command.exit_statuses if isinstance(command, Verb) else exit_statuses(ExitStatus)
    sections["EXIT STATUS"] = [f".TP\n.B {status}\n{roff(meaning)}" for status, meaning in statuses]
    if path != "hermes-tunnel":
        sections["SEE ALSO"] = [".BR hermes\\-tunnel (1)"]
    title = path.upper()
    text = str(made).replace(f'"{title}"', f'"{title.replace(" ", "-")}"', 1)
    return text + "".join(
        f".SH {name}\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items()
    )


def paragraph(text: str) -> str:
    """A paragraph of a help text; after click's mark, its lines are kept."""
    mark, _, lines = text.partition("\b\n")
    return roff(text) if mark or not lines else f".nf\n{roff(lines)}\n.fi"


def roff(text: str) -> str:
    """Plain text, of which nothing is a request or an escape; hyphens can be copied."""
    lines = text.replace("\\", "\\e").replace("-", "\\-").split("\n")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in lines)


def write() -> None:
    """Write them all, and no others."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, text in pages().items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()
