"""The pages that the browser is shown when it comes back: ours, never the remote's.

What the remote's listener answers is not passed on; its status chooses one of these. They load nothing,
run nothing and say so in their Content-Security-Policy.
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Template

_GOOD, _BAD = "#2f8f5b", "#c2543d"


@dataclass(frozen=True)
class Page:
    """One page, as bytes of UTF-8 HTML, and the policy that belongs to it."""

    body: bytes
    policy: str


@cache
def _template() -> Template:
    return Template((files("hermes_tunnel.way_back") / "page.html").read_text("utf-8"))


def _page(title: str, text: str, mark: str) -> Page:
    body = _template().substitute(title=html.escape(title), text=html.escape(text), mark=mark)
    style = body.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Page(body.encode(), f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'")


def delivered(destination: str) -> Page:
    """The remote took the callback; whether it logs in is said in the terminal."""
    return _page(
        "Back to your terminal",
        f"The sign-in went to Hermes on {destination}. Your terminal says when it is complete.",
        _GOOD,
    )


def declined(destination: str) -> Page:
    """The provider said no, and Hermes was told."""
    return _page("Not signed in", f"The sign-in was declined, and Hermes on {destination} was told so.", _BAD)


def failed(destination: str) -> Page:
    """The callback could not be delivered, or the remote's listener did not take it."""
    return _page(
        "Almost",
        f"Hermes on {destination} did not take the sign-in. The terminal says what to do next.",
        _BAD,
    )


def stray() -> Page:
    """The answer to another login: an older page, or another terminal's."""
    return _page(
        "Not this login",
        "This is the answer to another sign-in, perhaps an older one. It was not used: close this page, and "
        "use the one that opened last.",
        _BAD,
    )
