"""Reading a request: when it is known to have begun."""

from __future__ import annotations

import socket

from hermes_tunnel.way_back.reading import Reading

REQUEST = b"GET /callback?code=c&state=s HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n"


def test_a_request_has_begun_before_it_is_read() -> None:
    """A crowd makes room by ending who is idle, which is who has neither begun nor anything to be read: so
    there is no moment at which a request that has come is neither.
    """
    browser, here = socket.socketpair()
    unread = []
    with browser, here:
        browser.sendall(REQUEST)
        reading = Reading(here, lambda: unread.append(here.recv(4096, socket.MSG_PEEK)), 10.0)
        assert reading.head() == REQUEST
    assert unread == [REQUEST]


def test_a_connection_that_says_nothing_never_begins() -> None:
    """A browser may open one ahead of need, and close it again."""
    browser, here = socket.socketpair()
    begun: list[str] = []
    with here:
        browser.close()
        assert Reading(here, lambda: begun.append("begun"), 10.0).head() is None
    assert begun == []
