"""Hermes' side of the grant: what it asks the provider over HTTP."""

from __future__ import annotations

import http.client
import json
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from hermes_tunnel.demo.authorization_server import AuthorizationServer
from hermes_tunnel.demo.grants import s256

_TIMEOUT = 10  # seconds


class ProviderRefused(Exception):
    """An error response of the provider (RFC 6749 section 5.2)."""


@dataclass(frozen=True)
class Attempt:
    """One authorization request, and what the client keeps until the answer to it comes."""

    redirect_uri: str
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    code_verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48), repr=False)


@dataclass(frozen=True)
class Client:
    """A public client (RFC 6749 section 2.1) of one authorization server."""

    server: AuthorizationServer
    client_id: str
    scope: str = "Read and write on your behalf"

    def authorization_url(self, attempt: Attempt) -> str:
        """The address of the page that asks the person (RFC 6749 section 4.1.1, RFC 7636 section 4.3)."""
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": attempt.redirect_uri,
            "scope": self.scope,
            "state": attempt.state,
            "code_challenge": s256(attempt.code_verifier),
            "code_challenge_method": "S256",
        }
        return f"{self.server.authorization_endpoint}?{urlencode(query)}"

    def redeem_code(self, attempt: Attempt, code: str) -> str:
        """The access token for an authorization code (RFC 6749 section 4.1.3), or ``ProviderRefused``."""
        form = {
            "grant_type": "authorization_code",
            "client_id": self.client_id,
            "redirect_uri": attempt.redirect_uri,
            "code": code,
            "code_verifier": attempt.code_verifier,
        }
        answer = post(self.server.token_endpoint, form)
        if "error" in answer:
            raise ProviderRefused(answer["error_description"])
        return str(answer["access_token"])


def post(url: str, form: dict[str, str]) -> dict[str, Any]:
    """The provider's answer to a form, even if it is an error."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", parts.path, urlencode(form), headers)
        return dict(json.loads(connection.getresponse().read()))
    finally:
        connection.close()
