"""The pages that programs in a session have shown, numbered for the person, with what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from hermes_tunnel.oauth.addresses import is_loopback
from hermes_tunnel.oauth.opening import host_to_open
from hermes_tunnel.oauth.sightings import Device, Loopback, Page, Sighting

MOST_LISTED = 50
LONGEST_PLACE = 50  # characters of a page's host and path, where it is listed


@dataclass(eq=False)
class ShownPage:
    """One of them.

    :param host: whose page it is; with the port, if it is a program's own on loopback
    :param code: what to enter there, if that was said
    :param number: as the person knows it
    :param became: what became of it, in a word or a few
    """

    sighting: Sighting
    url: str = field(repr=False)
    host: str
    code: str = field(repr=False)
    number: int
    became: str = ""

    @property
    def at_hand(self) -> str:
        """How the person opens it; a program that wanted to open it may not have shown it."""
        escape = f"type ~o {self.number}"
        return escape if self.sighting.wanted else f"click its link, or {escape}"

    @property
    def port(self) -> int:
        """The port that its answer comes to, or that a program's own page is at; 0 if there is none."""
        if isinstance(self.sighting, Loopback):
            return self.sighting.redirect.port
        return int(self.host.rpartition(":")[2]) if self.is_programs_own else 0

    @property
    def is_programs_own(self) -> bool:
        """Whether the program itself serves it, on loopback there."""
        return is_loopback(self.url)

    @property
    def has_path(self) -> bool:
        """Whether its address says which page it is, be it only by a slash behind the host."""
        return any(mark in self.url.partition("://")[2] for mark in "/?")

    def line(self, *, with_path: bool) -> str:
        """How it is listed; without its query, which may be secret.

        :param with_path: whether the host alone does not tell which page it is, unless it is a sign-in's
        """
        what = "sign-in" if isinstance(self.sighting, Loopback) else f"code {self.code}" if self.code else ""
        path = self.url.partition("://")[2].partition("?")[0].partition("#")[0].partition("/")[2]
        place = f"{self.host}/{path}" if with_path and path and not what else self.host
        if len(place) > LONGEST_PLACE:
            place = f"{place[: LONGEST_PLACE - 3]}..."
        return "  ".join(filter(None, (f"{self.number:3}", place, what, self.became)))


class ShownPages:
    """All of one session, the last ``MOST_LISTED``. A number stays a page's own."""

    def __init__(self) -> None:
        self._pages: dict[str, ShownPage] = {}
        self._last = 0
        self._code = ""  # one that was said without its page

    def __iter__(self) -> Iterator[ShownPage]:
        return iter(self._pages.values())

    def lines(self) -> list[str]:
        """The list, each page as it is told from the others of its host."""
        hosts = Counter(page.host for page in self)
        return [page.line(with_path=hosts[page.host] > 1) for page in self]

    def add(self, sighting: Sighting) -> ShownPage | None:
        """A page that was shown; None if only a code was, whose page is still to come.

        :raises Unsafe: nobody should open it; says why
        """
        code = ""
        if isinstance(sighting, Device):
            url, code = sighting.verification_uri, sighting.user_code
            self._code = "" if url else code
        else:
            url = sighting.url
            if sighting.wanted and isinstance(sighting, Page):  # as gh does, which says its code long before
                code, self._code = self._code, ""
        if not url:
            return None
        host = host_to_open(url)
        before = self._pages.pop(url, None)
        self._last += before is None
        number = self._last if before is None else before.number
        page = ShownPage(sighting, url, host, code, number)
        self._pages[url] = page
        if len(self._pages) > MOST_LISTED:
            del self._pages[next(iter(self._pages))]
        return page

    def numbered(self, number: int) -> ShownPage | None:
        """The page with that number, if it is still listed."""
        return next((one for one in self if one.number == number), None)

    def of(self, sighting: Sighting) -> ShownPage | None:
        """The page of a request."""
        return next((one for one in self if one.sighting == sighting), None)

    def waiting_at(self, port: int) -> ShownPage | None:
        """The last page whose answer comes to that port."""
        found = [one for one in self if one.port == port and isinstance(one.sighting, Loopback)]
        return found[-1] if found else None
