"""Addresses in rows of text: one that goes on in the next row is one address.

A terminal breaks a long address at its right edge, and so do programs, at that edge or inside a box. We put
it together again if nothing else can be meant: it ends where the row (or the box) does, and what begins the
next row (of the same box) can only be the rest of it. Until the next row has told, it is not reported: half
an address is a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hermes_tunnel.oauth.authorization import LONGEST_URL

# The characters of RFC 3986 section 2: a box's edge, a blank or a full-width full stop ends an address.
_CHARACTERS = r"A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%"
_ADDRESS = re.compile(rf"(?<![A-Za-z0-9])[Hh][Tt][Tt][Pp][Ss]?://[{_CHARACTERS}]+")
_PIECE = re.compile(rf"[{_CHARACTERS}]+")
_ENDS_A_SENTENCE = ".,;:!?'()[]*"
_TO_BE_OPENED = re.compile(r"(?i)\b(?:open|visit|go to|browser|sign in|log ?in|navigate|url)\b")
_NOT_BLANK = re.compile(r"\S")
# What a box is drawn with: box drawing and block elements, and their ASCII kin; no address has them.
_FRAME = "|\u00a6\u2500-\u259f"
_FRAMES, _INSIDE = re.compile(f"[{_FRAME}]"), re.compile(f"[^{_FRAME}]+")
# A piece that is no word, so that words may follow it; and a word that is no piece.
_NO_WORD = re.compile(r"(?=.{0,99}[%&=?/_#])|(?=.{0,99}[0-9]).{6}")
_WORD = re.compile(r"[A-Z][a-z]{3,40}[.:!]{1,3}")
_PADDING = 4  # columns that programs leave blank inside an edge, at most


@dataclass(frozen=True)
class Address:
    """An address, complete.

    :param column: where it begins; -1 if in a row before
    :param shown: whether it is shown to be opened: alone in its row, with a query, or by words before it
    """

    url: str
    column: int
    shown: bool


@dataclass(frozen=True)
class _Box:
    """Part of a row: from one drawn edge to the next, or to the terminal's own, which is not drawn."""

    left: int
    end: int
    drawn: bool

    @property
    def place(self) -> tuple[int, int]:
        return self.left, self.end if self.drawn else 0


@dataclass
class _Open:
    """An address that may go on in the next row.

    :param loose: whether it ends some columns before the terminal's edge: then only a row with nothing but a
        piece of an address goes on with it
    """

    pieces: list[str]
    column: int
    shown: bool
    place: tuple[int, int]
    loose: bool = False

    def complete(self) -> Iterator[Address]:
        if url := address("".join(self.pieces)):
            yield Address(url, self.column, self.shown)


def address(text: str) -> str:
    """The text as an address, without the full stop of a sentence that ends with it; empty if it is none."""
    url = text.rstrip(_ENDS_A_SENTENCE)
    return url if _ADDRESS.fullmatch(url) and len(url) <= LONGEST_URL else ""


class Rows:
    """Rows of text, read one after the other.

    :param columns: how wide the terminal is; 0 if nothing is broken at an edge
    """

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._open: list[_Open] = []

    @property
    def waiting(self) -> bool:
        """Whether the next row tells how an address ends."""
        return bool(self._open)

    def forget(self) -> None:
        """What comes next does not belong to what came before."""
        self._open = []

    def read(self, row: str, *, finished: bool = True) -> tuple[list[Address], str]:
        """The addresses that are complete with this row; and its words, without addresses and frames.

        :param row: a character for each column; more than there are columns if the terminal itself broke it
        :param finished: whether the row has ended; if not, its last word may go on
        """
        boxes = list(_boxes(row))
        complete: list[Address] = []
        taken: list[tuple[int, int]] = []
        before, self._open = self._open, []
        for one in before:
            box = next((box for box in boxes if box.place == one.place), None)
            begin = _NOT_BLANK.search(row, box.left, box.end) if box else None
            word = _PIECE.match(row, begin.start(), box.end) if begin and box else None
            decided = begin and (not word or row[word.end() :].strip())
            if not finished and not decided:
                continue
            if word and box and _goes_on(one, word, row[word.end() : box.end].strip()):
                taken.append(word.span())
                one.pieces.append(word[0])
                complete += self._go_on(one, row, word.end(), box)
            else:
                complete += one.complete()
        complete = [replace(one, column=-1) for one in complete]
        for found in _ADDRESS.finditer(_blanked(row, taken)):
            box = next(box for box in boxes if box.left <= found.start() < box.end)
            around = row[box.left : found.start()], row[found.end() : box.end]
            alone = not any(map(str.isalnum, "".join(around)))
            shown = alone or "?" in found[0] or bool(_TO_BE_OPENED.search(around[0]))
            taken.append(found.span())
            one = _Open([found[0]], found.start(), shown, box.place)
            if finished or around[1]:
                complete += self._go_on(one, row, found.end(), box, alone=alone)
        return complete, _FRAMES.sub(" ", _blanked(row, taken))

    def _go_on(self, one: _Open, row: str, end: int, box: _Box, *, alone: bool = True) -> Iterator[Address]:
        """Keep an address that ends at the edge of its row; report any other."""
        gap = box.end - end if box.drawn else -end % self._columns if self._columns else _PADDING + 1
        one.loose = gap > 0 and not box.drawn
        at_edge = gap <= _PADDING and not row[end : box.end].strip()
        if at_edge and (alone or not one.loose) and sum(map(len, one.pieces)) <= LONGEST_URL:
            self._open.append(one)
        else:
            yield from one.complete()


def _boxes(row: str) -> Iterator[_Box]:
    for inside in _INSIDE.finditer(row):
        yield _Box(inside.start(), inside.end(), inside.end() < len(row))


def _goes_on(one: _Open, word: re.Match[str], words: str) -> bool:
    """Whether the first word of a box can only be the next piece of an address.

    :param words: what follows that word
    """
    if word.start() > one.column or _ADDRESS.match(word[0]) or _WORD.fullmatch(word[0]):
        return False
    return not words or not (one.loose or not _NO_WORD.match(word[0]))


def _blanked(row: str, spans: list[tuple[int, int]]) -> str:
    shown = [*row]
    for begin, end in spans:
        shown[begin:end] = " " * (end - begin)
    return "".join(shown)
