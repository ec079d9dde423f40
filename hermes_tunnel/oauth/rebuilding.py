"""The request that goes to the remote's listener: rebuilt, so that nothing of the browser's crosses over but
what the listener waits for.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from hermes_tunnel.oauth.authorization import Redirect

FORM = "application/x-www-form-urlencoded"
BYTE_BY_BYTE = "latin-1"
"""How the values of a form are read and written: only the program knows the encoding of the page."""
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")  # RFC 3986 section 3.3
# Section 3.4, and what browsers leave unencoded in a query (WHATWG URL, query percent-encode set).
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]\\^`{|}]*")
_LEFT_AS_IT_IS = re.compile(r"[\[\]\\^`{|}]")


def may_stand(path: str, query: str) -> bool:
    """Whether path and query have only characters that a request line of a browser has."""
    return bool(_PATH.fullmatch(path) and _QUERY.fullmatch(query))


def rebuilt(path: str, query: str, redirect: Redirect) -> bytes:
    """A GET request: the browser's path and query, and nothing else of its own."""
    query = _LEFT_AS_IT_IS.sub(lambda char: f"%{ord(char[0]):02X}", query)
    target = f"{path}?{query}" if query else path
    return _head(f"GET {target}", redirect)


def rebuilt_form(fields: list[tuple[str, str]], redirect: Redirect) -> bytes:
    """A POST request with a form of these fields, read ``BYTE_BY_BYTE``; without a line end."""
    body = urlencode(fields, encoding=BYTE_BY_BYTE).encode("ascii")
    more = (f"Content-Type: {FORM}", f"Content-Length: {len(body)}")
    return _head(f"POST {redirect.path or '/'}", redirect, *more) + body


def _head(first: str, redirect: Redirect, *more: str) -> bytes:
    lines = (f"{first} HTTP/1.1", f"Host: {redirect.authority}", "Connection: close", *more, "", "")
    return "\r\n".join(lines).encode("ascii")


def is_form(request: bytes) -> bool:
    """Whether a rebuilt request has a body."""
    return request.startswith(b"POST ")


def address_of(request: bytes) -> str:
    """The address of a rebuilt request, as a browser shows it."""
    line, host, *_ = request.decode("ascii").split("\r\n")
    return f"http://{host.partition(' ')[2]}{line.split(' ')[1]}"
