"""Spotify: authorization code with PKCE; the application's owner registers the redirect."""

from __future__ import annotations

from tests.lab.identity.message import Request, Response, Routes, json_response, page
from tests.lab.identity.oauth import EMAIL, AuthorizationCodes, Refused, loopback, tokens
from tests.lab.identity.person import Person


def _me(_request: Request) -> Response:
    return json_response(200, {"id": "lab-user", "email": EMAIL})


def _dashboard(_request: Request) -> Response:
    return page("Spotify for Developers", "Register an application here.")


class Spotify:
    """Accounts, and the dashboard page that Hermes names at the first login."""

    hosts = ("accounts.spotify.com", "api.spotify.com", "developer.spotify.com")

    def __init__(self, person: Person) -> None:
        self._codes = AuthorizationCodes("Spotify", person, "/approve", loopback)
        self.routes: Routes = {
            ("accounts.spotify.com", "GET", "/authorize"): self._codes.authorize,
            ("accounts.spotify.com", "POST", "/approve"): self._codes.approve,
            ("accounts.spotify.com", "POST", "/api/token"): self._token,
            ("api.spotify.com", "GET", "/v1/me"): _me,
            ("developer.spotify.com", "GET", "/dashboard"): _dashboard,
        }

    def _token(self, request: Request) -> Response:
        try:
            asked = self._codes.redeem(request.form)
        except Refused as refusal:
            return refusal.response
        return json_response(200, tokens("https://accounts.spotify.com", asked.scope))
