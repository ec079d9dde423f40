"""The answer of the command's listener to the callback: its status, and where it ends (RFC 9112 section 6.3).

Only the status is of use, and where it leads on. But we must read to the end: a listener that is cut off
while it writes may fail, with the code spent and no login to show for it. And no further: a listener that
keeps its connections open never closes this one.
"""

from __future__ import annotations

import math
import re
from collections.abc import Generator

_LONGEST_LINE = 64 * 1024  # bytes; anything with a longer line is neither a head nor chunks
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?:[ \r\n]|\Z)")
_LENGTH = re.compile(rb"[0-9]{1,15}")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|\r?\n)")
_LINE = 0


class Answer:
    """An answer as it arrives, in pieces of any size; we keep only its status and its ``Location``."""

    def __init__(self) -> None:
        self.size = 0
        """How many bytes have arrived."""
        self.status: int | None = None
        """The status code (RFC 9110 section 15); None until it arrives, and if this is not HTTP."""
        self.location = ""
        """Where it sends the browser on (RFC 9110 section 10.2.2), which may be secret; empty if nowhere."""
        self.ended = False
        """Whether all of it has arrived; an answer that does not give its length ends with its connection."""
        self._line = bytearray()
        self._parts = self._read()
        self._awaited: float = next(self._parts)

    def receive(self, data: bytes) -> None:
        """Take the next bytes; none at all if the connection has ended."""
        self.size += len(data)
        at = 0
        while at < len(data) and not self.ended:
            end = len(data)
            if self._awaited != _LINE:
                end = int(min(end, at + self._awaited))
                self._awaited -= end - at
                if not self._awaited:
                    self._go_on(b"")
            else:
                end = data.find(b"\n", at) + 1 or end
                self._line += data[at:end]
                if self._line.endswith(b"\n") or len(self._line) > _LONGEST_LINE:
                    self._go_on(bytes(self._line))
                    self._line.clear()
            at = end
        if not data:
            if self._awaited == _LINE:
                self._go_on(bytes(self._line))
            self.ended = True

    def _go_on(self, part: bytes) -> None:
        try:
            self._awaited = self._parts.send(part)
        except StopIteration:
            self.ended = True

    def _read(self) -> Generator[float, bytes, None]:
        """Yield what to read next, a line or a number of bytes, and get the line back; return at the end."""
        while self.status is None:
            status = _STATUS.match((yield _LINE))
            if status is None:
                yield math.inf
                return
            if status[1] >= b"200":  # otherwise it is interim: the final one follows (RFC 9110 section 15.2)
                self.status = int(status[1])
            self.location = ""
            codings: bytes = b""
            lengths: set[bytes] = set()
            while (line := (yield _LINE)).strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"transfer-encoding":
                    codings = value.strip().lower()
                elif name.lower() == b"content-length":
                    lengths.update(map(bytes.strip, value.split(b",")))
                elif name.lower() == b"location":
                    self.location = value.strip().decode("latin-1")
        if self.status in (204, 304):
            return
        if codings.rpartition(b",")[2].strip() == b"chunked":
            yield from self._read_chunks()
        elif not codings and len(lengths) == 1 and _LENGTH.fullmatch(length := lengths.pop()):
            if int(length):
                yield int(length)
        else:
            yield math.inf

    def _read_chunks(self) -> Generator[float, bytes, None]:
        """RFC 9112 section 7.1; anything that is not chunks after all runs to the end of the connection."""
        while size := _SIZE.match((yield _LINE)):
            if not int(size[1], 16):
                while (yield _LINE).strip():
                    pass  # the trailer section
                return
            yield int(size[1], 16)
            yield _LINE
        yield math.inf
