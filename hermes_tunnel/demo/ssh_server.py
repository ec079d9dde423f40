"""An SSH server on 127.0.0.1 whose commands are Python functions."""

from __future__ import annotations

from typing import Any

import paramiko

from hermes_tunnel.demo.keys import new_private_key, read_private_key
from hermes_tunnel.demo.loopback import ADDRESS, LoopbackServer
from hermes_tunnel.demo.remote_process import Command, RemoteProcess
from hermes_tunnel.demo.ssh_connection import Connection
from hermes_tunnel.demo.ssh_settings import Account, Settings


class SshServer(LoopbackServer):
    """Serves within ``with``; after that nothing of it is left.

    :param command: what every ``exec`` request is given to
    """

    def __init__(self, command: Command, account: Account, settings: Settings | None = None) -> None:
        super().__init__()
        self.account = account
        self.settings = settings or Settings()
        self.host_key: paramiko.PKey = read_private_key(new_private_key())
        self.connections: list[Connection] = []
        self._command = command

    @property
    def known_hosts_line(self) -> str:
        """The server's line of a known_hosts file (sshd(8))."""
        return f"[{ADDRESS}]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n"

    @property
    def running(self) -> list[RemoteProcess]:
        """The commands that have not ended, of lost connections too."""
        return [process for connection in self.connections for process in connection.running]

    def process_request(self, request: Any, *_: Any) -> None:
        """A client connected."""
        connection = Connection(request, self.host_key, self.account, self.settings, self._command)
        self.connections.append(connection)

    def drop(self) -> None:
        """Lose every connection, as a network does."""
        for connection in self.connections:
            connection.drop()

    def close(self) -> None:
        """End everything, also what ignores a hang-up."""
        super().close()
        for connection in self.connections:
            connection.close()
