"""What a person pastes for a login: an address, however a mail program or a chat wrapped it, or a code."""

from __future__ import annotations

import re

LONGEST_PASTE = 16 * 1024  # characters
_PAIRS = {'"': '"', "'": "'", "`": "`", "<": ">", "(": ")", "\u201c": "\u201d", "\u2018": "\u2019"}
_ADDRESS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,31}://|(?://)?(?:127\.0\.0\.1|localhost|\[::1\])[:/]", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://")
_WORD = re.compile(r"[\x21-\x7e]{4,16}")


def unwrapped(text: str) -> str:
    """What was meant to be pasted.

    Quotes and brackets around it go. In an address, so do line breaks, with the blanks and the marks of a
    quoted mail that go with them (RFC 3986 appendix C); without a scheme it is an http address.
    """
    text = text.strip()
    for _ in _PAIRS:
        if len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1].strip()
    if not _ADDRESS.match(text):
        return text
    text = "".join(line.strip("> \t") for line in text.splitlines())
    return text if _SCHEME.match(text) else f"http://{text.removeprefix('//')}"


def is_address(text: str) -> bool:
    """Whether it is an address rather than a query or a code."""
    return _SCHEME.match(text) is not None


def may_be_a_word(text: str) -> bool:
    """Whether it could be a word, such as ``help``, ``/quit`` or ``1234``, though a code might look the same.

    Some releases take the first line they get for the code, and fail the login if it is not one.
    """
    return _WORD.fullmatch(text.strip()) is not None
