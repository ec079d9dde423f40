"""After every test of the demo nothing of it is left."""

from tests.stage.conftest import _nothing_left

__all__ = ["_nothing_left"]
