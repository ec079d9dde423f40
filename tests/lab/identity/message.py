"""A request to a provider and its response, without the socket."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True)
class Request:
    """One HTTP request; `host` is the provider's name without a port."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def form(self) -> dict[str, str]:
        """The body as application/x-www-form-urlencoded."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is an empty one."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}


@dataclass(frozen=True)
class Response:
    """The answer; Content-Length is added when it is sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Request], Response]

Routes = dict[tuple[str, str, str], Handler]
"""What answers at (host, method, path); a path that ends in a slash stands for all below it, but for "/"."""


def find(routes: Routes, request: Request) -> Handler | None:
    """What answers a request, if anything does."""
    path = request.path
    while (handler := routes.get((request.host, request.method, path))) is None and path.count("/") > 1:
        path = path.rstrip("/").rpartition("/")[0] + "/"
    return handler if path == request.path or path != "/" else None


def json_response(status: int, value: object) -> Response:
    """`value` as JSON, never to be stored."""
    content = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return Response(status, json.dumps(value).encode(), content)


def redirect(address: str, parameters: Mapping[str, str]) -> Response:
    """302 to `address` with `parameters` added to its query."""
    separator = "&" if urlsplit(address).query else "?"
    location = f"{address}{separator}{urlencode(parameters)}"
    return Response(302, headers={"Location": location, "Cache-Control": "no-store"})


def page(title: str, text: str, extra: str = "", status: int = 200) -> Response:
    """A small page. `extra` is markup; `title` and `text` are text."""
    title, text = html.escape(title), html.escape(text)
    markup = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<body><h1>{title}</h1><p id="text">{text}</p>{extra}</body></html>\n'
    )
    headers = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"}
    return Response(status, markup.encode(), headers)
