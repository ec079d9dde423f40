"""What may open in the person's browser, and what the redirect back must look like.

A remote machine asks us to open pages; we trust it only as far as a login needs. So we open a URL if it
is an https page of an issuer that this provider is known to use, and if it leads the browser back to a
loopback address (RFC 8252 section 7.3) or to the provider's own page. We refuse everything else or, if
only the issuer's name is unknown, let the person decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from hermes_tunnel.errors import Unsafe, UsageFailure
from hermes_tunnel.text import quote

LONGEST_URL = 8192  # characters; the longest real authorization URL has about 600
LOOPBACK_HOSTS = ("127.0.0.1", "localhost", "::1")
FIRST_PORT, LAST_PORT = 1024, 65535
URL_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")  # RFC 3986 section 2

_DNS_NAME = re.compile(r"(?=.{1,253}\Z)(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)[a-z][a-z0-9-]{0,62}(?<!-)")
_REDIRECT_PATH = re.compile(r"/[A-Za-z0-9\-._~/]*")


class Mode(str, Enum):
    """How the person's answer gets back to the command that waits for it."""

    LOOPBACK = "loopback"
    """The browser is redirected to a port of this machine (RFC 8252 section 7.3)."""
    DEVICE = "device"
    """The person approves on a page; the command polls (RFC 8628). Nothing is forwarded."""
    PASTE = "paste"
    """The page shows a code, which the person gives to the command's prompt."""
    EXTERNAL = "external"
    """The redirect goes to another host on purpose; the command learns of the answer by itself."""


@dataclass(frozen=True)
class Redirect:
    """A loopback ``redirect_uri`` (RFC 6749 section 3.1.2)."""

    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        """``host:port``, as a browser writes it in the Host header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Authorization:
    """A page that the person is asked to visit, and what should come of it.

    ``state`` (RFC 6749 section 10.12) and ``user_code`` (RFC 8628 section 3.2) are empty if the mode
    has none.
    """

    mode: Mode
    url: str = field(repr=False)
    issuer: str
    redirect: Redirect | None = None
    redirect_host: str = ""
    state: str = field(default="", repr=False)
    user_code: str = ""

    @property
    def names_nobody(self) -> bool:
        """Whether it says neither which client asks nor where the answer goes (RFC 6749 knows no such)."""
        return self.mode is Mode.PASTE and not self.redirect_host


@dataclass(frozen=True)
class Policy:
    """What a provider's login may open.

    :param issuers: host names known to be the provider's
    :param redirect_hosts: hosts of the provider's own pages that show a code to paste
    :param external_redirects: whether we may ask the person about a redirect to another host
    :param origin: an exact ``http://127.0.0.1:port`` that is allowed too: the demo's server. Only the
        demo's code sets it; no option, variable or file can
    """

    issuers: frozenset[str] = frozenset()
    redirect_hosts: frozenset[str] = frozenset()
    external_redirects: bool = False
    origin: str | None = None

    def knows(self, issuer: str) -> bool:
        """Whether the issuer needs no question."""
        return issuer in self.issuers or issuer == self.origin

    def origins(self, authorization: Authorization) -> frozenset[str]:
        """The web origins whose pages may fetch the callback instead of navigating to it."""
        hosts = {*self.issuers, authorization.issuer} - {self.origin}
        own = {self.origin} if self.origin else set()
        return frozenset({f"https://{host}" for host in hosts} | own)


def assess_authorization(url: str, policy: Policy) -> Authorization:
    """Judge an authorization request (RFC 6749 section 4.1.1) that the remote printed.

    A request with a ``code_challenge`` (RFC 7636) but neither ``client_id`` nor ``redirect_uri`` is a paste.

    :return: what to open and what comes back; the caller checks whether the issuer is known
    :raises Unsafe: it must not be opened; says why
    """
    parts, issuer = _page(url, policy)
    query = _query(parts)
    if "code_challenge" in query and not query.keys() & {"client_id", "redirect_uri"}:
        return Authorization(Mode.PASTE, url, issuer)
    state = _exactly_one(query, "state", url)
    redirect_uri = _exactly_one(query, "redirect_uri", url)
    redirect = loopback_redirect(redirect_uri)
    if redirect is not None:
        return Authorization(Mode.LOOPBACK, url, issuer, redirect, redirect.host, state)
    host = _other_redirect(redirect_uri)
    if host in policy.redirect_hosts:
        return Authorization(Mode.PASTE, url, issuer, None, host, state)
    if policy.external_redirects:
        return Authorization(Mode.EXTERNAL, url, issuer, None, host, state)
    raise Unsafe(
        f"the login would send its answer to {quote(host)}, which is not this machine",
        "do not open that address; look at the Hermes on the remote machine: is it the one you installed?",
    )


def assess_verification(url: str, user_code: str, policy: Policy) -> Authorization:
    """Judge a device verification page (RFC 8628 section 3.2); raises ``Unsafe`` like the function above."""
    _, issuer = _page(url, policy)
    return Authorization(Mode.DEVICE, url, issuer, user_code=user_code)


def issuer_of_page(url: str, policy: Policy) -> str:
    """Whose page it is that the command shows; raises ``Unsafe`` like the functions above."""
    return _page(url, policy)[1]


def _page(url: str, policy: Policy) -> tuple[SplitResult, str]:
    """The URL's parts and issuer, if it is a page we may open at all."""
    if len(url) > LONGEST_URL:
        raise _refused(url, f"it is longer than {LONGEST_URL} characters")
    if not URL_CHARACTERS.fullmatch(url):
        raise _refused(url, "it has characters that no URL has")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _refused(url, "it is not a well-formed URL") from None
    if policy.origin is not None and f"{parts.scheme}://{parts.netloc}" == policy.origin:
        return parts, policy.origin
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https":
        raise _refused(url, f"it is {quote(parts.scheme + ':')}, not https")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _refused(url, "it has a user name before the host, which hides where it leads")
    if port not in (None, 443):
        raise _refused(url, f"it leads to port {port} of {quote(host)}, not to 443")
    if reason := _no_host_of_a_page(host):
        raise _refused(url, reason)
    return parts, host


