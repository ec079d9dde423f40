"""Where the listener's answer leads, and where it does not lead us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.rebuilding import address_of, rebuilt, rebuilt_form
from hermes_tunnel.oauth.success_page import next_request

REDIRECT = Redirect("localhost", 1455, "/auth/callback")
REQUEST = rebuilt("/auth/callback", "code=c&state=s", REDIRECT)


@pytest.mark.parametrize(
    ("location", "address"),
    [
        ("/success?id_token=a.b.c", "http://localhost:1455/success?id_token=a.b.c"),
        ("http://localhost:1455/success", "http://localhost:1455/success"),
        ("http://127.0.0.1:1455/success?a=b", "http://127.0.0.1:1455/success?a=b"),
        ("http://[::1]:1455/", "http://[::1]:1455/"),
        ("http://localhost:1455", "http://localhost:1455/"),
        ("//localhost:1455/a", "http://localhost:1455/a"),
        ("done", "http://localhost:1455/auth/done"),
        ("?done=1", "http://localhost:1455/auth/callback?done=1"),
        ("/a#fragment", "http://localhost:1455/a"),
        ("/a?b={c}", "http://localhost:1455/a?b=%7Bc%7D"),
    ],
)
def test_the_listener_s_own_page_is_fetched(location: str, address: str) -> None:
    """An absolute or a relative address at the same port, without a fragment, as a browser would."""
    for status in (301, 302, 303, 307, 308):
        request = next_request(REQUEST, status, location)
        assert request is not None
        assert address_of(request) == address
        assert request.startswith(b"GET ")
        assert request.endswith(b"\r\nConnection: close\r\n\r\n")


@pytest.mark.parametrize(
    "location",
    [
        "",
        "https://example.com/success",
        "http://example.com:1455/",
        "https://localhost:1455/",
        "http://localhost/",
        "http://localhost:1456/",
        "http://localhost:99999/",
        "http://a@localhost:1455/",
        "http://localhost:1455@evil.test/",
        "http://localhost.evil.test:1455/",
        "http://[::1:1455/",
        "http://127.1:1455/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "/\\evil.test",
        "/a b",
        "/a\r\nX: y",
        '/a"b',
        "/a?b=<c>",
        "/\u00e9",
        "/" + "a" * 20_000,
    ],
)
def test_anything_else_is_not(location: str) -> None:
    """Another port, host or scheme, and what no address may have."""
    assert next_request(REQUEST, 302, location) is None


@pytest.mark.parametrize("status", [None, 200, 201, 300, 304, 305, 400, 500])
def test_only_a_redirect_leads_on(status: int | None) -> None:
    """A ``Location`` in another answer does not (RFC 9110 section 15.4)."""
    assert next_request(REQUEST, status, "/success") is None


def test_a_form_is_not_posted_again() -> None:
    """307 and 308 would have the browser post it again; after the others it navigates."""
    posted = rebuilt_form([("code", "c")], REDIRECT)
    for status in (301, 302, 303):
        assert next_request(posted, status, "/success") is not None
    for status in (307, 308):
        assert next_request(posted, status, "/success") is None


@given(
    st.text(st.characters(max_codepoint=255), max_size=60),
    st.sampled_from(["", "/", "//", "http://localhost:1455"]),
)
def test_any_location(text: str, before: str) -> None:
    """Whatever it says, what is requested is one line at that port."""
    request = next_request(REQUEST, 302, before + text)
    if request is not None:
        line, host, last, *rest = request.decode("ascii").split("\r\n")
        assert (last, rest) == ("Connection: close", ["", ""])
        assert host in ("Host: localhost:1455", "Host: 127.0.0.1:1455", "Host: [::1]:1455")
        assert line.startswith("GET /")
        assert line.count(" ") == 2
