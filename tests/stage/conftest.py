"""Every test of the stage leaves nothing behind."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_left(nothing_left: None) -> None:
    """Check this even if a test does not ask for it."""
