"""The reader beside a session: it sees what comes, and holds nothing up."""

from __future__ import annotations

import queue
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from hermes_tunnel.oauth.sightings import Device, Loopback, Page, Sighting
from hermes_tunnel.watching.reader import MOST_WAITING, Reader

REQUEST = "https://id.example/authorize?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Fcb&state=s"
PAGE = "https://a.example/b?c=d"


class Watching:
    """A reader, and what it has told."""

    def __init__(self, columns: int, rows: int) -> None:
        self.told: queue.Queue[Sighting] = queue.Queue()
        self.reader = Reader(self.told.put, columns, rows)

    def next(self) -> Sighting:
        """What is told next."""
        return self.told.get(timeout=20)


@pytest.fixture
def watching() -> Iterator[Watching]:
    """A reader beside a session on a terminal."""
    one = Watching(80, 24)
    yield one
    one.reader.close()


def test_lines_and_screen(watching: Watching) -> None:
    """A line, what is drawn, and what is handed to a browser: each is told, once."""
    watching.reader.receive(f"Open {PAGE}\r\n".encode())
    assert watching.next() == Page(PAGE)
    watching.reader.receive(
        f"\x1b[2J\x1b[3;1H{REQUEST[:70]}\x1b[4;1H{REQUEST[70:]}\x1b[9;1H{PAGE}\r\n".encode()
    )
    assert getattr(watching.next(), "url", "") == REQUEST
    watching.reader.receive(f"\x1b]9008;hermes-tunnel;{PAGE}/2\x1b\\".encode())
    assert watching.next() == Page(f"{PAGE}/2")
    assert watching.told.empty()


def test_a_prompt_after_the_address(watching: Watching) -> None:
    """It is seen while the program waits, without an end of the line."""
    watching.reader.receive(f"Open {PAGE} and press Enter: ".encode())
    assert watching.next() == Page(PAGE)


@pytest.mark.parametrize("ending", ["", "\r\n"])
def test_an_address_that_nothing_follows(watching: Watching, ending: str) -> None:
    """It may end where the terminal does, or without a line feed: a silence tells that this was all of it."""
    page = f"https://a.example/{'d' * 40}?user_code=ABCD-1234"
    watching.reader.receive(f"{page:>79}{ending}".encode())
    assert watching.next() == Device(page, "ABCD-1234")
    watching.reader.receive(b"\r\nWaiting for you\r\n")
    watching.reader.receive(f"{PAGE}\r\n".encode())
    assert watching.next() == Page(PAGE)


def test_without_a_terminal() -> None:
    """There are lines alone."""
    one = Watching(0, 0)
    one.reader.receive(f"{REQUEST}\n".encode())
    assert isinstance(one.next(), Loopback)
    one.reader.close()


def test_another_size(watching: Watching) -> None:
    """What is drawn after the window has another size is read at that size."""
    watching.reader.resize(40, 24)
    watching.reader.receive(f"\x1b[2J\x1b[3;1H{REQUEST}\x1b[9;1H".encode())
    assert getattr(watching.next(), "url", "") == REQUEST


def test_a_flood(watching: Watching) -> None:
    """Nothing waits for the reader; what comes after a flood is seen on the screen, too."""
    block = b"lorem ipsum dolor sit amet\r\n" * 1200
    slowest = 0.0
    for _ in range(64 * MOST_WAITING // len(block)):
        began = time.thread_time()
        watching.reader.receive(block)
        slowest = max(slowest, time.thread_time() - began)
    assert slowest < 0.01
    watching.reader.receive(f"\x1b[2J\x1b[3;1H{REQUEST[:70]}\x1b[4;1H{REQUEST[70:]}\x1b[9;1H".encode())
    assert getattr(watching.next(), "url", "") == REQUEST


def test_a_flood_of_addresses(watching: Watching) -> None:
    """It is not passed on as one, and ends with the reader."""
    for start in range(0, 400_000, 4000):
        lines = "".join(f"{PAGE}{number}\r\n" for number in range(start, start + 4000))
        watching.reader.receive(lines.encode())
    watching.reader.close()
    assert watching.told.qsize() < 200


def test_it_ends_at_once(watching: Watching) -> None:
    """However much is left to be read."""
    watching.reader.receive(b"\x1b[5;5Hx" * 30_000)
    began = time.monotonic()
    watching.reader.close()
    assert time.monotonic() - began < 5


def full_screen(seconds: int) -> Iterator[bytes]:
    """What a full-screen program prints: 26 kB in each second, with an address on its screen."""
    yield f"\x1b[?1049h\x1b[2J\x1b[2;2H{PAGE}".encode()
    for tick in range(seconds * 1000):
        text = f"{tick:06} and some"
        yield f"\x1b[{4 + tick % 20};{1 + tick % 60}H\x1b[3{tick % 8}m{text}\x1b[0m".encode()


def test_what_a_full_screen_program_costs() -> None:
    """Six seconds of it take less than a tenth of that time of one processor."""
    from tests.watching.watched import Watched

    watched, output = Watched(), list(full_screen(6))
    assert sum(map(len, output)) > 155_000
    began = time.thread_time()
    found = [one for chunk in output for one in watched.receive(chunk)]
    assert time.thread_time() - began < 0.6
    assert found == [Page(PAGE)]


@pytest.mark.slow
def test_a_terminal_emulator_only_where_there_is_a_screen() -> None:
    """The library is not loaded by the command line, nor by a reader without a terminal."""
    code = (
        "import sys, hermes_tunnel.cli.verbs, hermes_tunnel.watching.reader as reader\n"
        "reader.Reader(print, 0, 0).close()\n"
        "assert not {'pyte', 'wcwidth'} & set(sys.modules)\n"
        "import hermes_tunnel.watching.screen\n"
        "assert 'pyte' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
