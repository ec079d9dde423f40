"""The pages of the stand-in authorization server: one layout, three contents, no script."""

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
_CODE = Template(_read("code.html"))
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
    """Ask whether a client may act for the person (RFC 6749 section 4.1.1).

    :param client: who asks
    :param detail: one more thing to know, and its name
    :param action: where the answer goes
    :param request: the handle of the request that is answered
    :param redirect: the origin where the browser goes after that; empty for none. Browsers hold
        ``form-action`` against redirects too
    """
    content = _fill(
        _CONSENT,
        client=client,
        account=account,
        scope=scope,
        detail_name=detail[0],
        detail=detail[1],
        action=action,
        request=request,
    )
    return _page("Let Hermes use your account?", content, f"'self' {redirect}".strip())


def code_page(action: str) -> Page:
    """Ask for the code that a device shows (RFC 8628 section 3.3)."""
    return _page("Connect a device", _fill(_CODE, action=action), "'self'")


def message_page(heading: str, text: str) -> Page:
    """Say something; nothing is left to do."""
    return _page(heading, _fill(_MESSAGE, heading=heading, text=text), "'none'")


def _fill(template: Template, **values: str) -> str:
    return template.substitute({name: html.escape(value) for name, value in values.items()})


def _page(title: str, content: str, form_action: str) -> Page:
    body = Template(_LAYOUT).substitute(title=html.escape(title), content=content)
    return Page(body.encode("utf-8"), _POLICY + form_action)
