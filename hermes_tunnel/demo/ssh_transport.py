"""paramiko's transport as a server, with the two things that its server side lacks."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST

GONE = (OSError, EOFError, paramiko.SSHException)
"""What sending to a client raises when it is there no more."""
CHUNK = 32 * 1024
"""Bytes that are read at once."""

_LOG = "hermes_tunnel.demo.ssh"
# paramiko logs what a client does to it, with tracebacks: that is for no terminal and no log file.
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False


class ServerTransport(paramiko.Transport):
    """Calls back for what paramiko has no call for.

    :param opened: a channel is open
    :param signalled: a ``signal`` request (RFC 4254 section 6.9) and its name
    :param started: an ``exec`` request was taken and answered; before, nothing may be sent
    """

    def __init__(
        self,
        client: socket.socket,
        *,
        opened: Callable[[paramiko.Channel], None],
        signalled: Callable[[paramiko.Channel, str], None],
        started: Callable[[paramiko.Channel], None],
    ) -> None:
        super().__init__(client)
        self.set_log_channel(_LOG)
        self._on_opened = opened
        self._on_signal = signalled
        self._on_started = started
        self._channel_handler_table: dict[int, Callable[[Any, paramiko.Message], None]] = {
            **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
            MSG_CHANNEL_REQUEST: self._channel_request,
        }

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        self._on_opened(channel)

    def _channel_request(self, channel: Any, message: paramiko.Message) -> None:
        start = message.packet.tell()
        kind, _ = message.get_text(), message.get_boolean()
        if kind == "signal":
            self._on_signal(channel, message.get_text())
            return
        message.packet.seek(start)
        channel._handle_request(message)
        if kind == "exec":
            self._on_started(channel)
