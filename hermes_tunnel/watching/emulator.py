"""A terminal, drawn in memory by pyte: text and control functions go in, rows of text can be read.

Colours, titles and sounds are left out; they would cost the most. Where pyte does less than today's
terminals, or lets what is printed grow without a bound, the function is here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyte
from pyte import charsets, modes
from pyte.screens import Char
from wcwidth import wcwidth

from hermes_tunnel.watching.escapes import FILLER

GOES_ON, LOST = "goes on", "lost"
"""Of a row: that it goes on in the next, as the terminal broke it; or that it did, and the rest is lost."""

_MOST_COLUMNS, _MOST_ROWS = 5000, 500  # what a terminal may say of itself; windows are smaller
_ALTERNATE_SCREENS = {47, 1047, 1049}
_MODES = {("", 4): modes.IRM, ("?", 6): modes.DECOM, ("?", 7): modes.DECAWM}  # they say where text goes
_ONE_NUMBER = {
    "@": "insert_characters",
    "A": "cursor_up",
    "B": "cursor_down",
    "C": "cursor_forward",
    "D": "cursor_back",
    "E": "cursor_down1",
    "F": "cursor_up1",
    "G": "cursor_to_column",
    "J": "erase_in_display",
    "K": "erase_in_line",
    "L": "insert_lines",
    "M": "delete_lines",
    "P": "delete_characters",
    "X": "erase_characters",
    "`": "cursor_to_column",
    "a": "cursor_forward",
    "d": "cursor_to_line",
    "e": "cursor_down",
}
_ERASES = {"J": 3, "K": 2}  # the largest number that means anything
_ASCII = [Char(chr(code)) for code in range(128)]
_CHANGES_ROWS = "JKLMPX@ST"
_TWO_NUMBERS = {"H": "cursor_position", "f": "cursor_position", "r": "set_margins"}
_CONTROLS = {
    "\b": "backspace",
    "\t": "tab",
    "\n": "linefeed",
    "\v": "linefeed",
    "\f": "linefeed",
    "\r": "carriage_return",
    "\x0e": "shift_out",
    "\x0f": "shift_in",
    "\x1bD": "index",
    "\x84": "index",
    "\x1bM": "reverse_index",
    "\x8d": "reverse_index",
    "\x1bc": "reset",
}


class Emulator(pyte.Screen):
    """A terminal's screen.

    :param before_next_row: called before text goes on in the next row
    """

    def __init__(self, columns: int, rows: int, *, before_next_row: Callable[[], object]) -> None:
        self._before_next_row = before_next_row
        self.writing = self._scrolled = False
        self._saved = 0, 0
        self._last = ""
        super().__init__(min(max(columns, 1), _MOST_COLUMNS), min(max(rows, 1), _MOST_ROWS))
        self.texts = [""] * self.lines
        """The rows as they were when ``refresh`` was called, a character for each column."""

    def write(self, text: str, *, goes_on: bool) -> None:
        """Write text where the cursor is.

        :param goes_on: whether it follows what was written last, so that a row which the terminal broke may
            still go on in this one
        """
        if not text.isascii():
            text = "".join(one for one in text if wcwidth(one) > 0)
        x, y = self.cursor.x, self.cursor.y
        if x == 0 and (not goes_on or self._is_written(y)) and not self._repeats(y, text):
            self._lose_rest(y - 1)
        if x + len(text) >= self.columns:
            self._note(y, GOES_ON, is_so=False)
            self._note(y, LOST, is_so=False)
        self._last = text[-1:]
        self.writing = True
        self.draw(text)
        self.writing = False

    def draw(self, data: str) -> None:
        """Put characters on the screen; the usual ones by a shorter way."""
        end = self.cursor.x + len(data)
        usual = data.isascii() and end <= self.columns and modes.IRM not in self.mode
        if not usual or self.charset or self.g0_charset is not charsets.LAT1_MAP:
            super().draw(data)
            return
        line = self.buffer[self.cursor.y]
        line.update(zip(range(self.cursor.x, end), map(_ASCII.__getitem__, map(ord, data)), strict=True))
        self.cursor.x = end
        self.dirty.add(self.cursor.y)

    def control(self, character: str) -> None:
        """Do what a control character, or an escape sequence, asks for."""
        if name := _CONTROLS.get(character):
            getattr(self, name)()
        elif character in ("\x1bE", "\x85"):
            self.linefeed()
            self.carriage_return()
        elif character == "\x1b7":
            self._saved = self.cursor.x, self.cursor.y
        elif character == "\x1b8":
            self._restore()
        elif character[:2] in ("\x1b(", "\x1b)"):
            self.define_charset(character[2:], character[1])

    def function(self, final: str, numbers: Sequence[int]) -> None:
        """Do what a control sequence without a private mark asks for."""
        first = numbers[0] if numbers else 0
        if first > _ERASES.get(final, first):
            return
        if final in _CHANGES_ROWS and (self.cursor.x == 0 or first):
            self._lose_rest(self.cursor.y - 1)
        if name := _ONE_NUMBER.get(final):
            getattr(self, name)(first)
        elif name := _TWO_NUMBERS.get(final):
            getattr(self, name)(*(one or None for one in [*numbers, 0, 0][:2]))
        elif final == "b":
            self.write(self._last * min(first or 1, self.columns), goes_on=True)
        elif final in "ST":
            self._scroll(final, min(first or 1, self.lines))
        elif final == "s":
            self._saved = self.cursor.x, self.cursor.y
        elif final == "u":
            self._restore()

    def set_modes(self, mark: str, numbers: Sequence[int], *, on: bool) -> None:
        """Set or reset modes."""
        for one in numbers:
            if mode := _MODES.get((mark, one)):
                (self.mode.add if on else self.mode.discard)(mode)
            elif mark == "?" and one in _ALTERNATE_SCREENS:
                self._switch(on=on)

    def _switch(self, *, on: bool) -> None:
        """What either screen showed has been read; so they need not be kept apart."""
        if on:
            self._saved = self.cursor.x, self.cursor.y
        self.erase_in_display(2)
        if not on:
            self._restore()

    def _restore(self) -> None:
        x, y = self._saved
        self.cursor.x, self.cursor.y = min(x, self.columns - 1), min(y, self.lines - 1)

    def _scroll(self, final: str, count: int) -> None:
        x, y = self.cursor.x, self.cursor.y
        for _ in range(count):
            self.cursor.y = self._bottom if final == "S" else self.margins.top if self.margins else 0
            (self.index if final == "S" else self.reverse_index)()
        self.cursor.x, self.cursor.y = x, y

    @property
    def _bottom(self) -> int:
        return self.margins.bottom if self.margins else self.lines - 1

    def linefeed(self) -> None:
        """A row ends; if the text went beyond its edge, it goes on in the next."""
        if not self.writing:
            super().linefeed()
            return
        self._before_next_row()
        self._note(self.cursor.y, GOES_ON)
        super().linefeed()
        self._note(self.cursor.y, GOES_ON, is_so=False)
        self._note(self.cursor.y, LOST, is_so=False)

    def index(self) -> None:
        """The cursor goes down, or the rows above it go up; ``texts`` go with them."""
        if self.cursor.y != self._bottom:
            super().index()
            return
        top, bottom, changed = self.margins.top if self.margins else 0, self._bottom, self.dirty.copy()
        super().index()
        self.texts[top : bottom + 1] = [*self.texts[top + 1 : bottom + 1], ""]
        self._scrolled = True
        self.dirty.clear()
        self.dirty |= {y - 1 if top <= y <= bottom else y for y in changed if y != top} | {bottom}

    def refresh(self) -> set[int]:
        """Bring ``texts`` up to date; which of them may have changed."""
        changed = set(range(self.lines)) if self._scrolled else {y for y in self.dirty if y < self.lines}
        for y in self.dirty:
            line = self.buffer.get(y) if y < self.lines else None
            if line:
                last = min(max(line), self.columns - 1)
                self.texts[y] = "".join([line[x].data[:1] or FILLER for x in range(last + 1)]).rstrip(" ")
            elif y < self.lines:
                self.texts[y] = ""
        self.dirty.clear()
        self._scrolled = False
        return changed

    @property
    def goes_on_here(self) -> bool:
        """Whether the cursor's row goes on with the one above."""
        return self.cursor.y - 1 in self.noted(GOES_ON)

    def noted(self, note: str) -> set[int]:
        """The rows of which that is known: ``GOES_ON`` or ``LOST``."""
        return {y for y, line in self.buffer.items() if note in vars(line)}

    def _note(self, y: int, note: str, *, is_so: bool = True) -> None:
        """Note something on the row itself, so that it moves with the row."""
        notes = vars(self.buffer[y])
        if is_so:
            notes[note] = True
        else:
            notes.pop(note, None)

    def _lose_rest(self, y: int) -> None:
        """What a row goes on with in the next is overwritten or erased."""
        if y in self.noted(GOES_ON):
            self._note(y, GOES_ON, is_so=False)
            self._note(y, LOST)

    def _repeats(self, y: int, text: str) -> bool:
        """Whether a row has one character, and the text begins with it: readline(3) at a terminal's edge."""
        written = [(x, one.data) for x, one in self.buffer[y].items() if one.data != " "]
        return written == [(0, text[:1])]

    def _is_written(self, y: int) -> bool:
        return any(one.data != " " for one in self.buffer[y].values())
