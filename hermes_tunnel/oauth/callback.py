"""The gate's judgement: which request to deliver to the remote, and how to rebuild it.

The callback listener on the remote may serve a single request in a single thread, and believes what it
is told. So we deliver a request only if it is the callback of the login in progress, and rebuild it from
the two things that matter, path and query: none of the browser's cookies, headers or body cross over. We
judge an address that the person pastes, because the browser could not come here, the same way. Pure
functions on one request head (RFC 9112 section 3), one address, one answer.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import parse_qs, urlencode, urlsplit

from hermes_tunnel.oauth.authorization import FIRST_PORT, LAST_PORT, LOOPBACK_HOSTS, Redirect
from hermes_tunnel.oauth.pasted import LONGEST_PASTE, is_address, unwrapped

# Cookies of every page on localhost come with the callback, whatever its port (RFC 6265 section 8.5).
LONGEST_HEAD = 256 * 1024  # bytes
LONGEST_TARGET = 16 * 1024  # bytes of path and query, all that crosses over
_TLS_HANDSHAKE = 0x16  # RFC 8446 section 5.1: the first byte of a ClientHello
# RFC 3986 section 3.4, and what browsers leave unencoded in a query (WHATWG URL, query percent-encode set).
_QUERY = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=:@/?%\[\]\\^`{|}]*")
_LEFT_AS_IT_IS = re.compile(r"[\[\]\\^`{|}]")
# RFC 9110 section 5.5; bytes from 0x80 up are allowed, and cookies of other pages on localhost contain them.
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")
_PATH = re.compile(r"/[A-Za-z0-9\-._~!$&'()*+,;=:@/%]*")  # section 3.3
_CODE = re.compile(r"[\x21-\x7e]{4,4096}")  # RFC 6749 appendix A.11, except the space
_ANSWERS = re.compile(r"(^|&)(code|error)=")
_PARAMETER = re.compile(r"[?&](code|error|state|client_id|redirect_uri)=")
_ERROR_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True)
class Expected:
    """The callback we are waiting for.

    :param redirect: where the browser was told to go; with an empty path, anywhere at that port
    :param state: what the callback must carry (RFC 6749 section 10.12); empty if nobody knows it: then
        any one will do
    :param origins: web origins whose pages may fetch the callback (WHATWG Fetch, CORS)
    """

    redirect: Redirect
    state: str = field(repr=False)
    origins: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Deliver:
    """The callback: ``request`` goes to the remote's listener; ``error`` is the error it carries, if any.

    ``origin`` is the page that fetched it, which our answer must name; empty if the browser navigated.
    """

    request: bytes = field(repr=False)
    error: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Preflight:
    """A provider's page asks whether it may fetch the callback; we answer that here."""

    origin: str


class Amiss(str, Enum):
    """What came to the callback's port and is not the callback, but is worth telling the person."""

    ANOTHER_LOGIN = "stray"
    """Its state is that of another login."""
    NAMELESS_DENIAL = "unclear_denial"
    """It says no without a state, so nobody knows which login it is for."""
    INCOMPLETE = "incomplete"
    """The browser came to the right place, but without a state, or without one code or one error."""
    TLS = "tls"
    """The browser speaks TLS: something turned the address into https."""
    TOO_LONG = "too_long"
    FETCHED = "fetched"
    """The right answer, but an image, a script or a page of another origin brought it."""
    ELSEWHERE = "elsewhere"
    """The right answer, at another path or under another name of this machine."""
    OTHER_METHOD = "other_method"
    """The right answer, or a form that may hold it, but not by GET."""


@dataclass(frozen=True)
class Reject:
    """Not the callback; ``reason`` is for the log and quotes nothing from the request.

    :param amiss: what to tell the person about it, if anything
    :param error: the error that a nameless denial carries
    """

    status: int
    reason: str
    amiss: Amiss | None = None
    error: str = ""


@dataclass(frozen=True)
class Stray:
    """The answer to another login: only its state is wrong."""


Verdict = Deliver | Preflight | Reject | Stray


def judge_beginning(head: bytes | bytearray) -> Reject | None:
    """Reject, before its end, what cannot become a request head: it is too long, or it is not HTTP.

    A browser that tries TLS first (a ClientHello begins with 0x16) goes on without it when it hears that.
    """
    if len(head) > LONGEST_HEAD:
        return Reject(400, "the request head is too long", Amiss.TOO_LONG)
    if head[:1].isalpha():
        return None
    return Reject(400, "not a request", Amiss.TLS if head[0] == _TLS_HANDSHAKE else None)


def judge(head: bytes, expected: Expected) -> Verdict:
    """Decide what to do with one request.

    :param head: the request up to and including the blank line; without that it is incomplete
    :param expected: the callback of the login in progress
    """
    request = _parse(head)
    if request is None:
        return Reject(400, "not a request")
    method, path, query, headers = request
    origin = ", ".join(headers.get("origin", []))  # two together match no one (RFC 6454 section 7.3)
    refused = _judge_place(headers, path, expected)
    if refused is None and method == "OPTIONS" and origin in expected.origins:
        return Preflight(origin)
    is_form = refused is None and method == "POST" and bool(expected.redirect.path)
    refused = refused or _judge_sender(method, headers, origin, expected)
    if refused is None and len(path) + len(query) > LONGEST_TARGET:
        refused = Reject(414, "the address is too long", Amiss.TOO_LONG)
    answer = _judge_answer(path, query, origin, expected)
    if refused is None:
        return answer
    return refused if isinstance(answer, Deliver) or is_form else replace(refused, amiss=None)


