"""Every test of the demo leaves nothing behind."""

from tests.stage.conftest import _nothing_left

__all__ = ["_nothing_left"]
