"""In what two recordings of the same login differ."""

from __future__ import annotations

from tests.oauth.behaviour import changes
from tests.oauth.replay import RECORDINGS, read


def between(before: str, after: str) -> list[str]:
    """The changes from one recording to another."""
    return changes(*(read(RECORDINGS / f"{name}.jsonl") for name in (before, after)))


def test_another_kind_of_login_is_a_change() -> None:
    """From 0.18.1 on, xAI's is a device login: no port, another page, another proof."""
    assert between("0.18.0-xai-oauth-approved", "0.19.0-xai-oauth-approved") == [
        "kind of login: loopback -> device",
        "issuer: auth.x.ai -> accounts.x.ai",
        "port of the redirect: 56121 -> none",
        "what proves it: needless -> wanted",
    ]


def test_another_ending_is_a_change() -> None:
    """Approved once and denied once: the exit status and the end differ."""
    found = between("0.19.0-spotify-approved", "0.19.0-spotify-denied")
    assert found[0] == "exit status: 0 -> 1"
    assert found[1].startswith("how it ends: logged_in -> 9 the sign-in was declined")


def test_other_codes_and_words_are_no_change() -> None:
    """Nothing that differs from login to login counts, nor do words that decide nothing."""
    for name in (
        "spotify-approved",
        "spotify-wrong-state",
        "nous-denied",
        "mcp-approved",
        "xai-oauth-approved",
    ):
        assert between(f"0.14.0-{name}", f"0.18.0-{name}") == []


def test_what_milliseconds_decide_is_no_change() -> None:
    """Whether a retry still finds a listener depends on the machine; the first visit counts."""
    assert between("0.18.0-mcp-denied", "0.19.0-mcp-denied") == []
