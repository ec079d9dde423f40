"""Addresses in rows of text: one that goes on in the next row is one address.

A terminal breaks a long address at its right edge, and so do programs, at that edge or inside a box. We put
it together again if nothing else can be meant: it ends where the row (or the box) does, and what begins the
next row (of the same box) can only be the rest of it. Until the next row has told, it is not reported: half
an address is a wrong one.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from hermes_tunnel.oauth.addresses import lacks_its_answer
from hermes_tunnel.oauth.authorization import LONGEST_URL, URL_CHARACTERS
from hermes_tunnel.text import NOT_BLANK

# A box's edge, a blank or a full-width full stop ends an address.
_ADDRESS = re.compile(rf"(?<![A-Za-z0-9])[Hh][Tt][Tt][Pp][Ss]?://{URL_CHARACTERS.pattern}")
_ENDS_A_SENTENCE = ".,;:!?'()[]*"
_TO_BE_OPENED = re.compile(r"(?i)\b(?:open|visit|go to|browser|sign in|log ?in|navigate|url)\b")
_LONGEST_WORDS = 80  # characters before an address that may say so
_WORDS = re.compile(r"[^\W_]")
# What a box is drawn with: box drawing and block elements, and their ASCII kin; no address has them.
_FRAME = "|\u00a6\u2500-\u259f"
_FRAMES, _INSIDE = re.compile(f"[{_FRAME}]"), re.compile(f"[^{_FRAME}]+")
# A piece that is no word, so that words may follow it; and a word that is no piece.
_NO_WORD = re.compile(r"(?=.{0,99}[%&=?/_#])|(?=.{0,99}[0-9]).{6}")
_WORD = re.compile(r"[A-Z][a-z]{3,40}[.:!]{1,3}")
_PADDING = 4  # columns that programs leave blank inside an edge, at most, beside those on the left
_left = attrgetter("left")
_FAR = 1_000_000  # columns


@dataclass(frozen=True)
class Address:
    """An address, complete.

    :param column: where it begins; -1 if in a row before
    :param shown: whether it is shown to be opened: alone in its row, with a query, or by words before it
    """

    url: str = field(repr=False)
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

    pieces: list[str] = field(repr=False)
    column: int
    shown: bool
    place: tuple[int, int]
    loose: bool = False

    @property
    def was_cut(self) -> bool:
        """Whether it is only part of something, wherever the edge is: a request without what it must have, or
        pieces of one length.
        """
        is_part = len(self.pieces) == 1 and lacks_its_answer(self.pieces[0])
        return is_part or (len(self.pieces) > 1 and len(self.pieces[-1]) == len(self.pieces[0]))

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

    def settle(self) -> list[Address]:
        """Nothing has followed for long: what the next row might have gone on with is complete."""
        complete = [replace(each, column=-1) for one in self._open for each in one.complete()]
        self.forget()
        return complete

    def read(self, row: str, *, finished: bool = True, whole: bool = False) -> tuple[list[Address], str]:
        """The addresses that are complete with this row; and its words, without addresses and frames.

        :param row: a character for each column; more than there are columns if the terminal itself broke it
        :param finished: whether the row has ended; if not, its last word may go on
        :param whole: whether it is wider than the terminal, so that no program broke it at the edge
        """
        boxes = [*_boxes(row)]
        places = {box.place: box for box in boxes}
        complete: list[Address] = []
        taken: list[tuple[int, int]] = []
        before, self._open = self._open, []
        for one in before:
            box = places.get(one.place)
            begin = NOT_BLANK.search(row, box.left, box.end) if box else None
            word = URL_CHARACTERS.match(row, begin.start(), box.end) if begin and box else None
            decided = begin and (not word or NOT_BLANK.search(row, word.end()))
            if not finished and not decided:
                continue
            if word and box and _goes_on(one, word, box):
                taken.append(word.span())
                one.pieces.append(word[0])
                complete += self._go_on(one, row, word.end(), box, whole=whole)
            else:
                complete += one.complete()
        complete = [replace(one, column=-1) for one in complete]
        for found in _ADDRESS.finditer(_blanked(row, taken)):
            box = boxes[bisect_right(boxes, found.start(), key=_left) - 1]
            alone = not (
                _WORDS.search(row, box.left, found.start()) or _WORDS.search(row, found.end(), box.end)
            )
            words = row[max(box.left, found.start() - _LONGEST_WORDS) : found.start()]
            shown = alone or "?" in found[0] or bool(_TO_BE_OPENED.search(words))
            taken.append(found.span())
            one = _Open([found[0]], found.start(), shown, box.place)
            # A blank may be the last thing before the edge of a box.
            if finished or box.drawn or NOT_BLANK.search(row, found.end(), box.end):
                complete += self._go_on(one, row, found.end(), box, alone=alone, whole=whole)
        return complete, _FRAMES.sub(" ", _blanked(row, taken))

    def _go_on(
        self, one: _Open, row: str, end: int, box: _Box, *, alone: bool = True, whole: bool = False
    ) -> Iterator[Address]:
        """Keep an address that the next row may go on with; report any other."""
        gap = self._gap(end, box, whole=whole)
        one.loose = gap > 0 and not box.drawn
        padding = _PADDING + (one.column - box.left if one.loose else 0)
        at_end = not NOT_BLANK.search(row, end, box.end)
        fits = gap <= padding or (one.loose and not whole and one.was_cut)
        if at_end and fits and (alone or not one.loose) and sum(map(len, one.pieces)) <= LONGEST_URL:
            self._open.append(one)
        else:
            yield from one.complete()

    def _gap(self, end: int, box: _Box, *, whole: bool) -> int:
        """How many columns there are between the end of an address and the edge."""
        if box.drawn:
            return box.end - end
        if whole or not self._columns or (end > self._columns and end % self._columns):
            return _FAR  # the terminal broke it, or nothing did: then the program has not
        return -end % self._columns


def _boxes(row: str) -> Iterator[_Box]:
    for inside in _INSIDE.finditer(row):
        yield _Box(inside.start(), inside.end(), inside.end() < len(row))


def _goes_on(one: _Open, word: re.Match[str], box: _Box) -> bool:
    """Whether the first word of a box can only be the next piece of an address."""
    if word.start() > one.column or not _WORDS.search(word[0]):
        return False
    if _ADDRESS.match(word[0]) or _WORD.fullmatch(word[0]):
        return False
    words_follow = NOT_BLANK.search(word.string, word.end(), box.end)
    return not words_follow or bool(not one.loose and _NO_WORD.match(word[0]))


def _blanked(row: str, spans: list[tuple[int, int]]) -> str:
    shown = [*row]
    for begin, end in spans:
        shown[begin:end] = " " * (end - begin)
    return "".join(shown)
