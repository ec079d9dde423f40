"""The head of an HTTP request, as a browser sends it to the callback's port (RFC 9112 sections 2 to 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hermes_tunnel.oauth.authorization import LOOPBACK_HOSTS, Redirect

# RFC 9110 section 5.5; bytes from 0x80 up are allowed, and cookies of other pages on localhost contain them.
_HEADER = re.compile(r"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([\t\x20-\x7e\x80-\xff]*)")


@dataclass(frozen=True)
class RequestHead:
    """Method, path, query, and the headers by lower-case name: what may be secret is in no ``repr``."""

    method: str
    path: str
    query: str = field(repr=False)
    headers: dict[str, list[str]] = field(repr=False)

    def values(self, name: str) -> list[str]:
        """What the headers of this name say, one by one."""
        return self.headers.get(name, [])

    @property
    def origin(self) -> str:
        """The page that sends it (RFC 6454 section 7.3), empty if none says so; two together match no one."""
        return ", ".join(self.values("origin"))

    def is_for(self, redirect: Redirect) -> bool:
        """Whether there is one Host and it names this address as a browser may.

        A name that merely resolves to this machine (DNS rebinding) does not.
        """
        hosts = self.values("host")
        names = {Redirect(host, redirect.port, "/").authority for host in LOOPBACK_HOSTS}
        return len(hosts) == 1 and hosts[0].lower() in names

    def is_navigation(self, *, on_top: bool = False) -> bool:
        """Whether a person's browser goes there, as far as the browser says (Fetch Metadata).

        :param on_top: not merely in a frame
        """
        says = self.values("sec-fetch-mode") in ([], ["navigate"])
        return says and (not on_top or self.values("sec-fetch-dest") in ([], ["document"]))


def parse(head: bytes) -> RequestHead | None:
    """Read a head up to and including its blank line; None if it is not an HTTP/1 request head."""
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
    return RequestHead(method, path, query, headers)
