"""The screen that a session's person sees, drawn once more so that it can be read.

When it is read does not depend on how the bytes were cut: when a row ends, when the cursor has gone to
another row, and before anything scrolls away or is written over. What is read at the end of a chunk,
besides, is no more than would be read at the next of these moments: what stands before the cursor, up to a
blank.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from hermes_tunnel.oauth.sightings import Sighting, Sightings, may_matter
from hermes_tunnel.watching.emulator import GOES_ON, LOST, Emulator
from hermes_tunnel.watching.escapes import Escapes, Kind

_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)([<=>?]?)([0-9;]{0,80})([@-~])")
_LARGEST = 9999  # more than any terminal has rows or columns
# What neither moves the cursor nor changes the text: colours, questions, the shape of the cursor, the window.
_CHANGES_NOTHING = "mncqtpxi"
_ONLY_MOVES = "ABCDEFGHade`f"
_NARROW = 4  # columns: fewer than the words have that we look for
_ENDS_ROW = "\n\v\f\r\x85"


class Screen:
    """The copy of a screen.

    :param sightings: read what is on it
    """

    def __init__(self, columns: int, rows: int, sightings: Sightings) -> None:
        self._sightings = sightings
        self._escapes = Escapes()
        self._found: list[Sighting] = []
        self.resize(columns, rows)

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has another size: what it shows will be drawn again, or is broken as nobody knows."""
        self._drawn = Emulator(columns, rows, before_next_row=self._before_next_row)
        self._drawn.cursor.y = self._drawn.lines - 1
        self._matters = False  # whether there may be anything to be read on it
        self._zone: Collection[int] = ()  # the rows that had to do with anything to be read
        self._looked: tuple[int | None, int | None, int] = None, None, 0  # how it was read last
        self._goes_on = True  # whether the cursor is still where the last text ended, or began its row
        self._tail = ""

    def receive(self, data: bytes) -> list[Sighting]:
        """What is new on the screen with the next bytes."""
        for piece in self._escapes.read(data):
            if piece.kind is Kind.TEXT:
                self._write(piece.text)
            elif piece.kind in (Kind.ADDRESS, Kind.WANTED):
                self._found += self._sightings.of_address(piece.text, wanted=piece.kind is Kind.WANTED)
            elif piece.kind is Kind.CSI:
                self._sequence(piece.text)
            elif piece.text in _ENDS_ROW:
                self._end_row(piece.text)
            else:
                self._control(piece.text)
        self._read_up_to_cursor(self._drawn.cursor.x)
        found, self._found = self._found, []
        return found

    def _write(self, text: str) -> None:
        recent = self._tail + text
        self._matters = self._matters or may_matter(recent)
        self._tail = recent[-3:]
        self._drawn.write(text, goes_on=self._goes_on)
        self._goes_on = True

    def _end_row(self, control: str) -> None:
        """What is in the row is complete, and so is what stands above it.

        Not so at a carriage return after the first character of a row that goes on with the one above: at a
        terminal's edge, readline(3) writes that, returns, and writes it again.
        """
        if control != "\r" or self._drawn.cursor.x > 1 or not self._drawn.goes_on_here:
            self._read(self._drawn.cursor.y + 1)
        self._tail = ""
        self._drawn.control(control)

    def _control(self, control: str) -> None:
        self._move(lambda: self._drawn.control(control))

    def _sequence(self, text: str) -> None:
        found = _SEQUENCE.fullmatch(text)
        if found is None:
            return
        mark, written, final = found.groups()
        numbers = [min(int(one or 0), _LARGEST) for one in written.split(";")]
        if final in "hl":
            self._move(lambda: self._drawn.set_modes(mark, numbers, on=final == "h"))
        elif final not in _CHANGES_NOTHING and not mark:
            self._move(lambda: self._drawn.function(final, numbers), only_moves=final in _ONLY_MOVES)

    def _move(self, function: Callable[[], None], *, only_moves: bool = False) -> None:
        """Do what may move the cursor, or change what is written: and read before it does, or afterwards."""
        x, y = self._drawn.cursor.x, self._drawn.cursor.y
        self._read_up_to_cursor(x)
        function()
        cursor = self._drawn.cursor
        if (cursor.x, cursor.y) != (x, y):
            self._goes_on, self._tail = False, ""
        if cursor.y != y or not only_moves:
            self._read_up_to_cursor(cursor.x)

    def _before_next_row(self) -> None:
        self._read_up_to_cursor(self._drawn.columns)

    def _read_up_to_cursor(self, x: int) -> None:
        """Read all rows; of the cursor's own, only what stands before a column."""
        self._read(cursor=self._drawn.cursor.y, x=x)

    def _read(self, upto: int | None = None, *, cursor: int | None = None, x: int = 0) -> None:
        """Read the rows, unless that could tell nothing new."""
        if not self._matters:
            return
        drawn, last = self._drawn, self._looked
        self._looked = upto, cursor, x
        texts, changed = drawn.texts, drawn.refresh()
        near = {last[1], cursor, *((upto - 1,) if upto else ())}
        if not any(y in self._zone or self._may_matter(y) for y in changed | near if y is not None):
            return
        if self._looked == last and not changed:
            return
        rows = texts[:upto]
        if cursor is not None:
            rows[cursor] = rows[cursor].ljust(x)[:x]
        self._found += self._sightings.of_screen(
            rows, wrapped=drawn.noted(GOES_ON), lost=drawn.noted(LOST), unfinished=cursor
        )
        self._zone = self._sightings.zone
        self._matters = drawn.writing or bool(self._zone) or may_matter("".join(texts))

    def _may_matter(self, y: int) -> bool:
        """Whether there may be anything to be read in a row, or across some on a narrow terminal."""
        texts = self._drawn.texts
        if self._drawn.columns < _NARROW:
            return may_matter("".join(texts[max(y - 3, 0) : y + 4]))
        return may_matter("".join((texts[y - 1][-3:], texts[y], "".join(texts[y + 1 : y + 2])[:3])))
