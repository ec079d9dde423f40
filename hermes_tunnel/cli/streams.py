"""Standard output and error that no one can read: the disk is full, or the reader has gone."""

from __future__ import annotations

import io
import sys
from typing import Any, TextIO


class _Lenient(io.FileIO):
    """A file that drops what it cannot write; the run goes on, and its status says how it ended."""

    def write(self, data: Any) -> int:
        """Write what can be written."""
        try:
            return super().write(data)
        except OSError:
            return len(data)


def lenient(stream: TextIO | Any) -> TextIO | Any:
    """The same stream, on which writing does not fail: None where it was closed, Windows' console as it is.

    What its encoding lacks is escaped: a name may be in any script.
    """
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if sys.platform == "win32" and stream.isatty():
        stream.reconfigure(errors="backslashreplace")
        return stream
    file = io.BufferedWriter(_Lenient(stream.fileno(), "w", closefd=False))
    return io.TextIOWrapper(file, stream.encoding, "backslashreplace", line_buffering=True)
