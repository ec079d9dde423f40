"""The stand-in Hermes' listener for the browser's callback, as easily upset as the real ones.

It has one thread and serves one connection at a time, so a silent connection keeps the callback out.
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

    :param loopback: the loopback of Hermes' machine
    :param path: the callback's path
    :param heard: called once there is an answer
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
        """Note what a request says; return the status to answer with."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path != self.path:
            return 404
        if not {"code", "error"} & query.keys():
            return 400
        self._said = query
        return 200

    def answered(self) -> None:
        """The browser has its page: tell whoever waits for the answer."""
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
        """Log nothing, as Hermes' listeners do."""
