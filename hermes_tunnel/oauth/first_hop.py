"""A program's own page on loopback, from which it sends the browser on to the issuer's."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import (
    FIRST_PORT,
    LAST_PORT,
    LONGEST_URL,
    LOOPBACK_HOSTS,
    URL_CHARACTERS,
    Policy,
    Redirect,
    issuer_of_page,
)
from hermes_tunnel.oauth.rebuilding import may_stand, rebuilt
from hermes_tunnel.oauth.request_head import parse

_REDIRECTS = (301, 302, 303, 307, 308)  # RFC 9110 section 15.4


@dataclass(frozen=True)
class FirstHop:
    """Where it is; ``place`` is its host, port and path."""

    place: Redirect
    query: str = field(repr=False)

    @property
    def request(self) -> bytes:
        """The request for it, as it goes to the program."""
        return rebuilt(self.place.path, self.query, self.place)

    def is_asked_for_by(self, head: bytes) -> bool:
        """Whether a person's browser goes to that very page."""
        request = parse(head)
        return (
            request is not None
            and request.method == "GET"
            and (request.path, request.query) == (self.place.path, self.query)
            and request.is_for(self.place)
            and not request.origin
            and request.is_navigation(on_top=True)
        )


def first_hop(url: str) -> FirstHop | None:
    """Where such a page is; None if this is none."""
    if len(url) > LONGEST_URL or not URL_CHARACTERS.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 80
    except ValueError:
        return None
    path = parts.path or "/"
    is_plain = parts.scheme == "http" and "@" not in parts.netloc and may_stand(path, parts.query)
    if not is_plain or host not in LOOPBACK_HOSTS or not FIRST_PORT <= port <= LAST_PORT:
        return None
    return FirstHop(Redirect(host, port, path), parts.query)


def onward(status: int | None, location: str) -> str | None:
    """The page that the program sends the browser on to; None if to none that may be opened."""
    if status not in _REDIRECTS:
        return None
    try:
        issuer_of_page(location, Policy())
    except Unsafe:
        return None
    return location
