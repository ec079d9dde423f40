"""The keys that edit a hidden line."""

from __future__ import annotations

import pytest

from hermes_tunnel.terminal.editing import edit


@pytest.mark.parametrize(
    ("typed", "stands", "ended"),
    [
        (b"line\n", b"line\n", False),
        (b"li\x7fne\r", b"lne\n", False),
        (b"\x7f\bx", b"x", False),
        ("ä\x7fö".encode(), "ö".encode(), False),
        ("a漢\x7f\N{SNAKE}\x7fb".encode(), b"ab", False),
        ("漢字".encode() + b"\x7f\b\x7fa", b"a", False),
        (b"one\n\x7ftwo", b"one\ntwo", False),
        (b"one\ntwo\x15three\n", b"one\nthree\n", False),
        (b"half\x04", b"half\n", False),
        (b"half\x04\x04", b"half\n", False),
        (b"\x04", b"", True),
        (b"\x04late\n", b"late\n", True),
        (b"", b"", True),
    ],
)
def test_edited(typed: bytes, stands: bytes, ended: bool) -> None:
    """They edit it as a terminal edits a visible line, whether typed at once or key by key."""
    whole, by_key = bytearray(), bytearray()
    assert edit(whole, typed) == ended
    assert whole == stands
    for at in range(len(typed)):
        edit(by_key, typed[at : at + 1])
    assert by_key == stands
