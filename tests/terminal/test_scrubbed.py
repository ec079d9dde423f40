"""A program's output as lines, in any chunking."""

from __future__ import annotations

import threading

import pytest

from hermes_tunnel.terminal.scrubbed import Printed, Scrubbed


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines(size: int) -> None:
    """A line feed ends one; what comes after a carriage return takes its place; UTF-8 stays whole."""
    posted: list[Printed] = []

    def post(printed: Printed) -> None:
        posted.append(printed)
        printed.shown()

    scrubbed, data = Scrubbed(post, -1), "one\r\n10 %\r20 %\r\nä€\n\nName: ".encode()
    for at in range(0, len(data), size):
        scrubbed.write(data[at : at + size])
    assert [printed.line for printed in posted] == ["one", "20 %", "ä€", ""]
    scrubbed.pause()
    scrubbed.pause()
    assert [printed.line for printed in posted[4:]] == ["Name: "]
    assert "Name" not in repr(posted)


def test_a_line_without_an_end() -> None:
    """It takes no more memory than a line has."""
    posted: list[Printed] = []

    def post(printed: Printed) -> None:
        posted.append(printed)
        printed.shown()

    scrubbed = Scrubbed(post, -1)
    for _ in range(100):
        scrubbed.write(b"x" * 1000)
    assert {len(printed.line) for printed in posted} == {4096}


def test_a_flood_waits_until_its_lines_are_shown() -> None:
    """So that they do not pile up."""
    posted: list[Printed] = []
    thread = threading.Thread(target=Scrubbed(posted.append, -1).write, args=(b"x\n" * 70,))
    thread.start()
    thread.join(0.3)
    assert len(posted) == 64
    for printed in list(posted):
        printed.shown()
    thread.join(5)
    assert len(posted) == 70
