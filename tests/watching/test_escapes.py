"""Control functions, each whole, however the bytes were cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.watching.escapes import Escapes, Kind, Piece
from tests.watching.watched import bytewise


def pieces(*chunks: bytes) -> list[tuple[Kind, str]]:
    """The pieces of some output; text that follows text is one."""
    escapes, found = Escapes(), list[tuple[Kind, str]]()
    for piece in (piece for chunk in chunks for piece in escapes.read(chunk)):
        if found and piece.kind is found[-1][0] is Kind.TEXT:
            found[-1] = Kind.TEXT, found[-1][1] + piece.text
        else:
            found.append((piece.kind, piece.text))
    return found


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (b"a\x1b[1;31mb", [(Kind.TEXT, "a"), (Kind.CSI, "\x1b[1;31m"), (Kind.TEXT, "b")]),
        (b"\x1b(0\x1b7\x1bM", [(Kind.ESCAPE, "\x1b(0"), (Kind.ESCAPE, "\x1b7"), (Kind.ESCAPE, "\x1bM")]),
        (b"\r\n\a", [(Kind.CONTROL, "\r"), (Kind.CONTROL, "\n"), (Kind.CONTROL, "\a")]),
        (b"\x1b]0;a\x07b\x1bPc\x1b\\d\x1b]e\x18f", [(Kind.TEXT, "bdf")]),
        (b"\x1b]8;id=1;https://a.b\x1b\\c", [(Kind.ADDRESS, "https://a.b"), (Kind.TEXT, "c")]),
        (b"\x1b]8;;\x07\x1b]9008;hermes-tunnel;x\x07", [(Kind.WANTED, "x")]),
        (b"\x1b]8;;a\x1b[mb", [(Kind.CSI, "\x1b[m"), (Kind.TEXT, "b")]),
        ("\u00e9\u754c".encode(), [(Kind.TEXT, "\u00e9\u754c")]),
        (b"\x1b[" + b"1" * 300 + b"mb", [(Kind.TEXT, f"[{'1' * 300}mb")]),
        (b"\x1b\x1b[m", [(Kind.CSI, "\x1b[m")]),
    ],
)
def test_pieces(output: bytes, expected: list[tuple[Kind, str]]) -> None:
    """Text, control characters, escapes, sequences and the addresses in strings; nothing endless."""
    assert pieces(output) == pieces(*bytewise(output)) == expected


@given(st.binary(max_size=200) | st.text("\x1b[]P\\;8m\x07\x9b\x9c1a ", max_size=60).map(str.encode))
def test_any_bytes(output: bytes) -> None:
    """Any bytes have pieces, the same by ones."""
    assert pieces(output) == pieces(*bytewise(output))


def test_a_piece_is_no_secret_in_a_log() -> None:
    """What was printed is not in the repr."""
    assert "state" not in repr(Piece(Kind.TEXT, "state=s"))
