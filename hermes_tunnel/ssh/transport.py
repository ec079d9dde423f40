"""The SSH transport (RFC 4253): paramiko's, made to say what it saw.

This module and those that import it lean on undocumented names of paramiko; ``paramiko_names`` lists them
all.
"""

from __future__ import annotations

import errno
import logging
import queue
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar

import paramiko
from paramiko import Message

from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.algorithms import (
    CIPHER,
    CURVE25519,
    CURVE25519_BEFORE,
    HOST_KEY,
    KEX,
    MAC,
    nothing_in_common,
    own_algorithms,
)
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.connection import NO_STATUS
from hermes_tunnel.ssh.messages import Number
from hermes_tunnel.ssh.packets import Packets
from hermes_tunnel.ssh.paramiko_names import CHANNEL, TRANSPORT
from hermes_tunnel.text import plain

GONE = (paramiko.SSHException, EOFError, OSError)
"""What paramiko raises when a connection breaks, or stalls in a key exchange."""

# Without a handler, paramiko would write tracebacks to stderr.
logging.getLogger("paramiko").addHandler(logging.NullHandler())
logging.getLogger("paramiko").propagate = False

# What the kernel says when no answer came: just that, or what it heard meanwhile about the route.
_GIVEN_UP = (errno.ETIMEDOUT, errno.EHOSTUNREACH, errno.ENETUNREACH, getattr(errno, "WSAETIMEDOUT", 0))

# RFC 4254 section 6.10, with the numbers they have nearly everywhere.
_SIGNALS = {
    "HUP": 1, "INT": 2, "QUIT": 3, "ILL": 4, "ABRT": 6, "FPE": 8, "KILL": 9,
    "USR1": 10, "SEGV": 11, "USR2": 12, "PIPE": 13, "ALRM": 14, "TERM": 15,
}  # fmt: skip


@dataclass
class Told:
    """What the server told us about a channel, besides its data.

    :param replies: whether it granted each request, in their order; False too once it is over
    :param status: how the command ended, as in ``Process.wait``
    :param closed: set once it is over
    """

    # Not SimpleQueue: after a late signal, as when the program was stopped, it waits forever.
    replies: queue.Queue[bool] = field(default_factory=queue.Queue)
    status: int | None = None
    closed: threading.Event = field(default_factory=threading.Event)


def _on_success(channel: paramiko.Channel, _: Message) -> None:
    told_of(channel).replies.put(True)


def _on_failure(channel: paramiko.Channel, message: Message) -> None:
    told_of(channel).replies.put(False)
    CHANNEL._request_failed(channel, message)


def _on_close(channel: paramiko.Channel, message: Message) -> None:
    told_of(channel).closed.set()
    told_of(channel).replies.put(False)
    CHANNEL._handle_close(channel, message)


def _on_request(channel: paramiko.Channel, message: Message) -> None:
    """Note how a command ended, even by a signal: paramiko does not know ``exit-signal``."""
    kind, _ = message.get_string(), message.get_boolean()
    if kind == b"exit-signal":
        name = message.get_string().decode("ascii", "replace")
        told_of(channel).status = -_SIGNALS.get(name, -NO_STATUS)
        channel.status_event.set()
        return
    if kind == b"exit-status":
        told_of(channel).status = message.get_int()
    message.rewind()
    message.get_int()  # the channel's number, which was read before
    CHANNEL._handle_request(channel, message)


def told_of(channel: paramiko.Channel) -> Told:
    """What the server told us about a ``Transport``'s channel."""
    transport = channel.get_transport()
    return transport.told[channel.get_id()] if isinstance(transport, Transport) else Told()


