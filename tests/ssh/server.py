"""A small SSH server in this process, for the ways to authenticate that sshd needs root or PAM for."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.common import (
    AUTH_FAILED,
    AUTH_PARTIALLY_SUCCESSFUL,
    AUTH_SUCCESSFUL,
    cMSG_DISCONNECT,
    cMSG_USERAUTH_INFO_REQUEST,
)
from paramiko.message import Message

SHORTEST_PASSWORD = 8


@dataclass
class Account(paramiko.ServerInterface):
    """What the server asks for, and what it saw.

    :param steps: the methods that have to succeed, one after the other
    :param keys: public key blobs that it takes
    :param expired: what it says about the password, which then has to be changed before it is accepted
    :param hangs_up: whether it ends the connection where the password is wrong
    :param rounds: of keyboard-interactive: name, instruction, prompts with echo, and the right answers
    """

    steps: Sequence[str] = ("password",)
    password: str = "open sesame"
    expired: str = ""
    hangs_up: bool = False
    keys: Sequence[bytes] = ()
    rounds: Sequence[tuple[str, str, Sequence[tuple[str, bool]], Sequence[str]]] = ()
    banner: str = ""
    seen: list[str] = field(default_factory=list)
    done: int = 0
    round: int = 0

    def get_allowed_auths(self, username: str) -> str:
        """The method of the step that is due."""
        return self.steps[min(self.done, len(self.steps) - 1)] if self.steps else ""

    def get_banner(self) -> tuple[str | None, str | None]:
        """The banner."""
        return (self.banner, "en-US") if self.banner else (None, None)

    def check_auth_none(self, username: str) -> int:
        """Succeed if nothing else is asked for."""
        self.seen.append("none")
        return AUTH_FAILED if self.steps else AUTH_SUCCESSFUL

    def check_auth_password(self, username: str, password: str) -> int:
        """The password, and nothing else."""
        self.seen.append("password")
        if self.hangs_up and password != self.password:
            raise EOFError
        return self._step("password", right=password == self.password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """One of the keys; called for the question and for the signature."""
        self.seen.append("publickey")
        if key.asbytes() not in self.keys or self.get_allowed_auths(username) != "publickey":
            return AUTH_FAILED
        return AUTH_SUCCESSFUL if self.done == len(self.steps) - 1 else AUTH_PARTIALLY_SUCCESSFUL

    def check_auth_interactive(
        self, username: str, submethods: str
    ) -> int | paramiko.server.InteractiveQuery:
        """Begin the rounds of questions."""
        self.seen.append("keyboard-interactive")
        self.round = 0
        return self._query() if self.rounds else AUTH_FAILED

    def check_auth_interactive_response(self, responses: list[str]) -> int | paramiko.server.InteractiveQuery:
        """Go on to the next round, or end."""
        right = list(responses) == list(self.rounds[self.round][3])
        self.round += 1
        if right and self.round < len(self.rounds):
            return self._query()
        return self._step("keyboard-interactive", right=right)

    def check_channel_request(self, kind: str, chanid: int) -> int:
        """Allow sessions, which do nothing."""
        return paramiko.common.OPEN_SUCCEEDED

    def _query(self) -> paramiko.server.InteractiveQuery:
        name, instruction, prompts, _ = self.rounds[self.round]
        return paramiko.server.InteractiveQuery(name, instruction, *prompts)

    def _step(self, method: str, *, right: bool) -> int:
        if not right or self.steps[min(self.done, len(self.steps) - 1)] != method:
            return AUTH_FAILED
        self.done += 1
        return AUTH_SUCCESSFUL if self.done == len(self.steps) else AUTH_PARTIALLY_SUCCESSFUL


_PARAMIKO: Any = AuthHandler


class _Authentication(_PARAMIKO):  # type: ignore[misc]
    """Has an expired password changed, which paramiko does not (RFC 4252 section 8)."""

    def __init__(self, transport: paramiko.Transport, account: Account) -> None:
        super().__init__(transport)
        self._account = account

    def _parse_userauth_request(self, m: Message) -> None:
        account: Account = self._account
        user, _, method = m.get_text(), m.get_text(), m.get_text()
        if method == "password" and account.expired:
            changes, password = m.get_boolean(), m.get_text()
            new = m.get_text() if changes else ""
            if password == account.password and len(new) < SHORTEST_PASSWORD:
                self._ask_for_a_change("Too short." if changes else account.expired)
                return
            if password == account.password:
                account.expired, account.password = "", new
                self._send_auth_result(user, method, AUTH_SUCCESSFUL)
                return
        m.rewind()
        super()._parse_userauth_request(m)

    def _ask_for_a_change(self, words: str) -> None:
        message = Message()
        # PASSWD_CHANGEREQ has the same number, which belongs to the method.
        message.add_byte(cMSG_USERAUTH_INFO_REQUEST)
        message.add_string(words)
        message.add_string("en")
        self.transport._send_message(message)


class _Said(tuple[str, ...]):
    """What it says it takes, which is not all it takes."""

    def __contains__(self, algorithm: object) -> bool:
        return True


class _Saying(paramiko.Transport):
    """A transport that says what it takes of keys."""

    def __init__(self, connection: socket.socket, signs: str) -> None:
        super().__init__(connection)
        self._signs = signs

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        """As one entry of the list."""
        return _Said([self._signs])


class Server:
    """Listens on a port of 127.0.0.1 and serves one account.

    :param signs: its ``server-sig-algs``; None for paramiko's own
    :param version: what it says it is
    :param make: makes the transport of a connection
    """

    def __init__(
        self,
        account: Account,
        host_key: paramiko.PKey | None = None,
        address: str = "127.0.0.1",
        *,
        signs: str | None = None,
        version: str = "SSH-2.0-test",
        make: Callable[[socket.socket], paramiko.Transport] | None = None,
    ) -> None:
        self.account = account
        self._make = make or paramiko.Transport
        self._signs = signs
        self._version = version
        self.host_key = host_key or paramiko.ECDSAKey.generate()
        self._listener = socket.create_server((address, 0))
        self.port: int = self._listener.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def known_hosts_line(self) -> str:
        """The line by which known_hosts knows this server."""
        return f"[127.0.0.1]:{self.port} {self.host_key.get_name()} {self.host_key.get_base64()}\n"

    def hang_up(self) -> None:
        """End the open connections in good order: what was said before is still heard."""
        for transport in self._transports:
            _end(transport)

    def say_goodbye(self, words: str = "goodbye") -> None:
        """End them with a disconnect message (RFC 4253 section 11.1)."""
        for transport in self._transports:
            message = Message()
            message.add_byte(cMSG_DISCONNECT)
            message.add_int(11)
            message.add_string(words)
            message.add_string("en")
            transport._send_message(message)  # type: ignore[attr-defined]
            _end(transport)

    def reset(self) -> None:
        """End them abruptly: what has not been sent yet is lost."""
        for transport in filter(paramiko.Transport.is_active, self._transports):
            assert isinstance(transport.sock, socket.socket)
            transport.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.close()

    def close(self) -> None:
        """End the server and its connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()
        for transport in self._transports:
            transport.close()
            transport.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            transport = self._make(connection) if self._signs is None else _Saying(connection, self._signs)
            transport.local_version = self._version
            transport.auth_handler = _Authentication(transport, self.account)
            transport.add_server_key(self.host_key)
            transport.start_server(threading.Event(), self.account)
            self._transports.append(transport)


