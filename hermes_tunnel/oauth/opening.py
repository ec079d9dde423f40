"""Which pages open in the person's browser: by themselves, and when the person says so.

A session shows whatever its programs print, and nobody vouches for that. So only the request of a program
that waits on loopback, at an issuer that everybody knows, opens by itself; and not often, or a program could
fill the browser. What the person wants opened has to be a page that may be opened at all.
"""

from __future__ import annotations

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Policy, issuer_of_page
from hermes_tunnel.oauth.first_hop import first_hop
from hermes_tunnel.oauth.issuers import known_issuer
from hermes_tunnel.oauth.sightings import Loopback

SECONDS_BETWEEN = 10.0
MOST_BY_ITSELF = 4


class Opening:
    """What opens by itself in one session; it is told the time.

    :param allowed_hosts: issuers that the person vouches for
    """

    def __init__(self, allowed_hosts: frozenset[str] = frozenset()) -> None:
        self._allowed = allowed_hosts
        self._opened: set[str] = set()
        self._last: float | None = None

    def opens(self, sighting: Loopback, now: float) -> bool:
        """Whether its page opens by itself now; if so, it counts as opened.

        :param now: seconds, by a clock that never goes back
        """
        try:
            is_known = issuer_of_page(sighting.url, Policy()) in self._allowed or known_issuer(sighting.url)
        except Unsafe:
            return False
        too_soon = self._last is not None and now - self._last < SECONDS_BETWEEN
        too_many = len(self._opened) == MOST_BY_ITSELF
        if not is_known or too_soon or too_many or sighting.url in self._opened:
            return False
        self._opened.add(sighting.url)
        self._last = now
        return True


def host_to_open(url: str) -> str:
    """Whose page it is that the person wants opened: an https page that may be opened at all, or a program's
    own on loopback, from which it leads the browser on.

    :return: the host's name; with the port, if it is on loopback
    :raises Unsafe: it must not be opened; says why
    """
    hop = first_hop(url)
    return hop.place.authority if hop is not None else issuer_of_page(url, Policy())
