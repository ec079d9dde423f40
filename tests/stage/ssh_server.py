"""An SSH server that can ask for more than a key, and refuse what sshd can refuse."""

from __future__ import annotations

import socket
import traceback
from dataclasses import dataclass, field
from typing import Any

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_FAILED_CONNECT_FAILED,
)
from paramiko.server import InteractiveQuery

from hermes_tunnel.demo import remote_process, ssh_connection, ssh_server
from hermes_tunnel.demo.loopback import Loopback
from hermes_tunnel.demo.remote_process import Ended
from tests.stage.remote_process import Command, Pty, RemoteProcess


@dataclass(frozen=True)
class Account:
    """Who may log in, and how, besides the person's key.

    :param password: for the method ``password``
    :param answers: prompts of ``keyboard-interactive``, each with its right answer
    :param all_of: whether all of these methods are needed, as with AuthenticationMethods
    """

    user: str
    password: str | None = field(default=None, repr=False)
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    all_of: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The authentication methods on offer (RFC 4252 section 4)."""
        offered = {
            "publickey": True,
            "password": self.password is not None,
            "keyboard-interactive": bool(self.answers),
        }
        return tuple(name for name, on in offered.items() if on)


@dataclass(frozen=True)
class Settings:
    """What the server allows, by sshd_config(5)'s names and with sshd's defaults."""

    permit_tty: bool = True
    allow_tcp_forwarding: bool = True
    max_sessions: int = 10
    banner: str = ""


class SshServer(ssh_server.SshServer):
    """Serves within ``with``.

    :param key: the person's
    """

    def __init__(
        self, command: Command, account: Account, settings: Settings, key: paramiko.PKey, loopback: Loopback
    ) -> None:
        def run(process: remote_process.RemoteProcess) -> int:
            assert isinstance(process, RemoteProcess)
            try:
                return command(process)
            except Ended:
                raise
            except Exception:
                # What Python does with an exception that nobody catches; Hermes lets many end this way.
                process.write(traceback.format_exc().encode())
                return 1

        super().__init__(run, account.user, key, loopback)
        self._account = account
        self._settings = settings

    @property
    def running(self) -> list[RemoteProcess]:
        """The commands that have not ended, including those of lost connections."""
        processes = [process for connection in self.connections for process in connection.running]
        return [process for process in processes if isinstance(process, RemoteProcess)]

    def drop(self) -> None:
        """Lose every connection, as a network does."""
        for connection in self.connections:
            connection.drop()

    def _serve(self, client: socket.socket) -> ssh_connection.Connection:
        return Connection(
            self._account,
            self._settings,
            client,
            self.host_key,
            self._user,
            self._key,
            command=self._command,
            loopback=self._loopback,
        )


class Connection(ssh_connection.Connection):
    """Serves one client; all parameters but these two are the demo's."""

    def __init__(self, account: Account, settings: Settings, *connection: Any, **more: Any) -> None:
        self._account = account
        self._settings = settings
        self._passed: set[str] = set()  # authentication methods
        self._passing = ""
        self._ptys: dict[int, Pty] = {}
        self._sessions: set[int] = set()
        super().__init__(*connection, **more)

    def get_banner(self) -> tuple[str | None, str | None]:
        """What is shown before authentication."""
        return (self._settings.banner, "en") if self._settings.banner else (None, None)

    def get_allowed_auths(self, *_: Any) -> str:
        """The methods that can continue, after one was not enough."""
        self._passed |= {self._passing} - {""}
        return ",".join(method for method in self._account.methods if method not in self._passed)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """The person's key, which may not be enough."""
        right = super().check_auth_publickey(username, key) == AUTH_SUCCESSFUL
        return self._judge("publickey", username, right)

    def check_auth_password(self, username: str, password: str) -> int:
        """Whether this is the account's password."""
        return self._judge("password", username, password == self._account.password)

    def check_auth_interactive(self, username: str, *_: Any) -> int | InteractiveQuery:
        """The account's prompts."""
        if username != self._account.user or not self._account.answers:
            return self._judge("keyboard-interactive", username, False)
        return InteractiveQuery("", "", *((prompt, False) for prompt, _ in self._account.answers))

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        """Whether the prompts were answered correctly."""
        right = responses == [answer for _, answer in self._account.answers]
        return self._judge("keyboard-interactive", self._account.user, right)

    def _judge(self, method: str, username: str, right: bool) -> int:
        accepted = right and username == self._account.user
        # A key that the client only asks about is judged, too, but that alone lets nobody in.
        self._passing = method if accepted else ""
        if not accepted:
            return AUTH_FAILED
        missing = set(self._account.methods) - self._passed - {method}
        return AUTH_PARTIALLY_SUCCESSFUL if self._account.all_of and missing else AUTH_SUCCESSFUL

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Whether one more session may be opened."""
        if kind == "session":
            if len(self._sessions) >= self._settings.max_sessions:
                return OPEN_FAILED_CONNECT_FAILED  # what sshd says
            self._sessions.add(chanid)
        return super().check_channel_request(kind, chanid)

    def check_channel_pty_request(self, channel: paramiko.Channel, *terminal: Any) -> bool:
        """Whether the command may have a terminal."""
        if not self._settings.permit_tty:
            return False
        term, width, height, *_ = terminal
        self._ptys[channel.chanid] = Pty(term.decode("ascii", "replace"), width, height)
        return super().check_channel_pty_request(channel, *terminal)

    def check_channel_direct_tcpip_request(
        self, chanid: int, origin: tuple[str, int], destination: tuple[str, int]
    ) -> int:
        """Connect, if forwarding is allowed."""
        if not self._settings.allow_tcp_forwarding:
            return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED
        return super().check_channel_direct_tcpip_request(chanid, origin, destination)

    def _process(self, channel: paramiko.Channel, line: str) -> RemoteProcess:
        return RemoteProcess(line, channel.sendall, self._ptys.get(channel.chanid))

    def _opened(self, channel: paramiko.Channel) -> None:
        super()._opened(channel)
        if channel.chanid in self._sessions:
            self._begin(self._watch_session, channel)

    def _watch_session(self, channel: paramiko.Channel) -> None:
        channel.status_event.wait()
        self._sessions.discard(channel.chanid)

    def _requested(self, channel: paramiko.Channel, kind: str, message: paramiko.Message) -> None:
        super()._requested(channel, kind, message)
        process = self._processes.get(channel.chanid)
        if kind == "signal" and isinstance(process, RemoteProcess):  # RFC 4254 section 6.9
            process.signal(message.get_text())

    def _feed(self, channel: paramiko.Channel, process: remote_process.RemoteProcess) -> None:
        super()._feed(channel, process)
        assert isinstance(process, RemoteProcess)
        process.end_of_input()
        channel.status_event.wait()  # paramiko sets it when the channel closes
        if process.pty is not None and process in self.running:
            process.signal("HUP")
