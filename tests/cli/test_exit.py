"""The last words of a failed run, in a window of any width."""

from __future__ import annotations

from hermes_tunnel.cli.exit import folded_hint

HINT = "hermes-tunnel: hint: the key has changed, so remove the old one: ssh-keygen -R '[box]:2222' -f file"


def test_a_hint_folds_and_its_command_stays_whole() -> None:
    """Prose folds at words, below the first line; what can be copied is on a line of its own."""
    assert folded_hint(HINT, 40) == [
        "hermes-tunnel: hint: the key has",
        "  changed, so remove the old one:",
        "  ssh-keygen -R '[box]:2222' -f file",
    ]
    assert folded_hint(HINT, 0) == [HINT]
    assert folded_hint(HINT, 200) == [HINT]


def test_a_hint_without_a_command_folds_like_a_message() -> None:
    """Whatever comes after a colon, if it is not a program that we tell people to type."""
    assert folded_hint("hermes-tunnel: hint: look here: at the page", 30) == [
        "hermes-tunnel: hint: look",
        "  here: at the page",
    ]
