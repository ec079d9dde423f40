"""What a person pastes for a login: an address, however a mail program or a chat wrapped it, or a code."""

from __future__ import annotations

import re

LONGEST_PASTE = 16 * 1024  # characters
_PAIRS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "<": ">",
    "(": ")",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c",
    "\xab": "\xbb",
}
_AROUND = " \t\r\n\xa0\u200b\u200e\u200f\u2060\ufeff"  # blanks, and what chats add that nobody sees
_QUOTED = "> \t"  # before each line of a mail that is quoted
_ADDRESS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,31}://|(?://)?(?:127\.0\.0\.1|localhost|\[::1\])[:/]", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://")
_QUERY = re.compile(r"\??(?:code|error|state)=")
_WORD = re.compile(r"[\x21-\x7e]{4,16}")


def unwrapped(text: str) -> str:
    """What was meant to be pasted.

    Blanks, quotes and brackets around it go (RFC 3986 appendix C). In an address, or its query, so do line
    breaks, and the marks of a quoted mail; an address without a scheme is an http address.
    """
    first, *others = text.strip(_AROUND).splitlines() or [""]
    if others:
        first = first.lstrip(_QUOTED)
    text = "\n".join((first, *(line.strip(_AROUND).lstrip(_QUOTED) for line in others)))
    for _ in _PAIRS:
        if len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1].strip(_AROUND)
    if text[:4].upper() == "URL:":
        text = text[4:].strip(_AROUND)
    if _ADDRESS.match(text):
        text = text if _SCHEME.match(text) else f"http://{text.removeprefix('//')}"
    elif not _QUERY.match(text):
        return text
    return "".join(line.strip(_AROUND) for line in text.splitlines())


def is_address(text: str) -> bool:
    """Whether it is an address rather than a query or a code."""
    return _SCHEME.match(text) is not None


def may_be_a_word(text: str) -> bool:
    """Whether it could be a word, such as ``help``, ``/quit`` or ``1234``, though a code might look the same.

    Some releases take the first line they get for the code, and fail the login if it is not one.
    """
    return _WORD.fullmatch(text.strip()) is not None
