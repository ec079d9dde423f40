"""Putting the user code of a device login on the person's clipboard.

A short-lived child process does it: a clipboard's program may stay, to give the text to whoever pastes it,
and would keep our standard output open. The child gets the text on its standard input.
"""

from __future__ import annotations

import subprocess
import sys

_SECONDS = 5.0
_NOT_INSTALLED = 3
_COPIER = f"""
import sys
try:
    import pyperclip
except ImportError:
    sys.exit({_NOT_INSTALLED})
pyperclip.copy(sys.stdin.read())
"""


class NoClipboard(Exception):
    """The clipboard could not be reached; says why, and what helps."""


def copy(text: str) -> None:
    """Put a text on the clipboard.

    :raises NoClipboard: it could not be done
    """
    quiet = subprocess.DEVNULL
    try:
        status = subprocess.run(
            [sys.executable, "-I", "-c", _COPIER],
            input=text.encode(),
            stdout=quiet,
            stderr=quiet,
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        ).returncode
    except (OSError, subprocess.TimeoutExpired):
        raise NoClipboard("the clipboard did not answer") from None
    if status == _NOT_INSTALLED:
        raise NoClipboard(
            "pyperclip is not installed; if pipx installed this program: pipx inject hermes-tunnel pyperclip"
        )
    if status:
        raise NoClipboard("there is no program for it; on Linux install wl-clipboard, xclip or xsel")
