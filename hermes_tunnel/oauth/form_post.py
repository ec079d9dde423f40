"""The answer as a form that the issuer's page has the browser post (OAuth 2.0 Form Post Response Mode)."""

from __future__ import annotations

from urllib.parse import parse_qs

from hermes_tunnel.oauth.callback import (
    Amiss,
    Deliver,
    Expected,
    Reject,
    Stray,
    error_of,
    judge_answer,
    secrets_of,
)
from hermes_tunnel.oauth.rebuilding import BYTE_BY_BYTE, rebuilt_form

ANSWERS = ("code", "id_token", "access_token", "error")
FIELDS = (
    *("code", "state", "error", "error_description", "error_uri"),  # RFC 6749 sections 4.1.2 and 4.1.2.1
    *("access_token", "token_type", "expires_in", "scope"),  # RFC 6749 section 4.2.2
    "id_token",  # OpenID Connect Core 1.0 section 3.2.2.5
    "session_state",  # OpenID Connect Session Management 1.0 section 2
    "iss",  # RFC 9207 section 2
)
"""What crosses over to the remote, each at most once; everything else in the form stays here."""


def judge_form(body: bytes, expected: Expected) -> Deliver | Reject | Stray:
    """Decide what to do with a form whose head may pass (``callback.judge``).

    :param body: all of it, as application/x-www-form-urlencoded
    """
    try:
        text = body.decode("ascii")
        sent = parse_qs(text, keep_blank_values=True, max_num_fields=64, encoding=BYTE_BY_BYTE)
    except ValueError:
        return Reject(400, "not a form that a browser sends", Amiss.INCOMPLETE)
    fields = {name: sent[name] for name in FIELDS if name in sent}
    if any(len(values) > 1 for values in fields.values()):
        return Reject(400, "a field twice", Amiss.INCOMPLETE)
    refused = judge_answer(fields, expected, ANSWERS)
    if refused is not None:
        return refused
    request = rebuilt_form([(name, values[0]) for name, values in fields.items()], expected.redirect)
    return Deliver(request, error_of(fields), secrets=secrets_of(fields))
