"""What is quoted of a command that failed: its last line, or the whole error that the line ends."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.last_words import LastWords

URL = "https://auth.x.ai/oauth2/token"
HTTPX = f"Client error '400 Bad Request' for url '{URL}'"
MORE = "For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/400"
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "auth.py", line 7, in login',
    "    raise_for_status()",
]
WIDE = 3998


def last_words(*lines: str) -> str:
    """What is quoted after these lines."""
    words = LastWords()
    for line in lines:
        words = words.hear(line)
    return str(words)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ""),
        (["one", "two", " "], "two"),
        # An exception: told from its first line, without its name.
        ([*TRACEBACK, f"httpx.HTTPStatusError: {HTTPX}", MORE], f"{HTTPX} {MORE}"),
        ([f"hermes_cli.auth.AuthError: {HTTPX}", MORE], f"{HTTPX} {MORE}"),
        (
            [*TRACEBACK, "ValueError: one", "", "During the above, another:", *TRACEBACK, "OSError: two"],
            "two",
        ),
        ([*TRACEBACK, "httpx.ConnectTimeout: timed", "out"], "httpx.ConnectTimeout: timed out"),
        ([*TRACEBACK, "OSError: {", *['  "a": 1,'] * 20, "}"], " ".join(["{", *['"a": 1,'] * 7])),
        # An error that says that it is one.
        ([f"Error: no answer from {URL}:", "timed out"], f"Error: no answer from {URL}: timed out"),
        (["hermes: error: two", "lines"], "hermes: error: two lines"),
        (["usage: hermes [-h]", "hermes: error: unrecognized"], "hermes: error: unrecognized"),
        (["Error: try again", *"abcdefgh"], "h"),
        # A heading, and what is indented below it.
        (["Login failed:", f"  {URL}", "  timed out"], f"Login failed: {URL} timed out"),
        (["  Login failed:", f"  {URL}"], URL),
        (["To continue:", f"  1. Open: {URL}", "Waiting for approval", "expired"], "expired"),
        # A panel: what is drawn is no word.
        (
            [f"╭─ Error {'─' * WIDE}╮", f"│ No such option: --foo{' ' * WIDE}│", f"╰{'─' * WIDE}╯"],
            "Error: No such option: --foo",
        ),
        (
            [
                f"╭─ {TRACEBACK[0][:-1]} ─╮",
                "│ auth.py:7 in login │",
                "╰──╯",
                f"HTTPStatusError: {HTTPX}",
                MORE,
            ],
            f"{HTTPX} {MORE}",
        ),
        (["it failed", "─" * WIDE], "it failed"),
        # A long error is told as far as its lines have room; the first always has.
        (["Error: " + "a" * 500, "b"], "Error: " + "a" * 500),
    ],
)
def test_last_words(lines: list[str], words: str) -> None:
    """An error in several lines is told from its first, where the reason and the address are."""
    assert last_words(*lines) == words
