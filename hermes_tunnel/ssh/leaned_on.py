"""The undocumented names of libraries that this program leans on: each release is checked for them.

A release that lacks some is a clear error when the program starts, not a surprise in the middle of a login.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hermes_tunnel.errors import Failure

Names = Mapping[str, Sequence[str]]
"""By the dotted name of the class that has them; empty for the module itself."""


def check(module: Any, requirement: str, *, members: Names, attributes: Names) -> None:
    """Check that a library has the names used here.

    :param requirement: the releases that this program was written for
    :param members: what the module and its classes have
    :param attributes: what the instances of its classes have, as far as their own code uses it
    :raises Failure: it lacks some
    """
    missing = [
        *(name for owner, names in members.items() for name in _lacking(module, owner, names)),
        *(name for owner, names in attributes.items() for name in _unused(module, owner, names)),
    ]
    if missing:
        library, version = module.__name__, getattr(module, "__version__", "version unknown")
        raise Failure(
            f"this {library} ({version}) lacks {', '.join(missing)}",
            f"install a release that hermes-tunnel was written for: {requirement}",
        )


def _lacking(module: Any, owner: str, names: Sequence[str]) -> Iterator[str]:
    has = _owner(module, owner)
    return (_called(owner, name) for name in names if not hasattr(has, name))


def _unused(module: Any, owner: str, names: Sequence[str]) -> Iterator[str]:
    """What instances have shows in what their methods and properties use."""
    members = [getattr(member, "fget", member) for member in vars(_owner(module, owner)).values()]
    used = {name for one in members if hasattr(one, "__code__") for name in one.__code__.co_names}
    return (_called(owner, name) for name in names if name not in used)


def _owner(module: Any, path: str) -> Any:
    for part in filter(None, path.split(".")):
        module = getattr(module, part, _Nothing)
    return module


def _called(owner: str, name: str) -> str:
    return f"{owner}.{name}" if owner else name


class _Nothing:
    """Stands for a missing class."""
