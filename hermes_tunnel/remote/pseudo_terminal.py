"""The terminal that a command has there: what it is like, and what it answers when it is asked.

It is wide, so that no URL is wrapped, and dumb, so that nothing is coloured. A start-up file may ask it all
the same where its cursor is, what it is or which colours it has, and wait for the answer (xterm's control
sequences). We answer until the command begins; the command's own input is left alone.
"""

from __future__ import annotations

import re

from hermes_tunnel.ssh.connection import Terminal, WindowSize

TERMINAL = Terminal("dumb", WindowSize(4000, 50))
DISCARD = b"\x15"
"""The character that discards what nobody has read of the line so far (VKILL, termios(3))."""
MOST_ANSWERS = 64  # to one command; a start-up file asks a few times
_LONGEST = 8  # bytes of a question
# ESC [ 6 n: where is the cursor? ESC [ 5 n: are you well? ESC [ c and ESC [ > c: what are you? ESC ] 10
# and 11: which colours have you?
_QUESTION = re.compile(rb"\x1b(?:\[(?:([56])n|(>?)0?c)|\](1[01]);\?(\x07|\x1b\\))")


class PseudoTerminal:
    """What the terminal hears of the command, and what it answers."""

    def __init__(self) -> None:
        self._recent = b""
        self._answers = 0

    @property
    def has_answered(self) -> bool:
        """Whether there may be an answer that nobody has read."""
        return self._answers > 0

    def answer(self, output: bytes) -> bytes:
        """The answer to what the next bytes ask; empty if they ask nothing."""
        heard = self._recent + output
        answers, end = [], 0
        for question in _QUESTION.finditer(heard):
            end = question.end()
            if self._answers < MOST_ANSWERS:
                self._answers += 1
                answers.append(_answer(question))
        self._recent = heard[max(end, len(heard) - _LONGEST) :]
        return b"".join(answers)


def _answer(question: re.Match[bytes]) -> bytes:
    report, secondary, colour, end = question.groups()
    if report == b"5":
        return b"\x1b[0n"
    if report:
        # In the last corner: who asks is after the size, and has sent the cursor there.
        return b"\x1b[%d;%dR" % (TERMINAL.size.rows, TERMINAL.size.columns)
    if colour:
        return b"\x1b]%s;rgb:%s%s" % (colour, b"/".join(3 * [b"ffff" if colour == b"10" else b"0000"]), end)
    return b"\x1b[>0;0;0c" if secondary else b"\x1b[?1;0c"  # a VT100 without options
