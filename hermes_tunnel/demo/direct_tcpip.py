"""A ``direct-tcpip`` channel and the connection behind it, half-closed as TCP is (RFC 4254 section 7.2)."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko

from hermes_tunnel.demo.ssh_transport import CHUNK, GONE


def forward_request(channel: paramiko.Channel, upstream: socket.socket, asked: threading.Event) -> None:
    """Send on what the client says, until the channel closes; ``asked`` is set when it says no more."""
    with suppress(OSError):
        while data := channel.recv(CHUNK):
            upstream.sendall(data)
        upstream.shutdown(socket.SHUT_WR)
    asked.set()
    channel.status_event.wait()  # paramiko sets it when the channel closes
    with suppress(OSError):
        upstream.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads the answer


def forward_answer(channel: paramiko.Channel, upstream: socket.socket, asked: threading.Event) -> None:
    """Send back what is answered, and close the channel when both sides have said everything."""
    with upstream, suppress(*GONE):
        while data := upstream.recv(CHUNK):
            channel.sendall(data)
        channel.shutdown_write()
        asked.wait()
        channel.close()
