"""A request to a loopback port on the remote, over a ``direct-tcpip`` channel (RFC 4254 section 7.2)."""

from __future__ import annotations

import contextlib
import logging

import paramiko

from hermes_tunnel.errors import Undeliverable

_CHANNEL_SECONDS = 10.0
_ANSWER_SECONDS = 30.0  # the remote's listener answers at once; its token exchange comes after
LONGEST_ANSWER = 64 * 1024
"""Bytes; only the status at its start is used."""

logger = logging.getLogger(__name__)


def deliver(transport: paramiko.Transport, hosts: tuple[str, ...], port: int, request: bytes) -> bytes:
    """Send one request to the listener there and give back what it answered.

    The channel is opened only now: a connection that merely probes can end the login there.

    :param transport: the connection to the host where it listens
    :param hosts: loopback addresses, tried in turn until somebody listens
    :raises Undeliverable: there is no way to the listener
    """
    for left in reversed(range(len(hosts))):
        try:
            channel = transport.open_channel(
                "direct-tcpip", (hosts[-1 - left], port), ("127.0.0.1", 0), timeout=_CHANNEL_SECONDS
            )
        except paramiko.ChannelException as error:
            prohibited = error.code == 1  # RFC 4254 section 5.1: administratively prohibited
            if prohibited or not left:
                raise Undeliverable(str(error.text).lower(), refused=prohibited) from error
        except (paramiko.SSHException, EOFError, OSError) as error:
            raise Undeliverable("the connection did not answer", refused=False) from error
        else:
            with contextlib.closing(channel):
                return _exchange(channel, request)
    raise AssertionError("there is one host at least")


def _exchange(channel: paramiko.Channel, request: bytes) -> bytes:
    """Send the request and read the answer to its end, so that a single-minded listener can finish."""
    channel.settimeout(_ANSWER_SECONDS)
    answer = b""
    try:
        channel.sendall(request)
        while len(answer) < LONGEST_ANSWER and (chunk := channel.recv(16384)):
            answer += chunk
    except OSError:  # it closed or fell silent: what came so far may be enough
        logger.debug("the callback's channel ended early")
    return answer
