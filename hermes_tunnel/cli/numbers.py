"""Numbers that are typed: in which range, and what is said of others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

_WHOLE, _DECIMAL = re.compile("[0-9]+"), re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+")

if TYPE_CHECKING:
    _ParamType = click.ParamType[Any]
else:
    _ParamType = click.ParamType  # which takes no type before click 8.5


class Number(_ParamType):
    """A decimal number in a range, with errors in plain words.

    :param what: what it is, such as ``a port``
    """

    name = "number"

    def __init__(self, what: str, least: int, most: int, *, whole: bool = True) -> None:
        self._what, self._least, self._most, self._whole = what, least, most, whole

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | float:
        """:raises click.BadParameter: it is not such a number"""
        form = _WHOLE if self._whole else _DECIMAL
        if not form.fullmatch(str(value)) or not self._least <= float(value) <= self._most:
            from hermes_tunnel.text import quote

            self.fail(
                f"{quote(str(value))} is not {self._what}, a number from {self._least} to {self._most}",
                param,
                ctx,
            )
        return int(value) if self._whole else float(value)


PORT = Number("a port", 1, 65535)
SECONDS = Number("a time in seconds", 1, 86400, whole=False)
