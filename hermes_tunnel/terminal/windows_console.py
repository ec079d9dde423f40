"""A line from Windows' console, key by key: one can only look whether there is a key, not wait for one."""

from __future__ import annotations

import _thread
import time
from collections.abc import Callable
from typing import Protocol

_POLL_SECONDS = 0.05
_ENTER, _BACKSPACE, _CTRL_C, _CTRL_Z = "\r\n", "\b", "\x03", "\x1a"
_SPECIAL = "\x00\xe0"  # arrows and the like: another character follows


class Keys(Protocol):
    """What Python's ``msvcrt`` offers for the console."""

    def kbhit(self) -> bool:
        """Whether a key has been pressed."""

    def getwch(self) -> str:
        """Read a key, without echo."""

    def putwch(self, key: str, /) -> object:
        """Show a character."""


def forget_typed(keys: Keys) -> None:
    """Drop what was typed so far."""
    while keys.kbhit():
        keys.getwch()


def read_line(keys: Keys, wanted: Callable[[], bool], *, hidden: bool, offered: bool) -> str | None:
    """The next line, without its end; None at the end of the input (Ctrl-Z), or if it is no longer wanted.

    Ctrl-C is SIGINT in the main thread; whoever handles that decides what becomes of the line.

    :param wanted: whether to go on waiting
    :param hidden: whether to show nothing of what is typed
    :param offered: whether the person may just as well type nothing: then Ctrl-Z has no effect
    """
    line: list[str] = []
    while wanted():
        if not keys.kbhit():
            time.sleep(_POLL_SECONDS)
            continue
        key = keys.getwch()
        if key in _SPECIAL:
            keys.getwch()
        elif key == _CTRL_C:
            _thread.interrupt_main()
            line.clear()
        elif key == _CTRL_Z:
            if not offered:
                return None
        elif key in _ENTER:
            _show(keys, "" if hidden else "\r\n")
            return "".join(line)
        elif key == _BACKSPACE:
            _show(keys, "" if hidden or not line else "\b \b")
            del line[-1:]
        else:
            _show(keys, "" if hidden else key)
            line.append(key)
    return None


def _show(keys: Keys, text: str) -> None:
    for character in text:
        keys.putwch(character)
