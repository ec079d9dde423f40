"""Anthropic: an authorization code with PKCE that the person carries to Hermes as `code#state`."""

from __future__ import annotations

import html

from tests.lab.identity.message import Request, Response, Routes, json_response, page
from tests.lab.identity.oauth import AuthorizationCodes, Refused, tokens
from tests.lab.identity.person import Person

CALLBACK = "https://console.anthropic.com/oauth/code/callback"


def _own(_client_id: str, redirect_uri: str) -> bool:
    return redirect_uri == CALLBACK


def _callback(request: Request) -> Response:
    if "error" in request.query:
        return page("Claude: not authorized", "Nothing was authorized.")
    code = html.escape(f"{request.query.get('code', '')}#{request.query.get('state', '')}")
    return page("Claude: your code", "Copy this code to Hermes:", f'<code id="code">{code}</code>')


class Anthropic:
    """Authorizes on claude.ai, shows the code on console.anthropic.com."""

    hosts = ("claude.ai", "console.anthropic.com", "platform.claude.com")

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("Claude", person, "/oauth/approve", _own)
        self.routes: Routes = {
            ("claude.ai", "GET", "/oauth/authorize"): self._codes.authorize,
            ("claude.ai", "POST", "/oauth/approve"): self._codes.approve,
            ("console.anthropic.com", "GET", "/oauth/code/callback"): _callback,
            ("console.anthropic.com", "POST", "/v1/oauth/token"): self._token,
            ("platform.claude.com", "POST", "/v1/oauth/token"): self._token,
        }

    def _token(self, request: Request) -> Response:
        try:
            asked = self._codes.redeem(request.json)
        except Refused as refusal:
            return refusal.response
        return json_response(200, tokens("https://claude.ai", asked.scope))
