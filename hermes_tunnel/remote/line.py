"""The command line for an account's login shell: a script for ``sh``, and its words.

That may be any shell: bash, fish, tcsh, rbash, zsh. So the line has only characters that none of them acts
on. Whatever a person typed is encoded in those, and comes out exactly as it went in.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from importlib.resources import files

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.text import plain, quote

# Words that every login shell (bash, fish, tcsh, rbash ...) leaves unchanged without quotes. At the start of
# a word, zsh takes = for a command to look up, and fish takes %self for its own process.
_WORD = re.compile(r"(?![=%])[A-Za-z0-9._/:@%+=,-]+")
_AS_IT_IS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+=,-")
LONGEST_LINE = 32768 - 64
"""Bytes of a command line that, with its headers, fits a packet that every server takes (RFC 4253, 6.1)."""
_ESCAPES = {"'": r"\'", "\\": r"\\", "\n": r"\n", "\t": r"\t"}


class Script(str):
    """A script that is a word for another script."""

    __slots__ = ()


def script(name: str) -> Script:
    """One of the scripts beside this module as one line, without its comments."""
    text = (files("hermes_tunnel.remote") / name).read_text("utf-8")
    return Script(" ".join(line.strip() for line in text.splitlines() if not line.lstrip().startswith("#")))


def script_line(
    script: str, words: Sequence[str], *, before: Sequence[str] = (), name: str = "hermes-tunnel"
) -> str:
    """The command line that runs ``script`` by ``sh`` whatever the account's shell is.

    :param script: without ``'``, ``!``, backslash and line feed: then single quotes hold in every shell
    :param words: its ``$1`` and on, composed by us or ``encoded``; each ``Script`` among them as above
    :param before: words before ``sh``, such as ``sudo -u NAME``
    :param name: its ``$0``, which begins what ``sh`` says of its own
    :raises UsageFailure: the line is longer than every server takes
    """
    for word in (*before, *words):
        if not isinstance(word, Script) and not _WORD.fullmatch(word):
            raise ValueError(f"some shell would act on {word!r}")
    quoted = [f"'{word}'" if isinstance(word, Script) else word for word in words]
    line = " ".join((*before, f"sh -c '{script}' {name}", *quoted))
    if len(line) > LONGEST_LINE:
        raise UsageFailure(
            f"the command line for the remote machine would be {len(line)} bytes long, "
            f"and not every server takes more than {LONGEST_LINE}",
            "give fewer or shorter words after --",
        )
    return line


def encoded(words: Sequence[str]) -> str:
    """Any words, as a single one that every shell leaves alone.

    ``sh`` evaluates it to set the words as its own; each byte that some shell would act on is ``:0`` and
    three octal digits. ``find_and_run.sh`` decodes it.

    :param words: as they were typed; bytes that are not text (:pep:`383`) are kept
    :raises UsageFailure: a word contains a NUL
    """
    for word in words:
        if "\0" in word:
            raise UsageFailure(f"{quote(word)} contains a NUL, which no program can be given", "leave it out")
    code = os.fsencode(f"set -- {shlex.join(words)}")
    return "".join(chr(byte) if byte in _AS_IT_IS else f":0{byte:03o}" for byte in code)


def typed(words: Sequence[str]) -> str:
    """Words as a person would type them to a shell, on one line and safe to show."""
    return " ".join(map(_typed, words))


def _typed(word: str) -> str:
    if _WORD.fullmatch(word):
        return word
    if plain(word) == word:
        return "'" + word.replace("'", "'\\''") + "'"
    # bash, zsh, ksh and POSIX.1-2024 know $'...'.
    return f"$'{''.join(map(_escaped, word))}'"


def _escaped(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if plain(character) == character:
        return character
    return "".join(f"\\{byte:03o}" for byte in os.fsencode(character))
