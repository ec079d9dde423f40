"""One client of the stand-in SSH server: its authentication, its commands, its ``direct-tcpip`` channels.

It does for a login what OpenSSH's sshd does, and refuses the rest as sshd does.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)

from hermes_tunnel.demo.direct_tcpip import forward_answer, forward_request
from hermes_tunnel.demo.loopback import ADDRESS, Loopback
from hermes_tunnel.demo.remote_process import Command, Ended, RemoteProcess
from hermes_tunnel.demo.ssh_transport import CHUNK, GONE, ServerTransport


class Connection(paramiko.ServerInterface):
    """Serves one client as soon as it is created; its parameters are those of ``SshServer``."""

    def __init__(
        self,
        client: socket.socket,
        host_key: paramiko.PKey,
        user: str,
        key: paramiko.PKey,
        *,
        command: Command,
        loopback: Loopback | None,
    ) -> None:
        self._user = user
        self._key = key
        self._command = command
        self._loopback = loopback
        self._on_terminal: set[int] = set()  # channels
        self._processes: dict[int, RemoteProcess] = {}
        self._upstreams: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._client = client
        self._transport = ServerTransport(client, opened=self._opened, requested=self._requested)
        self._transport.add_server_key(host_key)
        self._transport.start_server(threading.Event(), self)

    @property
    def running(self) -> list[RemoteProcess]:
        """Its commands that still run."""
        return list(self._processes.values())

    def drop(self) -> None:
        """Cut the client off without a word."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection and everything that it started."""
        self.drop()  # otherwise paramiko would notice only after a while
        self._transport.close()
        self._transport.join()
        self._client.close()
        for process in self.running:
            process.end()
        for thread in self._threads:
            thread.join()

    # RFC 4252: authentication

    def get_allowed_auths(self, *_: Any) -> str:
        """The methods that can continue, for a client that failed with another."""
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Whether this is the person's key; paramiko checks the signature."""
        return AUTH_SUCCESSFUL if username == self._user and key == self._key else AUTH_FAILED

    # RFC 4254 section 6: sessions

    def check_channel_request(self, kind: str, _chanid: int) -> int:
        """Allow sessions, and no other kind of channel."""
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, channel: paramiko.Channel, *_: Any) -> bool:
        """Allow the command a terminal."""
        self._on_terminal.add(channel.chanid)
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Accept a command; it starts once the client has been told."""
        self._processes[channel.chanid] = self._process(channel, command.decode("utf-8", "replace"))
        return True

    def _process(self, channel: paramiko.Channel, line: str) -> RemoteProcess:
        return RemoteProcess(line, channel.sendall, on_terminal=channel.chanid in self._on_terminal)

    def _opened(self, channel: paramiko.Channel) -> None:
        if upstream := self._upstreams.pop(channel.chanid, None):
            asked = threading.Event()
            self._begin(forward_request, channel, upstream, asked)
            self._begin(forward_answer, channel, upstream, asked)

    def _requested(self, channel: paramiko.Channel, kind: str, _message: paramiko.Message) -> None:
        if kind == "exec":
            process = self._processes[channel.chanid]
            self._begin(self._feed, channel, process)
            self._begin(self._run, channel, process)

    def _run(self, channel: paramiko.Channel, process: RemoteProcess) -> None:
        status = None
        try:
            with suppress(Ended):  # after a signal, the channel closes without a status
                status = self._command(process)
        finally:
            self._processes.pop(channel.chanid)
            with suppress(*GONE):
                if status is not None:
                    channel.send_exit_status(status)
                channel.close()

    def _feed(self, channel: paramiko.Channel, process: RemoteProcess) -> None:
        while typed := channel.recv(CHUNK):
            process.receive(typed)

    # RFC 4254 section 7.2: direct-tcpip

    def check_channel_direct_tcpip_request(
        self, chanid: int, _origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Connect to a port on the server's loopback or, if it has none, on this machine's."""
        host, port = destination
        real = port if self._loopback is None else self._loopback.find(port)
        if host not in (ADDRESS, "localhost") or real is None:
            return OPEN_FAILED_CONNECT_FAILED
        try:
            self._upstreams[chanid] = socket.create_connection((ADDRESS, real))
        except OSError:
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True)
        self._threads.append(thread)
        thread.start()
