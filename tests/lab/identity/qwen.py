"""Qwen: a device code with PKCE, whose page has the code in its address."""

from __future__ import annotations

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import Refused, s256, tokens
from tests.lab.identity.person import Person

ISSUER = "https://chat.qwen.ai"


class Qwen:
    """The device grant, bound to the client by a challenge."""

    hosts = ("chat.qwen.ai",)

    def __init__(self, person: Person) -> None:
        self._devices = DeviceCodes("Qwen", person, f"{ISSUER}/authorize")
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "POST", "/api/v1/oauth2/device/code"): self._devices.authorize,
            (host, "GET", "/authorize"): self._devices.visit,
            (host, "POST", "/api/v1/oauth2/token"): self._token,
        }

    def _token(self, request: Request) -> Response:
        try:
            device = self._devices.poll(request.form)
        except Refused as refusal:
            return refusal.response
        if s256(request.form.get("code_verifier", "")) != device.code_challenge:
            return Refused("invalid_grant", "code_verifier does not match the challenge").response
        return json_response(200, tokens(ISSUER, device.scope, resource_url="portal.qwen.ai"))
