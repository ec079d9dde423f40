"""The command line for what a person typed to be run: a shell, a command line for it, or a program's words.

Without an option that needs more, the first two are what ssh sends; so the account's shell has the last word.
The words of a program are encoded, because ssh's way, to join them by blanks, leaves them to that shell.
"""

from __future__ import annotations

from collections.abc import Sequence

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.line import LONGEST_LINE, encoded

PAGE_SEQUENCE = "9008;hermes-tunnel"
"""What begins the operating system command (OSC, ECMA-48 section 8.3.89) by which a program's page comes to
us: ``ESC ] 9008 ; hermes-tunnel ; URL ESC \\``. Terminals ignore it."""
_TO_TERMINAL = f"printf '\\033]{PAGE_SEQUENCE};%s\\033\\\\' \"$u\" > /dev/tty"
_PAGE = f"eval for u; do true; done; {{ {_TO_TERMINAL}; }} 2>/dev/null #"
"""Writes its last word to the terminal; fails where there is none. It is split at its blanks before it is
evaluated, so each of them is a single one. ``_BROWSER`` puts its first word behind it once more, which is a
comment then."""
_BROWSER = r"sh -c ${1+$HERMES_TUNNEL_PAGE}${1-\$HERMES_TUNNEL_PAGE} sh %s"
"""Three kinds of programs read this variable, and to each it means the same. Python's webbrowser takes off
quotes and backslashes, and puts the page in the place of ``%s``; xdg-open leaves them on; others put the page
at the end and have a shell read all of it. In that shell ``$1`` is not set yet, so it makes of the third word
what the others have made of it. There is no colon, after which there would be another browser."""


def typed_line(
    words: Sequence[str], call: Call, nonce: str, *, terminal: bool, browser: bool = False
) -> str | None:
    """The command line for what was typed; None for the account's shell itself.

    :param words: none for the shell, one for a command line, several for a program and its words
    :param call: for whom, and in which container
    :param nonce: by which what is left of it in a container is found
    :param terminal: whether it has a terminal
    :param browser: whether the pages that it wants to open are to come to its terminal
    :raises UsageFailure: a word cannot be passed, or there are too many
    """
    page = encoded((_BROWSER, _PAGE)) if browser else "-"
    if not (call.as_user or call.container or browser):
        if not words:
            return None
        if len(words) == 1:
            return _short(words[0])
    kind = {0: "shell", 1: "line"}.get(len(words), "program")
    return call.become_line((kind, encoded(words) if words else "-", page), nonce, terminal=terminal)


def _short(line: str) -> str:
    if "\0" in line:
        raise UsageFailure("the command line contains a NUL, which no shell takes", "leave it out")
    if len(line.encode(errors="surrogateescape")) > LONGEST_LINE:
        raise UsageFailure(
            f"the command line is longer than the {LONGEST_LINE} bytes that every server takes",
            "put it into a file there",
        )
    return line
