"""What a command said last, to be quoted if it fails: its last line, or the whole error that the line ends.

The reason often stands first: the message of a Python exception may have several lines, of which the last
is only a link, and a panel ends with a line that is drawn.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

_MOST_LINES = 8
_MOST_CHARACTERS = 400  # the first line is told whole, however long it is
_TRACEBACK = "Traceback (most recent call last)"
_EXCEPTION = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception): ")
_ERROR = re.compile(r"(?:[\w.-]{1,64}: )?(?:[Ee]rror|ERROR):(?: |\Z)")
_DRAWN = "".join(map(chr, range(0x2500, 0x25A0)))  # Unicode's box drawing and block elements
_UPPER_LEFT = ("\u250c", "\u250f", "\u2554", "\u256d")


@dataclass(frozen=True)
class LastWords:
    """The end of what was said; each method returns it as it is after one more line.

    :param lines: the last line that has a word in it, after the lines that belong to it
    :param deeper: how far a line must be indented, at least, to belong to the first; None: the first is alone
    :param is_exception: whether the first is a Python exception, after which nothing else is expected
    :param in_traceback: whether the frames of a traceback are being printed
    """

    lines: tuple[str, ...] = field(default=(), repr=False)
    deeper: int | None = None
    is_exception: bool = False
    in_traceback: bool = False

    def hear(self, line: str) -> LastWords:
        """Take in one line, without control characters."""
        words = line.strip(f" {_DRAWN}")
        if not any(map(str.isalnum, words)):
            return self
        drawn = line.lstrip()[0] in _DRAWN
        if line.lstrip().startswith(_UPPER_LEFT) and not words.endswith(":"):
            words += ":"  # a panel's title
        indent = len(line) - len(line.lstrip())
        if words.startswith(_TRACEBACK) or (self.in_traceback and (indent or drawn)):
            return LastWords((words,), in_traceback=True)
        is_exception = self.in_traceback or bool(_EXCEPTION.match(words))
        if is_exception or _ERROR.match(words):
            return LastWords((words,), deeper=0, is_exception=is_exception)
        if self.deeper is not None and indent >= self.deeper:
            if len(self.lines) < _MOST_LINES:
                return replace(self, lines=(*self.lines, words))
            if self.is_exception:
                return self
        return LastWords((words,), deeper=indent + 1 if words.endswith(":") else None)

    def __str__(self) -> str:
        """In one line, without the name of the exception."""
        if not self.lines:
            return ""
        name = _EXCEPTION.match(self.lines[0])
        told = self.lines[0][name.end() :] if name else self.lines[0]
        for line in self.lines[1:]:
            if len(told) + len(line) >= _MOST_CHARACTERS:
                break
            told += f" {line}"
        return told
