"""The pages we show the browser when it comes back: ours, never the remote's.

We do not pass on what the remote's listener answers; its status picks one of these. They load nothing,
run nothing, and say so in their Content-Security-Policy.
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
    """A page, as UTF-8 HTML, and the policy that goes with it."""

    body: bytes
    policy: str


@cache
def _template() -> Template:
    return Template((files("hermes_tunnel.way_back") / "page.html").read_text("utf-8"))


def _page(title: str, text: str, mark: str, receiver: str = "") -> Page:
    """A page; ``text`` is HTML, in which names are ``<b>``, so that a line never ends inside one.

    :param receiver: stands for itself in the text; of ``Hermes on user@host``, the last word is a name
    """
    program, on, destination = receiver.rpartition(" on ")
    name = f"{html.escape(program)}{on}<b>{html.escape(destination)}</b>"
    shown = text.replace("RECEIVER", name)
    body = _template().substitute(title=title, text=f"{shown[:1].upper()}{shown[1:]}", mark=mark)
    style = body.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return Page(body.encode(), f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'")


def delivered(receiver: str) -> Page:
    """The remote took the callback; the terminal says whether it logs in.

    :param receiver: the program that waited for it, and where: ``Hermes on user@host``
    """
    return _page(
        "Back to your terminal",
        "The sign-in went to RECEIVER. Your terminal will say when it is complete.",
        _GOOD,
        receiver,
    )


def declined(receiver: str) -> Page:
    """The provider said no, and we told the remote."""
    return _page("Not signed in", "The sign-in was declined, and RECEIVER was told.", _BAD, receiver)


def failed(receiver: str) -> Page:
    """The callback could not be delivered, or the remote's listener did not take it."""
    return _page(
        "Almost", "RECEIVER did not take the sign-in. Your terminal says what to do next.", _BAD, receiver
    )


def own_page(receiver: str) -> Page:
    """The program does not send the browser on, but has a page of its own to show."""
    return _page(
        "A page of the program's own",
        "It is of RECEIVER, and is shown only if you have its port forwarded. Your terminal says how.",
        _BAD,
        receiver,
    )


def nameless_denial() -> Page:
    """A refusal that does not say which login it is for."""
    return _page(
        "Not signed in?",
        "This page says that a sign-in was declined, but not which one. It was not used: your terminal still "
        "waits. If you declined it, press <b>Ctrl-C</b> there.",
        _BAD,
    )


def stray() -> Page:
    """The answer to another login: an older page, or another terminal's."""
    return _page(
        "Not this login",
        "This is the answer to another sign-in, perhaps an older one. It was not used. Close this page, and "
        "use the one that opened last.",
        _BAD,
    )
