"""A program's own page on loopback: where it is, who goes there, and where it may lead."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.first_hop import FirstHop, first_hop, onward

HOP = FirstHop(Redirect("localhost", 8000, "/start"), "id=1")
NAVIGATION = ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document")


def head(*headers: str, line: str = "GET /start?id=1 HTTP/1.1", host: str = "localhost:8000") -> bytes:
    """A request for it."""
    return "\r\n".join((line, f"Host: {host}", *headers, "", "")).encode()


def test_where_it_is() -> None:
    """Its request is as a browser would make it, but for all that is the browser's own."""
    assert first_hop("http://localhost:8000/start?id=1#here") == HOP
    assert HOP.request == b"GET /start?id=1 HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n"
    root = first_hop("http://127.0.0.1:8000")
    assert root == FirstHop(Redirect("127.0.0.1", 8000, "/"), "")
    assert root.request.startswith(b"GET / HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "request_head",
    [head(), head(*NAVIGATION), head(host="127.0.0.1:8000"), head("Cookie: a=b", "Sec-Fetch-Site: none")],
)
def test_a_browser_that_goes_there(request_head: bytes) -> None:
    """By any name of this machine, from anywhere."""
    assert HOP.is_asked_for_by(request_head)


@pytest.mark.parametrize(
    "request_head",
    [
        head(line="GET /start HTTP/1.1"),
        head(line="GET /start?id=1&more=2 HTTP/1.1"),
        head(line="GET /start/?id=1 HTTP/1.1"),
        head(line="POST /start?id=1 HTTP/1.1"),
        head(line="HEAD /start?id=1 HTTP/1.1"),
        head(host="evil.test:8000"),
        head("Host: evil.test"),
        head("Origin: https://evil.test"),
        head("Origin: null", *NAVIGATION),
        head("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
        head("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"),
        head()[:-2],
        b"\x16\x03\x01",
        b"",
    ],
)
def test_nobody_else_gets_through(request_head: bytes) -> None:
    """To another address, in another way, or from inside a page."""
    assert not HOP.is_asked_for_by(request_head)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_leads_to_a_page_that_may_be_opened(status: int) -> None:
    """Wherever that is."""
    assert onward(status, "https://auth.example.com/a?b=c") == "https://auth.example.com/a?b=c"


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (200, "https://auth.example.com/"),
        (None, "https://auth.example.com/"),
        (304, "https://auth.example.com/"),
        (302, ""),
        (302, "/elsewhere"),
        (302, "//auth.example.com/"),
        (302, "http://auth.example.com/"),
        (302, "https://127.0.0.1/"),
        (302, "https://me@auth.example.com/"),
        (302, "https://auth.example.com:8443/"),
        (302, "javascript:alert(1)"),
        (302, "https://auth.example.com/\u00e9"),
        (302, "https://auth.example.com/ a"),
        (302, "https://auth.example.com/" + "a" * 9000),
    ],
)
def test_it_leads_nowhere_else(status: int | None, location: str) -> None:
    """By no other answer, and to no other page."""
    assert onward(status, location) is None
