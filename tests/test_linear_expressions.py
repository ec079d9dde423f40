"""Every regular expression in the package takes time in proportion to its text, whoever wrote it.

Otherwise one line from a remote machine could stop the program: Ctrl-C and time-outs are not heard in the
middle of an expression. So all of them are found here, and given the texts that slow such expressions down.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import pkgutil
import re
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hermes_tunnel
from tests.growth import Call, too_slow
from tests.pumps import pumps

pytestmark = pytest.mark.slow

ROOT = Path(hermes_tunnel.__file__).parent.parent
FILES = sorted((ROOT / "hermes_tunnel").rglob("*.py"))
TREES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): ast.parse(
        path.read_text("utf-8")
    )
    for path in FILES
}
WAYS = {"match", "fullmatch", "search", "findall", "finditer", "split", "sub", "subn"}
MAKERS = {"re", "fnmatch", "glob"}
# How expressions are used that stand among others, or are passed to a function that uses them.
USED_ELSEWHERE = {
    "hermes_tunnel.cli.numbers:_DECIMAL": {"fullmatch"},
    "hermes_tunnel.cli.numbers:_WHOLE": {"fullmatch"},
    "hermes_tunnel.ports.programs:_NAMES": {"fullmatch"},
    "hermes_tunnel.remote.call:_ACCOUNT": {"fullmatch"},
    "hermes_tunnel.remote.call:_CONTAINER": {"fullmatch"},
    "hermes_tunnel.remote.call:_PATH": {"fullmatch"},
    "hermes_tunnel.remote.call:_PROFILE": {"fullmatch"},
    "hermes_tunnel.ssh.config.files:_VALUES": {"fullmatch"},
    "hermes_tunnel.text:_QUOTES": {"finditer"},
}


def patterns_in(value: object, name: str) -> Iterator[tuple[str, re.Pattern[Any]]]:
    """The expressions that a value is or contains, by name."""
    if isinstance(value, re.Pattern):
        yield name, value
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from patterns_in(key, f"{name}[]")
            yield from patterns_in(one, f"{name}[{key}]")
    elif isinstance(value, list | tuple | set | frozenset | deque):
        for number, one in enumerate(value):
            yield from patterns_in(one, f"{name}[{number}]")
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from patterns_in(getattr(value, field.name), f"{name}.{field.name}")


def used_in(module: str, name: str) -> set[str]:
    """How a module itself uses an expression."""
    uses = {
        node.func.attr
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) == name
    }
    return uses & WAYS


def every_pattern() -> dict[str, re.Pattern[Any]]:
    """Every expression of the package, by ``module:name``: where it is made, and wherever else it is used."""
    found: dict[str, re.Pattern[Any]] = {}
    for info in pkgutil.walk_packages(hermes_tunnel.__path__, "hermes_tunnel."):
        if info.name != "hermes_tunnel.__main__":  # which runs when it is imported
            imported = {
                one.asname or one.name
                for node in TREES[info.name].body
                if isinstance(node, ast.ImportFrom)
                for one in node.names
            }
            for name, value in vars(importlib.import_module(info.name)).items():
                for where, pattern in patterns_in(value, name):
                    if name not in imported or used_in(info.name, where):
                        found[f"{info.name}:{where}"] = pattern
    return found


PATTERNS = every_pattern()


def ways_of(module: str, name: str) -> set[str]:
    """How an expression is used: as its module says, or else in every way."""
    return used_in(module, name) or USED_ELSEWHERE.get(f"{module}:{name.partition('[')[0]}", WAYS)


def call_of(pattern: re.Pattern[Any], way: str) -> Call:
    """One use of an expression."""
    is_bytes = isinstance(pattern.pattern, bytes)

    def call(text: str) -> object:
        subject: Any = text.encode("utf-8", "surrogatepass") if is_bytes else text
        if way in ("sub", "subn"):
            return pattern.sub(subject[:0], subject)
        found = getattr(pattern, way)(subject)
        return deque(found, maxlen=0) if way == "finditer" else found

    return call


def hidden_in(tree: ast.Module) -> Iterator[str]:
    """Where an expression is compiled in a place, or by a name, that the tests below do not look at."""
    seen = [one for node in tree.body if isinstance(node, ast.Assign) for one in ast.walk(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            used = ast.unparse(node.func)
            if used.startswith("re.") and used != "re.escape" and (used != "re.compile" or node not in seen):
                yield ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom) and ast.unparse(node) != "import re":
            imported = [one.name for one in node.names] if isinstance(node, ast.Import) else [node.module]
            if {*imported} & MAKERS:
                yield ast.unparse(node)


def test_no_expression_hides() -> None:
    """An expression is compiled at the top of its module, where it gets a name, and nowhere else."""
    assert {module: hidden for module, tree in TREES.items() if (hidden := [*hidden_in(tree)])} == {}


def test_every_expression_is_found() -> None:
    """Every name that an expression is given is among those that are tried."""
    found = {name.partition("[")[0] for name in PATTERNS}
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and "re.compile(" in ast.unparse(node.value):
                targets = [one for target in node.targets for one in ast.walk(target)]
                assert {f"{module}:{one.id}" for one in targets if isinstance(one, ast.Name)} <= found


@pytest.mark.parametrize("name", PATTERNS)
def test_expression(name: str) -> None:
    """An expression takes time in proportion to its text, in each way that it is used."""
    pattern, (module, variable) = PATTERNS[name], name.split(":", 1)
    texts = pumps(pattern)
    for way in ways_of(module, variable):
        assert too_slow(call_of(pattern, way), texts) == "", way
