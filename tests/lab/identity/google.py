"""Google, as `firebase login` uses it: a confidential client that everybody knows, without PKCE."""

from __future__ import annotations

from email import message_from_bytes

from tests.lab.identity.message import Request, Response, Routes, json_response
from tests.lab.identity.oauth import AuthorizationCodes, Refused, jwt, localhost, tokens
from tests.lab.identity.person import Person

ISSUER = "https://accounts.google.com"


class Google:
    """The authorization endpoint, the token endpoint, which takes multipart/form-data (RFC 7578), no news.

    When a login has failed, the program at once begins another, by way of auth.firebase.tools.
    """

    hosts = ("accounts.google.com", "auth.firebase.tools", "firebase-public.firebaseio.com")

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("Google", person, "/approve", localhost, pkce=False)
        host = self.hosts[0]
        self.routes: Routes = {
            (host, "GET", "/o/oauth2/auth"): self._codes.authorize,
            (host, "POST", "/approve"): self._codes.approve,
            (host, "POST", "/o/oauth2/token"): self._token,
            ("auth.firebase.tools", "POST", "/attest"): lambda _request: json_response(200, {"token": "lab"}),
            ("firebase-public.firebaseio.com", "GET", "/cli.json"): lambda _request: json_response(200, {}),
        }

    def _token(self, request: Request) -> Response:
        try:
            asked = self._codes.redeem(_fields(request))
        except Refused as refusal:
            return refusal.response
        id_token = jwt(iss=ISSUER, aud=asked.client_id, email_verified=True)
        return json_response(200, tokens(ISSUER, asked.scope, id_token=id_token))


def _fields(request: Request) -> dict[str, str]:
    """What the form says, whichever of the two ways it was encoded."""
    kind = request.headers.get("content-type", "")
    if not kind.startswith("multipart/form-data"):
        return request.form
    message = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + request.body)
    parts = {part.get_param("name", header="content-disposition"): part for part in message.walk()}
    return {str(name): str(part.get_payload()) for name, part in parts.items() if name is not None}
