"""A person at a browser who presses a button, and can tell where a visit ended."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from hermes_tunnel.demo import person
from hermes_tunnel.demo.authorization_server import Answer

_SECONDS = 30.0
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (test)",
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Upgrade-Insecure-Requests": "1",
    # Cookies do not distinguish ports: what one server here has set is sent to all others.
    "Cookie": "theme=dark",
}


@dataclass(frozen=True)
class Visit:
    """Where a visit ended: the last address, and what it showed; status 0 for an error page."""

    url: str = field(repr=False)
    status: int
    text: str = field(repr=False)


class Person(person.Person):
    """Opens pages in the background, as a browser does.

    :param answer: the button to press
    """

    def __init__(self, answer: Answer = Answer.APPROVE) -> None:
        super().__init__()
        self._answer = answer
        self._visits: queue.Queue[Visit] = queue.Queue()

    def wait(self, timeout: float = 30) -> Visit:
        """Where the next visit ended; ``queue.Empty`` if none did in time (seconds)."""
        return self._visits.get(timeout=timeout)

    def _browse(self, url: str) -> None:
        visit = _visit(url)
        form = _Form(visit.text, self._answer)
        if visit.status == 200 and form.fields:
            visit = _visit(urljoin(visit.url, form.action), urlencode(form.fields).encode())
        self._visits.put(visit)


class _Trail(HTTPRedirectHandler):
    """Where it was led to, page by page."""

    def __init__(self, url: str) -> None:
        self.urls = [url]

    def redirect_request(self, *redirect: Any, **more: Any) -> Request | None:
        """Follow, and remember the last of the arguments, which is the new address."""
        self.urls.append(redirect[-1])
        return super().redirect_request(*redirect, **more)


def _visit(url: str, form: bytes | None = None) -> Visit:
    trail = _Trail(url)
    try:
        browser = build_opener(ProxyHandler({}), trail)
        with browser.open(Request(url, form, _HEADERS), timeout=_SECONDS) as shown:
            return Visit(trail.urls[-1], shown.status, shown.read().decode("utf-8", "replace"))
    except HTTPError as error:
        with error:
            return Visit(trail.urls[-1], error.code, error.read().decode("utf-8", "replace"))
    except (OSError, HTTPException) as error:
        return Visit(trail.urls[-1], 0, str(error))


class _Form(HTMLParser):
    """The form of a page, filled in and sent with one of its buttons."""

    def __init__(self, page: str, answer: Answer) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self._answer = answer.value
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take hidden fields, and the button that says the answer."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method") == "post":
            self.action = given.get("action", "")
        hidden = tag == "input" and given.get("type") == "hidden"
        if hidden or (tag == "button" and given.get("value") == self._answer):
            self.fields[given.get("name", "")] = given.get("value", "")
