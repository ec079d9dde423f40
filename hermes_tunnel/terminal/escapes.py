"""What a person types to this program in the middle of a session (ssh(1), ESCAPE CHARACTERS).

As in ssh, an escape is the escape character at the beginning of a line, and the key after it. An unknown one
goes to the program, both characters of it. Some of ours take an argument, typed up to Enter; it is shown as
it is typed, because the program does not see it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

END, SUSPEND, HELP = ".", "\x1a", "?"
"""The escapes that every session has, besides the one that types the escape character itself."""
_ENTER, _BACKSPACE, _CANCEL = b"\r\n", b"\x7f\b", b"\x03\x07\x15\x1b"
_LONGEST = 64
_ARGUMENT = re.compile(rb"[ -~]")


@dataclass(frozen=True)
class Escape:
    """An escape was typed.

    :param key: the key after the escape character
    :param argument: what was typed after that, without blanks at its ends
    """

    key: str
    argument: str = ""


@dataclass(frozen=True)
class Echo:
    """Bytes to show, where the person types something that the program does not see."""

    shown: bytes


Typed = bytes | Escape | Echo


def escape_character(value: str) -> bytes:
    """The byte that a value of ssh_config's EscapeChar means; empty for ``none``.

    :param value: one character, ``^`` and a letter, or ``none``; empty for ssh's own, a tilde. ``ssh -G``
        puts a backslash before some
    """
    value = value[1:] if len(value) > 1 and value[0] == "\\" else value
    if value.lower() == "none":
        return b""
    if len(value) == 2 and value[0] == "^":
        return bytes([ord(value[1]) & 0x1F])
    return value.encode("latin-1", "ignore")[:1] or b"~"


class Escapes:
    """Tells escapes from what is for the program.

    :param character: the escape character; empty if there is none
    :param keys: the keys of this session's own escapes, each with whether it takes an argument
    """

    def __init__(self, character: bytes, keys: Mapping[str, bool] = {}) -> None:
        self._character = character
        self._keys = {END: False, SUSPEND: False, HELP: False, **keys}
        self._at_beginning = True
        self._pending = False
        self._key = ""
        self._argument = bytearray()
        self._editing = False

    def receive(self, data: bytes) -> list[Typed]:
        """What was typed, in its order: bytes for the program, escapes, and what to show of them.

        :param data: the next bytes, in any chunking
        """
        if not self._character:
            return [data] if data else []
        found: list[Typed] = []
        rest = data
        while rest:
            if self._editing:
                rest = self._edit(rest, found)
            elif self._pending:
                rest = self._escaped(rest, found)
            else:
                rest = self._plain(rest, found)
        return found

    def _plain(self, data: bytes, found: list[Typed]) -> bytes:
        """Take bytes up to the next escape character at the beginning of a line."""
        start = 0
        while (at := data.find(self._character, start)) >= 0:
            begins = data[at - 1 : at] in (b"\r", b"\n") if at else self._at_beginning
            if begins:
                break
            start = at + 1
        taken = data if at < 0 else data[:at]
        self._pass_on(taken, found)
        self._pending = at >= 0
        return b"" if at < 0 else data[at + 1 :]

    def _escaped(self, data: bytes, found: list[Typed]) -> bytes:
        """Take the key after the escape character."""
        self._pending = False
        key, rest = data[:1], data[1:]
        name = key.decode("latin-1")
        if key == self._character:
            self._pass_on(key, found)
        elif name not in self._keys:
            self._pass_on(self._character + key, found)
        elif self._keys[name]:
            self._key, self._editing = name, True
            self._argument.clear()
            found.append(Echo(self._character + key + b" "))
        else:
            found.append(Echo(self._character + _shown(name) + b"\r\n"))
            found.append(Escape(name))
        return rest

    def _edit(self, data: bytes, found: list[Typed]) -> bytes:
        """Take one key of an argument."""
        argument, key = self._argument, data[:1]
        if key in _ENTER or key in _CANCEL:
            self._editing = False
            found.append(Echo(b"\r\n"))
            if key in _ENTER:
                found.append(Escape(self._key, argument.decode("ascii").strip()))
        elif key in _BACKSPACE:
            if argument:
                del argument[-1]
                found.append(Echo(b"\b \b"))
        elif key == b" " and not argument:
            pass  # one is shown already
        elif _ARGUMENT.match(key) and len(argument) < _LONGEST:
            argument += key
            found.append(Echo(key))
        return b"" if key == b"\x1b" else data[1:]  # an arrow key is ESC and more

    def _pass_on(self, data: bytes, found: list[Typed]) -> None:
        if not data:
            return
        self._at_beginning = data[-1:] in (b"\r", b"\n")
        if found and isinstance(found[-1], bytes):
            found[-1] += data
        else:
            found.append(data)


def _shown(key: str) -> bytes:
    """A key as ssh shows it."""
    return key.encode() if key.isprintable() else f"^{chr(ord(key) | 0x40)}".encode()
