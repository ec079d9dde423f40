"""The listener's own page after the callback, to which it redirects the browser.

The browser is shown a page of ours, so it never goes there. But some programs wait until somebody has fetched
that page, and only then end; so we fetch it in the browser's place. Its address may hold tokens: it is shown
nowhere.
"""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from hermes_tunnel.oauth.authorization import LOOPBACK_HOSTS, Redirect
from hermes_tunnel.oauth.callback import LONGEST_TARGET
from hermes_tunnel.oauth.rebuilding import address_of, is_form, may_stand, rebuilt

MOST_HOPS = 5
_BECOMES_GET = (301, 302, 303)  # as browsers do it (Fetch, HTTP-redirect fetch)
_KEEPS_METHOD = (307, 308)
_LOCATION = re.compile(r"[!-~]+")  # RFC 9110 section 10.2.2


def next_request(request: bytes, status: int | None, location: str) -> bytes | None:
    """The request for the page that an answer redirects to; None if it does not lead on at the same port.

    :param request: what was answered, as rebuilt
    :param status: the answer's
    :param location: the answer's ``Location``, absolute or relative to the request
    """
    leads_on = status in _BECOMES_GET or (status in _KEEPS_METHOD and not is_form(request))
    if not leads_on or not location or len(location) > LONGEST_TARGET or not _LOCATION.fullmatch(location):
        return None
    here = urlsplit(address_of(request))
    try:
        there = urlsplit(urljoin(here.geturl(), location))
        host, port = there.hostname or "", there.port
    except ValueError:
        return None
    path = there.path or "/"
    if there.scheme != "http" or "@" in there.netloc or host not in LOOPBACK_HOSTS or port != here.port:
        return None
    if port is None or not may_stand(path, there.query):
        return None
    return rebuilt(path, there.query, Redirect(host, port, path))
