"""An SSH server on 127.0.0.1 whose commands are Python functions."""

from __future__ import annotations

import socket
from typing import Any

import paramiko

from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.loopback import ADDRESS, Loopback, LoopbackServer
from hermes_tunnel.demo.remote_process import Command
from hermes_tunnel.demo.ssh_connection import Connection


class SshServer(LoopbackServer):
    """Serves within ``with``, and leaves nothing behind.

    :param command: runs every ``exec`` request
    :param user: the only user that it lets in
    :param key: that user's public key
    :param loopback: what ``direct-tcpip`` channels reach; None for this machine's loopback, which a jump host
        needs
    """

    def __init__(
        self, command: Command, user: str, key: paramiko.PKey, loopback: Loopback | None = None
    ) -> None:
        super().__init__()
        self.host_key: paramiko.PKey = read_private_key(new_private_key())
        self.connections: list[Connection] = []
        self._command = command
        self._user = user
        self._key = key
        self._loopback = loopback

    @property
    def known_hosts_line(self) -> str:
        """The server's line of a known_hosts file (sshd(8))."""
        return f"[{ADDRESS}]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n"

    def process_request(self, request: Any, *_: Any) -> None:
        """Serve a client that has connected."""
        self.connections.append(self._serve(request))

    def _serve(self, client: socket.socket) -> Connection:
        return Connection(
            client, self.host_key, self._user, self._key, command=self._command, loopback=self._loopback
        )

    def close(self) -> None:
        """End everything, whatever the commands are doing."""
        super().close()
        for connection in self.connections:
            connection.close()
