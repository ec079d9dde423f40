"""What the pages in ``docs`` show of the code: made from it by ``scripts/pages``, between two comments."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from tests.pages import commands, errors, events, keywords, sequences, states, symptoms

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DRAWN: dict[str, Callable[[], str]] = {
    "commands": commands.drawn,
    "variables": commands.variables,
    "events": events.drawn,
    "outcomes": events.outcomes,
    "exit statuses": errors.statuses,
    "errors": errors.drawn,
    "honoured keywords": keywords.honoured,
    "keywords of a session": keywords.of_a_session,
    "refused keywords": keywords.refused,
    "ignored keywords": keywords.ignored,
    "sequences": sequences.drawn,
    "states": states.drawn,
    "symptoms": symptoms.drawn,
}
"""By name, what stands between ``<!-- scripts/pages: NAME -->`` and ``<!-- end -->``."""
_BETWEEN = re.compile(r"(<!-- scripts/pages: ([a-z ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def pages() -> list[Path]:
    """Every page, in order."""
    return sorted(DOCS.rglob("*.md"))


def parts(text: str) -> list[str]:
    """The names of the parts of a page that are made."""
    return [name for _, name, _ in _BETWEEN.findall(text)]


def made(text: str) -> str:
    """The page with those parts made anew."""
    return _BETWEEN.sub(lambda found: f"{found[1]}\n{DRAWN[found[2]]().strip()}\n\n{found[3]}", text)


def write() -> None:
    """Make the pages of today's code; a second time, since some show the headings of others."""
    for page in [*pages(), *pages()]:
        page.write_text(made(page.read_text("utf-8")), "utf-8")
