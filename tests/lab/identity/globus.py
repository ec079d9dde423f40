"""Globus Auth: a client that is made on the spot, a code that the person carries to it, signed ID tokens."""

from __future__ import annotations

import base64
import html
import json
import secrets
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests.lab.identity.message import Request, Response, Routes, json_response, page
from tests.lab.identity.oauth import AuthorizationCodes, Refused, jwt, tokens
from tests.lab.identity.person import Person

ISSUER = "https://auth.globus.org"
CALLBACK = f"{ISSUER}/v2/web/auth-code"
_SERVERS = ("transfer.api.globus.org", "groups.api.globus.org", "search.api.globus.org")


def _own(_client_id: str, redirect_uri: str) -> bool:
    return redirect_uri == CALLBACK


def _shown(request: Request) -> Response:
    if "error" in request.query:
        return page("Globus: not authorized", "Nothing was authorized.")
    code = html.escape(request.query.get("code", ""))
    return page("Globus: your code", "Copy this code to your terminal:", f'<code id="code">{code}</code>')


def _configuration(_request: Request) -> Response:
    """OpenID Connect Discovery 1.0, as far as the program reads it."""
    metadata = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/v2/oauth2/authorize",
        "token_endpoint": f"{ISSUER}/v2/oauth2/token",
        "jwks_uri": f"{ISSUER}/jwk.json",
        "id_token_signing_alg_values_supported": ["RS512"],
    }
    return json_response(200, metadata)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Globus:
    """Its program checks the signature of the ID token, so there is a key."""

    hosts = ("auth.globus.org",)

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("Globus", person, "/approve", _own, pkce=False)
        self._key: rsa.RSAPrivateKey | None = None
        self._secrets: dict[str, str] = {}
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "POST", "/v2/api/clients"): self._register,
            (host, "GET", "/v2/oauth2/authorize"): self._codes.authorize,
            (host, "POST", "/approve"): self._codes.approve,
            (host, "GET", "/v2/web/auth-code"): _shown,
            (host, "POST", "/v2/oauth2/token"): self._token,
            (host, "GET", "/.well-known/openid-configuration"): _configuration,
            (host, "GET", "/jwk.json"): self._keys,
        }

    def _register(self, _request: Request) -> Response:
        client, secret = secrets.token_hex(8), secrets.token_hex(16)
        self._secrets[client] = secret
        return json_response(201, {"included": {"client_credential": {"client": client, "secret": secret}}})

    def _token(self, request: Request) -> Response:
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        client, _, secret = base64.b64decode(credentials).decode().partition(":")
        if scheme != "Basic" or self._secrets.get(client) != secret:
            return json_response(401, {"error": "invalid_client"})
        try:
            asked = self._codes.redeem({"client_id": client, **request.form})
        except Refused as refusal:
            return refusal.response
        answer = _tokens("auth.globus.org", "openid profile email", asked.scope)
        answer["other_tokens"] = [_tokens(server, "all", asked.scope) for server in _SERVERS]
        answer["id_token"] = self._signed(jwt(iss=ISSUER, aud=client))
        return json_response(200, answer)

    def _signing_key(self) -> rsa.RSAPrivateKey:
        if self._key is None:  # made when it is first needed: it takes a while
            self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return self._key

    def _signed(self, token: str) -> str:
        header = _base64(json.dumps({"alg": "RS512", "typ": "JWT"}).encode())
        signed = f"{header}.{token.split('.')[1]}"
        signature = self._signing_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA512())
        return f"{signed}.{_base64(signature)}"

    def _keys(self, _request: Request) -> Response:
        """RFC 7517."""
        numbers = self._signing_key().public_key().public_numbers()
        n, e = (
            _base64(number.to_bytes((number.bit_length() + 7) // 8, "big"))
            for number in (numbers.n, numbers.e)
        )
        key = {"kty": "RSA", "alg": "RS512", "use": "sig", "n": n, "e": e}
        return json_response(200, {"keys": [key]})


def _tokens(server: str, short: str, scope: str) -> dict[str, Any]:
    granted = " ".join(each for each in scope.replace("[", " ").replace("]", " ").split() if server in each)
    return {**tokens(ISSUER, granted or short), "resource_server": server}
