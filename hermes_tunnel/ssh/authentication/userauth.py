"""The client's side of the authentication protocol (RFC 4252, RFC 4256), one packet at a time.

paramiko's own handler signs without first asking whether the server would take the key, and handles a
server's questions in the thread that should be reading packets. This one replaces it: it only hands the
replies over, and the caller's thread decides everything.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import paramiko
from paramiko import Message

from hermes_tunnel.deadlines import AUTHENTICATION
from hermes_tunnel.ssh.messages import Number
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.waiting import SLICE, Meanwhile, nothing

_MOST_PROMPTS, _MOST_BANNERS = 32, 32


@dataclass(frozen=True)
class Success:
    """SSH_MSG_USERAUTH_SUCCESS."""


@dataclass(frozen=True)
class Failed:
    """SSH_MSG_USERAUTH_FAILURE.

    :param methods: those that can continue
    :param partial: the request succeeded, but more is needed
    """

    methods: tuple[str, ...]
    partial: bool


@dataclass(frozen=True)
class KeyAccepted:
    """SSH_MSG_USERAUTH_PK_OK: the server would take a signature by this key."""


@dataclass(frozen=True)
class PasswordExpired:
    """SSH_MSG_USERAUTH_PASSWD_CHANGEREQ: the password must be changed first, or the new one will not do.

    :param prompt: the server's words, as they came
    """

    prompt: str


@dataclass(frozen=True)
class Questions:
    """SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256 section 3.2), with the server's words as they came.

    :param prompts: each with whether the answer may be shown
    """

    name: str
    instruction: str
    prompts: tuple[tuple[str, bool], ...]


Reply = Success | Failed | KeyAccepted | PasswordExpired | Questions


@dataclass(frozen=True)
class _Banner:
    text: str


class ServerLeft(Exception):
    """The connection ended before the answer came."""


class ServerSilent(Exception):
    """No answer came in time, but the connection is still there."""


class UserAuth:
    """The ssh-userauth service on a transport whose host key has been verified.

    :param transport: after its key exchange; this becomes its ``auth_handler``
    :param user: the name on the server
    :param banner: called with the text of each banner, before the reply that follows it
    :param meanwhile: gives what is called while waiting for one reply
    :param seconds: how long a reply may take
    """

    def __init__(
        self,
        transport: Transport,
        user: str,
        banner: Callable[[str], object],
        meanwhile: Callable[[], Meanwhile] = lambda: nothing,
        *,
        seconds: float = AUTHENTICATION.seconds,
    ) -> None:
        self._transport = transport
        self._user = user
        self._show_banner = banner
        self._meanwhile = meanwhile
        self._seconds = seconds
        self._banners = 0
        # Not SimpleQueue: after a late signal, as when the program was stopped, it waits forever.
        self._replies: queue.Queue[Reply | _Banner | None] = queue.Queue()
        self._pending: deque[str] = deque()
        self._authenticated = False
        transport.auth_handler = self  # type: ignore[assignment]
        message = Message()
        message.add_byte(Number.SERVICE_REQUEST.byte)
        message.add_string("ssh-userauth")
        transport.send(message)

    def request(self, method: str, *fields: bool | str | bytes) -> None:
        """Send a request; each ``reply`` comes in the order of the requests."""
        self._pending.append(method)
        self._transport.send(self._request(method, *fields))

    def query(self, algorithm: str, blob: bytes) -> None:
        """Ask whether the server would take a public key (RFC 4252 section 7)."""
        self.request("publickey", False, algorithm, blob)

    def to_be_signed(self, algorithm: str, blob: bytes) -> bytes:
        """What a key must sign: the request, bound to this session."""
        message = Message()
        message.add_string(self._transport.session_id or b"")
        return bytes(message.asbytes() + self._request("publickey", True, algorithm, blob).asbytes())

    def answer(self, answers: list[str]) -> None:
        """Answer ``Questions``; a reply follows."""
        message = Message()
        message.add_byte(Number.USERAUTH_INFO_RESPONSE.byte)
        message.add_int(len(answers))
        for each in answers:
            message.add_string(each)
        self._transport.send(message)

    def abandon(self) -> None:
        """Leave ``Questions`` unanswered; the next request ends them (RFC 4252 section 5)."""
        self._pending.popleft()

    def reply(self) -> Reply:
        """The reply to the oldest request.

        :raises ServerLeft: the server is gone
        :raises ServerSilent: it is there, but does not reply
        """
        until, meanwhile = time.monotonic() + self._seconds, self._meanwhile()
        while time.monotonic() < until:
            try:
                reply = self._replies.get(timeout=max(0.0, min(SLICE, until - time.monotonic())))
            except queue.Empty:
                meanwhile()
                if self._transport.is_active():
                    continue
                reply = None
            if reply is None:
                raise ServerLeft
            if not isinstance(reply, _Banner):
                return reply
            meanwhile()
            self._banners += 1
            if self._banners <= _MOST_BANNERS:
                self._show_banner(reply.text)
        raise ServerSilent

    def _request(self, method: str, *fields: bool | str | bytes) -> Message:
        message = Message()
        message.add_byte(Number.USERAUTH_REQUEST.byte)
        message.add_string(self._user)
        message.add_string("ssh-connection")
        message.add_string(method)
        for value in fields:
            if isinstance(value, bool):
                message.add_boolean(value)
            else:
                message.add_string(value)
        return message

    # What paramiko's Transport calls on its auth_handler, in its own thread.

    @property
    def _handler_table(self) -> Mapping[int, Callable[[Message], None]]:
        return {
            Number.SERVICE_ACCEPT: lambda _: None,
            Number.USERAUTH_SUCCESS: self._succeeded,
            Number.USERAUTH_FAILURE: self._failed,
            Number.USERAUTH_BANNER: lambda m: self._replies.put(_Banner(_text(m))),
            # Number 60 belongs to the method: PK_OK, PASSWD_CHANGEREQ or INFO_REQUEST.
            Number.USERAUTH_METHOD_SPECIFIC: self._method_specific,
        }

    def is_authenticated(self) -> bool:
        """Whether the server said so."""
        return self._authenticated

    def get_username(self) -> str:
        """The name on the server."""
        return self._user

    def abort(self) -> None:
        """The connection has ended."""
        self._replies.put(None)

    def _ended(self) -> None:
        if not self._pending:
            raise paramiko.SSHException("a reply to no request")
        self._pending.popleft()

    def _succeeded(self, _: Message) -> None:
        self._ended()
        self._authenticated = True
        self._transport._auth_trigger()  # type: ignore[attr-defined]
        self._replies.put(Success())

    def _failed(self, m: Message) -> None:
        self._ended()
        methods = tuple(filter(None, _text(m).split(",")))
        self._replies.put(Failed(methods, m.get_boolean()))

    def _method_specific(self, m: Message) -> None:
        method = self._pending[0] if self._pending else ""
        if method == "keyboard-interactive":
            name, instruction, _, count = _text(m), _text(m), _text(m), m.get_int()
            if count > _MOST_PROMPTS:
                raise paramiko.SSHException("too many prompts")
            prompts = tuple((_text(m), m.get_boolean()) for _ in range(count))
            self._replies.put(Questions(name, instruction, prompts))
            return
        self._ended()
        self._replies.put(KeyAccepted() if method == "publickey" else PasswordExpired(_text(m)))


def _text(m: Message) -> str:
    return m.get_string().decode(errors="replace")
