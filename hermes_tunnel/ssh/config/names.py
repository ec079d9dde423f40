"""The hosts that a person has names for, in ssh_config and known_hosts, for a shell to complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from hermes_tunnel.ssh.config.patterns import in_list

_LINE = re.compile(r"\s*(host|include)(?:\s*=\s*|\s+)(.*)", re.IGNORECASE | re.DOTALL)
_PATTERN = set("*?!")
_DEEPEST = 16  # as in ssh_config(5): an Include within an Include
_MOST_FILES = 256


def host_names(config: Path, known_hosts: Path) -> list[str]:
    """The names, each once: of Host lines, in included files too; then of known_hosts, unless hashed.

    A file that cannot be read has no names.
    """
    left = [_MOST_FILES]
    return list(dict.fromkeys([*_aliases(config, config.parent, 0, left), *_known(known_hosts)]))


def _aliases(file: Path, home: Path, depth: int, left: list[int]) -> Iterator[str]:
    left[0] -= 1
    if depth > _DEEPEST or left[0] < 0:
        return
    for line in _lines(file):
        found = _LINE.fullmatch(line)
        words = found[2].partition("#")[0].replace('"', " ").split() if found else []
        if found and found[1].lower() == "host":
            yield from (word for word in words if not _PATTERN & set(word))
        else:
            for word in words:
                for name in _files(home / Path(word).expanduser()):
                    yield from _aliases(name, home, depth + 1, left)


def _files(path: Path) -> list[Path]:
    """The files that an Include names; of a pattern only the last part may have wildcards."""
    if not _PATTERN & set(path.name):
        return [path]
    try:
        return sorted(each for each in path.parent.iterdir() if in_list([path.name], each.name))
    except OSError:
        return []


def _known(file: Path) -> Iterator[str]:
    for line in _lines(file):
        names, _, rest = line.strip().partition(" ")
        if names.startswith("@"):
            names = rest.strip().partition(" ")[0]
        if not names.startswith(("#", "|")):
            for name in names.split(","):
                if name and not _PATTERN & set(name):
                    yield name[1:].partition("]")[0] if name.startswith("[") else name


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text("utf-8", "replace").splitlines()
    except OSError:
        return []
