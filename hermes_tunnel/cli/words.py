"""The words that were typed: all of them, and those after ``--``."""

from __future__ import annotations

import click

from hermes_tunnel.cli.help import Verb

TYPED = "hermes_tunnel.typed"
"""Where the words of the command line are kept in click's context."""
_AFTER_DASHES = "hermes_tunnel.after_dashes"


class VerbWithWords(Verb):
    """A verb whose words after ``--`` are not its own: they are for the command there."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse what is before ``--``, and keep what is behind."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_AFTER_DASHES] = tuple(args[at + 1 :])
        return super().parse_args(ctx, args[:at])


def words_after_dashes() -> tuple[str, ...]:
    """What was typed after ``--``, for the ``VerbWithWords`` that runs."""
    words: tuple[str, ...] = click.get_current_context().meta[_AFTER_DASHES]
    return words
