"""The gate's judgement: which request to deliver to the remote.

The callback listener on the remote may serve a single request in a single thread, and believes what it
is told. So we deliver a request only if it is the callback of the login in progress, and rebuild it
(``rebuilding``) from what matters: none of the browser's cookies, headers or other parameters of a form cross
over. What the person pastes, because the browser could not come here, is judged by the same rules
(``pasted``), and so is what a browser posts (``form_post``). Pure functions on one request head.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from urllib.parse import parse_qs

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.rebuilding import FORM, may_stand, rebuilt
from hermes_tunnel.oauth.request_head import RequestHead, parse

# Cookies of every page on localhost come with the callback, whatever its port (RFC 6265 section 8.5).
LONGEST_HEAD = 256 * 1024  # bytes
LONGEST_TARGET = 16 * 1024  # bytes of path and query, all that crosses over
LONGEST_FORM = 64 * 1024  # bytes
ANSWERS = ("code", "error")
"""What answers an authorization request (RFC 6749 sections 4.1.2 and 4.1.2.1)."""
ANSWERS_WITHOUT_STATE = (
    *ANSWERS,
    "access_token",  # RFC 6749 section 4.2.2, sent in the query
    "id_token",  # OpenID Connect Core 1.0 section 3.2.2.5, sent in the query
    "token",  # what a program calls an access token that its own service makes
    "jwt",  # RFC 7519: Turso's
    "session_secret",  # Expo's
    "ticket",  # CAS protocol 3.0 section 2.2.4
    "oauth_verifier",  # RFC 5849 section 2.2
)
"""What brings a login that has no ``state`` to its end: nothing else is let through."""
_TLS_HANDSHAKE = 0x16  # RFC 8446 section 5.1: the first byte of a ClientHello
_ERROR_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_LENGTH = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Expected:
    """The callback we are waiting for.

    :param redirect: where the browser was told to go; with an empty path, anywhere at that port
    :param state: what the callback must carry (RFC 6749 section 10.12); empty if nobody knows it: then
        any one will do
    :param origins: web origins whose pages may fetch the callback (WHATWG Fetch, CORS)
    :param without_state: whether the request had none, so that the callback has none either
    :param form_post: whether the request asked for ``response_mode=form_post``
    """

    redirect: Redirect
    state: str = field(repr=False)
    origins: frozenset[str] = frozenset()
    without_state: bool = False
    form_post: bool = False


@dataclass(frozen=True)
class Deliver:
    """The callback: ``request`` goes to the remote's listener; ``error`` is the error it carries, if any.

    ``origin`` is the page that fetched it, which our answer must name; empty if the browser navigated.
    ``secrets`` are the parts that nobody may be shown.
    """

    request: bytes = field(repr=False)
    error: str = ""
    origin: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Form:
    """The head of a form that may be the callback: ``length`` bytes follow, for ``form_post`` to judge."""

    length: int


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


Verdict = Deliver | Form | Preflight | Reject | Stray


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
    request = parse(head)
    if request is None:
        return Reject(400, "not a request")
    refused = _judge_place(request, expected)
    if refused is None and request.method == "OPTIONS" and _may_fetch(request, expected):
        return Preflight(request.origin)
    is_form = refused is None and request.method == "POST" and bool(expected.redirect.path)
    if is_form and expected.form_post and not expected.without_state:
        return _judge_form(request, expected)
    refused = refused or _judge_sender(request, expected)
    if refused is None and len(request.path) + len(request.query) > LONGEST_TARGET:
        refused = Reject(414, "the address is too long", Amiss.TOO_LONG)
    answer = judge_address(request.path, request.query, expected, fetched_by=request.origin)
    if refused is None:
        return answer
    return refused if isinstance(answer, Deliver) or is_form else replace(refused, amiss=None)


def _judge_place(request: RequestHead, expected: Expected) -> Reject | None:
    if not request.is_for(expected.redirect):
        return Reject(404, "the Host is not this address", Amiss.ELSEWHERE)
    if request.path != (expected.redirect.path or request.path):
        return Reject(404, "a different path", Amiss.ELSEWHERE)
    return None


def _may_fetch(request: RequestHead, expected: Expected) -> bool:
    """Only the provider's page may fetch the callback; without a state not even that."""
    return request.origin in expected.origins and not expected.without_state


