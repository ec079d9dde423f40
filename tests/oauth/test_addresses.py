"""What an address asks for."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.addresses import is_answer, is_loopback, loopback_answer, query
from hermes_tunnel.oauth.authorization import Redirect

HERE = "http%3A%2F%2F127.0.0.1%3A4711%2Fcb"


@pytest.mark.parametrize(
    "name",
    [
        *("redirect_uri", "redirect_url", "redirectUri", "redirectTo", "redirect", "app_redirect_uri"),
        *("callback_url", "callback", "oauth_callback", "cli-callback", "return_to", "returnUrl", "next"),
    ],
)
def test_where_the_answer_comes(name: str) -> None:
    """To a port of this machine, whatever the program calls it; a state is not needed, nor a client."""
    url = f"https://a.b/x?{name}={HERE}"
    assert loopback_answer(query(url)) == (Redirect("127.0.0.1", 4711, "/cb"), "")
    assert loopback_answer(query(f"{url}&client_id=c&state=s")) == (Redirect("127.0.0.1", 4711, "/cb"), "s")


def test_an_answer_that_comes_here_after_a_detour() -> None:
    """A relative address beside the redirect says nothing; one that comes here after another host does."""
    at_home = Redirect("127.0.0.1", 4711, "/cb")
    assert loopback_answer(query(f"https://a.b/?redirect_uri={HERE}&return_to=%2Fhome")) == (at_home, "")
    broker = "redirect_uri=https%3A%2F%2Fbroker.example%2Fcb"
    assert loopback_answer(query(f"https://a.b/?{broker}&return_to={HERE}")) == (at_home, "")


@pytest.mark.parametrize(
    "fields",
    [
        "redirect_uri=https%3A%2F%2Fa.b%2Fcode",
        "redirect_uri=http%3A%2F%2F127.0.0.1%2Fcb",
        "redirect_uri=http%3A%2F%2F127.0.0.1%3A22%2Fcb",
        "return_to=%2Fhome",
        f"ref={HERE}",
        f"redirect_uri_hint={HERE}",
        f"redirect_uri={HERE}&redirect_uri=https%3A%2F%2Fa.b",
        f"redirect_uri={HERE}&callback_url=http%3A%2F%2Flocalhost%3A5000%2F",
        f"redirect_uri={HERE}&state=a&state=b",
        "",
    ],
)
def test_no_answer_here(fields: str) -> None:
    """An answer elsewhere, to a port that is not forwarded, or one that can be read in two ways."""
    assert loopback_answer(query(f"https://a.b/x?{fields}")) is None


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://127.0.0.1:8976/start", True),
        ("http://localhost:3000", True),
        ("http://[::1]:3000/?a", True),
        ("https://localhost:3000/", False),
        ("http://localhost.example:3000/", False),
        ("http://localhost:3000@a.example/", False),
        ("http://127.0.0.1/", False),
    ],
)
def test_a_page_of_the_program_itself(url: str, is_one: bool) -> None:
    """It is served by http, on a port of the program's machine."""
    assert is_loopback(url) is is_one


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://localhost:1455/auth/callback?code=a&state=b", True),
        ("http://localhost:1455/auth/callback?error=access_denied", True),
        ("http://localhost:1455/#access_token=a", True),
        ("https://a.b/oauth/code/callback?code=a&state=b", True),
        ("https://a.b/authorize?code=true&client_id=c&state=b", False),
        ("https://a.b/help?code=404", False),
        ("http://localhost:1455/start?state=b", False),
    ],
)
def test_an_answer_is_a_secret(url: str, is_one: bool) -> None:
    """The address that an answer came to, which a person may paste, is told apart from a page."""
    assert is_answer(url, query(url)) is is_one
