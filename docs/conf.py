"""The site of these pages, built by ``scripts/docs``: Sphinx, MyST for Markdown, Furo for the looks.

The pages are plain Markdown, which a forge shows as well. So what only a site has is added here: the
diagrams are drawn, and the sidebar has the lists of the front page.
"""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

project = "hermes-tunnel"
html_title = project
html_theme = "furo"
extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
smartquotes = False  # two hyphens are an option's
html_copy_source = False
html_show_copyright = False
html_static_path = ["static"]
html_css_files = ["pages.css"]

_DRAWN = Path(__file__).parents[1] / ".venv-docs" / "diagrams"
_LIST = re.compile(r"^## (.+)\n((?:(?!## ).*\n)*)", re.MULTILINE)
_PAGE = re.compile(r"^- \[[^\]]+\]\(([\w/-]+)\.md\)", re.MULTILINE)


class Mermaid(SphinxDirective):
    """A diagram, drawn while the site is built: no reader's browser has to fetch and run Mermaid."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Draw it, or take what was drawn of the same text before."""
        source = "\n".join(self.content)
        file = _DRAWN / f"{sha256(source.encode()).hexdigest()}.svg"
        if not file.exists():
            import mermaidx  # slow

            try:
                svg = mermaidx.render(source, fontFamily="DejaVu Sans, Verdana, sans-serif").svg()
            except RuntimeError as problem:
                raise self.error(str(problem)) from problem
            _DRAWN.mkdir(parents=True, exist_ok=True)
            file.write_text(svg, "utf-8")
        kind = self.content[0].removesuffix("-v2").removesuffix("Diagram")
        return [nodes.image(uri=f"/../.venv-docs/diagrams/{file.name}", alt=f"Diagram: {kind}", width="100%")]


def with_sidebar(_: Sphinx, name: str, source: list[str]) -> None:
    """Let the sidebar have the lists of the front page; a page that is in none of them is an error."""
    if name == "index":
        for caption, pages in _LIST.findall(source[0]):
            names = "\n".join(_PAGE.findall(pages))
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{names}\n```\n"


def setup(app: Sphinx) -> None:
    """Add both to Sphinx."""
    app.add_directive("mermaid", Mermaid)
    app.connect("source-read", with_sidebar)
