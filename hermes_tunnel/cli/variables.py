"""Options that can be set as variables too, and which were."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])


def option(*names: str, variable: str, **settings: Any) -> Callable[[F], F]:
    """A click option that can be set as ``HERMES_TUNNEL_<variable>`` as well."""
    if settings.get("multiple"):
        settings["type"] = _Words()
    elif settings.get("metavar") in ("USER", "NAME", "PATH", "FILE"):
        settings["cls"] = _Name
    if not any(name.startswith("--") for name in names):  # otherwise the variable is named like the option
        settings["help"] += f" Variable: HERMES_TUNNEL_{variable}."
    return click.option(*names, envvar=f"HERMES_TUNNEL_{variable}", **settings)


def variables_in_use(ctx: click.Context) -> list[str]:
    """The variables that options were taken from."""
    return [
        str(each.envvar)
        for each in ctx.command.params
        if each.name and ctx.get_parameter_source(each.name) is ParameterSource.ENVIRONMENT
    ]


class _Words(click.types.StringParamType):
    """Any text. In a variable, spaces separate values, and quotes keep a value with spaces together."""

    def split_envvar_value(self, rv: str) -> list[str]:
        try:
            return shlex.split(rv, posix=os.name == "posix")
        except ValueError:  # an apostrophe, perhaps
            return [rv]


class _Name(click.Option):
    """An option that takes a name or a path, never an empty one: empty does not mean unset.

    Otherwise ``--as-user "$U"`` would log in another account where U is not set.
    """

    def resolve_envvar_value(self, ctx: click.Context) -> str | None:
        """The variable's value, even if it is empty, which click would take for unset."""
        return os.environ.get(str(self.envvar), super().resolve_envvar_value(ctx))

    def process_value(self, ctx: click.Context, value: Any) -> Any:
        """:raises click.BadParameter: it is empty"""
        if value == "":
            raise click.BadParameter("it is empty", ctx=ctx, param=self)
        return super().process_value(ctx, value)
