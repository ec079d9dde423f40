"""The control functions in what a program sends to a terminal (ECMA-48), one by one.

The screen needs each of them whole, however the bytes were cut, and none may be endless. What a terminal
takes as a string (an OSC, a DCS) has no place on the screen; two OSCs name an address.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from hermes_tunnel.oauth.authorization import LONGEST_URL

FILLER = "\0"
"""In a row of text, the second column of a wide character."""


class Kind(Enum):
    """What a piece of output is."""

    TEXT = "text"
    CONTROL = "control"
    """A single control character."""
    ESCAPE = "escape"
    """ESC, and what makes it one function."""
    CSI = "CSI"
    """A control sequence, with its parameters."""
    ADDRESS = "address"
    """The address of a link (OSC 8)."""
    WANTED = "wanted"
    """An address that a program meant for a browser (ours: OSC 9008)."""


@dataclass(frozen=True)
class Piece:
    """A piece of output; of a string nothing but its address."""

    kind: Kind
    text: str = field(repr=False)


# A sequence longer than this is no terminal's; what is left of it is text.
_CSI = r"(?:\x1b\[|\x9b)[0-?]{0,200}[ -/]{0,4}"
_PIECE = re.compile(
    r"(?P<TEXT>[^\x00-\x1f\x7f-\x9f]+)"
    rf"|(?P<CSI>{_CSI}[@-~])"
    r"|(?P<string>\x1b[P\]X^_]|[\x90\x98\x9d-\x9f])"
    r"|(?P<ESCAPE>\x1b[ -/]{0,4}[0-OQ-WYZ\\`-~])"
    r"|(?P<CONTROL>[^\x1b\x9b])"
)
_UNFINISHED = re.compile(rf"{_CSI}|\x1b[ -/]{{0,4}}")
_STRING_ENDS = re.compile(r"[\x07\x18\x1a\x1b\x9c]")
# The address of a link has parameters before it. Ours is told apart by the name, so that it needs none.
_HAS_ADDRESS = re.compile(r"(?P<link>8;)[^;]{0,512};(?=.)|9008; {0,4}hermes-tunnel {0,4}; {0,4}")
_LONGEST_STRING = LONGEST_URL + 600


class Escapes:
    """Output, in any chunks, as pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""
        self._string: _String | None = None

    def read(self, data: bytes) -> Iterator[Piece]:
        """The pieces that end in these bytes; of text, what there is of it."""
        text, self._rest = self._rest + self._decoder.decode(data), ""
        at = 0
        while at < len(text):
            if self._string:
                ends = _STRING_ENDS.search(text, at)
                self._string.add(text[at : ends.start() if ends else len(text)])
                if ends is None or (ends.end() == len(text) and ends[0] == "\x1b"):
                    self._rest = ends[0] if ends else ""
                    return
                is_st = text.startswith("\x1b\\", ends.start())
                if is_st or ends[0] in "\x07\x9c":
                    yield from self._string.address()
                at = ends.start() + 2 if is_st else ends.start() + (ends[0] != "\x1b")
                self._string = None
            elif found := _PIECE.match(text, at):
                at = found.end()
                if found.lastgroup == "string":
                    self._string = _String()
                else:
                    yield Piece(Kind[found.lastgroup or ""], found[0])
            elif _UNFINISHED.fullmatch(text, at):
                self._rest = text[at:]
                return
            else:
                at += 1


class _String:
    """What a terminal takes as a string, as far as it may matter."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0

    def add(self, piece: str) -> None:
        self._length += len(piece)
        if self._length <= _LONGEST_STRING:
            self._pieces.append(piece)

    def address(self) -> Iterator[Piece]:
        """The address that it names; nothing if it names none, or is far longer than that takes."""
        text = "".join(self._pieces) if self._length <= _LONGEST_STRING else ""
        if (found := _HAS_ADDRESS.match(text)) and text[found.end() :]:
            yield Piece(Kind.ADDRESS if found["link"] else Kind.WANTED, text[found.end() :])
