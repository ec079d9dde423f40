"""Anthropic: an authorization code with PKCE that the person carries to the program as `code#state`."""

from __future__ import annotations

import html

from tests.lab.identity.message import Request, Response, Routes, json_response, page
from tests.lab.identity.oauth import EMAIL, AuthorizationCodes, Refused, localhost, tokens
from tests.lab.identity.person import Person

CALLBACKS = (
    "https://console.anthropic.com/oauth/code/callback",  # Hermes
    "https://platform.claude.com/oauth/code/callback",  # Claude Code
)


def _own(client_id: str, redirect_uri: str) -> bool:
    return redirect_uri in CALLBACKS or localhost(client_id, redirect_uri)


def _callback(request: Request) -> Response:
    if "error" in request.query:
        return page("Claude: not authorized", "Nothing was authorized.")
    code = html.escape(f"{request.query.get('code', '')}#{request.query.get('state', '')}")
    return page("Claude: your code", "Copy this code to your terminal:", f'<code id="code">{code}</code>')


def _success(_request: Request) -> Response:
    return page("Claude: logged in", "You can return to your terminal.")


def _profile(_request: Request) -> Response:
    """Whose the token is: what Claude Code asks for after a login."""
    account = {"uuid": "lab-account", "email": EMAIL, "display_name": "Lab User", "has_claude_max": True}
    organization = {"uuid": "lab-organization", "name": "Lab", "organization_type": "claude_max"}
    return json_response(200, {"account": account, "organization": organization})


class Anthropic:
    """Authorizes on one host, shows the code on another; Claude Code and Hermes use different ones."""

    hosts = (
        *("claude.ai", "claude.com", "console.anthropic.com", "platform.claude.com"),
        "api.anthropic.com",
    )

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("Claude", person, "/oauth/approve", _own)
        self.routes: Routes = {
            ("claude.ai", "GET", "/oauth/authorize"): self._codes.authorize,
            ("claude.ai", "POST", "/oauth/approve"): self._codes.approve,
            ("claude.com", "GET", "/cai/oauth/authorize"): self._codes.authorize,
            ("claude.com", "POST", "/oauth/approve"): self._codes.approve,
            ("console.anthropic.com", "GET", "/oauth/code/callback"): _callback,
            ("platform.claude.com", "GET", "/oauth/code/callback"): _callback,
            ("platform.claude.com", "GET", "/oauth/code/success"): _success,
            ("api.anthropic.com", "GET", "/api/oauth/profile"): _profile,
            ("console.anthropic.com", "POST", "/v1/oauth/token"): self._token,
            ("platform.claude.com", "POST", "/v1/oauth/token"): self._token,
        }

    def _token(self, request: Request) -> Response:
        try:
            asked = self._codes.redeem(request.json)
        except Refused as refusal:
            return refusal.response
        return json_response(200, tokens("https://claude.ai", asked.scope))
