"""User codes (RFC 8628 section 3.2) in what any program prints: what is one, and what only looks like one.

A login hears a program that we know, and takes any code that follows a page. In a session anything may be
printed: exit codes, error codes, words in capitals. So here a line has to say *code*, the code has to follow
at once, and it must look like one that was made to be typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SAYS_CODE = re.compile(r"(?i)\bcode\b")
_OTHER_CODES = re.compile(
    r"(?i)\b(?:error|err!?|exit|exited|status|http|return|response|result|reason|source|qr|bar|zip|postal"
    r"|country|area|language|currency|product|promo|machine|byte|version|signal)\W{1,3}\Z"
)
_LONGEST_KIND = 16  # characters: the longest of these words, and what may follow it
# Directly after the word, or after the colon that ends what is said of it.
_FOLLOWS = re.compile(
    r"(?:(?:\s{1,2}is)?[\s\"'`(\[*]{1,4}|[^:]{0,80}:[\s\"'`(\[*]{0,80})([A-Z0-9]{3,12}(?:-[A-Z0-9]{3,8}){0,3})(?![\w-])"
)
_MADE_TO_BE_TYPED = re.compile(
    r"(?=.{5,15}\Z)[A-Z0-9]{3,8}(?:-[A-Z0-9]{3,8}){1,3}"  # in groups
    r"|(?=.{0,11}[0-9])(?=.{0,11}[A-Z])[A-Z0-9]{6,12}"  # letters among digits
    r"|(?=.{0,11}[B-DF-HJ-NP-TV-XZ]{4})[A-Z]{6,12}"  # letters that make no word (RFC 8628 section 6.1)
)
_QUOTES = " \t\"'`()[]*"


def is_user_code(text: str) -> bool:
    """Whether a program would have a person type this: groups, letters among digits, or letters that make no
    word; 4 to 12 in all. Six digits are what a person is sent, and may have typed just now: not one.
    """
    return bool(_MADE_TO_BE_TYPED.fullmatch(text)) and len(text.replace("-", "")) <= 12


def codes_in(text: str, *, finished: bool = True) -> Iterator[tuple[int, str]]:
    """Each user code in a line that says *code*, and where it begins.

    :param finished: whether the line has ended; if not, what its last word is going to be is not known
    """
    for announced in _announcements(text):
        found = _FOLLOWS.match(text, announced)
        if found and is_user_code(found[1]) and (finished or found.end() < len(text)):
            yield found.start(1), found[1]


def announces_code(text: str) -> bool:
    """Whether the line says *code* without one: then it may be all that the next line says."""
    return any(True for _ in _announcements(text)) and not any(True for _ in codes_in(text))


def code_alone(text: str) -> str:
    """The user code that is all that the line says; empty if it says anything else."""
    said = text.strip(_QUOTES)
    return said if is_user_code(said) else ""


def _announcements(text: str) -> Iterator[int]:
    for found in _SAYS_CODE.finditer(text):
        if not _OTHER_CODES.search(text, max(found.start() - _LONGEST_KIND, 0), found.start()):
            yield found.end()
