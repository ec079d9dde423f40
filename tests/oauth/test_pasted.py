"""What may be a word, and what can only be a code."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.pasted import may_be_a_word


@pytest.mark.parametrize(
    "text", ["help", " quit\n", "/help", "exit", "Hermes", "no-browser", "ABCD-EFGH", "1234", "Password1"]
)
def test_a_word(text: str) -> None:
    """Letters or digits, and few of them; a code that looks like that has to be given twice."""
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
    """Length and punctuation are the marks of a code; two letters are not one."""
    assert not may_be_a_word(text)
