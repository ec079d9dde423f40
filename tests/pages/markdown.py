"""The Markdown that the made parts of the pages share: tables, links to headings."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_FENCED = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; a cell may have a bar in it, but no line break."""
    cells = [[" ".join(cell.replace("|", r"\|").split()) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, *cells]).replace(
        "\n", f"\n|{'---|' * len(head)}\n", 1
    )


def code(text: str) -> str:
    """A code span, whatever is in it."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def prose(docstring: str) -> str:
    """A docstring as a paragraph."""
    return " ".join(docstring.replace("``", "`").split())


def escaped(text: str) -> str:
    """Plain text, of which nothing is Markdown."""
    return re.sub(r"([\\`*<>\[\]|])", r"\\\1", text)


def headings(text: str) -> list[str]:
    """The headings of a page."""
    return _HEADING.findall(_FENCED.sub("", text))


def anchors(found: Iterable[str]) -> Iterator[str]:
    """The fragments by which a viewer of Markdown, and the site, reach headings."""
    seen: dict[str, int] = {}
    for heading in found:
        plain = re.sub(r"\\(.)", r"\1", heading).lower()
        anchor = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor


def link(target: str) -> str:
    """A link to a page in ``docs``, or to a heading in one, with its title as text.

    :raises KeyError: the page has no such heading
    """
    name, _, fragment = target.partition("#")
    found = headings((DOCS / name).read_text("utf-8"))
    title = dict(zip(anchors(found), found, strict=True))[fragment] if fragment else found[0]
    return f"[{title}]({target})"
