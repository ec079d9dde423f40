"""The gate's judgement: which request may be delivered to the remote, and what the browser is told.

The callback listener on the remote may serve a single request in a single thread, and believes what it
is told. So a request is delivered only if it is the callback of the login in progress, and it is
rebuilt from the two things that matter, path and query: no cookie, header or body of the browser's
crosses over. Pure functions on one request head (RFC 9112 section 3) and one answer.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from hermes_tunnel.oauth.authorization import LOOPBACK_HOSTS, Redirect

LONGEST_HEAD = 16 * 1024  # bytes
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]*")  # RFC 3986 section 3.4
# RFC 9110 section 5.5; bytes from 0x80 on are allowed, and cookies of other pages on localhost have them.
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_ERROR_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Expected:
    """The callback that is waited for.

    :param redirect: where the browser was told to go
    :param state: what the callback must carry (RFC 6749 section 10.12)
    :param origins: web origins whose pages may fetch the callback (WHATWG Fetch, CORS)
    """

    redirect: Redirect
    state: str = field(repr=False)
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Deliver:
    """The callback: ``request`` goes to the remote's listener, and ``error`` is what it says, if it does.

    ``origin`` is the page that fetched it, to be told to its browser; empty when it navigated.
    """

    request: bytes = field(repr=False)
    error: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Preflight:
    """A provider's page asks whether it may fetch the callback; answered here."""

    origin: str


@dataclass(frozen=True)
class Reject:
    """Not the callback; ``reason`` is for the log and has no value from the request in it."""

    status: int
    reason: str


Verdict = Deliver | Preflight | Reject


def judge(head: bytes, expected: Expected) -> Verdict:
    """Decide what becomes of one request.

    :param head: the request up to and including the blank line; without one it is incomplete
    :param expected: the callback of the login in progress
    """
    request = _parse(head)
    if request is None:
        return Reject(400, "not a request")
    method, path, query, headers = request
    if not _is_here(headers.get("host", []), expected.redirect):
        return Reject(404, "the Host is not this address")
    if path != expected.redirect.path:
        return Reject(404, "another path")
    origin = headers.get("origin", [""])[0]
    if method == "OPTIONS" and origin in expected.origins:
        return Preflight(origin)
    if method != "GET":
        return Reject(404, "another method")
    rejected = _judge_sender(headers, origin, expected)
    return rejected or _judge_query(query, origin, expected)


def _judge_sender(headers: dict[str, list[str]], origin: str, expected: Expected) -> Reject | None:
    """A page may fetch the callback only if it is the provider's; anybody may be navigated to it."""
    if origin and origin not in expected.origins:
        return Reject(404, "a page of another origin")
    if not origin and headers.get("sec-fetch-mode", ["navigate"]) != ["navigate"]:
        return Reject(404, "not a navigation")
    return None


def _judge_query(query: str, origin: str, expected: Expected) -> Verdict:
    if not _QUERY.fullmatch(query):
        return Reject(400, "characters that no query has")
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return Reject(400, "too many fields")
    states = fields.get("state", [])
    if len(states) != 1 or not hmac.compare_digest(states[0].encode(), expected.state.encode()):
        return Reject(404, "another state")
    answers = fields.get("code", []) + fields.get("error", [])
    if len(answers) != 1 or not answers[0]:
        return Reject(400, "neither one code nor one error")
    redirect = expected.redirect
    request = (
        f"GET {redirect.path}?{query} HTTP/1.1\r\nHost: {redirect.authority}\r\nConnection: close\r\n\r\n"
    )
    error = fields.get("error", [""])[0]
    return Deliver(
        request.encode("ascii"),
        error if not error or _ERROR_NAME.fullmatch(error) else "an error without a proper name",
        origin,
    )


def _parse(head: bytes) -> tuple[str, str, str, dict[str, list[str]]] | None:
    """Method, path, query and headers by lower-case name; None if this is no HTTP/1 request head."""
    try:
        request_line, *lines = head.decode("latin-1").split("\r\n\r\n", 1)[0].split("\r\n")
        method, target, version = request_line.split(" ")
    except ValueError:
        return None
    if not target.startswith("/") or version not in ("HTTP/1.1", "HTTP/1.0") or b"\r\n\r\n" not in head:
        return None
    headers: dict[str, list[str]] = {}
    for line in lines:
        match = _HEADER.fullmatch(line)
        if match is None:
            return None
        headers.setdefault(match[1].lower(), []).append(match[2].strip(" \t"))
    path, _, query = target.partition("?")
    return method, path, query, headers


def _is_here(hosts: list[str], redirect: Redirect) -> bool:
    """Whether the one Host names this address in one of the ways a browser may.

    A name that merely resolves to this machine (DNS rebinding) is none of them.
    """
    names = {Redirect(host, redirect.port, "/").authority for host in LOOPBACK_HOSTS}
    return len(hosts) == 1 and hosts[0].lower() in names


def status_of(answer: bytes) -> int | None:
    """The status code at the start of what the remote's listener answered (RFC 9112 section 4)."""
    match = re.match(rb"HTTP/1\.[01] ([1-5][0-9][0-9])(?:[ \r\n]|\Z)", answer)
    return int(match[1]) if match else None


def preflight_response(preflight: Preflight) -> bytes:
    """The permission for a provider's page to fetch the callback (Fetch; Private Network Access)."""
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
    """One of our own pages as an answer.

    :param policy: its Content-Security-Policy
    :param origin: the provider's page that may read it, if it fetched
    """
    allowed = (f"Access-Control-Allow-Origin: {origin}", "Vary: Origin") if origin else ()
    headers = ("Content-Type: text/html; charset=utf-8", f"Content-Security-Policy: {policy}", *allowed)
    return _response(status, page, headers)


def reject_response(reject: Reject) -> bytes:
    """The same few words for whatever is not the callback, so that a probe learns nothing."""
    return _response(reject.status, b"not found\n", ("Content-Type: text/plain",))


def _response(status: int, body: bytes, headers: tuple[str, ...]) -> bytes:
    reason = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found", 408: "Request Timeout"}
    lines = (
        f"HTTP/1.1 {status} {reason.get(status, 'Answered')}",
        *headers,
        *(() if status == 204 else (f"Content-Length: {len(body)}",)),
        "Cache-Control: no-store",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
        "Connection: close",
    )
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body
