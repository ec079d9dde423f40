"""The authorization server, spoken to over HTTP."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest

from hermes_tunnel.demo.authorization_server import Answer, AuthorizationServer
from hermes_tunnel.demo.grants import s256

CLIENT = "client"
VERIFIER = "v" * 43
REDIRECT = "http://127.0.0.1:20000/callback"
REQUEST = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": REDIRECT,
    "state": "opaque & odd",
    "code_challenge": s256(VERIFIER),
    "code_challenge_method": "S256",
    "scope": "read <everything>",
}


@pytest.fixture
def server() -> Iterator[AuthorizationServer]:
    """A server that asks the person."""
    with AuthorizationServer({CLIENT: "Hermes on <me>@there", "other": "Other"}) as running:
        yield running


@pytest.fixture
def approving() -> Iterator[AuthorizationServer]:
    """A server that approves by itself."""
    with AuthorizationServer({CLIENT: "Hermes", "other": "Other"}, Answer.APPROVE) as running:
        yield running


def send(
    server: AuthorizationServer, method: str, target: str, form: dict[str, str] | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    """Send one request; its answer."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request(method, target, urlencode(form) if form else None, headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response, body


def authorize(server: AuthorizationServer, **changes: str) -> tuple[http.client.HTTPResponse, str]:
    """Ask the authorization endpoint; changing a parameter to an empty string leaves it out."""
    query = {name: value for name, value in {**REQUEST, **changes}.items() if value}
    return send(server, "GET", f"/authorize?{urlencode(query)}")


def redeem(server: AuthorizationServer, code: str, **changes: str) -> tuple[int, dict[str, Any]]:
    """The token endpoint."""
    form = {
        "grant_type": "authorization_code",
        "client_id": CLIENT,
        "redirect_uri": REDIRECT,
        "code": code,
        "code_verifier": VERIFIER,
        **changes,
    }
    response, body = send(server, "POST", "/token", form)
    return response.status, json.loads(body)


def parameters(response: http.client.HTTPResponse) -> dict[str, str]:
    """What a redirect carries."""
    address, _, query = response.headers["Location"].partition("?")
    assert address == REDIRECT
    return {name: values[0] for name, values in parse_qs(query, strict_parsing=True).items()}


def handle(page: str) -> str:
    """The hidden field of the page's form."""
    found = re.search(r'name="request" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_page_says_who_asks_and_for_what(server: AuthorizationServer) -> None:
    """Names and scopes are shown, as text, whatever they contain."""
    response, page = authorize(server)
    assert response.status == 200
    assert "Hermes on &lt;me&gt;@there" in page
    assert "read &lt;everything&gt;" in page
    assert "127.0.0.1:20000" in page
    assert "you@example.com" in page


def test_the_page_loads_and_runs_nothing(server: AuthorizationServer) -> None:
    """The policy allows only the page's own style and a form that leads to the redirect."""
    response, page = authorize(server)
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert policy.endswith("frame-ancestors 'none'; form-action 'self' http://127.0.0.1:20000")
    assert "script" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:)", page)
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("answer", list(Answer))
def test_a_button_leads_back_with_the_state(server: AuthorizationServer, answer: Answer) -> None:
    """Approval gives a code, denial `access_denied`; both carry the state, and come once."""
    _, page = authorize(server)
    form = {"request": handle(page), "answer": answer.value}
    response, _ = send(server, "POST", "/answer", form)
    assert response.status == 302
    said = parameters(response)
    assert said["state"] == REQUEST["state"]
    assert ("code" in said) == (answer is Answer.APPROVE)
    assert said.get("error") == (None if answer is Answer.APPROVE else "access_denied")
    response, _ = send(server, "POST", "/answer", form)
    assert response.status == 400


def test_a_server_may_deny_by_itself() -> None:
    """It denies at once, without a page."""
    with AuthorizationServer({CLIENT: "Hermes"}, Answer.DENY) as server:
        response, _ = authorize(server)
        assert response.status == 302
        assert parameters(response)["error"] == "access_denied"


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "nobody"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1/callback"},
        {"redirect_uri": "http://a@127.0.0.1:20000/callback"},
        {"redirect_uri": "http://127.0.0.1:port/callback"},
        {"response_type": "token"},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"code_challenge_method": "plain"},
        {"state": ""},
    ],
)
def test_a_bad_request_gets_a_page_and_no_redirect(
    approving: AuthorizationServer, change: dict[str, str]
) -> None:
    """A possible attack is not passed on (RFC 6749 section 4.1.2.1)."""
    response, page = authorize(approving, **change)
    assert response.status == 400
    assert "cannot be answered" in page
    assert "Location" not in response.headers


def test_a_code_gives_one_token(approving: AuthorizationServer) -> None:
    """A code is exchanged once; the second time it is unknown."""
    code = parameters(authorize(approving)[0])["code"]
    status, answer = redeem(approving, code)
    assert status == 200
    assert answer["token_type"] == "Bearer"
    assert {answer["access_token"]} == approving.grants.tokens
    status, answer = redeem(approving, code)
    assert (status, answer["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    "change",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"code_verifier": s256(VERIFIER)},
        {"client_id": "other"},
        {"redirect_uri": "http://127.0.0.1:20001/callback"},
    ],
)
def test_a_code_is_bound_to_its_request(approving: AuthorizationServer, change: dict[str, str]) -> None:
    """Another verifier, client or redirect gets no token, and spends the code."""
    code = parameters(authorize(approving)[0])["code"]
    status, answer = redeem(approving, code, **change)
    assert (status, answer["error"]) == (400, "invalid_grant")
    assert redeem(approving, code)[0] == 400
    assert not approving.grants.tokens


def test_another_grant_is_not_offered(approving: AuthorizationServer) -> None:
    """Only the grant that a login uses is offered."""
    status, answer = redeem(approving, "", grant_type="password")
    assert (status, answer["error"]) == (400, "unsupported_grant_type")


def test_only_its_own_name_is_answered(approving: AuthorizationServer) -> None:
    """A name that merely resolves to this machine gets nothing (DNS rebinding)."""
    response, _ = send(approving, "GET", f"/authorize?{urlencode(REQUEST)}", Host="evil.example")
    assert response.status == 421
    assert "Location" not in response.headers


def test_an_unknown_page_and_an_endless_form(server: AuthorizationServer) -> None:
    """They get 404 and 413."""
    assert send(server, "GET", "/favicon.ico")[0].status == 404
    assert send(server, "POST", "/token", None, **{"Content-Length": "99999999"})[0].status == 413
