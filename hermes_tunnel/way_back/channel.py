"""A request to a loopback port on the remote, over a ``direct-tcpip`` channel (RFC 4254 section 7.2)."""

from __future__ import annotations

import contextlib
import time

import paramiko

from hermes_tunnel.oauth.states import NoDelivery, Undelivered

# Longer than it takes to notice a silent connection: a channel that opens when nobody waits for it any more
# would be an idle connection to the listener.
_CHANNEL_SECONDS = 30.0
_ANSWER_SECONDS = 30.0  # Hermes' listeners answer at once, those of others may exchange the code before
_REST_SECONDS = 2.0
_LONGEST_ANSWER = 64 * 1024  # bytes; only the status at its start is used


def deliver(
    transport: paramiko.Transport, hosts: tuple[str, ...], port: int, request: bytes
) -> bytes | Undelivered:
    """Send one request to the listener there and give back what it answered.

    The channel is opened only now: a connection that merely probes can end the login there.

    :param transport: the connection to the host where it listens
    :param hosts: loopback addresses, tried in turn until somebody listens
    :return: its answer, as far as it came; or why there is no way to it
    """
    for left in reversed(range(len(hosts))):
        try:
            channel = transport.open_channel(
                "direct-tcpip", (hosts[-1 - left], port), ("127.0.0.1", 0), timeout=_CHANNEL_SECONDS
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
                return _exchange(transport, channel, request)
    raise AssertionError("there is one host at least")


def _exchange(
    transport: paramiko.Transport, channel: paramiko.Channel, request: bytes
) -> bytes | Undelivered:
    with contextlib.suppress(OSError):  # it was closed at once; what was answered may be enough
        channel.settimeout(_ANSWER_SECONDS)
        channel.sendall(request)
    answer = read_answer(channel)
    if not answer and is_lost(transport, channel):
        return Undelivered(NoDelivery.LOST_UNDER_WAY, "the listener did not answer before")
    return answer


def read_answer(channel: paramiko.Channel, seconds: float = _ANSWER_SECONDS) -> bytes:
    """What a listener answers, to its end if that comes in time, so that a single-minded one can finish.

    :param seconds: until its head has to be there; the rest gets a moment more
    """
    answer = bytearray()
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError):
        while len(answer) < _LONGEST_ANSWER and (left := until - time.monotonic()) > 0:
            channel.settimeout(left)
            data = channel.recv(16384)
            if not data:
                break
            answer += data
            if b"\r\n\r\n" in answer[-len(data) - 3 :]:  # the head, which is all that matters
                until = min(until, time.monotonic() + _REST_SECONDS)
    return bytes(answer)


def is_lost(transport: paramiko.Transport, channel: paramiko.Channel) -> bool:
    """Whether a channel came to an end because its connection did."""
    if not channel.eof_received:
        transport.join(_REST_SECONDS)  # its channels end a moment before it does
    return not transport.is_active()
