"""What an authorization server decides about codes and tokens, apart from HTTP.

This is the authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636), for public clients, kept in
memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

CODE_LIFETIME = 60  # seconds; RFC 6749 section 4.1.2 recommends at most ten minutes
TOKEN_LIFETIME = 3600
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 section 4.2


class InvalidRequest(Exception):
    """An authorization request to be answered with a page, never with a redirect."""


class TokenError(Exception):
    """An error response of the token endpoint (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


@dataclass(frozen=True)
class AuthorizationRequest:
    """An authorization request that may be put before the person."""

    client_id: str
    redirect_uri: str
    state: str = field(repr=False)
    code_challenge: str = field(repr=False)
    scope: str

    @property
    def redirect_origin(self) -> str:
        """Scheme, host and port of the redirect."""
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def answer(self, **parameters: str) -> str:
        """The address that takes an answer to the client, with its ``state``."""
        return f"{self.redirect_uri}?{urlencode({**parameters, 'state': self.state})}"


def s256(code_verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636 section 4.2)."""
    digest = hashlib.sha256(code_verifier.encode("ascii", "replace")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


class Grants:
    """What was asked for and granted. Only one thread at a time may call it.

    :param clients: the registered public clients: ``client_id``, and the name that a person is shown
    """

    def __init__(self, clients: Mapping[str, str]) -> None:
        self.clients = dict(clients)
        self.tokens: set[str] = set()
        self._codes: dict[str, tuple[AuthorizationRequest, float]] = {}

    def check_request(self, query: Mapping[str, str]) -> AuthorizationRequest:
        """The authorization request, if it may be put before the person.

        :raises InvalidRequest: it may not
        """
        client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
        if client_id not in self.clients:
            raise InvalidRequest("This client is not registered here.")
        if not _is_loopback(redirect_uri):
            raise InvalidRequest("The redirect_uri is not a loopback address.")
        if query.get("response_type") != "code":
            raise InvalidRequest("The response_type is not “code”.")
        challenge, state = query.get("code_challenge", ""), query.get("state", "")
        if not _CHALLENGE.fullmatch(challenge) or query.get("code_challenge_method") != "S256":
            raise InvalidRequest("There is no PKCE challenge with the method S256.")
        if not state:
            raise InvalidRequest("There is no state.")
        return AuthorizationRequest(client_id, redirect_uri, state, challenge, query.get("scope", ""))

    def issue_code(self, request: AuthorizationRequest) -> str:
        """An authorization code for an approved request."""
        code = secrets.token_urlsafe(32)
        self._codes[code] = (request, time.monotonic() + CODE_LIFETIME)
        return code

    def redeem(self, form: Mapping[str, str]) -> dict[str, object]:
        """The token endpoint: a token response (RFC 6749 section 5.1), or ``TokenError``."""
        if form.get("grant_type") != "authorization_code":
            raise TokenError("unsupported_grant_type", "This grant type is not supported")
        return self._token(self._redeem_code(form))

    def _redeem_code(self, form: Mapping[str, str]) -> str:
        """The scope of a code; whatever the outcome, the code cannot be used again."""
        request, expires = self._codes.pop(form.get("code", ""), (None, 0.0))
        if request is None or expires < time.monotonic():
            raise TokenError("invalid_grant", "The code is unknown, used or expired")
        if form.get("client_id") != request.client_id:
            raise TokenError("invalid_grant", "The code was issued to another client")
        if form.get("redirect_uri") != request.redirect_uri:
            raise TokenError("invalid_grant", "The redirect_uri differs from the one in the request")
        if not hmac.compare_digest(s256(form.get("code_verifier", "")), request.code_challenge):
            raise TokenError("invalid_grant", "The code_verifier does not match the code_challenge")
        return request.scope

    def _token(self, scope: str) -> dict[str, object]:
        token = secrets.token_urlsafe(32)
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_LIFETIME, "scope": scope}


def _is_loopback(redirect_uri: str) -> bool:
    """RFC 8252 section 7.3: http on this machine, any port."""
    try:
        parts = urlsplit(redirect_uri)
        port = parts.port
    except ValueError:
        return False
    hosts = ("127.0.0.1", "localhost", "::1")
    return parts.scheme == "http" and parts.hostname in hosts and bool(port) and "@" not in parts.netloc
