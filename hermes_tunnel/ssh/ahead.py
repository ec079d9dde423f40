"""What is sent before the reply to what came before it: each time, that saves a round trip.

RFC 4252 and RFC 4254 allow all of it, but not every server bears it, and what a server does not bear breaks
the login. So only OpenSSH gets it: it answers requests in their order, and a packet that comes too early, as
behind a signature that it does not take, with SSH_MSG_UNIMPLEMENTED. Any other server is sent each request
when it has answered the one before.

- The channel that is needed next, a session or the way to the next hop, is asked for right behind the
  signature that ought to let us in.
- The command goes with the request for its terminal (``channels.py``).
"""

from __future__ import annotations

import re
import threading
from typing import Any, TypeAlias

import paramiko

from hermes_tunnel.ssh.transport import GONE, Transport

# From 8.0 on, also that of Windows.
_BEARS_IT = re.compile(r"SSH-2\.0-OpenSSH_(for_Windows_)?([89]|[1-9][0-9])\.")
Channel: TypeAlias = tuple[Any, ...]
"""What ``paramiko.Transport.open_channel`` is called with: the kind and, if it has them, two addresses."""
SESSION: Channel = ("session",)


def direct_tcpip(host: str, port: int) -> Channel:
    """A stream to a port there (RFC 4254 section 7.2)."""
    return ("direct-tcpip", (host, port), ("127.0.0.1", 0))


def is_borne(transport: Transport) -> bool:
    """Whether the server is known to bear what comes early."""
    return bool(_BEARS_IT.match(transport.remote_version))


class Early(threading.Thread):
    """A channel that has been asked for, before it is known whether it may be."""

    def __init__(self, transport: Transport, channel: Channel) -> None:
        super().__init__(name="open-channel", daemon=True)
        self.asked_for = channel
        self._transport = transport
        self._channel: paramiko.Channel | None = None
        self._problem: Exception | None = None
        self._unwanted = False
        self.start()

    def run(self) -> None:
        """Ask for it, and wait until it is there or the connection ends."""
        try:
            self._channel = self._transport.open_channel(*self.asked_for)
        except GONE as problem:
            self._problem = problem
        if self._unwanted:
            self.forget()

    def forget(self) -> None:
        """It is not needed, or will not come."""
        self._unwanted = True
        if self._channel is not None:
            self._channel.close()

    def taken(self, seconds: float) -> paramiko.Channel:
        """The channel; raises what ``open_channel`` does."""
        self.join(seconds)
        if self._problem is not None:
            raise self._problem
        if self._channel is None:
            self.forget()
            raise paramiko.SSHException("Timeout opening channel.")
        return self._channel


def ask(transport: Transport) -> None:
    """Ask for the channel that is needed next, right behind a signature."""
    if transport.needs_next is not None and is_borne(transport):
        transport.early = Early(transport, transport.needs_next)


def forget(transport: Transport) -> None:
    """The signature was not enough."""
    early, transport.early = transport.early, None
    if early is not None:
        early.forget()


def open_channel(transport: Transport, channel: Channel, seconds: float) -> paramiko.Channel:
    """A channel: the one that was asked for early, if this is the one; otherwise it is asked for now."""
    early: Early | None = transport.early
    if early is None or early.asked_for != channel:
        kind, there, here = (*channel, None, None)[:3]
        return transport.open_channel(kind, there, here, timeout=seconds)
    transport.early = None
    return early.taken(seconds)
