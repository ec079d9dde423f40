"""A complete authorization server on 127.0.0.1, which plays the provider without any account.

It has the authorization and token endpoints of RFC 6749, and the page that a person sees. When nobody is
there to look at a page, it can answer by itself.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hermes_tunnel.demo.authorization_page import Page, consent_page, message_page
from hermes_tunnel.demo.grants import AuthorizationRequest, Grants, InvalidRequest, TokenError
from hermes_tunnel.demo.loopback import ADDRESS, ThreadingLoopbackServer

_ACCOUNT = "you@example.com"  # who the person is here
_LARGEST_FORM = 16 * 1024  # bytes
_DENIED = {"error": "access_denied", "error_description": "The person denied access"}


class Answer(str, Enum):
    """The answer to a request for access."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True)
class Response:
    """The response to a browser or a client."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class AuthorizationServer(ThreadingLoopbackServer):
    """Serves within ``with``.

    :param clients: the registered clients: ``client_id``, and the name that the person is shown
    :param answer: what it answers without a page; None to ask the person
    """

    def __init__(self, clients: Mapping[str, str], answer: Answer | None = None) -> None:
        super().__init__(_Handler)
        self.origin = f"http://{ADDRESS}:{self.port}"
        self.authorization_endpoint = f"{self.origin}/authorize"
        self.token_endpoint = f"{self.origin}/token"
        self.grants = Grants(clients)
        self._answer = answer
        self._lock = threading.Lock()
        self._asked: dict[str, Callable[[Answer], Response]] = {}

    def respond(self, method: str, target: str, form: Mapping[str, str]) -> Response:
        """Answer one request."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self._lock:
            try:
                return self._route(f"{method} {parts.path}", query, form)
            except InvalidRequest as refusal:
                return show(400, message_page("This request cannot be answered", str(refusal)))
            except TokenError as error:
                return say(400, {"error": error.error, "error_description": error.description})

    def _route(self, route: str, query: Mapping[str, str], form: Mapping[str, str]) -> Response:
        if route == "GET /authorize":
            return self._authorize(self.grants.check_request(query))
        if route == "POST /answer":
            return self._answered(form)
        if route == "POST /token":
            return say(200, self.grants.redeem(form))
        return show(404, message_page("Page not found", "This demonstration has only a few pages."))

    def _authorize(self, request: AuthorizationRequest) -> Response:
        where = urlsplit(request.redirect_uri).netloc
        return self._ask(
            partial(self._redirect, request),
            client=self.grants.clients[request.client_id],
            scope=request.scope,
            detail=("Your answer goes to", f"{where}, your end of the tunnel"),
            redirect=request.redirect_origin,
        )

    def _ask(
        self,
        decide: Callable[[Answer], Response],
        *,
        client: str,
        scope: str,
        detail: tuple[str, str],
        redirect: str,
    ) -> Response:
        """Show the page that asks the person, or answer for them; ``decide`` gives the response to that."""
        if self._answer is not None:
            return decide(self._answer)
        handle = secrets.token_urlsafe(16)
        self._asked[handle] = decide
        page = consent_page(
            client=client,
            account=_ACCOUNT,
            scope=scope,
            detail=detail,
            action="/answer",
            request=handle,
            redirect=redirect,
        )
        return show(200, page)

    def _answered(self, form: Mapping[str, str]) -> Response:
        decide = self._asked.pop(form.get("request", ""), None)
        try:
            answer = Answer(form.get("answer"))
        except ValueError:
            raise InvalidRequest("Neither of the two buttons was pressed.") from None
        if decide is None:
            raise InvalidRequest("It has been answered already.")
        return decide(answer)

    def _redirect(self, request: AuthorizationRequest, answer: Answer) -> Response:
        approved = answer is Answer.APPROVE
        parameters = {"code": self.grants.issue_code(request)} if approved else _DENIED
        return Response(302, headers={"Location": request.answer(**parameters)})


def show(status: int, page: Page) -> Response:
    """Respond with a page for the person."""
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": page.content_security_policy,
    }
    return Response(status, page.body, headers)


def say(status: int, answer: Mapping[str, object]) -> Response:
    """Respond with JSON for the client."""
    return Response(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0, with one request on each connection, so none stays open that we would have to close."""

    server: AuthorizationServer

    def _respond(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_FORM:
            self.send_error(413)
            return
        # Refuse a page from elsewhere whose host name was made to resolve to this machine (DNS rebinding).
        if self.headers.get("Host") != urlsplit(self.server.origin).netloc:
            self.send_error(421)
            return
        form = dict(parse_qsl(self.rfile.read(int(length)).decode("utf-8", "replace")))
        response = self.server.respond(self.command, self.path, form)
        self.send_response(response.status)
        fixed = {
            "Content-Length": str(len(response.body)),
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        for name, value in {**response.headers, **fixed}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(response.body)

    do_GET = do_POST = _respond  # noqa: N815

    def version_string(self) -> str:
        """Give nothing away in the Server header."""
        return "demo"

    def log_message(self, *_: Any) -> None:
        """Log nothing: stderr is the person's, and the addresses contain codes."""
