"""A terminal, where somebody sits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.terminal.pseudo_terminal import Terminal, terminal


@pytest.fixture
def pty() -> Iterator[Terminal]:
    """A terminal in front of the person."""
    with terminal() as opened:
        yield opened
