"""The pages of the stand-in authorization server: one layout, two pages, no script."""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass
from importlib.resources import files
from string import Template


def _read(name: str) -> str:
    return (files("hermes_tunnel.demo") / "pages" / name).read_text("utf-8")


_LAYOUT = _read("layout.html")
_CONSENT = Template(_read("consent.html"))
_MESSAGE = Template(_read("message.html"))


def _style_hash() -> str:
    style = _LAYOUT.partition("<style>")[2].partition("</style>")[0]
    digest = hashlib.sha256(style.encode()).digest()
    return base64.b64encode(digest).decode("ascii")


_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_style_hash()}'; img-src data:; base-uri 'none'; "
    "frame-ancestors 'none'; form-action "
)


@dataclass(frozen=True)
class Page:
    """A page and the Content-Security-Policy that goes with it."""

    body: bytes
    content_security_policy: str


def consent_page(
    *,
    client: str,
    account: str,
    scope: str,
    detail: tuple[str, str],
    action: str,
    request: str,
    redirect: str,
) -> Page:
    """The page that asks whether a client may act for the person (RFC 6749 section 4.1.1).

    :param client: who asks
    :param detail: the label of one more thing to know, and the thing
    :param action: where the form sends the answer
    :param request: the handle of the request, sent with the answer
    :param redirect: the origin that the browser then goes to; empty for none. Browsers apply ``form-action``
        to redirects too
    """
    return page(
        "Let Hermes use your account?",
        _CONSENT,
        f"'self' {redirect}".strip(),
        client=client,
        account=account,
        scope=scope,
        detail_name=detail[0],
        detail=detail[1],
        action=action,
        request=request,
    )


def message_page(heading: str, text: str) -> Page:
    """A page that only says something."""
    return page(heading, _MESSAGE, "'none'", heading=heading, text=text)


def page(title: str, content: Template, form_action: str, **values: str) -> Page:
    """A page in this layout.

    :param form_action: where its forms may lead (Content-Security-Policy)
    :param values: plain text for the placeholders in the content
    """
    filled = content.substitute({name: html.escape(value) for name, value in values.items()})
    body = Template(_LAYOUT).substitute(title=html.escape(title), content=filled)
    return Page(body.encode("utf-8"), _POLICY + form_action)
