"""Addresses (URLs) in text, and what each asks for; whether one may be opened is decided elsewhere."""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import parse_qs

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Redirect, loopback_redirect

# Bounded repetitions: a hostile line of 64 kB must cost no more than one pass.
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]{0,31}:(?!https?:)[^\s<>\"'`]*[^\s<>\"'`.,;:!?)\]}]")
_USER_CODE = re.compile(r"(?=.*[A-Z0-9-])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_CODE_LENGTHS = range(4, 13)  # letters and digits, hyphens not counted

# RFC 6749 has redirect_uri, RFC 5849 oauth_callback. A program whose own page comes before the issuer's calls
# it something else there: callback_url, returnTo, app_redirect_uri.
_REDIRECT = re.compile(
    r"(?i)(?:[a-z]{1,16}[_-]?)?(?:redirect|callback|return)(?:[_-]?(?:ur[il]|to))?|next|continue"
)
_SERVED_HERE = re.compile(r"(?i)http://(?:127\.0\.0\.1|localhost|\[::1\]):\d{1,5}(?![^/?#])")
# What only an answer to an authorization request has (RFC 6749 sections 4.1.2, 4.1.2.1 and 4.2.2).
_ANSWERS = ("code", "error", "access_token", "id_token")

Fields = dict[str, list[str]]
"""The query of an address."""


def addresses_in(text: str) -> list[str]:
    """Everything in a line that could be an address, of any scheme, without the full stop that ends it."""
    return _ADDRESS.findall(text)


def asks_for_authorization(url: str) -> bool:
    """Whether it has a ``client_id`` and a ``redirect_uri``; one without the latter counts, to be refused.

    One without the former is known by its ``code_challenge`` (RFC 7636), which no other address has.
    """
    try:
        fields = query(url, keep_blank_values=True)
    except ValueError:
        return "client_id=" in url and "redirect_uri=" in url
    if "client_id" not in fields:
        return "code_challenge" in fields
    return "redirect_uri" in fields or "response_type" in fields


def user_code_of(url: str) -> str | None:
    """The user code in the query (``verification_uri_complete``, RFC 8628 section 3.2), if it has one."""
    try:
        codes = query(url).get("user_code", [])
    except ValueError:
        return None
    return user_code(codes[0]) if len(codes) == 1 else None


def user_code(text: str) -> str | None:
    """The text if it looks like a user code: 4 to 12 letters and digits, hyphens allowed."""
    fits = len(text.replace("-", "")) in _CODE_LENGTHS and _USER_CODE.fullmatch(text)
    return text if fits else None


def loopback_answer(fields: Fields) -> tuple[Redirect, str] | None:
    """Where on this machine the answer to an authorization request is to come, and the ``state`` that it has
    to have; empty if the request has none.

    The address of the answer is a ``redirect_uri``, or what stands for one in the address of a program's own
    page, such as a ``callback_url`` or a ``return_to``.

    :param fields: the request's query
    :return: None if the answer goes elsewhere, or if the request can be read in two ways
    """
    values = [fields[name] for name in fields if _REDIRECT.fullmatch(name)]
    states = fields.get("state", [""])
    if any(len(each) > 1 for each in (*values, states)):
        return None
    redirects = {redirect for (value,) in values if (redirect := _loopback(value))}
    return (redirects.pop(), states[0]) if len(redirects) == 1 else None


def _loopback(value: str) -> Redirect | None:
    try:
        return loopback_redirect(value)
    except Unsafe:
        return None


def lacks_its_answer(url: str) -> bool:
    """Whether it begins as a request for authorization, but has neither of what such a one ends with: where
    the answer is to come, and its ``state``.
    """
    try:
        fields = query(url, keep_blank_values=True)
    except ValueError:
        return False
    redirects = [value for name in fields if _REDIRECT.fullmatch(name) for value in fields[name]]
    is_cut = not any(value.startswith("https:") or _loopback(value) for value in redirects)
    return is_cut and "client_id" in fields and not fields.keys() & {"state", "user_code"}


def is_answer(url: str, fields: Fields) -> bool:
    """Whether it is the address that an answer to an authorization request came to: a secret, not a page.

    :param fields: its query; the answer may stand in the fragment, too
    """
    if "client_id" in fields or "redirect_uri" in fields:
        return False
    fragment = url.partition("#")[2]
    with suppress(ValueError):
        fields = {**fields, **query(f"?{fragment}", keep_blank_values=True)} if "=" in fragment else fields
    has_answer = not fields.keys().isdisjoint(_ANSWERS)
    return has_answer and ("state" in fields or "access_token" in fields or is_loopback(url))


def is_loopback(url: str) -> bool:
    """Whether it is a page that a program serves on a port of its own machine, by http."""
    return bool(_SERVED_HERE.match(url))


def query(url: str, *, keep_blank_values: bool = False) -> Fields:
    """The fields of the query. We avoid urlsplit, which is slow to normalize a host full of accents.

    :raises ValueError: there are too many
    """
    fields = url.partition("#")[0].partition("?")[2]
    return parse_qs(fields, keep_blank_values, max_num_fields=64)
