"""paramiko's transport as a server, with two things that it lacks there."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko.common import MSG_CHANNEL_REQUEST

GONE = (OSError, EOFError, paramiko.SSHException)
"""What sending to a client raises once it has gone."""
CHUNK = 32 * 1024
"""The bytes to read at a time."""

_LOG = "hermes_tunnel.demo.ssh"
# paramiko logs what a client does to it, with tracebacks, which belong on no terminal and in no log file.
logging.getLogger(_LOG).addHandler(logging.NullHandler())
logging.getLogger(_LOG).propagate = False


class ServerTransport(paramiko.Transport):
    """Calls back on what paramiko does not report.

    :param opened: called once a channel is open
    :param requested: called once a request of this kind (RFC 4254 section 5.4) has been answered, with what
        paramiko left of the message. Nothing may be sent before the answer to an ``exec`` request
    """

    def __init__(
        self,
        client: socket.socket,
        *,
        opened: Callable[[paramiko.Channel], None],
        requested: Callable[[paramiko.Channel, str, paramiko.Message], None],
    ) -> None:
        super().__init__(client)
        self.set_log_channel(_LOG)
        self._on_opened = opened
        self._on_request = requested
        self._channel_handler_table: dict[int, Callable[[Any, paramiko.Message], None]] = {
            **paramiko.Transport._channel_handler_table,  # type: ignore[attr-defined]
            MSG_CHANNEL_REQUEST: self._channel_request,
        }

    def _queue_incoming_channel(self, channel: paramiko.Channel) -> None:
        super()._queue_incoming_channel(channel)  # type: ignore[misc]  # else nothing would keep it alive
        self._on_opened(channel)

    def _channel_request(self, channel: Any, message: paramiko.Message) -> None:
        start = message.packet.tell()
        kind, _ = message.get_text(), message.get_boolean()
        message.packet.seek(start)
        channel._handle_request(message)
        self._on_request(channel, kind, message)
