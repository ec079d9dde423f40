"""What may be a word, and what can only be a code."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.pasted import may_be_a_word


@pytest.mark.parametrize(
    "text",
    [
        "help",
        " quit\n",
        "/help",
        "exit",
        "Hermes",
        "no-browser",
        "ABCD-EFGH",
        "1234",
        "Password1",
        "what?",
        ":wq!",
    ],
)
def test_a_word(text: str) -> None:
    """A few characters without a blank; a code that looks like that has to be given twice."""
    assert may_be_a_word(text)


@pytest.mark.parametrize(
    "text",
    [
        "A" * 17,
        "one two",
        "http://127.0.0.1:56121/callback?code=a",
        "code=abcd&state=b",
        "ja",
    ],
)
def test_no_word(text: str) -> None:
    """Length is the mark of a code, and a blank that of a sentence; two letters are neither."""
    assert not may_be_a_word(text)
