"""A request to a loopback port on the remote, over a ``direct-tcpip`` channel (RFC 4254 section 7.2)."""

from __future__ import annotations

import contextlib
import time

import paramiko

from hermes_tunnel.deadlines import CHANNEL, DELIVERY
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.states import NoDelivery, Undelivered

_LONGEST_ANSWER = 64 * 1024 * 1024  # bytes
_LOST_SECONDS = 2.0


def deliver(
    transport: paramiko.Transport,
    hosts: tuple[str, ...],
    port: int,
    request: bytes,
    *,
    seconds: float = DELIVERY.seconds,
) -> Answer | Undelivered:
    """Send one request to the listener there and read what it answers.

    The channel is opened only now: a connection that merely probes can end the login there.

    :param transport: the connection to the host where it listens
    :param hosts: loopback addresses, tried in turn until somebody listens
    :param seconds: how long its answer may take
    :return: its answer, as far as it came; or why there is no way to it
    """
    for left in reversed(range(len(hosts))):
        try:
            # Not given up before a silent connection is noticed: a channel that opens when nobody waits for
            # it any more would be an idle connection to the listener.
            channel = transport.open_channel(
                "direct-tcpip", (hosts[-1 - left], port), ("127.0.0.1", 0), timeout=CHANNEL.seconds
            )
        except paramiko.ChannelException as error:
            prohibited = error.code == 1  # RFC 4254 section 5.1: administratively prohibited
            if prohibited or not left:
                reason = NoDelivery.FORBIDDEN if prohibited else NoDelivery.NOBODY_LISTENS
                return Undelivered(reason, str(error.text).lower())
        except (paramiko.SSHException, EOFError, OSError):
            return Undelivered(NoDelivery.LOST, "it did not answer")
        else:
            with contextlib.closing(channel):
                return _exchange(transport, channel, request, seconds)
    raise AssertionError("there is one host at least")


def _exchange(
    transport: paramiko.Transport, channel: paramiko.Channel, request: bytes, seconds: float
) -> Answer | Undelivered:
    with contextlib.suppress(OSError):  # it was closed at once; what was answered may be enough
        channel.settimeout(seconds)
        channel.sendall(request)
    answer = read_answer(channel, seconds)
    if not answer.size and is_lost(transport, channel):
        return Undelivered(NoDelivery.LOST_UNDER_WAY, "the listener did not answer before")
    return answer


def read_answer(channel: paramiko.Channel, seconds: float) -> Answer:
    """Read what a listener answers, to its end if that comes in time: one that is cut off may fail for it."""
    answer = Answer()
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while not answer.ended and answer.size < _LONGEST_ANSWER and (left := until - time.monotonic()) > 0:
            channel.settimeout(left)
            answer.receive(channel.recv(65536))
    return answer


def is_lost(transport: paramiko.Transport, channel: paramiko.Channel) -> bool:
    """Whether a channel came to an end because its connection did."""
    if not channel.eof_received:
        transport.join(_LOST_SECONDS)  # its channels end a moment before it does
    return not transport.is_active()
