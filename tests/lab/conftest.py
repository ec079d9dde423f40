"""The fixture ``lab``. Its tests are skipped without root or on another system."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.lab import Lab, obstacle


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests in this directory; their deadlines do not count the start of the lab."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("lab")
            item.add_marker("slow")
            item.add_marker(pytest.mark.timeout(120, func_only=True))


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab, started once for all tests."""
    if reason := obstacle():
        pytest.skip(reason)
    with Lab() as lab:
        yield lab
