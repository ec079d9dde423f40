"""What a person may paste by mistake instead of a code."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Za-z0-9/.~_+-]{4,16}")


def may_be_a_word(text: str) -> bool:
    """Whether it could be a word, such as ``help``, ``/quit`` or ``1234``, though a code might look the same.

    Some releases take the first line they get for the code, and fail the login if it is not one.
    """
    return _WORD.fullmatch(text.strip()) is not None
