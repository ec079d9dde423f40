"""The sockets by which agents are reached, where the system has them (unix(7))."""

from __future__ import annotations

import socket
import sys

import pytest


def unix_socket() -> socket.socket:
    """A socket that can be bound to a path, or connected to one; elsewhere the test is skipped."""
    if sys.platform == "win32":
        pytest.skip("there are no UNIX sockets")
    return socket.socket(socket.AF_UNIX)
