"""Nous Portal: a device code, and an agent key for releases that ask for one."""

from __future__ import annotations

import secrets
import time

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import LIFETIME, Refused, tokens
from tests.lab.identity.person import Person

ISSUER = "https://portal.nousresearch.com"


def _agent_key(_request: Request) -> Response:
    expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + LIFETIME))
    answer = {
        "api_key": secrets.token_urlsafe(24),
        "key_id": secrets.token_hex(6),
        "expires_at": expires,
        "expires_in": LIFETIME,
        "reused": False,
    }
    return json_response(200, answer)


class Nous:
    """Refresh tokens may be used once, as the portal has it."""

    hosts = ("portal.nousresearch.com",)

    def __init__(self, person: Person) -> None:
        self._devices = DeviceCodes("Nous Portal", person, f"{ISSUER}/device")
        self._scopes: dict[str, str] = {}
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "POST", "/api/oauth/device/code"): self._devices.authorize,
            (host, "GET", "/device"): self._devices.visit,
            (host, "POST", "/api/oauth/token"): self._token,
            (host, "POST", "/api/oauth/agent-key"): _agent_key,
        }

    def _token(self, request: Request) -> Response:
        """Device codes, and the refresh that follows an import of shared credentials."""
        form = request.form
        if form.get("grant_type") == "refresh_token":
            used = form.get("refresh_token") or request.headers.get("x-nous-refresh-token", "")
            scope = self._scopes.pop(used, None)
            if scope is None:
                return Refused("invalid_grant", "Unknown refresh token").response
        else:
            try:
                scope = self._devices.poll(form).scope
            except Refused as refusal:
                return refusal.response
        answer = tokens(ISSUER, scope)
        self._scopes[answer["refresh_token"]] = scope
        return json_response(200, answer)
