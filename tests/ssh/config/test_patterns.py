"""Host patterns, as in ssh_config and known_hosts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.ssh.config.patterns import in_list


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_is_the_whole_name(pattern: str, name: str) -> None:
    """A star matches any characters or none, a question mark matches one, and anything else itself."""
    form = "".join({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in pattern)
    assert in_list([pattern], name) == bool(re.fullmatch(form, name))


@pytest.mark.parametrize(
    ("patterns", "name", "found"),
    [
        ([], "box", False),
        (["box"], "box", True),
        (["gate", "b?x"], "box", True),
        (["*", "!box"], "box", False),
        (["!box", "*"], "box", False),
        (["!gate"], "box", False),
        (["b[o]x"], "box", False),
        (["b[o]x"], "b[o]x", True),
        (["*"], "", True),
        (["?"], "", False),
        (["*"], "a" * 1025, True),
        (["*"], "a" * 1026, False),
        (["*\udcff"], "a\udcff", True),
    ],
)
def test_in_list(patterns: list[str], name: str, found: bool) -> None:
    """One pattern must match, and none with an exclamation mark may; a name over 1025 bytes never matches."""
    assert in_list(patterns, name) is found
    encoded = [pattern.encode(errors="surrogateescape") for pattern in patterns]
    assert in_list(encoded, name.encode(errors="surrogateescape")) is found
