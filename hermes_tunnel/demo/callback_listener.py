"""The listener of the stand-in Hermes for the browser's callback, as easily upset as the real ones.

One thread, one connection at a time: a connection that says nothing keeps the callback out.
"""

from __future__ import annotations

from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hermes_tunnel.demo.loopback import ADDRESS, Loopback, LoopbackServer

_RECEIVED = b"<!doctype html><title>Hermes</title><p>Authorization received. You can close this tab.</p>"


class CallbackListener(LoopbackServer):
    """Listens within ``with``.

    :param loopback: the machine that Hermes is on
    :param path: of the callback
    :param heard: called when there is an answer
    """

    def __init__(self, loopback: Loopback, path: str, *, heard: Callable[[], None]) -> None:
        super().__init__(_Handler)
        self.path = path
        self.answer: dict[str, str] = {}
        self._said: dict[str, str] = {}
        self._heard = heard
        self._loopback = loopback
        self.there = loopback.bind(self.port)
        self.redirect_uri = f"http://{ADDRESS}:{self.there}{path}"

    def close(self) -> None:
        """Give the port back."""
        self._loopback.release(self.there)
        super().close()

    def hear(self, target: str) -> int:
        """What a request says; the status of the answer."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path != self.path:
            return 404
        if not {"code", "error"} & query.keys():
            return 400
        self._said = query
        return 200

    def answered(self) -> None:
        """The browser has its page; whoever waits is told."""
        if self._said and not self.answer:
            self.answer = self._said
            self._heard()


class _Handler(BaseHTTPRequestHandler):
    server: CallbackListener

    def do_GET(self) -> None:
        status = self.server.hear(self.path)
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(_RECEIVED if status == 200 else b"<!doctype html><p>Not the callback.</p>")
        self.server.answered()

    def log_message(self, *_: Any) -> None:
        """Hermes' listeners are silent too."""
