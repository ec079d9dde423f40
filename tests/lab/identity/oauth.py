"""What the providers have in common: authorization codes with PKCE, and tokens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.lab.identity.message import Request, Response, json_response, page, redirect
from tests.lab.identity.person import Decision, Person

LIFETIME = 6 * 3600  # Hermes immediately refreshes a token that has an hour or less to live
"""Seconds that an access token is said to live."""

EMAIL = "lab-user@example.test"

DENIED = {"error": "access_denied", "error_description": "The lab person said no"}

_SUBMIT = (
    '<form method="post" action="{action}"><input type="hidden" name="request" value="{request}">'
    "<noscript><button>Authorize</button></noscript></form>"
    "<script>document.forms[0].submit()</script>"
)
_FETCH = """<script>
fetch({address}, {{mode: "cors"}})
  .then(answer => answer.text().then(() => answer.ok ? "Sent to Hermes" : "Hermes refused"))
  .catch(() => "Hermes could not be reached")
  .then(text => {{ document.title = text; document.getElementById("text").textContent = text }})
</script>"""


def loopback(_client_id: str, redirect_uri: str) -> bool:
    """Whether it is a loopback redirect on 127.0.0.1, any port: RFC 8252 section 7.3."""
    address = urlsplit(redirect_uri)
    return address.scheme == "http" and address.hostname == "127.0.0.1" and bool(address.port)


def localhost(_client_id: str, redirect_uri: str) -> bool:
    """Whether it is a redirect to a port of this machine, by name or by number: what most others allow."""
    address = urlsplit(redirect_uri)
    return address.scheme == "http" and address.hostname in {"localhost", "127.0.0.1"} and bool(address.port)


class Refused(Exception):
    """The token endpoint says no: RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.response = json_response(400, {"error": error, "error_description": description})


@dataclass(frozen=True)
class Authorization:
    """What an authorization request asked for."""

    client_id: str
    redirect_uri: str
    state: str
    code_challenge: str
    scope: str
    nonce: str


def s256(verifier: str) -> str:
    """The S256 challenge of a PKCE verifier: RFC 7636 section 4.2."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def jwt(**claims: Any) -> str:
    """An unsigned token of the lab's user: Hermes reads claims and checks no signature."""
    now = int(time.time())
    claims = {"sub": "lab-user", "email": EMAIL, "iat": now, "exp": now + LIFETIME, **claims}
    parts = (json.dumps(part).encode() for part in ({"alg": "none", "typ": "JWT"}, claims))
    return ".".join([*(base64.urlsafe_b64encode(p).rstrip(b"=").decode() for p in parts), "lab"])


def tokens(issuer: str, scope: str, **extra: Any) -> dict[str, Any]:
    """A successful token response: RFC 6749 section 5.1."""
    return {
        "access_token": jwt(iss=issuer, scope=scope),
        "refresh_token": secrets.token_urlsafe(24),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": scope,
        **extra,
    }


class AuthorizationCodes:
    """The authorization code grant with PKCE: RFC 6749 section 4.1 and RFC 7636.

    `allows` says whether a client may use a redirect_uri; `action` is where the page's form goes;
    `consent_page` is the address of the page where it is not the authorization endpoint itself. Without
    `pkce`, a client that sends no challenge is not asked for a verifier.
    """

    def __init__(
        self,
        name: str,
        person: Person,
        action: str,
        allows: Callable[[str, str], bool],
        consent_page: str = "",
        *,
        pkce: bool = True,
    ) -> None:
        self._name = name
        self._person = person
        self._action = action
        self._allows = allows
        self._consent_page = consent_page
        self._pkce = pkce
        self._asked: dict[str, Authorization] = {}
        self._codes: dict[str, Authorization] = {}

    def authorize(self, request: Request) -> Response:
        """The authorization endpoint."""
        query = request.query
        wrong = self._complaint(query)
        if wrong:
            return page(f"{self._name}: bad request", wrong, status=400)
        key = secrets.token_urlsafe(16)
        self._asked[key] = Authorization(
            client_id=query["client_id"],
            redirect_uri=query["redirect_uri"],
            state=query["state"],
            code_challenge=query.get("code_challenge", ""),
            scope=query.get("scope", ""),
            nonce=query.get("nonce", ""),
        )
        if self._consent_page:
            return redirect(self._consent_page, {"request": key})
        return self._consent(key)

    def consent(self, request: Request) -> Response:
        """The page on which the person decides, where it has an address of its own."""
        return self._consent(request.query.get("request", ""))

    def _consent(self, key: str) -> Response:
        asked = self._asked.get(key)
        if asked is None:
            return page(f"{self._name}: gone", "This request is over.", status=400)
        title = f"{self._name}: authorize Hermes"
        decision = self._person.decision
        if decision is Decision.HANG:
            return page(title, "Nobody decides here.")
        if decision is Decision.SHOW_CODE:
            code = html.escape(self._issue(asked))
            return page(title, "Copy this code to Hermes:", f'<code id="code">{code}</code>')
        if decision is Decision.FETCH:
            query = urlencode({"code": self._issue(asked), "state": asked.state})
            address = json.dumps(f"{asked.redirect_uri}?{query}").replace("<", "\\u003c")
            return page(title, "Sending to Hermes.", _FETCH.format(address=address))
        form = _SUBMIT.format(action=html.escape(self._action), request=html.escape(key))
        return page(title, "Deciding at once.", form)

    def approve(self, request: Request) -> Response:
        """Where the page's form goes: back to the client with the person's answer."""
        asked = self._asked.pop(request.form.get("request", ""), None)
        if asked is None:
            return page(f"{self._name}: gone", "This request is over.", status=400)
        decision = self._person.decision
        if decision is Decision.DENY:
            return redirect(asked.redirect_uri, {**DENIED, "state": asked.state})
        state = secrets.token_hex(16) if decision is Decision.WRONG_STATE else asked.state
        return redirect(asked.redirect_uri, {"code": self._issue(asked), "state": state})

    def redeem(self, form: Mapping[str, Any]) -> Authorization:
        """The token endpoint's check of a code. Raises Refused."""
        asked = self._codes.pop(str(form.get("code", "")), None)
        if self._person.decision is Decision.TOKEN_400:
            raise Refused("invalid_grant", "The lab's token endpoint refuses every code")
        if asked is None:
            raise Refused("invalid_grant", "Unknown code")
        if form.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "Not a code grant")
        if form.get("client_id") != asked.client_id:
            raise Refused("invalid_grant", "The code belongs to another client")
        if form.get("redirect_uri") != asked.redirect_uri:
            raise Refused("invalid_grant", "redirect_uri differs from the authorization request")
        verifier = str(form.get("code_verifier", ""))
        if (s256(verifier) if verifier or self._pkce else "") != asked.code_challenge:
            raise Refused("invalid_grant", "code_verifier does not match the challenge")
        return asked

    def _issue(self, asked: Authorization) -> str:
        code = secrets.token_urlsafe(32)
        self._codes[code] = asked
        return code

    def _complaint(self, query: Mapping[str, str]) -> str:
        for name in ("client_id", "redirect_uri", "state", *(["code_challenge"] if self._pkce else [])):
            if not query.get(name):
                return f"{name} is missing."
        if query.get("response_type") != "code":
            return "response_type must be code."
        if "code_challenge" in query and query.get("code_challenge_method") != "S256":
            return "code_challenge_method must be S256."
        if not self._allows(query["client_id"], query["redirect_uri"]):
            return "redirect_uri is not allowed."
        return ""
