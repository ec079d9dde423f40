"""PATTERNS of ssh_config(5) and sshd(8): ``*``, ``?``, and ``!`` before one that must not match."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_LONGEST = 1025  # bytes of a host name, NI_MAXHOST of getnameinfo(3)


def in_list(patterns: Iterable[str | bytes], name: str | bytes) -> bool:
    """Whether one of the patterns matches the whole name, and none with a ``!`` does.

    A name longer than any host's is in no list.
    """
    name, found = _encoded(name), False
    if len(name) > _LONGEST:
        return False
    for pattern in map(_encoded, patterns):
        if _is(pattern.removeprefix(b"!"), name):
            if pattern.startswith(b"!"):
                return False
            found = True
    return found


def _encoded(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode(errors="surrogateescape")


def _is(pattern: bytes, name: bytes) -> bool:
    """Whether a pattern matches the whole name, in one pass over the pattern."""
    places, everywhere = _places(name), (1 << len(name)) - 1
    ends = 1  # a bit for each place in the name where the pattern read so far may end
    for character in pattern:
        if character == ord("*"):
            ends = -(ends & -ends) & (2 * everywhere + 1)  # the first of them, and all after it
        else:
            ends = (ends & (everywhere if character == ord("?") else places.get(character, 0))) << 1
        if not ends:
            return False
    return bool(ends >> len(name))


@lru_cache(maxsize=8)
def _places(name: bytes) -> dict[int, int]:
    """For each character of a name, a bit for each place where it occurs."""
    places: dict[int, int] = {}
    for place, character in enumerate(name):
        places[character] = places.get(character, 0) | 1 << place
    return places
