"""What a screen has not drawn yet: bounded, and dropped under a flood but for the end."""

from __future__ import annotations

from hermes_tunnel.oauth.sightings import Page, Sighting, Sightings
from hermes_tunnel.watching.backlog import MOST, Backlog

PAGE = "https://a.example/b?c=d"


def drawn(backlog: Backlog) -> list[Sighting]:
    """What is seen once all is drawn, at whatever cost."""
    found: list[Sighting] = []
    while backlog.pause is not None:
        found += backlog.draw()
    return found


def test_a_flood_is_dropped() -> None:
    """What came before the last 16 kB, or before the screen was cleared, is not drawn; the end is."""
    backlog = Backlog(Sightings(80), 80, 24)
    backlog.add(f"{PAGE}/early\r\n".encode())
    for _ in range(MOST // 1000 * 3):
        backlog.add(b"x" * 998 + b"\r\n")
    assert backlog.pause != 0
    backlog.add(f"{PAGE}/hidden\r\n\x1b[2J\x1b[5;5H{PAGE}\x1b[1;1H".encode())
    assert drawn(backlog) == [Page(PAGE)]


def test_what_is_not_a_flood_is_kept() -> None:
    """A screen that is a little behind draws everything."""
    backlog = Backlog(Sightings(80), 80, 24)
    backlog.add(f"{PAGE}\r\n".encode() + b"x\r\n" * 3000)
    assert drawn(backlog) == [Page(PAGE)]


def test_another_size() -> None:
    """It is drawn at the size that the terminal has then."""
    sightings = Sightings(200)
    backlog = Backlog(sightings, 200, 24)
    sightings.resize(20)
    backlog.resize(20, 24)
    backlog.add(f"{PAGE}\r\nx\r\n".encode())
    assert drawn(backlog) == [Page(PAGE)]


class Stumbling(Sightings):
    """Sightings that stumble once, as an emulator may."""

    stumbled = False

    def of_screen(self, *rows: object, **what: object) -> list[Sighting]:
        """Raises, the first time."""
        if self.stumbled:
            return super().of_screen(*rows, **what)  # type: ignore[arg-type]
        self.stumbled = True
        raise ValueError("stumbled")


def test_a_screen_that_cannot_be_drawn() -> None:
    """It is begun anew, and nothing else ends."""
    backlog = Backlog(Stumbling(80), 80, 24)
    backlog.add(f"Open {PAGE} now\r\n".encode())
    assert drawn(backlog) == []
    backlog.add(f"Open {PAGE} now\r\n".encode())
    assert drawn(backlog) == [Page(PAGE)]
