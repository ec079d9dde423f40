"""A browser without a window: what the person's browser does, for tests that need no real one.

`python -m tests.lab.identity.visitor CA ADDRESS` visits a page and prints the code that the last one shows.
"""

from __future__ import annotations

import html
import re
import ssl
import sys
import urllib.request
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin

_FORM = re.compile(r'<form method="post" action="([^"]*)"><input type="hidden" name="(\w+)" value="([^"]*)">')
_FETCH = re.compile(r'fetch\("([^"]*)"')
_CODE = re.compile(r'<code id="code">([^<]*)</code>')


class Visitor:
    """Visits pages of the lab's providers; `ca` is the certificate to trust."""

    def __init__(self, ca: Path) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(ca))),
        )

    def visit(self, address: str) -> str:
        """Follow redirects, send the page's form, and run its fetch(), as its script would.

        Returns the markup of the last page. Raises OSError where no server answers.
        """
        while True:
            address, markup = self._open(address)
            form = _FORM.search(markup)
            fetched = _FETCH.search(markup)
            if form:
                action, name, value = map(html.unescape, form.groups())
                body = urlencode({name: value}).encode()
                return self._open(urljoin(address, action), body)[1]
            if not fetched:
                return markup
            address = fetched[1]

    def shown_code(self, address: str) -> str:
        """Visit, and return the code that the last page shows; empty if it shows none."""
        code = _CODE.search(self.visit(address))
        return html.unescape(code[1]) if code else ""

    def _open(self, address: str, body: bytes | None = None) -> tuple[str, str]:
        try:
            with self._opener.open(address, body, timeout=20) as response:
                return response.url, response.read().decode("utf-8", "replace")
        except HTTPError as refusal:
            with refusal:
                return address, refusal.read().decode("utf-8", "replace")


if __name__ == "__main__":
    print(Visitor(Path(sys.argv[1])).shown_code(sys.argv[2]))  # noqa: T201
