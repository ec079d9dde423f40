"""Which pages open by themselves, and which at all."""

from __future__ import annotations

import pytest

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.opening import MOST_BY_ITSELF, SECONDS_BETWEEN, Opening, host_to_open
from hermes_tunnel.oauth.sightings import Loopback

KNOWN = "https://auth.openai.com/oauth/authorize?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455"


def asked(url: str = KNOWN, state: str = "s") -> Loopback:
    """A request at a loopback port."""
    return Loopback(f"{url}&state={state}", Redirect("127.0.0.1", 1455, "/auth/callback"), state)


def test_a_request_at_a_known_issuer_opens_once() -> None:
    """Not again when it is seen again, however much later."""
    opening = Opening()
    assert opening.opens(asked(), 0.0)
    assert not opening.opens(asked(), 1000.0)


@pytest.mark.parametrize(
    "url",
    [
        "https://auth.openai.com.evil.test/?a=b",
        "https://evil.test/?a=b",
        "http://auth.openai.com/?a=b",
        "https://me@auth.openai.com/?a=b",
        "https://auth.openai.com:8443/?a=b",
        "https://openai.com/?a=b",
        "https://anything.auth.openai.com/?a=b",
        "javascript:alert(1)//https://auth.openai.com/?a=b",
        "https://github.com/evil/page?a=b",
        "https://github.com/login/oauth/authorize/../../../evil?a=b",
        "https://github.com/login/oauth/authorize/?a=b",
        "https://claude.ai/public/artifacts/evil?a=b",
    ],
)
def test_no_other_page_opens_by_itself(url: str) -> None:
    """Only the exact host does, by https, and its endpoint where anybody may have a page."""
    opening = Opening()
    assert not opening.opens(asked(url), 0.0)
    assert opening.opens(asked(), 0.0)


def test_an_endpoint_among_other_pages_opens() -> None:
    """It is the one that the owner documents."""
    assert Opening().opens(asked("https://github.com/login/oauth/authorize?client_id=c"), 0.0)


def test_a_host_that_the_person_allowed_opens() -> None:
    """They vouch for all of it."""
    assert Opening(frozenset({"auth.example.com"})).opens(asked("https://auth.example.com/a?b=c"), 0.0)


def test_at_most_one_opens_in_ten_seconds() -> None:
    """What is not opened then may be later, if it is asked for again; the clock starts at the last opened."""
    opening = Opening()
    assert opening.opens(asked(state="1"), 100.0)
    assert not opening.opens(asked(state="2"), 100.0 + SECONDS_BETWEEN - 0.1)
    assert opening.opens(asked(state="2"), 100.0 + SECONDS_BETWEEN)
    assert not opening.opens(asked(state="3"), 100.0 + 2 * SECONDS_BETWEEN - 0.1)


def test_at_most_four_open_in_a_session() -> None:
    """However long it lasts."""
    opening = Opening()
    opened = [opening.opens(asked(state=str(one)), one * 3600.0) for one in range(10)]
    assert opened == [True] * MOST_BY_ITSELF + [False] * (10 - MOST_BY_ITSELF)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://evil.test/anything", "evil.test"),
        ("https://EXAMPLE.com./a", "example.com"),
        ("http://127.0.0.1:41234/0f3c", "127.0.0.1:41234"),
        ("http://localhost:8000/", "localhost:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_the_person_may_have_any_page_opened(url: str, host: str) -> None:
    """Any https page, and a program's own on loopback; they are shown its host."""
    assert host_to_open(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://localhost.evil.test:8000/",
        "http://127.0.0.1:80/",
        "http://127.0.0.1/",
        "http://localhost:99999/",
        "http://a@localhost:8000/",
        "http://localhost:8000@evil.test/",
        "http://127.0.0.1:8000/\x1b[2J",
        "http://127.0.0.1:8000/" + "a" * 9000,
        "http://192.168.0.1:8000/",
        "http://[::1:8000/",
        "https://127.0.0.1:8000/",
        "https://localhost/",
        "https://me@example.com/",
        "https://example.com:8443/",
        "https://xn--pple-43d.com/",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--help",
        "",
    ],
)
def test_some_pages_are_never_opened(url: str) -> None:
    """What is neither."""
    with pytest.raises(Unsafe):
        host_to_open(url)
