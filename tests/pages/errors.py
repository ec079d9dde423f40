"""The exit statuses, and every error that the package can make: read from its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import hermes_tunnel
from hermes_tunnel import errors
from hermes_tunnel.cli.help import exit_statuses
from hermes_tunnel.errors import ExitStatus, Failure
from tests.pages.markdown import DOCS, anchors, code, headings, table

PACKAGE = Path(hermes_tunnel.__file__).parent
PAGE = DOCS / "troubleshooting.md"


def messages() -> Iterator[tuple[ExitStatus, ast.expr, ast.expr | None]]:
    """The exit status of every failure that the package makes, its message, and its hint if it has one.

    A ``Refusal`` will be a ``NoWayBack``; a ``partial`` makes the failure that is its first argument.
    """
    kinds = {
        name: kind.status
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Failure)
    }
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                name, given = node.func.id, node.args
                if name == "Refusal":
                    name, given = "NoWayBack", given[1:]
                elif name == "partial":
                    name, given = ast.unparse(given[0]), given[1:]
                if name in kinds and given:
                    for message in alternatives(given[0]):
                        yield kinds[name], message, given[1] if len(given) > 1 else None


def alternatives(node: ast.expr) -> list[ast.expr]:
    """The messages that an argument may be."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def literals(node: ast.expr | None) -> Iterator[str]:
    """The fixed parts of a text, in order, with ``...`` between them for what is not."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from literals(value)
    elif isinstance(node, ast.BinOp):
        yield from literals(node.left)
        yield from literals(node.right)
    elif node is not None:
        yield "..."


def fixed(node: ast.expr) -> tuple[str, ...]:
    """The fixed parts of a message that contain a word."""
    return tuple(part.strip() for part in literals(node) if part != "..." and re.search(r"\w{2}", part))


def text(node: ast.expr | None) -> str:
    """A message or a hint, as far as the source has its words."""
    whole = re.sub(r"(\.\.\.)+", "...", "".join(literals(node)))
    return whole if re.search(r"\w{2}", whole) else ""


def says(page: str, parts: tuple[str, ...]) -> bool:
    """Whether one heading or paragraph of a text has all fixed parts of a message, in order."""
    pattern = ".*".join(map(re.escape, parts))
    paragraphs = re.sub("[`*]", "", page).split("\n\n")
    return any(re.search(pattern, " ".join(paragraph.split())) for paragraph in paragraphs)


def sections(page: str) -> dict[int, str]:
    """The section of the troubleshooting for each exit status, without its heading."""
    found = re.split(r"^## (?:(\d+): )?.*$", page, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(found[1::2], found[2::2], strict=True) if number}


def explanation(status: int, parts: tuple[str, ...]) -> str:
    """The heading in the troubleshooting under which a message is explained; empty if there is none."""
    entries = re.split(r"^(?=### )", sections(PAGE.read_text("utf-8"))[status], flags=re.MULTILINE)[1:]
    found = [entry.partition("\n")[0].removeprefix("### ") for entry in entries if says(entry, parts)]
    return next((heading for heading in found if says(heading, parts)), found[0] if found else "")


def statuses() -> str:
    """Each exit status, with a link to its section."""
    found = headings(PAGE.read_text("utf-8"))
    section = {
        heading.partition(":")[0]: anchor for heading, anchor in zip(found, anchors(found), strict=True)
    }
    rows = [
        [number, f"[{meaning}](troubleshooting.md#{section[number]})" if number in section else meaning]
        for number, meaning in exit_statuses(ExitStatus)
    ]
    return table(["exit status", "means"], rows)


def drawn() -> str:
    """Every error by exit status, with its hint, and a link to what it means.

    It stands as the heading of its explanation has it, which names what differs, or else as in the source.
    """
    all_headings = headings(PAGE.read_text("utf-8"))
    anchor = dict(zip(all_headings, anchors(all_headings), strict=True))
    rows: dict[ExitStatus, dict[str, str]] = {status: {} for status in ExitStatus}
    for status, node, hint in messages():
        if parts := fixed(node):
            heading = explanation(status, parts)
            said = heading.replace("`", "") if says(heading, parts) else text(node)
            error = f"[{code(said)}](troubleshooting.md#{anchor[heading]})" if heading else code(said)
            rows[status][error] = rows[status].get(error) or text(hint)
    meanings = dict(exit_statuses(ExitStatus))
    return "\n\n".join(
        f"## {int(status)}: {meanings[str(int(status))]}\n\n"
        + table(["error", "hint"], [[error, hint and code(hint)] for error, hint in sorted(found.items())])
        for status, found in rows.items()
        if found
    )
