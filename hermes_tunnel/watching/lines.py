"""The lines of what a session prints, read as fast as they come.

Nearly all of a flood is passed over by looking for a few bytes. A line in which the cursor was moved does not
say what was shown: that is for the screen.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator

from hermes_tunnel.oauth.sightings import FAR, Sighting, Sightings
from hermes_tunnel.oauth.transcript import as_rewritten
from hermes_tunnel.text import columns_of, plain
from hermes_tunnel.watching.escapes import FILLER, Escapes, Kind

_GLANCE = 4096  # bytes
LONGEST_LINE = 64 * 1024  # bytes; a longer one is passed over, as it is nothing that a person reads
_MAY_MATTER = (b"://", b"ode", b"ODE")  # an address, or a word about a code: the fewer, the faster
_REQUESTS = (b"127.0.0.1", b"localhost", b"%3A%3A1", b"code", b"Code", b"CODE")
# All control sequences and escapes that move the cursor or change what is written; and controls that do.
_MOVES = re.compile(rb"[\x08\x0b\x0c]|\x1b(?:\[[0-9;]*[@A-HJ-MPSTX`a-gr-su]|[78DEMc])")


class Lines:
    """A session's lines.

    :param sightings: read them
    """

    def __init__(self, sightings: Sightings) -> None:
        self._sightings = sightings
        self._unfinished = bytearray()
        self._too_long = False

    def receive(self, data: bytes, *, only_requests: bool = False) -> list[Sighting]:
        """What is new with the lines that end in these bytes.

        :param only_requests: pass over what can be no request, which costs less: for a flood of addresses
        """
        needles = _REQUESTS if only_requests else _MAY_MATTER
        begin, found = 0, list[Sighting]()
        if (end := data.rfind(b"\n")) >= 0:
            block = bytes(self._unfinished) + data if self._unfinished else data
            end += len(block) - len(data)
            if self._too_long:
                self._sightings.pass_over()
                begin = block.find(b"\n") + 1
            self._unfinished.clear()
            self._too_long = False
            found += self._block(block, begin, end, needles)
            data = block[end + 1 :]
        if not self._too_long:
            self._unfinished += data
            if len(self._unfinished) > LONGEST_LINE:
                self.pass_over()
        return found

    def settle(self) -> list[Sighting]:
        """What is new once nothing has followed for long: an address that ends where the terminal does, or
        where a line was left unfinished.
        """
        unfinished = bytes(self._unfinished) if b"://" in self._unfinished else b""
        return [*(self._line(unfinished) if unfinished else ()), *self._sightings.settle()]

    def pass_over(self) -> None:
        """Some output is missing: what comes next, up to the end of its line, does not follow the last."""
        self._unfinished.clear()
        self._too_long = True

    def _block(self, block: bytes, at: int, end: int, needles: tuple[bytes, ...]) -> Iterator[Sighting]:
        """The lines from one place to the line feed at another."""
        places = heapq.merge(*(_places(block, one, at, end) for one in needles))
        while at <= end:
            if not self._sightings.waiting:
                place = next((one for one in places if one >= at), -1)
                begin = max(block.rfind(b"\n", at, place) + 1, at) if place >= 0 else end + 1
                self._sightings.skip(_lines(block, at, begin))
                at = begin
                if place < 0:
                    break
            line_feed = block.find(b"\n", at, end + 1)
            line = block[at:line_feed]
            if self._sightings.waiting or b"://" in line or b"code" in line.lower():
                yield from self._line(line)
            else:
                self._sightings.skip(1)
            at = line_feed + 1

    def _line(self, line: bytes) -> Iterator[Sighting]:
        if len(line) > LONGEST_LINE:
            self._sightings.pass_over()
            return
        if b"\x1b]" in line:
            for piece in Escapes().read(line):
                if piece.kind in (Kind.ADDRESS, Kind.WANTED):
                    yield from self._sightings.of_address(piece.text, wanted=piece.kind is Kind.WANTED)
        shown = as_rewritten(line).rstrip(b"\r")
        if _MOVES.search(shown):
            self._sightings.pass_over()
        else:
            yield from self._sightings.of_line(cells(shown))


def _lines(block: bytes, begin: int, end: int) -> int:
    """How many lines end there; if they are many, at least so many that nothing before them matters."""
    count = block.count(b"\n", begin, min(end, begin + _GLANCE))
    return count if count > FAR or begin + _GLANCE >= end else block.count(b"\n", begin, end)


def _places(block: bytes, what: bytes, begin: int, end: int) -> Iterator[int]:
    at = block.find(what, begin, end)
    while at >= 0:
        yield at
        at = block.find(what, at + len(what), end)


def cells(line: bytes) -> str:
    """A line as text, with a character for each column that it takes on a terminal."""
    text = plain(line.expandtabs(8).decode("utf-8", "replace"))
    if text.isascii():
        return text
    return "".join(each + FILLER * (width - 1) for each in text if (width := columns_of(each)))