def issuer_of(host: str) -> str:
    """The issuer that a host name from the person stands for: in lower case, without a trailing dot.

    :raises UsageFailure: no page we may open has such a host
    """
    name = host.lower().removesuffix(".")
    if reason := _no_host_of_a_page(name):
        raise UsageFailure(
            f"no sign-in page can be allowed by that: {reason}",
            "give the name of its host alone, such as --allow-host auth.example.com",
        )
    return name


def _no_host_of_a_page(host: str) -> str:
    """Why no page we may open has such a host; empty if one may."""
    if not _DNS_NAME.fullmatch(host):
        return f"{quote(host)} is not a DNS name"
    if any(label.startswith("xn--") for label in host.split(".")):
        return f"{quote(host)} is written in letters that can look like others"
    return ""


def _query(parts: SplitResult) -> dict[str, list[str]]:
    try:
        return parse_qs(parts.query, keep_blank_values=True, strict_parsing=False, max_num_fields=64)
    except ValueError:
        raise _refused(parts.geturl(), "its query has too many fields") from None


def _exactly_one(query: dict[str, list[str]], name: str, url: str) -> str:
    values = query.get(name, [])
    if len(values) != 1 or not values[0]:
        count = "no" if not any(values) else "more than one"
        raise _refused(url, f"it has {count} {name}")
    return values[0]


def loopback_redirect(redirect_uri: str) -> Redirect | None:
    """The redirect if it is a loopback one; None if it leads to another host.

    :raises Unsafe: it leads to this machine, but in a way no login uses
    """
    if not URL_CHARACTERS.fullmatch(redirect_uri):  # urlsplit would drop a tab or a line feed
        raise _bad_redirect("has characters that no URL has")
    try:
        parts = urlsplit(redirect_uri)
        port = parts.port
    except ValueError:
        raise _bad_redirect("is not a well-formed URL") from None
    if parts.hostname not in LOOPBACK_HOSTS:
        return None
    if parts.scheme != "http" or "@" in parts.netloc or parts.fragment or parts.query:
        raise _bad_redirect("is not a plain http address of this machine")
    if port is None or not FIRST_PORT <= port <= LAST_PORT:
        raise _bad_redirect(
            f"leads to port {80 if port is None else port}; only {FIRST_PORT} to {LAST_PORT} are forwarded"
        )
    path = parts.path or "/"
    if not _REDIRECT_PATH.fullmatch(path):
        raise _bad_redirect("has an unusual path")
    return Redirect(parts.hostname, port, path)


def _other_redirect(redirect_uri: str) -> str:
    parts = urlsplit(redirect_uri)
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme != "https" or "@" in parts.netloc or not _DNS_NAME.fullmatch(host):
        raise _bad_redirect("is neither an address of this machine nor an https page")
    return host


def _bad_redirect(why: str) -> Unsafe:
    return Unsafe(
        f"refused to open the authorization URL: its redirect_uri {why}",
        "nothing was opened; see with -v what Hermes prints, and report it if it is a real Hermes",
    )


def _refused(url: str, why: str) -> Unsafe:
    """An error that names the page without its query, where the secrets are."""
    page = unquote(url).partition("?")[0].partition("#")[0]
    return Unsafe(
        f"refused to open {quote(page)}: {why}",
        "nothing was opened; see with -v what Hermes prints, and report it if it is a real Hermes",
    )