def _judge_place(headers: dict[str, list[str]], path: str, expected: Expected) -> Reject | None:
    if not _is_here(headers.get("host", []), expected.redirect):
        return Reject(404, "the Host is not this address", Amiss.ELSEWHERE)
    if path != (expected.redirect.path or path):
        return Reject(404, "a different path", Amiss.ELSEWHERE)
    return None


def _judge_sender(
    method: str, headers: dict[str, list[str]], origin: str, expected: Expected
) -> Reject | None:
    """Only the provider's page may fetch the callback; anyone may navigate to it."""
    if origin and origin not in expected.origins and method != "POST":  # any page may send a form
        return Reject(404, "a page of another origin", Amiss.FETCHED)
    if method != "GET":
        return Reject(404, "a method other than GET", Amiss.OTHER_METHOD)
    if not origin and headers.get("sec-fetch-mode", ["navigate"]) != ["navigate"]:
        return Reject(404, "not a navigation", Amiss.FETCHED)
    return None


def _judge_answer(path: str, query: str, origin: str, expected: Expected) -> Deliver | Reject | Stray:
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query):
        return Reject(400, "characters that no address has")
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return Reject(400, "too many fields")
    states = fields.get("state", [])
    error = fields.get("error", [""])[0]
    name = error if not error or _ERROR_NAME.fullmatch(error) else "an error without a proper name"
    answers = fields.get("code", []) + fields.get("error", [])
    incomplete = Amiss.INCOMPLETE if expected.redirect.path or answers else None
    if len(states) != 1 or not states[0]:
        nameless = bool(error) and not any(states) and "code" not in fields
        return Reject(404, "not one state", Amiss.NAMELESS_DENIAL if nameless else incomplete, name)
    if len(answers) != 1 or not answers[0]:
        return Reject(400, "neither one code nor one error", incomplete)
    if expected.state and not hmac.compare_digest(states[0].encode(), expected.state.encode()):
        return Stray()
    return Deliver(rebuilt(path, query, expected.redirect), name, origin)


def rebuilt(path: str, query: str, redirect: Redirect) -> bytes:
    """The request for the remote's listener: the browser's path and query, and nothing else of its own."""
    query = _LEFT_AS_IT_IS.sub(lambda char: f"%{ord(char[0]):02X}", query)
    lines = (f"GET {path}?{query} HTTP/1.1", f"Host: {redirect.authority}", "Connection: close", "", "")
    return "\r\n".join(lines).encode("ascii")


def address_of(request: bytes) -> str:
    """The address of a rebuilt request, as a browser shows it."""
    line, host, *_ = request.decode("ascii").split("\r\n")
    return f"http://{host.partition(' ')[2]}{line.split(' ')[1]}"


def judge_pasted(text: str, expected: Expected) -> Deliver | Reject | Stray:
    """Decide what to do with what the person pasted: the address that their browser ended on, its query or,
    if the ``state`` is known, the bare code that a page showed.

    :return: a ``Reject`` gives a reason we can tell the person
    """
    if len(text) > LONGEST_PASTE:
        return Reject(400, "it is far too long")
    text = unwrapped(text)
    if is_address(text):
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
            try:
                query = _query_of_a_code(text, expected.state)
            except ValueError as problem:
                return Reject(400, str(problem))
    return _judge_answer(path, query, "", expected)


def _query_of_a_code(text: str, state: str) -> str:
    """The query that brings a bare code; some pages show code and state, joined by a hash."""
    if _PARAMETER.search(text):  # a code may look like anything, but this would be the login's only one
        raise ValueError("it is another machine's address, or only a part of one")
    if not state:
        raise ValueError("it is not an address of this machine; with the port alone, a code is not enough")
    code, _, shown = text.partition("#")
    if not _CODE.fullmatch(code):
        raise ValueError("it is neither an address of this machine nor a code")
    return urlencode({"code": code, "state": shown or state})


def pasted_address(text: str) -> tuple[Redirect, str]:
    """Where a pasted callback address leads on this machine, and its query.

    It may say https: some browsers turn every address into that, and then cannot open it.

    :param text: as ``unwrapped`` returns it
    :raises ValueError: it is not such an address; says why, in words for the person
    """
    if not text.isascii():  # urlsplit is slow to normalize a host full of accents
        raise ValueError("it has characters that no address has")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or parts.hostname not in LOOPBACK_HOSTS:
        raise ValueError("it is not an http address of this machine")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("it has a user name or a fragment, which no callback has")
    try:
        port = parts.port or 80
    except ValueError:
        raise ValueError("its port is not a port number") from None
    if not FIRST_PORT <= port <= LAST_PORT:
        raise ValueError(f"it leads to port {port}; a login uses {FIRST_PORT} to {LAST_PORT}")
    return Redirect(parts.hostname, port, parts.path or "/"), parts.query


def _parse(head: bytes) -> tuple[str, str, str, dict[str, list[str]]] | None:
    """Method, path, query and headers by lower-case name; None if this is not an HTTP/1 request head."""
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
    """Whether there is one Host and it names this address as a browser may.

    A name that merely resolves to this machine (DNS rebinding) does not.
    """
    names = {Redirect(host, redirect.port, "/").authority for host in LOOPBACK_HOSTS}
    return len(hosts) == 1 and hosts[0].lower() in names