class Transport(paramiko.Transport):
    """One connection's transport.

    :param sock: a connected socket, or a channel of another transport
    :param configuration: whose algorithm lists are honoured
    :param known_types: the types of this server's known host keys; asked for first
    """

    _kex_info: ClassVar[dict[str, Any]] = {
        **TRANSPORT._kex_info,
        CURVE25519: TRANSPORT._kex_info.get(CURVE25519_BEFORE),
    }
    _channel_handler_table: ClassVar[dict[int, Callable[[paramiko.Channel, Message], None]]] = {
        **TRANSPORT._channel_handler_table,
        Number.CHANNEL_SUCCESS: _on_success,
        Number.CHANNEL_FAILURE: _on_failure,
        Number.CHANNEL_CLOSE: _on_close,
        Number.CHANNEL_REQUEST: _on_request,
    }

    def __init__(self, sock: Any, configuration: HopConfiguration, known_types: Iterable[str]) -> None:
        self._configuration = configuration
        self._own = own_algorithms(configuration, known_types)
        self._timed_out = self._said_goodbye = False
        self.offered: dict[str, Sequence[str]] = {}
        self._proof: tuple[bytes, bytes, bytes] | None = None
        self.parting_words = ""
        self.told: dict[int, Told] = defaultdict(Told)
        """By channel number."""
        self.needs_next: tuple[Any, ...] | None = None
        """The channel that will be needed first, as ``ahead`` has it."""
        self.early: Any = None
        """The same once it has been asked for, by ``ahead``."""
        super().__init__(sock, packetizer_class=Packets)

    @property
    def preferred_kex(self) -> Sequence[str]:
        """What paramiko has of KexAlgorithms."""
        return self._own[KEX]

    @property
    def preferred_keys(self) -> Sequence[str]:
        """Without host certificates, which nothing here can verify."""
        return self._own[HOST_KEY]

    @property
    def preferred_ciphers(self) -> Sequence[str]:
        """What paramiko has of Ciphers."""
        return self._own[CIPHER]

    @property
    def preferred_macs(self) -> Sequence[str]:
        """What paramiko has of MACs."""
        return self._own[MAC]

    @property
    def agreed(self) -> str:
        """The key exchange and the cipher that were agreed on, in words."""
        exchanges = [each for each in self._own[KEX] if each in self.offered.get(KEX.offered, ())]
        return ", ".join([*exchanges[:1], self.remote_cipher])  # type: ignore[attr-defined]

    @property
    def first_line(self) -> str:
        """The first line the server said, whatever it was."""
        return plain(self.packetizer.first_line) if isinstance(self.packetizer, Packets) else ""

    @property
    def heard(self) -> float:
        """When the last packet came, on the monotonic clock."""
        return self.packetizer.heard if isinstance(self.packetizer, Packets) else 0.0

    @property
    def server_signature_algorithms(self) -> list[str] | None:
        """What the server lets keys sign with (``server-sig-algs``, RFC 8308); None if it does not say."""
        said: bytes | None = self.server_extensions.get("server-sig-algs")  # type: ignore[attr-defined]
        return None if said is None else said.decode(errors="replace").split(",")

    @property
    def proof(self) -> tuple[bytes, bytes, bytes]:
        """The host key, the session identifier, and the key's signature of it: from the first exchange."""
        if self._proof is None:
            raise ValueError("no keys were exchanged yet")
        return self._proof

    def _verify_key(self, host_key: bytes, sig: bytes) -> None:
        super()._verify_key(host_key, sig)  # type: ignore[misc]
        if self._proof is None:
            self._proof = (host_key, self.session_id or b"", sig)

    @property
    def was_closed(self) -> bool:
        """Whether the server ended the connection cleanly: it said so, or closed its side."""
        return self._said_goodbye or isinstance(self.saved_exception, EOFError)

    @property
    def timed_out(self) -> bool:
        """Whether this kernel gave up the connection because the server's did not answer."""
        self._timed_out = self._timed_out or _is_time_out(self.saved_exception)
        return self._timed_out

    def get_exception(self) -> Exception | None:
        """What ended the connection, given only once; ``open_channel`` raises it.

        An SSHException, an EOFError or an OSError, even if the server sent something unreadable.
        """
        self._timed_out = self.timed_out
        problem = super().get_exception()
        if problem is None or isinstance(problem, (paramiko.SSHException, EOFError, OSError)):
            return problem
        return paramiko.SSHException(str(problem))

    def incompatible(self) -> NetworkFailure | None:
        """Which algorithm was missing, if that is why it ended."""
        return nothing_in_common(self._configuration, self.offered, self._own)

    def _really_parse_kex_init(self, m: Message, ignore_first_byte: bool = False) -> dict[str, Any]:
        parsed: dict[str, Any] = super()._really_parse_kex_init(m, ignore_first_byte)  # type: ignore[misc]
        self.offered = {name: list(value) for name, value in parsed.items() if isinstance(value, list)}
        return parsed

    def _parse_disconnect(self, m: Message) -> None:
        self._said_goodbye = True
        m.get_int()
        self.parting_words = plain(m.get_string().decode(errors="replace"))[:200]

    def _parse_channel_open_success(self, m: Message) -> None:
        """Close a channel that opens after everybody has given it up: it would stay open there."""
        ours, theirs = m.get_int(), m.get_int()
        if self._channels.get(ours) is None:  # type: ignore[attr-defined]
            message = Message()
            message.add_byte(Number.CHANNEL_CLOSE.byte)
            message.add_int(theirs)
            self._send_message(message)  # type: ignore[attr-defined]
            return
        m.rewind()
        super()._parse_channel_open_success(m)  # type: ignore[misc]

    def send(self, message: Message) -> None:
        """Send a packet; waits while keys are being exchanged. If it cannot be sent, the connection ends."""
        try:
            self._send_user_message(message)  # type: ignore[attr-defined]
        except (paramiko.SSHException, EOFError, OSError):
            self.close()

    def close(self) -> None:
        """End the connection, and its socket, which may be a channel that has nobody left to tell."""
        with suppress(paramiko.SSHException, EOFError, OSError):
            super().close()

    def probe(self) -> None:
        """Ask for any answer at all (OpenSSH's ``keepalive@openssh.com``), without waiting for it.

        While keys are exchanged, nothing else may be sent, and an answer is due anyway.
        """
        if not self.clear_to_send.is_set():
            return
        message = Message()
        message.add_byte(Number.GLOBAL_REQUEST.byte)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        self.send(message)


def _is_time_out(problem: Exception | None) -> bool:
    return isinstance(problem, OSError) and problem.errno in _GIVEN_UP
