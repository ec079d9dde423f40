"""What a person pastes for a login: an address, however a mail program or a chat wrapped it, or a code."""

from __future__ import annotations

import re
from urllib.parse import urlencode, urlsplit

from hermes_tunnel.oauth.authorization import FIRST_PORT, LAST_PORT, LOOPBACK_HOSTS, Redirect
from hermes_tunnel.oauth.callback import Deliver, Expected, Reject, Stray, judge_address

LONGEST_PASTE = 16 * 1024  # characters
_PAIRS = {
    '"': '"',
    "'": "'",
    "`": "`",
    "<": ">",
    "(": ")",
    "\u201c": "\u201d",
    "\u2018": "\u2019",
    "\u201e": "\u201c",
    "\xab": "\xbb",
}
_AROUND = " \t\r\n\xa0\u200b\u200e\u200f\u2060\ufeff"  # blanks, and what chats add that nobody sees
_QUOTED = "> \t"  # before each line of a mail that is quoted
_ADDRESS = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,31}://|(?://)?(?:127\.0\.0\.1|localhost|\[::1\])[:/]", re.IGNORECASE
)
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,31}://")
_QUERY = re.compile(r"\??(?:code|error|state)=")
_CODE = re.compile(r"[\x21-\x7e]{4,4096}")  # RFC 6749 appendix A.11, except the space
_ANSWER = re.compile(r"(^|&)(code|error)=")
_PARAMETER = re.compile(r"[?&](code|error|state|client_id|redirect_uri)=")
_WORD = re.compile(r"[\x21-\x7e]{4,16}")


def unwrapped(text: str) -> str:
    """What was meant to be pasted.

    Blanks, quotes and brackets around it go (RFC 3986 appendix C). In an address, or its query, so do line
    breaks, and the marks of a quoted mail; an address without a scheme is an http address.
    """
    first, *others = text.strip(_AROUND).splitlines() or [""]
    if others:
        first = first.lstrip(_QUOTED)
    text = "\n".join((first, *(line.strip(_AROUND).lstrip(_QUOTED) for line in others)))
    for _ in _PAIRS:
        if len(text) > 1 and _PAIRS.get(text[0]) == text[-1]:
            text = text[1:-1].strip(_AROUND)
    if text[:4].upper() == "URL:":
        text = text[4:].strip(_AROUND)
    if _ADDRESS.match(text):
        text = text if _SCHEME.match(text) else f"http://{text.removeprefix('//')}"
    elif not _QUERY.match(text):
        return text
    return "".join(line.strip(_AROUND) for line in text.splitlines())


def is_address(text: str) -> bool:
    """Whether it is an address rather than a query or a code."""
    return _SCHEME.match(text) is not None


def may_be_a_word(text: str) -> bool:
    """Whether it could be a word, such as ``help``, ``/quit`` or ``1234``, though a code might look the same.

    Some releases take the first line they get for the code, and fail the login if it is not one.
    """
    return _WORD.fullmatch(text.strip()) is not None


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
        if not _ANSWER.search(query):
            try:
                query = _query_of_a_code(text, expected.state)
            except ValueError as problem:
                return Reject(400, str(problem))
    return judge_address(path, query, expected)


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
