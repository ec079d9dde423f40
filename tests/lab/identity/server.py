"""The https server behind all providers' names, and the plain http control interface."""

from __future__ import annotations

import ssl
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.lab.identity.message import Request, Response, find, json_response, page
from tests.lab.identity.person import Decision, Person
from tests.lab.identity.providers import routes

_LARGEST_BODY = 1 << 20


class Lab:
    """The providers, the person, and the log of requests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forgets requests, codes and the decision."""
        with self._lock:
            self._person = Person()
            self._routes = routes(self._person)
            self._log: list[dict[str, str]] = []

    def respond(self, request: Request) -> Response:
        """What the provider of the request's host answers."""
        with self._lock:
            self._log.append(
                {
                    "host": request.host,
                    "method": request.method,
                    "path": request.path,
                    "decision": self._person.decision.value,
                }
            )
            handler = find(self._routes, request)
            if handler is None:
                return page("Not found", f"{request.host}{request.path}", status=404)
            return handler(request)

    def control(self, request: Request) -> Response:
        """`POST /decision`, `GET /log`, `POST /reset`."""
        match request.method, request.path:
            case "POST", "/decision":
                try:
                    decision = Decision(request.json.get("decision"))
                except ValueError:
                    known = [decision.value for decision in Decision]
                    return json_response(400, {"error": "unknown decision", "known": known})
                with self._lock:
                    self._person.decision = decision
                return json_response(200, {"decision": decision.value})
            case "GET", "/log":
                with self._lock:
                    return json_response(200, list(self._log))
            case "POST", "/reset":
                self.reset()
                return json_response(200, {})
        return json_response(404, {"error": "POST /decision, GET /log or POST /reset"})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def _handle(self) -> None:
        address = urlsplit(self.path)
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > _LARGEST_BODY:
            self.send_error(413)
            return
        request = Request(
            method="GET" if self.command == "HEAD" else self.command,
            host=self.headers.get("Host", "").partition(":")[0].lower(),
            path=address.path,
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
        )
        assert isinstance(self.server, Server)
        response = self.server.respond(request)
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)

    do_GET = do_HEAD = do_POST = do_DELETE = _handle  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nothing on stderr: the log is what the control interface gives."""


class Server(ThreadingHTTPServer):
    """Answers every request with what `respond` returns; over TLS if there is a context."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self,
        address: tuple[str, int],
        respond: Callable[[Request], Response],
        context: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, _Handler)
        self.respond = respond
        if context:
            # The handshake is left to the request's own thread: a silent client holds nobody else up.
            self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that gives up a connection is nothing to report; anything else is shown."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)
