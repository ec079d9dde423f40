"""A request to a loopback port on the remote, over a channel of the connection (RFC 4254 section 7.2)."""

from __future__ import annotations

import math
import time
from contextlib import closing, suppress

from hermes_tunnel.deadlines import CHANNEL, DELIVERY
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.states import NoDelivery, Undelivered
from hermes_tunnel.ssh.connection import Connection, NoStream, Stream, StreamRefused

_LONGEST_ANSWER = 64 * 1024 * 1024  # bytes


def deliver(
    connection: Connection,
    hosts: tuple[str, ...],
    port: int,
    request: bytes,
    *,
    seconds: float = DELIVERY.seconds,
    until: float = math.inf,
) -> Answer | Undelivered:
    """Send one request to the remote listener and read its answer.

    We open the stream only now: a connection that merely probes can end the login there.

    :param connection: to the host where the command listens
    :param hosts: loopback addresses, tried in turn until one of them listens
    :param seconds: how long the answer may take
    :param until: when all of it has to be over, by the monotonic clock
    :return: the answer, as much as arrived; or why the request cannot get there
    """
    for left in reversed(range(len(hosts))):
        try:
            # Long enough to notice first that a silent connection is dead.
            stream = connection.open_stream(hosts[-1 - left], port, until_then(CHANNEL.seconds, until))
        except StreamRefused as refused:
            if refused.reason is NoStream.LOST:
                return Undelivered(NoDelivery.LOST, "it did not answer")
            if refused.reason is NoStream.FORBIDDEN:
                return Undelivered(NoDelivery.FORBIDDEN, refused.words)
            if not left:
                return Undelivered(NoDelivery.NOBODY_LISTENS, refused.words)
        else:
            with closing(stream):
                return exchanged(connection, stream, request, until_then(seconds, until))
    raise AssertionError("there is one host at least")


def until_then(seconds: float, until: float) -> float:
    """These seconds, or fewer if that time comes first."""
    return max(min(seconds, until - time.monotonic()), 0.001)


def exchanged(connection: Connection, stream: Stream, request: bytes, seconds: float) -> Answer | Undelivered:
    """Send a request and read the answer, to its end if it comes in time: a listener cut off early may fail.

    :return: ``LOST_UNDER_WAY`` if the connection was lost before any of the answer came
    """
    answer = Answer()
    with suppress(OSError):  # closed at once; the answer it sent may be enough
        stream.write(request, seconds)
    until = time.monotonic() + seconds
    with suppress(TimeoutError):
        while not answer.ended and answer.size < _LONGEST_ANSWER and (left := until - time.monotonic()) > 0:
            answer.receive(stream.read(left))
    if not answer.size and not connection.is_up:
        return Undelivered(NoDelivery.LOST_UNDER_WAY, "the listener did not answer before")
    return answer
