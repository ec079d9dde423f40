"""Lines from Windows' console, key by key, from a keyboard with keys already typed."""

from __future__ import annotations

import signal
import threading

import pytest

from hermes_tunnel.terminal.windows_console import read_line


class Typed:
    """Typed keys, and what is shown of them; once all are read, the line is given up."""

    def __init__(self, keys: str) -> None:
        self.keys = list(keys)
        self.shown = ""
        self.wanted = True

    def kbhit(self) -> bool:
        """Whether one is left."""
        if not self.keys:
            self.wanted = False
        return bool(self.keys)

    def getwch(self) -> str:
        """The next."""
        return self.keys.pop(0)

    def putwch(self, key: str, /) -> None:
        """Show it."""
        self.shown += key


@pytest.mark.parametrize(
    ("keys", "hidden", "line", "shown"),
    [
        ("line\r", False, "line", "line\r\n"),
        ("secret\r", True, "secret", ""),
        ("liX\bne\r", False, "line", "liX\b \bne\r\n"),
        ("\b\bx\r", False, "x", "x\r\n"),
        ("a\xe0Kb\x00;c\r", False, "abc", "abc\r\n"),
        ("half", False, None, "half"),
        ("half\x1a", True, None, ""),
        ("\n", True, "", ""),
    ],
)
def test_a_line(keys: str, hidden: bool, line: str | None, shown: str) -> None:
    """Shown or hidden, with Backspace, without keys that are not characters; none if it was given up."""
    typed = Typed(keys)
    assert read_line(typed, lambda: typed.wanted, hidden=hidden, offered=False) == line
    assert typed.shown == shown


def test_ctrl_z_ends_no_offer() -> None:
    """Ctrl-Z does nothing where nobody has to type."""
    typed = Typed("\x1acode\r")
    assert read_line(typed, lambda: typed.wanted, hidden=True, offered=True) == "code"


def test_ctrl_c_interrupts_the_main_thread() -> None:
    """The reading thread, which is another, ends without a line."""
    typed, interrupted, read = Typed("half\x03"), threading.Event(), list[str | None]()
    before = signal.signal(signal.SIGINT, lambda *_: interrupted.set())
    try:
        reading = threading.Thread(
            target=lambda: read.append(read_line(typed, lambda: typed.wanted, hidden=True, offered=True))
        )
        reading.start()
        reading.join()
        assert interrupted.wait(5)
    finally:
        signal.signal(signal.SIGINT, before)
    assert read == [None]
