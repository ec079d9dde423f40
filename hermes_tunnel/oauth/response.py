"""What we answer the browser at the callback's port (RFC 9112): our pages, and permission to fetch."""

from __future__ import annotations

from hermes_tunnel.oauth.callback import Preflight, Reject

_PHRASES = {  # RFC 9110 section 15; RFC 6585 section 5
    200: "OK",
    204: "No Content",
    302: "Found",
    400: "Bad Request",
    404: "Not Found",
    408: "Request Timeout",
    413: "Content Too Large",
    414: "URI Too Long",
    431: "Request Header Fields Too Large",
}


def preflight_response(preflight: Preflight) -> bytes:
    """Permission for a provider's page to fetch the callback (Fetch; Private Network Access)."""
    return _response(
        204,
        b"",
        (
            f"Access-Control-Allow-Origin: {preflight.origin}",
            "Access-Control-Allow-Methods: GET",
            "Access-Control-Allow-Headers: *",
            "Access-Control-Allow-Private-Network: true",
            "Vary: Origin",
        ),
    )


def page_response(status: int, page: bytes, policy: str, *, origin: str = "") -> bytes:
    """An answer with one of our own pages.

    :param policy: its Content-Security-Policy
    :param origin: the provider's page that may read it, if that fetched it
    """
    allowed = (f"Access-Control-Allow-Origin: {origin}", "Vary: Origin") if origin else ()
    headers = ("Content-Type: text/html; charset=utf-8", f"Content-Security-Policy: {policy}", *allowed)
    return _response(status, page, headers)


def onward_response(url: str) -> bytes:
    """The browser goes on to a page that may be opened."""
    return _response(302, b"", (f"Location: {url}",))


def reject_response(reject: Reject) -> bytes:
    """The same few words for anything but the callback, so that a probe learns nothing."""
    return _response(reject.status, b"not found\n", ("Content-Type: text/plain",))


def _response(status: int, body: bytes, headers: tuple[str, ...]) -> bytes:
    lines = (
        f"HTTP/1.1 {status} {_PHRASES[status]}",
        *headers,
        *(() if status == 204 else (f"Content-Length: {len(body)}",)),
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body
