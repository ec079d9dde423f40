"""A person at a browser, for runs without one: opens a page, presses a button, follows the redirects."""

from __future__ import annotations

import http.client
import queue
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

from hermes_tunnel.demo.authorization_server import Answer

_MOST_REDIRECTS = 5
_HEADERS = {
    "User-Agent": "Mozilla/5.0 (demo)",
    "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Upgrade-Insecure-Requests": "1",
    # Cookies are not kept apart by port: what any server here once set is sent to every other one.
    "Cookie": "theme=dark",
}


@dataclass(frozen=True)
class Visit:
    """Where a visit ended: the last address, and what was shown there; status 0 for an error page."""

    url: str = field(repr=False)
    status: int
    text: str = field(repr=False)


class Person:
    """Opens pages in the background, as a browser does.

    :param answer: the button to press
    :param timeout: seconds to wait for any one answer
    """

    def __init__(self, answer: Answer = Answer.APPROVE, timeout: float = 30) -> None:
        self._answer = answer
        self._timeout = timeout
        self._visits: queue.Queue[Visit] = queue.Queue()
        self._threads: list[threading.Thread] = []
        self._open: set[http.client.HTTPConnection] = set()
        self._gone = False

    def open(self, url: str) -> bool:
        """Visit a page; returns at once, as `webbrowser.open` does, whether there will be a visit."""
        if not _is_here(url):
            return False
        thread = threading.Thread(target=self._browse, args=(url,), name="person", daemon=True)
        self._threads.append(thread)
        thread.start()
        return True

    def wait(self, timeout: float = 30) -> Visit:
        """Where the next visit ended; ``queue.Empty`` if none did in time (seconds)."""
        return self._visits.get(timeout=timeout)

    def close(self) -> None:
        """Leave; what was being loaded is not waited for."""
        self._gone = True
        for connection in list(self._open):
            if connection.sock is not None:
                _shut_down(connection)
        for thread in self._threads:
            thread.join()

    def _browse(self, url: str) -> None:
        trail = [url]
        try:
            visit = self._load("GET", url, trail)
            form = _Form(visit.text, self._answer)
            if visit.status == 200 and form.fields:
                visit = self._load("POST", urljoin(visit.url, form.action), trail, urlencode(form.fields))
        except (OSError, http.client.HTTPException) as error:
            visit = Visit(trail[-1], 0, str(error))
        self._visits.put(visit)

    def _load(self, method: str, url: str, trail: list[str], form: str = "") -> Visit:
        for _ in range(_MOST_REDIRECTS):
            trail.append(url)
            status, location, text = self._exchange(method, url, form)
            if status not in (302, 303) or not location:
                return Visit(url, status, text)
            method, url, form = "GET", urljoin(url, location), ""
            if not _is_here(url):
                raise OSError("the page led away from this computer")
        raise OSError("the page redirected too many times")

    def _exchange(self, method: str, url: str, form: str) -> tuple[int, str, str]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=self._timeout)
        self._open.add(connection)
        try:
            if self._gone:
                raise OSError("the person left")
            typed = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
            target = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
            connection.request(method, target, form or None, {**_HEADERS, **typed})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            return response.status, response.getheader("Location", "") or "", text
        finally:
            self._open.discard(connection)
            connection.close()


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


def _is_here(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "localhost", "::1")


def _shut_down(connection: http.client.HTTPConnection) -> None:
    with suppress(OSError):
        connection.sock.shutdown(socket.SHUT_RDWR)
