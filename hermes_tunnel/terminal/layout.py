"""How a sentence is laid out on this terminal: scrubbed, folded, behind its margin, in its style."""

from __future__ import annotations

from typing import Any, TextIO

import click

from hermes_tunnel.terminal.links import link
from hermes_tunnel.terminal.mode import columns_of
from hermes_tunnel.terminal.words import Look, Sentence
from hermes_tunnel.text import folded, narrowed, one_line, plain, redact, wrapped

_MARGIN = "  | "
_STYLES: dict[Look, dict[str, Any]] = {
    Look.STRONG: {"bold": True},
    Look.RESULT: {"bold": True},
    Look.REMOTE: {"dim": True},
    Look.QR_CODE: {"fg": "black", "bg": "bright_white"},
}
_SYMBOLS: dict[Look, tuple[str, str]] = {
    Look.DONE: ("\u2713", "green"),
    Look.RESULT: ("\u2713", "green"),
    Look.WARNING: ("!", "yellow"),
}
_USUAL_COLUMNS = 80
_FEWEST_COLUMNS = 12  # fewer have no room for the margin and a word


class Layout:
    """What fits on a terminal of any width and encoding, or in a file. It writes nothing.

    :param stream: where it will be written
    :param color: whether styles may be used
    :param links: whether an address may be a link (OSC 8)
    """

    def __init__(self, stream: TextIO, *, color: bool, links: bool) -> None:
        self._stream = stream
        self._color = color
        self._links = links
        self.secrets: set[str] = set()
        """Values that must not be shown, such as the person's hidden answers."""

    def safe(self, text: str) -> str:
        """The text as one line, without escape sequences and secrets."""
        return redact(one_line(text), self.secrets)

    def text(self, sentence: Sentence) -> str:
        """The sentence, laid out and styled; no line end follows."""
        return self.styled(self.lines(sentence), sentence.look)

    def lines(self, sentence: Sentence) -> list[str]:
        """The sentence in lines that the window does not wrap, behind the margin if it is the remote's."""
        if sentence.look in (Look.ADDRESS, Look.LINK):
            return [plain(sentence.text)]
        if sentence.look is Look.QR_CODE:
            return sentence.text.split("\n")
        text, columns = self.shown(sentence.text), self._columns
        if sentence.look in _SYMBOLS and self._has_symbols:
            text = f"{_SYMBOLS[sentence.look][0]} {text}"
        if sentence.look is not Look.REMOTE:
            return folded(text, columns)
        room = columns - len(_MARGIN)
        lines = wrapped(narrowed(text, room), room, cut=True) if columns else [text]
        return [_MARGIN + line for line in lines]

    def styled(self, lines: list[str], look: Look) -> str:
        """Lines in the style of that look."""
        if look is Look.LINK and self._links:
            lines = [link(line) for line in lines]
        style, symbol = _STYLES.get(look, {}), ""
        if look in _SYMBOLS and self._has_symbols:
            symbol, color = _SYMBOLS[look]
            lines = [lines[0].removeprefix(symbol), *lines[1:]]
            symbol = self._style(symbol, fg=color, **style)
        return symbol + "\n".join(self._style(line, **style) for line in lines)

    def dim(self, text: str) -> str:
        """A text that is not worth much attention."""
        return self._style(text, dim=True)

    def fits(self, text: str) -> bool:
        """Whether a text fits on one line, with some room left for an answer."""
        return len(wrapped(self.shown(text), (self._columns or _USUAL_COLUMNS) - 2, cut=True)) == 1

    def shown(self, text: str) -> str:
        """The text as it will stand there: scrubbed, and with characters that the encoding lacks escaped,
        which takes more room.
        """
        encoding = self._stream.encoding or "utf-8"
        return self.safe(text).encode(encoding, "backslashreplace").decode(encoding)

    @property
    def room(self) -> int:
        """The columns for a line that must not wrap."""
        return (columns_of(self._stream) or _USUAL_COLUMNS) - 1

    @property
    def _columns(self) -> int:
        """The width to fold at; 0 for not at all."""
        columns = columns_of(self._stream)
        return max(columns, _FEWEST_COLUMNS) if columns else 0

    @property
    def _has_symbols(self) -> bool:
        """Whether a symbol may stand before a sentence: on a terminal that has them all."""
        utf8 = (self._stream.encoding or "").lower().replace("-", "") == "utf8"
        return utf8 and self._stream.isatty()

    def _style(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._color and style else text
