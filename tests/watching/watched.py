"""What a session's output shows, read in one thread as the reader does in its own."""

from __future__ import annotations

from collections.abc import Iterable

from hermes_tunnel.oauth.sightings import Sighting, Sightings
from hermes_tunnel.watching.lines import Lines
from hermes_tunnel.watching.screen import Screen


class Watched:
    """A terminal's lines and its screen."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.sightings = Sightings(columns)
        self.lines = Lines(self.sightings)
        self.screen = Screen(columns, rows, self.sightings)

    def receive(self, data: bytes) -> list[Sighting]:
        """What is new with the next bytes."""
        return [*self.lines.receive(data), *self.screen.receive(data)]


def seen(*chunks: bytes | str, columns: int = 80, rows: int = 24) -> list[Sighting]:
    """What some output shows, in order."""
    watched = Watched(columns, rows)
    return [one for chunk in chunks for one in watched.receive(_bytes(chunk))]


def seen_however_cut(output: bytes | str, columns: int = 80, rows: int = 24) -> list[Sighting]:
    """What some output shows; the same, whole or byte by byte."""
    data = _bytes(output)
    whole = seen(data, columns=columns, rows=rows)
    by_bytes = seen(*bytewise(data), columns=columns, rows=rows)
    assert set(by_bytes) == set(whole)
    return whole


def bytewise(data: bytes) -> Iterable[bytes]:
    """The bytes, one by one."""
    return (data[at : at + 1] for at in range(len(data)))


def _bytes(output: bytes | str) -> bytes:
    return output.encode() if isinstance(output, str) else output
