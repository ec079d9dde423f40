"""What a terminal answers, until the command begins."""

from __future__ import annotations

import pytest

from hermes_tunnel.remote.pseudo_terminal import MOST_ANSWERS, PseudoTerminal

ANSWERS = [
    (b"\x1b[6n", b"\x1b[50;4000R"),
    (b"\x1b[5n", b"\x1b[0n"),
    (b"\x1b[c", b"\x1b[?1;0c"),
    (b"\x1b[0c", b"\x1b[?1;0c"),
    (b"\x1b[>c", b"\x1b[>0;0;0c"),
    (b"\x1b[>0c", b"\x1b[>0;0;0c"),
    (b"\x1b]10;?\x07", b"\x1b]10;rgb:ffff/ffff/ffff\x07"),
    (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:0000/0000/0000\x1b\\"),
    (b"noise\r\n\x1b7\x1b[999;999H\x1b[6n\x1b8\x1b[c", b"\x1b[50;4000R\x1b[?1;0c"),
    *(
        (nothing, b"")
        for nothing in (b"", b"c", b"\x1b[6m", b"\x1b[31m", b"\x1b]0;title\x07", b"\x1b[?1049h")
    ),
]


@pytest.mark.parametrize(("asked", "answer"), ANSWERS)
def test_each_question_has_one_answer(asked: bytes, answer: bytes) -> None:
    """Whole or a byte at a time, once and not again with what follows."""
    for size in (1, 2, 3, len(asked) or 1):
        terminal = PseudoTerminal()
        chunks = [asked[at : at + size] for at in range(0, len(asked), size)]
        assert b"".join(map(terminal.answer, chunks)) == answer
        assert terminal.answer(b"$ ") == b""
        assert terminal.has_answered is bool(answer)


def test_a_flood_of_questions() -> None:
    """Ends unanswered: nothing is sent without limit."""
    terminal = PseudoTerminal()
    answers = b"".join(terminal.answer(1000 * b"\x1b[6n") for _ in range(10))
    assert answers == MOST_ANSWERS * b"\x1b[50;4000R"
