"""OpenAI Codex: a loopback redirect, or a device code that is exchanged for an authorization code."""

from __future__ import annotations

import secrets

from tests.lab.identity.device import DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import AuthorizationCodes, Refused, jwt, localhost, s256, tokens
from tests.lab.identity.person import Person

ISSUER = "https://auth.openai.com"
CALLBACK = f"{ISSUER}/deviceauth/callback"


class Codex:
    """Polling answers 403 until the person has decided; the verifier of a device comes from this side.

    Hermes uses the device code only; OpenAI's own program has both, and reads the claims of its tokens.
    """

    hosts = ("auth.openai.com",)

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("OpenAI", person, "/approve", localhost)
        self._devices = DeviceCodes("OpenAI", person, f"{ISSUER}/codex/device")
        self._challenges: dict[str, str] = {}
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "GET", "/oauth/authorize"): self._codes.authorize,
            (host, "POST", "/approve"): self._codes.approve,
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
        self._challenges[code] = challenge = s256(verifier)
        answer = {"authorization_code": code, "code_challenge": challenge, "code_verifier": verifier}
        return json_response(200, answer)

    def _token(self, request: Request) -> Response:
        form = request.form
        if form.get("code") not in self._challenges:
            return self._redeem(request)
        challenge = self._challenges.pop(form["code"])
        if challenge != s256(form.get("code_verifier", "")) or form.get("redirect_uri") != CALLBACK:
            return Refused("invalid_grant", "The code does not fit").response
        return _granted("openid profile email")

    def _redeem(self, request: Request) -> Response:
        try:
            return _granted(self._codes.redeem(request.form).scope)
        except Refused as refusal:
            return refusal.response


def _granted(scope: str) -> Response:
    account = {
        "chatgpt_account_id": "lab-account",
        "chatgpt_plan_type": "plus",
        "chatgpt_user_id": "lab-user",
    }
    claims = {"iss": ISSUER, "scope": scope, "https://api.openai.com/auth": account}
    return json_response(200, tokens(ISSUER, scope, id_token=jwt(**claims), access_token=jwt(**claims)))
