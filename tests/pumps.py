"""Texts that make an expression slow: a beginning that fits, a piece repeated, an end that does not fit.

An expression that can read the same piece in two ways tries both each time that the piece comes, so each
further piece doubles the time. One that can begin anywhere and then reads to the end does so from everywhere,
so twice the text takes four times as long. What is repeated here therefore comes from the expression itself:
what its own repetitions match, what stands before them, and all of it but its ends.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

PALETTE = "a0A_.-:/ \t\n\"'\\=&%,;!?#*()[]{}<>@|\x1b\x07\x00\u0301\u00e9\u6f22"
_MANY = 8  # a repetition with a lower limit is harmless
_CHOICES = 8
UNFIT = "\x00\n"


class Pump(NamedTuple):
    """One such text, of the length asked for."""

    head: str
    piece: str
    end: str

    def text(self, length: int) -> str:
        """The text, with the piece repeated until it is about this long."""
        return self.head + self.piece * max(1, (length - len(self.head)) // len(self.piece)) + self.end


def pumps(pattern: re.Pattern[Any]) -> list[Pump]:
    """The texts that are worth trying with an expression."""
    text = pattern.pattern
    tree = _parser.parse(text.decode("latin-1") if isinstance(text, bytes) else text, pattern.flags)
    reading = _Reading()
    whole, repeated = reading.taken(tree), list(dict.fromkeys(reading.repeated(tree)))
    ends = [*whole, *(before for before, _ in repeated)]
    pieces = [piece for _, piece in repeated] + [one for one in PALETTE if one.isascii()]
    pieces += [one for end in ends for one in (end, end[:-1], end[1:])]
    found = [Pump(before, piece, end) for before, piece in repeated for end in ("", UNFIT)]
    found += [Pump("", piece, UNFIT) for piece in pieces if piece]
    found += [Pump("", before + piece, UNFIT) for before, piece in repeated]
    found += [Pump(before, piece + other, UNFIT) for before, piece in repeated for other in 'a :"\\']
    return list(dict.fromkeys(found))


class _Reading:
    """What an expression matches, according to its parse tree."""

    def __init__(self) -> None:
        self._groups: dict[int, str] = {}

    def repeated(self, tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
        """What each repetition matches over and over, and what stands before it."""
        for node in tree:
            name, value = str(node[0]), node[1]
            if name.endswith("_REPEAT") and value[1] >= _MANY:
                yield from ((before, piece) for piece in self.taken(value[2]) if piece)
            for inner in _inner(name, value):
                yield from self.repeated(inner, before)
            before += self.taken([node])[0]

    def taken(self, tree: Any) -> list[str]:
        """Some short texts that it matches: each choice once in every way, with the others in their first."""
        found = [""]
        for name, value in tree:
            choices = self._choices(str(name), value)
            found = [found[0] + choice for choice in choices] + [one + choices[0] for one in found[1:]]
        return list(dict.fromkeys(found))

    def _choices(self, name: str, value: Any) -> list[str]:
        match name:
            case "LITERAL":
                return [chr(value)]
            case "NOT_LITERAL" | "ANY" | "IN":
                return [char for char in _named(name, value) if _fits(name, value, char)][:_CHOICES] or ["a"]
            case "BRANCH":
                return [one for inner in value[1] for one in self.taken(inner)]
            case "GROUPREF":
                return [self._groups.get(value, "")]
            case "SUBPATTERN" | "ATOMIC_GROUP" | "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                (inner,) = _inner(name, value)
                taken = self.taken(inner)
                if name == "SUBPATTERN":
                    self._groups[value[0]] = taken[0]
                return [one * int(value[0]) for one in taken] if name.endswith("_REPEAT") else taken
        return [""]  # anchors and lookarounds match nothing


def _inner(name: str, value: Any) -> list[Any]:
    match name:
        case "BRANCH":
            return list(value[1])
        case "SUBPATTERN":
            return [value[3]]
        case "ATOMIC_GROUP":
            return [value]
        case "ASSERT" | "ASSERT_NOT":
            return [value[1]]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return [value[2]]
    return []


def _named(name: str, value: Any) -> str:
    """The characters that a class names, and those of the palette."""
    items = [(str(kind), one) for kind, one in value] if name == "IN" else []
    begins = [
        chr(one if kind == "LITERAL" else one[0]) for kind, one in items if kind in ("LITERAL", "RANGE")
    ]
    return "".join(dict.fromkeys([*begins, *PALETTE]))


def _fits(name: str, value: Any, char: str) -> bool:
    """Whether a class contains a character."""
    if name != "IN":
        return name == "ANY" or ord(char) != value
    has = False
    for kind, one in value:
        match str(kind):
            case "LITERAL":
                has |= ord(char) == one
            case "RANGE":
                has |= one[0] <= ord(char) <= one[1]
            case "CATEGORY":
                letter = str(one).removeprefix("CATEGORY_").replace("NOT_", "")[0].lower()
                has |= bool(re.match(rf"\{letter}", char)) != ("_NOT_" in str(one))
    return has != any(str(kind) == "NEGATE" for kind, _ in value)
