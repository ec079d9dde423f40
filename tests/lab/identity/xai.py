"""xAI: OpenID Connect with a loopback redirect or a device code."""

from __future__ import annotations

from urllib.parse import urlsplit

from tests.lab.identity.message import Request, Response, json_response, redirect
from tests.lab.identity.oauth import (
    DEVICE_CODE_GRANT,
    AuthorizationCodes,
    DeviceCodes,
    Refused,
    jwt,
    tokens,
)
from tests.lab.identity.person import Person

ISSUER = "https://auth.x.ai"
ACCOUNTS = "https://accounts.x.ai"


def _loopback(_client_id: str, redirect_uri: str) -> bool:
    address = urlsplit(redirect_uri)
    return address.scheme == "http" and address.hostname == "127.0.0.1" and bool(address.port)


class XAI:
    """The authorization endpoint is auth.x.ai; the person decides on accounts.x.ai."""

    hosts = ("auth.x.ai", "accounts.x.ai")

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("xAI", person, "/oauth2/approve", _loopback)
        self._devices = DeviceCodes("xAI", person)

    def respond(self, request: Request) -> Response | None:
        match request.host, request.method, request.path:
            case "auth.x.ai", "GET", "/.well-known/openid-configuration":
                return self._discovery()
            case "auth.x.ai", "GET", "/oauth2/authorize":
                return self._authorize(request)
            case "accounts.x.ai", "GET", "/oauth2/consent":
                return self._codes.consent(request.query.get("request", ""))
            case "accounts.x.ai", "POST", "/oauth2/approve":
                return self._codes.approve(request)
            case "auth.x.ai", "POST", "/oauth2/device/code":
                return self._devices.device_response(request.form, f"{ACCOUNTS}/oauth2/device")
            case "accounts.x.ai", "GET", "/oauth2/device":
                return self._devices.visit(request)
            case "auth.x.ai", "POST", "/oauth2/token":
                return self._token(request)
        return None

    def _discovery(self) -> Response:
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

    def _authorize(self, request: Request) -> Response:
        response = self._codes.authorize(request)
        if response.status != 200:
            return response
        return redirect(f"{ACCOUNTS}/oauth2/consent", {"request": self._codes.ask(request.query)})

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
