"""The gate's judgement: which request may be delivered to the remote, and how it is rebuilt.

The callback listener on the remote may serve a single request in a single thread, and believes what it
is told. So a request is delivered only if it is the callback of the login in progress, and it is
rebuilt from the two things that matter, path and query: no cookie, header or body of the browser's
crosses over. An address that the person pastes, because the browser could not come here, is judged the
same way. Pure functions on one request head (RFC 9112 section 3), one address, one answer.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode, urlsplit

from hermes_tunnel.oauth.authorization import FIRST_PORT, LAST_PORT, LOOPBACK_HOSTS, Redirect

LONGEST_HEAD = 16 * 1024  # bytes
# RFC 3986 section 3.4, and what browsers leave as it is in a query (WHATWG URL, query percent-encode set).
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]\\^`{|}]*")
_LEFT_AS_IT_IS = re.compile(r"[\[\]\\^`{|}]")
# RFC 9110 section 5.5; bytes from 0x80 on are allowed, and cookies of other pages on localhost have them.
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")  # section 3.3
_CODE = re.compile(r"[A-Za-z0-9\-._~+/=]{4,4096}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ANSWERS = re.compile(r"(^|&)(code|error)=")
_ERROR_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Expected:
    """The callback that is waited for.

    :param redirect: where the browser was told to go; with an empty path, anywhere at that port
    :param state: what the callback must carry (RFC 6749 section 10.12); empty where nobody knows it: then
        any one will do
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


@dataclass(frozen=True)
class Stray:
    """The answer to another login: nothing is wrong with it but its state."""


Verdict = Deliver | Preflight | Reject | Stray


def judge_beginning(head: bytes | bytearray) -> Reject | None:
    """Whether it is plain before the end of a head that none will come of this: it is too long, or no HTTP.

    A browser that tries TLS first (a ClientHello begins with 0x16) goes on without it when it hears that.
    """
    if len(head) > LONGEST_HEAD:
        return Reject(400, "the request head is too long")
    return None if head[:1].isalpha() else Reject(400, "not a request")


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
    if path != (expected.redirect.path or path):
        return Reject(404, "another path")
    origin = ", ".join(headers.get("origin", []))  # two of them are nobody's (RFC 6454 section 7.3)
    if method == "OPTIONS" and origin in expected.origins:
        return Preflight(origin)
    if method != "GET":
        return Reject(404, "another method")
    return _judge_sender(headers, origin, expected) or _judge_answer(path, query, origin, expected)


def _judge_sender(headers: dict[str, list[str]], origin: str, expected: Expected) -> Reject | None:
    """A page may fetch the callback only if it is the provider's; anybody may be navigated to it."""
    if origin and origin not in expected.origins:
        return Reject(404, "a page of another origin")
    if not origin and headers.get("sec-fetch-mode", ["navigate"]) != ["navigate"]:
        return Reject(404, "not a navigation")
    return None


def _judge_answer(path: str, query: str, origin: str, expected: Expected) -> Deliver | Reject | Stray:
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
        return Reject(400, "characters that no address has")
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return Reject(400, "too many fields")
    states = fields.get("state", [])
    if len(states) != 1 or not states[0]:
        return Reject(404, "not one state")
    answers = fields.get("code", []) + fields.get("error", [])
    if len(answers) != 1 or not answers[0]:
        return Reject(400, "neither one code nor one error")
    if expected.state and not hmac.compare_digest(states[0].encode(), expected.state.encode()):
        return Stray()
    error = fields.get("error", [""])[0]
    return Deliver(
        rebuilt(path, query, expected.redirect),
        error if not error or _ERROR_NAME.fullmatch(error) else "an error without a proper name",
        origin,
    )


def rebuilt(path: str, query: str, redirect: Redirect) -> bytes:
    """The request for the remote's listener: these two things of the browser's, and nothing else."""
    query = _LEFT_AS_IT_IS.sub(lambda char: f"%{ord(char[0]):02X}", query)
    lines = (f"GET {path}?{query} HTTP/1.1", f"Host: {redirect.authority}", "Connection: close", "", "")
    return "\r\n".join(lines).encode("ascii")


def address_of(request: bytes) -> str:
    """The address that a rebuilt request stands for, as a browser shows it."""
    line, host, *_ = request.decode("ascii").split("\r\n")
    return f"http://{host.partition(' ')[2]}{line.split(' ')[1]}"


def judge_pasted(text: str, expected: Expected) -> Deliver | Reject | Stray:
    """Decide what becomes of what the person pasted: the address that their browser ended on, its query, or,
    where the ``state`` is known, the bare code that a page showed.

    :return: a ``Reject`` has a reason that the person can be told
    """
    text = text.strip()
    if len(text) > LONGEST_HEAD:
        return Reject(400, "it is far too long")
    if _SCHEME.match(text):
        try:
            redirect, query = pasted_address(text)
        except ValueError as problem:
            return Reject(400, str(problem))
        if redirect.port != expected.redirect.port:
            return Reject(404, f"it leads to port {redirect.port}, not to {expected.redirect.port}")
        if redirect.path != (expected.redirect.path or redirect.path):
            return Reject(404, f"its path is not {expected.redirect.path}")
        path = redirect.path
    else:
        path, query = expected.redirect.path, text.removeprefix("?")
        if not _ANSWERS.search(query):
            code, _, state = text.partition("#")  # some pages show both, joined like that
            if not expected.state or not _CODE.fullmatch(code):
                what = "neither an address of this machine nor a code"
                if not expected.state:
                    what = "no address of this machine, and a code is not enough where only the port is known"
                return Reject(400, f"it is {what}")
            query = urlencode({"code": code, "state": state or expected.state})
    return _judge_answer(path, query, "", expected)


def pasted_address(text: str) -> tuple[Redirect, str]:
    """Where a pasted callback address leads on this machine, and its query.

    :raises ValueError: it is no such address, and why, in words for the person
    """
    if not text.isascii():  # urlsplit takes long to normalize a host of many accents
        raise ValueError("it has characters that no address has")
    parts = urlsplit(text)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("it is not an http address of this machine")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("it has a user name or a fragment, which no callback has")
    try:
        port = parts.port or 80
    except ValueError:
        raise ValueError("it has no port that could be one") from None
    if not FIRST_PORT <= port <= LAST_PORT:
        raise ValueError(f"it leads to port {port}; a login uses {FIRST_PORT} to {LAST_PORT}")
    return Redirect(parts.hostname, port, parts.path or "/"), parts.query


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
