"""OpenAI Codex: a device code that is exchanged for an authorization code."""

from __future__ import annotations

import secrets

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import Refused, s256, tokens
from tests.lab.identity.person import Person

ISSUER = "https://auth.openai.com"
CALLBACK = f"{ISSUER}/deviceauth/callback"


class Codex:
    """Polling answers 403 until the person has decided; the verifier comes from this side."""

    hosts = ("auth.openai.com",)

    def __init__(self, person: Person) -> None:
        self._devices = DeviceCodes("OpenAI", person, f"{ISSUER}/codex/device")
        self._challenges: dict[str, str] = {}
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "POST", "/api/accounts/deviceauth/usercode"): self._code,
            (host, "GET", "/codex/device"): self._devices.visit,
            (host, "POST", "/api/accounts/deviceauth/token"): self._poll,
            (host, "POST", "/oauth/token"): self._token,
        }

    def _code(self, request: Request) -> Response:
        device = self._devices.issue(request.json)
        answer = {
            "device_auth_id": device.device_code,
            "user_code": device.user_code,
            "interval": "3",
        }
        return json_response(200, answer)

    def _poll(self, request: Request) -> Response:
        device = self._devices.find(str(request.json.get("user_code", "")))
        if device is None or device.device_code != request.json.get("device_auth_id"):
            return json_response(404, {"error": "unknown device"})
        try:
            self._devices.poll({"device_code": device.device_code, "client_id": device.client_id})
        except Refused as refusal:
            if device.answer is None:
                return Response(403, refusal.response.body, refusal.response.headers)
            return refusal.response
        code, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        self._challenges[code] = s256(verifier)
        return json_response(200, {"authorization_code": code, "code_verifier": verifier})

    def _token(self, request: Request) -> Response:
        form = request.form
        challenge = self._challenges.pop(form.get("code", ""), None)
        if challenge != s256(form.get("code_verifier", "")) or form.get("redirect_uri") != CALLBACK:
            return Refused("invalid_grant", "The code does not fit").response
        return json_response(200, tokens(ISSUER, "openid profile email"))
