"""A ``direct-tcpip`` channel (RFC 4254 section 7.2) and the TCP connection behind it, half-closed in turn."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

import paramiko

from hermes_tunnel.demo.ssh_transport import CHUNK, GONE


def forward_request(channel: paramiko.Channel, upstream: socket.socket, asked: threading.Event) -> None:
    """Pass on what the client sends, until the channel closes; set ``asked`` once the client has sent all."""
    with suppress(OSError):
        while data := channel.recv(CHUNK):
            upstream.sendall(data)
        upstream.shutdown(socket.SHUT_WR)
    asked.set()
    channel.status_event.wait()  # paramiko sets it when the channel closes
    with suppress(OSError):
        upstream.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads the answer


def forward_answer(channel: paramiko.Channel, upstream: socket.socket, asked: threading.Event) -> None:
    """Pass the answer back, and close the channel once both sides have sent all."""
    with upstream, suppress(*GONE):
        while data := upstream.recv(CHUNK):
            channel.sendall(data)
        channel.shutdown_write()
        asked.wait()
        channel.close()
