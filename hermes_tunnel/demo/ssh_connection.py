"""One client of the stand-in SSH server: who it is, its commands, its ``direct-tcpip`` channels.

It does for a login what OpenSSH's sshd does, and refuses what its settings refuse in sshd's way.
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
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
    OPEN_SUCCEEDED,
)
from paramiko.server import InteractiveQuery

from hermes_tunnel.demo.direct_tcpip import forward_answer, forward_request
from hermes_tunnel.demo.loopback import ADDRESS
from hermes_tunnel.demo.remote_process import KILL, Command, Pty, RemoteProcess, run
from hermes_tunnel.demo.ssh_settings import Account, Settings
from hermes_tunnel.demo.ssh_transport import CHUNK, GONE, ServerTransport


class Connection(paramiko.ServerInterface):
    """Serves one client from the moment of its creation."""

    def __init__(
        self,
        client: socket.socket,
        host_key: paramiko.PKey,
        account: Account,
        settings: Settings,
        command: Command,
    ) -> None:
        self._account = account
        self._settings = settings
        self._command = command
        self._passed: set[str] = set()  # authentication methods
        self._passing = ""
        self._terminals: dict[int, Pty] = {}
        self._processes: dict[int, RemoteProcess] = {}
        self._sessions: set[int] = set()
        self._upstreams: dict[int, socket.socket] = {}
        self._threads: list[threading.Thread] = []
        self._client = client
        self._transport = ServerTransport(
            client, opened=self._opened, signalled=self._signalled, started=self._started
        )
        self._transport.add_server_key(host_key)
        self._transport.start_server(threading.Event(), self)

    @property
    def running(self) -> list[RemoteProcess]:
        """Its commands that have not ended."""
        return list(self._processes.values())

    @property
    def is_active(self) -> bool:
        """Whether the client is still there."""
        return self._transport.is_active()

    def drop(self) -> None:
        """Lose the client without a word."""
        with suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the connection and everything that it started."""
        self.drop()  # paramiko would look up only after a while
        self._transport.close()
        self._transport.join()
        self._client.close()
        for process in self.running:
            process.signal(KILL)
        for thread in self._threads:
            thread.join()

    # RFC 4252: authentication

    def get_banner(self) -> tuple[str | None, str | None]:
        """What is shown before authentication."""
        return (self._settings.banner, "en") if self._settings.banner else (None, None)

    def get_allowed_auths(self, *_: Any) -> str:
        """The methods that can continue; asked for when one did not suffice."""
        self._passed |= {self._passing} - {""}
        return ",".join(method for method in self._account.methods if method not in self._passed)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """Whether this key is one of the account's; paramiko checks the signature."""
        return self._judge("publickey", username, key in self._account.keys)

    def check_auth_password(self, username: str, password: str) -> int:
        """Whether this is the account's password."""
        return self._judge("password", username, password == self._account.password)

    def check_auth_interactive(self, username: str, *_: Any) -> int | InteractiveQuery:
        """The account's prompts."""
        if username != self._account.user or not self._account.answers:
            return self._judge("keyboard-interactive", username, False)
        prompts = [(prompt, False) for prompt, _ in self._account.answers]
        return InteractiveQuery("", "", *prompts)

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        """Whether the prompts were answered as they should."""
        right = responses == [answer for _, answer in self._account.answers]
        return self._judge("keyboard-interactive", self._account.user, right)

    def _judge(self, method: str, username: str, right: bool) -> int:
        accepted = right and username == self._account.user and method in self._account.methods
        # A key that the client only asks about is judged too; that alone passes nothing.
        self._passing = method if accepted else ""
        if not accepted:
            return AUTH_FAILED
        missing = set(self._account.methods) - self._passed - {method}
        return AUTH_PARTIALLY_SUCCESSFUL if self._account.all_of and missing else AUTH_SUCCESSFUL

    # RFC 4254 section 6: sessions

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Whether one more session may be opened."""
        if kind != "session":
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        if len(self._sessions) >= self._settings.max_sessions:
            return OPEN_FAILED_CONNECT_FAILED  # what sshd says
        self._sessions.add(chanid)
        return OPEN_SUCCEEDED

    def check_channel_pty_request(
        self, channel: paramiko.Channel, term: bytes, width: int, height: int, *_: Any
    ) -> bool:
        """Whether the command may have a terminal."""
        if self._settings.permit_tty:
            self._terminals[channel.chanid] = Pty(term.decode("ascii", "replace"), width, height)
        return self._settings.permit_tty

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Take a command; it is started when the client has been told so."""
        chanid = channel.chanid
        line = command.decode("utf-8", "replace")
        self._processes[chanid] = RemoteProcess(line, self._terminals.get(chanid), channel.sendall)
        return True

    def _opened(self, channel: paramiko.Channel) -> None:
        upstream = self._upstreams.pop(channel.chanid, None)
        if upstream is None:
            self._begin(self._watch_session, channel)
            return
        asked = threading.Event()
        self._begin(forward_request, channel, upstream, asked)
        self._begin(forward_answer, channel, upstream, asked)

    def _signalled(self, channel: paramiko.Channel, name: str) -> None:
        if process := self._processes.get(channel.chanid):
            process.signal(name)

    def _started(self, channel: paramiko.Channel) -> None:
        process = self._processes[channel.chanid]
        self._begin(self._feed, channel, process)
        self._begin(self._run, channel, process)

    def _run(self, channel: paramiko.Channel, process: RemoteProcess) -> None:
        status = run(self._command, process)
        self._processes.pop(channel.chanid)
        with suppress(*GONE):
            if status is not None:  # else a signal ended it, and the channel closes without one
                channel.send_exit_status(status)
            channel.close()

    def _feed(self, channel: paramiko.Channel, process: RemoteProcess) -> None:
        while typed := channel.recv(CHUNK):
            process.receive(typed)
        process.end_of_input()
        channel.status_event.wait()  # paramiko sets it when the channel closes
        if process.pty is not None and process in self.running:
            process.signal("HUP")

    def _watch_session(self, channel: paramiko.Channel) -> None:
        channel.status_event.wait()
        self._sessions.discard(channel.chanid)

    # RFC 4254 section 7.2: direct-tcpip

    def check_channel_direct_tcpip_request(
        self, chanid: int, _origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Connect to a loopback port, of the settings' loopback or of this machine."""
        host, port = destination
        if not self._settings.allow_tcp_forwarding:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        if host not in (ADDRESS, "localhost"):
            return OPEN_FAILED_CONNECT_FAILED
        loopback = self._settings.loopback
        real = port if loopback is None else loopback.find(port)
        try:
            if real is None:
                return OPEN_FAILED_CONNECT_FAILED
            self._upstreams[chanid] = socket.create_connection((ADDRESS, real))
        except OSError:
            return OPEN_FAILED_CONNECT_FAILED
        return OPEN_SUCCEEDED

    def _begin(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True)
        self._threads.append(thread)
        thread.start()