def _end(transport: paramiko.Transport) -> None:
    """Say nothing more. Closing a socket that still has something to read resets the connection."""
    assert isinstance(transport.sock, socket.socket)
    with suppress(OSError):  # it has ended
        transport.sock.shutdown(socket.SHUT_WR)


class Host(Account):
    """Lets everybody in, and has ``behave`` deal with a command's channel.

    :param behave: called in a thread of its own, once the client has sent it something
    :param answer: to the request for a stream (RFC 4254 section 5.1)
    """

    def __init__(self, behave: Callable[[paramiko.Channel], object] | None = None, answer: int = 0) -> None:
        super().__init__(steps=())
        self._behave = behave
        self._answer = answer

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        """Accept any command."""
        threading.Thread(target=self._run, args=(channel,)).start()
        return True

    def check_channel_pty_request(self, *_: object) -> bool:
        """Allow a terminal."""
        return True

    def _run(self, channel: paramiko.Channel) -> None:
        if channel.recv(1) and self._behave is not None:
            self._behave(channel)

    def check_channel_direct_tcpip_request(self, chanid: int, *_: object) -> int:
        """Answer as it was told to."""
        return self._answer


class Deaf(paramiko.Transport):
    """A server's transport that ignores one kind of message, and calls ``hear`` instead."""

    _channel_handler_table: ClassVar[dict[int, Any]]

    def __init__(
        self, sock: socket.socket, number: int, hear: Callable[[paramiko.Transport], object]
    ) -> None:
        super().__init__(sock)
        table: Any = self._channel_handler_table
        handlers: Any = self._handler_table  # type: ignore[attr-defined]
        if number in table:
            self._channel_handler_table = {**table, number: lambda *_: hear(self)}  # type: ignore[misc]
        else:
            first = handlers[number]

            def heard(message: paramiko.Message) -> None:
                hear(self)
                first(message)

            handlers[number] = heard
