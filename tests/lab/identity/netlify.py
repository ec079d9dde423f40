"""Netlify: a ticket, which the person authorizes on a page; the program polls until they have."""

from __future__ import annotations

import secrets

from tests.lab.identity.message import Request, Response, Routes, json_response, page
from tests.lab.identity.oauth import EMAIL
from tests.lab.identity.person import Decision, Person

API = "api.netlify.com"
TICKETS = "/api/v1/oauth/tickets"


class Netlify:
    """Tickets instead of OAuth: no client, no redirect and no code in the address of the page."""

    hosts = ("app.netlify.com", API)

    def __init__(self, person: Person) -> None:
        self._person = person
        self._tickets: dict[str, bool] = {}
        self.routes: Routes = {
            (API, "POST", TICKETS): self._create,
            (API, "GET", f"{TICKETS}/"): self._shown,
            (API, "POST", f"{TICKETS}/"): self._exchange,
            ("app.netlify.com", "GET", "/authorize"): self._visit,
            (API, "GET", "/api/v1/user"): self._user,
            (API, "GET", "/api/v1/accounts"): lambda _request: json_response(200, []),
        }

    def _create(self, _request: Request) -> Response:
        ticket = secrets.token_hex(16)
        self._tickets[ticket] = False
        return json_response(201, {"id": ticket, "authorized": False})

    def _visit(self, request: Request) -> Response:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets:
            return page("Netlify: gone", "This ticket is unknown.", status=404)
        if self._person.decision is Decision.DENY:
            return page("Netlify: denied", "Access was denied.")
        self._tickets[ticket] = self._person.decision is not Decision.HANG
        return page("Netlify: authorized", "You can return to your terminal.")

    def _shown(self, request: Request) -> Response:
        ticket = request.path.removeprefix(f"{TICKETS}/")
        if ticket not in self._tickets:
            return json_response(404, {"code": 404, "message": "Not Found"})
        return json_response(200, {"id": ticket, "authorized": self._tickets[ticket]})

    def _exchange(self, request: Request) -> Response:
        ticket = request.path.removeprefix(f"{TICKETS}/").removesuffix("/exchange")
        if not self._tickets.pop(ticket, False):
            return json_response(401, {"code": 401, "message": "The ticket is not authorized"})
        return json_response(201, {"access_token": f"nfp_{secrets.token_hex(16)}", "user_id": "lab-user"})

    def _user(self, request: Request) -> Response:
        if not request.headers.get("authorization", "").startswith("Bearer nfp_"):
            return json_response(401, {"code": 401, "message": "Unauthorized"})
        return json_response(200, {"id": "lab-user", "email": EMAIL, "full_name": "Lab User"})
