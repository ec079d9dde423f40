"""PATTERNS of ssh_config(5) and sshd(8): ``*``, ``?``, and ``!`` before one that must not match."""

from __future__ import annotations

from collections.abc import Iterable


def in_list(patterns: Iterable[bytes], name: bytes) -> bool:
    """Whether one of the patterns is the whole name, and none with a ``!`` is."""
    found = False
    for pattern in patterns:
        if _is(pattern.removeprefix(b"!"), name):
            if pattern.startswith(b"!"):
                return False
            found = True
    return found


def _is(pattern: bytes, name: bytes) -> bool:
    ends = {0}
    for character in pattern:
        if character == ord("*"):
            ends = set(range(min(ends), len(name) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(name) and character in (ord("?"), name[end])}
        if not ends:
            return False
    return len(name) in ends
