"""The demo on a terminal, as an animated picture for the readme; ``scripts/record`` writes it.

The lines are the program's own. They appear at a reader's pace, once, and stay; whoever prefers less motion
sees them all at once. Ports and random values give way to others of the same length, so that the same session
makes the same picture.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from html import escape
from itertools import groupby
from pathlib import Path

from tests.lab.terminal import Terminal

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "demo.svg"
VERB = ["demo", "--approve"]
COLUMNS = 100

Row = list[tuple[str, str]]  # each character, and its style

_STYLES = {"1": "bold", "2": "dim", "31": "red", "32": "green", "33": "yellow", "34": "blue", "36": "cyan"}
_WIDTH, _HEIGHT, _MARGIN = 8.43, 20, 16  # pixels of a character, of a row, around them all
_LINE, _PAUSE = 0.15, 1.2  # seconds that a row takes to read, and a blank one or the typed command

_HEAD = """\
<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}">
<title>{title}</title>
<style>
text {{ font: 14px ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre;
  fill: #e6edf3; animation: hidden 1ms backwards; }}
@keyframes hidden {{ from, to {{ opacity: 0; }} }}
@media (prefers-reduced-motion: reduce) {{ text {{ animation: none; }} }}
.bold {{ font-weight: bold; }} .dim {{ fill: #9aa4af; }} .red {{ fill: #ff8a80; }} .green {{ fill: #7ee787; }}
.yellow {{ fill: #e3b341; }} .blue {{ fill: #79c0ff; }} .cyan {{ fill: #76e3ea; }}
</style>
<rect width="100%" height="100%" rx="8" fill="#161b22"/>
"""


def session() -> str:
    """What the demo writes to a terminal, with values that do not change from run to run.

    AssertionError if it fails.
    """
    program = [sys.executable, "-m", "hermes_tunnel", *VERB]
    window = ["sh", "-c", f'stty cols {COLUMNS}; exec "$@"', "sh", *program]
    with tempfile.TemporaryDirectory() as home:
        variables = {"PATH": os.environ["PATH"], "HOME": home, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        with Terminal(window, cwd=ROOT, env=variables) as terminal:
            status = terminal.wait(30)
            assert status == 0, terminal.output
            return settled(terminal.output)


def settled(output: str) -> str:
    """The output with other ports, and without random values."""
    callback, others = (re.findall(rf"127\.0\.0\.1{colon}(\d{{5}})\b", output) for colon in ("%3A", ":"))
    ports = {port: str(number) for number, port in enumerate(dict.fromkeys([*callback, *others]), 56121)}
    output = re.sub(r"\d{5}(?!\d)", lambda m: ports.get(m[0], m[0]), output)
    return re.sub(r"(?<=[?&])(state|code_challenge)=([\w-]+)", lambda m: f"{m[1]}={'x' * len(m[2])}", output)


def rows(output: str) -> list[Row]:
    """What stays on the terminal: a long line continues on the next row, and a line that was rewritten has
    only its last words.
    """
    found: list[Row] = []
    for line in re.sub(r"\x1b\].*?(?:\x07|\x1b\\)", "", output).rstrip().split("\n"):
        cells: Row = []
        style: list[str] = []
        last = line.rstrip("\r").rpartition("\r")[2]
        for text, codes in re.findall(r"([^\x1b]+)|\x1b\[([\d;]*)[A-Za-z]", last):
            for code in codes.split(";") if not text else []:
                style = [*style, _STYLES[code]] if code in _STYLES else [] if code in {"", "0"} else style
            cells += [(character, " ".join(style)) for character in text]
        found += [cells[start : start + COLUMNS] for start in range(0, max(len(cells), 1), COLUMNS)]
    return found


def picture() -> str:
    """The session as an SVG."""
    typed = " ".join(["hermes-tunnel", *VERB])
    shown = rows(f"\x1b[1m$ {typed}\x1b[0m\n{session()}")
    width, height = round(COLUMNS * _WIDTH) + 2 * _MARGIN, len(shown) * _HEIGHT + 2 * _MARGIN
    drawn, at = _HEAD.format(width=width, height=height, title=escape(typed)), 0.0
    for number, row in enumerate(shown):
        spans = "".join(span(style, [each for each, _ in run]) for style, run in groupby(row, lambda c: c[1]))
        if spans:
            y = _MARGIN + number * _HEIGHT + 15
            drawn += f'<text x="{_MARGIN}" y="{y}" style="animation-delay: {at:.2f}s">{spans}</text>\n'
        at += _LINE if row and number else _PAUSE
    return f"{drawn}</svg>\n"


def span(style: str, characters: list[str]) -> str:
    """Characters of one style."""
    text = escape("".join(characters), quote=False)
    return f'<tspan class="{style}">{text}</tspan>' if style else text


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
