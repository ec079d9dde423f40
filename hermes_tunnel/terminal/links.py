"""Addresses that a terminal opens when they are clicked (OSC 8), also where a long one fills several rows.

Most terminals ignore what they do not know, but some print it: so only those that are known to have links get
any. tmux says that it is the terminal, and passes links on since its version 3.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_SINCE = {
    "iTerm.app": (3, 1),
    "WezTerm": (20200620,),
    "vscode": (1, 72),
    "ghostty": (1,),
    "Hyper": (2,),
    "mintty": (3, 1),
    "rio": (0,),
    "tmux": (3, 4),
}
_NAMES = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "foot-extra", "contour", "wezterm")
_VTE = 5000  # GNOME Terminal and others: 0.50, which was the first without a fault in its links
_KONSOLE = 201200
_NUMBER = re.compile(r"\d{1,9}")


def has_links(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is one that is known to have links.

    :param environ: the environment, in which terminals name themselves
    """
    program = environ.get("TERM_PROGRAM", "")
    if program in _SINCE:
        return _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _SINCE[program]
    if environ.get("TMUX") or environ.get("TERM", "").startswith("screen"):
        return False  # what follows would be of the terminal around it
    return (
        environ.get("TERM") in _NAMES
        or bool(environ.get("WT_SESSION"))
        or _number(environ.get("VTE_VERSION", "")) >= _VTE
        or _number(environ.get("KONSOLE_VERSION", "")) >= _KONSOLE
    )


def link(address: str) -> str:
    """The address as a link to itself.

    :param address: without control characters
    """
    return f"\x1b]8;;{address}\x1b\\{address}\x1b]8;;\x1b\\"


def _version(text: str) -> tuple[int, ...]:
    return tuple(map(int, _NUMBER.findall(text)))


def _number(text: str) -> int:
    return int(text) if _NUMBER.fullmatch(text) else 0
