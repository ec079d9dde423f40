"""After every test of the stage nothing of it is left."""

import pytest


@pytest.fixture(autouse=True)
def _nothing_left(nothing_left: None) -> None:
    """Also where a test does not ask for it."""
