"""What becomes of each keyword of ssh_config, from ``hermes_tunnel/ssh/config/vocabulary.py``."""

from __future__ import annotations

from collections.abc import Iterable

from hermes_tunnel.ssh.config.vocabulary import (
    HOW_HONOURED,
    HOW_IN_A_SESSION,
    WHY_IGNORED,
    WHY_REFUSED,
    Fate,
)
from tests.pages.markdown import code, table


def honoured() -> str:
    """The keywords that work, and how."""
    return drawn(HOW_HONOURED, "how")


def of_a_session() -> str:
    """The keywords that work in a ``run``, and how."""
    return drawn(HOW_IN_A_SESSION, "how")


def refused() -> str:
    """The keywords that end a login, and why."""
    return drawn(WHY_REFUSED, "why")


def ignored() -> str:
    """The keywords that change nothing, and why."""
    return drawn(WHY_IGNORED, "why")


def drawn(fates: Iterable[Fate], what: str) -> str:
    """A row for each fate."""
    rows = [[", ".join(map(code, each.keywords.split())), each.words] for each in fates]
    return table(["keyword", what], rows)