def _judge_sender(request: RequestHead, expected: Expected) -> Reject | None:
    """Only the provider's page may fetch the callback; anyone may navigate to it."""
    fetched = bool(request.origin) and request.method != "POST"  # any page may send a form
    if fetched and not _may_fetch(request, expected):
        return Reject(404, "a page of another origin", Amiss.FETCHED)
    if request.method != "GET":
        return Reject(404, "a method other than GET", Amiss.OTHER_METHOD)
    if not request.origin and not request.is_navigation(on_top=expected.without_state):
        return Reject(404, "not a navigation", Amiss.FETCHED)
    return None


def _judge_form(request: RequestHead, expected: Expected) -> Form | Reject:
    """The issuer's page sends it, as far as the browser tells: from an https page to an http address, it says
    ``Origin: null`` (Fetch, append a request Origin header).
    """
    says = [request.values(f"sec-fetch-{what}") for what in ("mode", "dest")]
    is_hidden = request.origin == "null" and says == [["navigate"], ["document"]]
    if not (request.origin in expected.origins or is_hidden) or not request.is_navigation(on_top=True):
        return Reject(404, "a form of another page", Amiss.FETCHED)
    types, lengths = request.values("content-type"), request.values("content-length")
    if len(types) != 1 or types[0].partition(";")[0].strip(" \t").lower() != FORM:
        return Reject(400, "not a form", Amiss.OTHER_METHOD)
    if request.values("transfer-encoding") or len(lengths) != 1 or not _LENGTH.fullmatch(lengths[0]):
        return Reject(400, "a form of unknown length", Amiss.OTHER_METHOD)
    if int(lengths[0]) > LONGEST_FORM:
        return Reject(413, "the form is too long", Amiss.TOO_LONG)
    return Form(int(lengths[0]))


def judge_address(
    path: str, query: str, expected: Expected, *, fetched_by: str = ""
) -> Deliver | Reject | Stray:
    """Decide what to do with the address that the provider sent the browser to.

    :param fetched_by: the page that fetches it; empty if a browser goes there
    """
    if not may_stand(path, query):
        return Reject(400, "characters that no address has")
    try:
        fields = parse_qs(query, keep_blank_values=True, max_num_fields=32)
    except ValueError:
        return Reject(400, "too many fields")
    refused = judge_answer(fields, expected, ANSWERS_WITHOUT_STATE if expected.without_state else ANSWERS)
    if refused is not None:
        return refused
    return Deliver(rebuilt(path, query, expected.redirect), error_of(fields), fetched_by, secrets_of(fields))


def judge_answer(
    fields: Mapping[str, Sequence[str]], expected: Expected, answers: Sequence[str]
) -> Reject | Stray | None:
    """Why this is not the answer to the login in progress; None if it is.

    :param fields: all values of each parameter
    :param answers: the parameters of which one at least must be there, each once; an ``error`` comes alone
    """
    given = [name for name in answers if name in fields]
    values = [value for name in given for value in fields[name]]
    incomplete = Amiss.INCOMPLETE if expected.redirect.path or given else None
    states = fields.get("state", ())
    if not expected.without_state and (len(states) != 1 or not states[0]):
        is_denial = any(fields.get("error", ())) and not any(states) and "code" not in fields
        amiss = Amiss.NAMELESS_DENIAL if is_denial else incomplete
        return Reject(404, "not one state", amiss, error_of(fields))
    if not values or len(values) != len(given) or not all(values) or ("error" in given and len(given) > 1):
        return Reject(400, "neither one code nor one error", incomplete)
    if expected.state and not hmac.compare_digest(states[0].encode(), expected.state.encode()):
        return Stray()
    return None


def error_of(fields: Mapping[str, Sequence[str]]) -> str:
    """The name of the provider's error (RFC 6749 section 4.1.2.1); empty if there is none."""
    error = next(iter(fields.get("error", ())), "")
    return error if not error or _ERROR_NAME.fullmatch(error) else "an error without a proper name"


def secrets_of(fields: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The values that nobody may be shown: codes, tokens and the like."""
    names = (name for name in ANSWERS_WITHOUT_STATE if name != "error")
    return tuple(value for name in names for value in fields.get(name, ()))
