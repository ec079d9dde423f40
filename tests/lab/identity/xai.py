"""xAI: OpenID Connect with a loopback redirect or a device code."""

from __future__ import annotations

from tests.lab.identity.device import DEVICE_CODE_GRANT, DeviceCodes
from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import AuthorizationCodes, Refused, jwt, loopback, tokens
from tests.lab.identity.person import Person

ISSUER = "https://auth.x.ai"
ACCOUNTS = "https://accounts.x.ai"


def discovery(_request: Request) -> Response:
    """OpenID Connect Discovery 1.0, as far as Hermes reads it."""
    metadata = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/oauth2/authorize",
        "token_endpoint": f"{ISSUER}/oauth2/token",
        "device_authorization_endpoint": f"{ISSUER}/oauth2/device/code",
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", DEVICE_CODE_GRANT],
        "code_challenge_methods_supported": ["S256"],
    }
    return json_response(200, metadata)


class XAI:
    """The authorization endpoint is auth.x.ai; the person decides on accounts.x.ai."""

    hosts = ("auth.x.ai", "accounts.x.ai")

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes(
            "xAI", person, "/oauth2/approve", loopback, f"{ACCOUNTS}/oauth2/consent"
        )
        self._devices = DeviceCodes("xAI", person, f"{ACCOUNTS}/oauth2/device")
        self.routes: Routes = {
            ("auth.x.ai", "GET", "/.well-known/openid-configuration"): discovery,
            ("auth.x.ai", "GET", "/oauth2/authorize"): self._codes.authorize,
            ("accounts.x.ai", "GET", "/oauth2/consent"): self._codes.consent,
            ("accounts.x.ai", "POST", "/oauth2/approve"): self._codes.approve,
            ("auth.x.ai", "POST", "/oauth2/device/code"): self._devices.authorize,
            ("accounts.x.ai", "GET", "/oauth2/device"): self._devices.visit,
            ("auth.x.ai", "POST", "/oauth2/token"): self._token,
        }

    def _token(self, request: Request) -> Response:
        form = request.form
        try:
            if form.get("grant_type") == DEVICE_CODE_GRANT:
                device = self._devices.poll(form)
                return json_response(200, tokens(ISSUER, device.scope))
            asked = self._codes.redeem(form)
        except Refused as refusal:
            return refusal.response
        id_token = jwt(iss=ISSUER, aud=asked.client_id, nonce=asked.nonce)
        return json_response(200, tokens(ISSUER, asked.scope, id_token=id_token))
