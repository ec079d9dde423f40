"""What happens with a release of a library that lacks a name that we lean on."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from hermes_tunnel.errors import Failure
from hermes_tunnel.ssh.leaned_on import Names, check


def without(module: Any, owner: str, name: str, members: Names, attributes: Names) -> SimpleNamespace:
    """A later release of a library, in which one name of a class has changed; the empty owner is the module.

    It has only the names that we lean on.
    """
    parts: dict[str, Any] = {}
    for path in {*members, *attributes}:
        original = module
        for part in filter(None, path.split(".")):
            original = getattr(original, part)
        gone = name if path == owner else ""
        own = {one: getattr(original, one) for one in members.get(path, ())}
        if path in attributes:
            own |= vars(original)
        parts[path] = {one: _renaming(member, gone) for one, member in own.items() if one != gone}
    release = SimpleNamespace(__name__=module.__name__, __version__="99", **parts.pop("", {}))
    for path, own in parts.items():
        *above, last = path.split(".")
        inside: Any = release
        for part in above:
            if not hasattr(inside, part):
                setattr(inside, part, SimpleNamespace())
            inside = getattr(inside, part)
        if above or (owner, name) != ("", last):
            own.pop("__dict__", None), own.pop("__weakref__", None)
            setattr(inside, last, type(last, (), own))
    return release


def _renaming(member: Any, name: str) -> Any:
    """A member which, if it has code, uses another name in place of this one; it must not be called."""
    code = getattr(getattr(member, "fget", member), "__code__", None)
    if code is None:
        return member
    names = tuple("another" if one == name else one for one in code.co_names)
    return SimpleNamespace(__code__=SimpleNamespace(co_names=names))


class Machine:
    """The class of a library."""

    def __init__(self) -> None:
        self.wheel = 1

    def _turn(self) -> None: ...


LIBRARY = SimpleNamespace(__name__="library", __version__="1.0", Machine=Machine)
MEMBERS = {"Machine": ("_turn",)}
ATTRIBUTES = {"Machine": ("wheel",)}


def test_a_release_that_lacks_nothing() -> None:
    """A release is good if it has the methods and uses the attributes."""
    check(LIBRARY, "library>=1", members=MEMBERS, attributes=ATTRIBUTES)


def test_each_missing_name_is_reported() -> None:
    """The error names it and the release, and says what to install instead."""
    members = {"": ("Machine", "Motor"), "Machine": ("_turn", "_stop"), "Motor": ("_run",)}
    attributes = {"Machine": ("wheel", "brake")}
    with pytest.raises(Failure) as failure:
        check(LIBRARY, "library>=1,<2", members=members, attributes=attributes)
    missing = "Motor, Machine._stop, Motor._run, Machine.brake"
    assert failure.value.message == f"this library (1.0) lacks {missing}"
    assert failure.value.hint == "install a release that hermes-tunnel was written for: library>=1,<2"
