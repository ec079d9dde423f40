"""The lines of what a session prints, read as fast as they come.

Nearly all of a flood is passed over by looking for a few bytes. A line in which the cursor was moved does not
say what was shown: that is for the screen.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator

from hermes_tunnel.oauth.sightings import Sighting, Sightings
from hermes_tunnel.oauth.transcript import as_rewritten
from hermes_tunnel.text import columns_of, plain
from hermes_tunnel.watching.escapes import FILLER, Escapes, Kind

LONGEST_LINE = 64 * 1024  # bytes; a longer one is passed over, as it is nothing that a person reads
_MAY_MATTER = (b"://", b"code", b"Code", b"CODE")
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
        ended, line_feed, rest = data.rpartition(b"\n")
        found: list[Sighting] = []
        if line_feed:
            block = bytes(self._unfinished) + ended
            if self._too_long:
                self._sightings.pass_over()
                _, more, after = block.partition(b"\n")
                found += self._block(after, needles) if more else ()
            else:
                found += self._block(block, needles)
            self._unfinished.clear()
            self._too_long = False
        if not self._too_long:
            self._unfinished += rest
            if len(self._unfinished) > LONGEST_LINE:
                self._unfinished.clear()
                self._too_long = True
        return found

    def pass_over(self) -> None:
        """Some output is missing: what comes next, up to the end of its line, does not follow the last."""
        self._unfinished.clear()
        self._too_long = True

    def _block(self, block: bytes, needles: tuple[bytes, ...]) -> Iterator[Sighting]:
        """Lines, without the last line feed."""
        places = heapq.merge(*(_places(block, one) for one in needles))
        at = 0
        while at <= len(block):
            if not self._sightings.waiting:
                place = next((one for one in places if one >= at), -1)
                begin = block.rfind(b"\n", at, place) + 1 if place >= 0 else len(block) + 1
                begin = begin or at
                self._sightings.skip(block.count(b"\n", at, begin) + (place < 0))
                at = begin
                if place < 0:
                    break
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            yield from self._line(block[at:end])
            at = end + 1

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


def _places(block: bytes, what: bytes) -> Iterator[int]:
    at = block.find(what)
    while at >= 0:
        yield at
        at = block.find(what, at + len(what))


def cells(line: bytes) -> str:
    """A line as text, with a character for each column that it takes on a terminal."""
    text = plain(line.expandtabs(8).decode("utf-8", "replace"))
    if text.isascii():
        return text
    return "".join(each + FILLER * (width - 1) for each in text if (width := columns_of(each)))
