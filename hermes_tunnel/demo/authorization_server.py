"""A complete authorization server on 127.0.0.1: what a provider is to Hermes, without an account.

Its endpoints are those of RFC 6749 (authorization, token), RFC 8628 (device authorization) and the
pages that a person sees. It can answer by itself, for runs in which nobody looks at a page.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hermes_tunnel.demo.authorization_page import Page, code_page, consent_page, message_page
from hermes_tunnel.demo.grants import (
    DEVICE_LIFETIME,
    AuthorizationRequest,
    DeviceRequest,
    Grants,
    InvalidRequest,
    TokenError,
)
from hermes_tunnel.demo.loopback import ADDRESS, ThreadingLoopbackServer

_LARGEST_FORM = 16 * 1024  # bytes
_DENIED = {"error": "access_denied", "error_description": "The person denied access"}


class Answer(str, Enum):
    """The answer to a request for access."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True)
class _Response:
    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class AuthorizationServer(ThreadingLoopbackServer):
    """Serves within ``with``.

    :param clients: the registered clients, ``client_id`` to the name that the person is shown
    :param answer: what it answers by itself, without a page; None to ask the person
    :param account: who the person is here
    :param interval: seconds between two polls of a device (RFC 8628 section 3.2)
    """

    def __init__(
        self,
        clients: Mapping[str, str],
        answer: Answer | None = None,
        account: str = "you@example.com",
        interval: int = 1,
    ) -> None:
        super().__init__(_Handler)
        self.origin = f"http://{ADDRESS}:{self.port}"
        self.authorization_endpoint = f"{self.origin}/authorize"
        self.token_endpoint = f"{self.origin}/token"
        self.device_authorization_endpoint = f"{self.origin}/device/code"
        self.verification_uri = f"{self.origin}/device"
        self.grants = Grants(clients)
        self._answer = answer
        self._account = account
        self._interval = interval
        self._lock = threading.Lock()
        self._asked: dict[str, AuthorizationRequest | DeviceRequest] = {}

    def respond(self, method: str, target: str, form: Mapping[str, str]) -> _Response:
        """Answer one request."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        with self._lock:
            try:
                return self._route(f"{method} {parts.path}", query, form)
            except InvalidRequest as refusal:
                return _show(400, message_page("This request cannot be answered", str(refusal)))
            except TokenError as error:
                return _say(400, {"error": error.error, "error_description": error.description})

    def _route(self, route: str, query: Mapping[str, str], form: Mapping[str, str]) -> _Response:
        if route == "GET /authorize":
            return self._authorize(self.grants.check_request(query))
        if route == "GET /device":
            return self._verify(query.get("user_code", ""))
        if route == "POST /answer":
            return self._answered(form)
        if route == "POST /token":
            return _say(200, self.grants.redeem(form))
        if route == "POST /device/code":
            return self._device(self.grants.issue_device(form))
        return _show(404, message_page("There is no such page", "The demonstration has only a few."))

    def _authorize(self, request: AuthorizationRequest) -> _Response:
        where = urlsplit(request.redirect_uri).netloc
        return self._ask(request, ("Your answer goes to", f"{where}, your end of the tunnel"))

    def _device(self, device: DeviceRequest) -> _Response:
        answer = {
            "device_code": device.device_code,
            "user_code": device.user_code,
            "verification_uri": self.verification_uri,
            "verification_uri_complete": f"{self.verification_uri}?user_code={device.user_code}",
            "expires_in": DEVICE_LIFETIME,
            "interval": self._interval,
        }
        return _say(200, answer)

    def _verify(self, user_code: str) -> _Response:
        if not user_code:
            return _show(200, code_page("/device"))
        device = self.grants.find_device(user_code)
        if device is None:
            raise InvalidRequest("This code is unknown here, or was used, or has expired.")
        return self._ask(device, ("The code in your terminal must be", device.user_code))

    def _ask(self, request: AuthorizationRequest | DeviceRequest, detail: tuple[str, str]) -> _Response:
        if self._answer is not None:
            return self._decide(request, self._answer)
        handle = secrets.token_urlsafe(16)
        self._asked[handle] = request
        page = consent_page(
            client=self.grants.clients[request.client_id],
            account=self._account,
            scope=request.scope or "Act in your name",
            detail=detail,
            action="/answer",
            request=handle,
            redirect=request.redirect_origin if isinstance(request, AuthorizationRequest) else "",
        )
        return _show(200, page)

    def _answered(self, form: Mapping[str, str]) -> _Response:
        request = self._asked.pop(form.get("request", ""), None)
        try:
            answer = Answer(form.get("answer"))
        except ValueError:
            raise InvalidRequest("Neither of the two buttons was pressed.") from None
        if request is None:
            raise InvalidRequest("It was answered before.")
        return self._decide(request, answer)

    def _decide(self, request: AuthorizationRequest | DeviceRequest, answer: Answer) -> _Response:
        approved = answer is Answer.APPROVE
        if isinstance(request, AuthorizationRequest):
            parameters = {"code": self.grants.issue_code(request)} if approved else _DENIED
            return _Response(302, headers={"Location": request.answer(**parameters)})
        request.approved = approved
        if approved:
            return _show(200, message_page("Your device is connected", "You can go back to the terminal."))
        return _show(200, message_page("Access was denied", "Hermes was told so. You can close this page."))


def _show(status: int, page: Page) -> _Response:
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": page.content_security_policy,
    }
    return _Response(status, page.body, headers)


def _say(status: int, answer: Mapping[str, object]) -> _Response:
    return _Response(status, json.dumps(answer).encode(), {"Content-Type": "application/json"})


class _Handler(BaseHTTPRequestHandler):
    """HTTP/1.0, one request a connection: nothing is kept open that would have to be ended."""

    server: AuthorizationServer

    def _respond(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_FORM:
            self.send_error(413)
            return
        # A page elsewhere whose name resolves to this machine has no business here.
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
        """No Server header worth reading."""
        return "demo"

    def log_message(self, *_: Any) -> None:
        """Keep stderr, which is the person's, and the codes in these addresses to themselves."""
