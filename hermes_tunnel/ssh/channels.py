"""Commands and streams on the channels of a transport (RFC 4254 sections 5 and 6), on top of paramiko's.

paramiko's channel has one time limit for both directions, waits for some of the server's replies without any,
and raises what it likes when the connection breaks. Here all of it becomes what ``connection`` promises.
"""

from __future__ import annotations

import math
import os
import queue
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress

import paramiko

from hermes_tunnel.deadlines import CHANNEL, DRAIN, SESSION
from hermes_tunnel.errors import AGAIN, NetworkFailure, RemoteCommandFailure, TerminalRefused
from hermes_tunnel.ssh import ahead
from hermes_tunnel.ssh.connection import (
    NO_STATUS,
    Errors,
    NoStream,
    Process,
    Stream,
    StreamRefused,
    Terminal,
    WindowSize,
)
from hermes_tunnel.ssh.messages import Number
from hermes_tunnel.ssh.transport import GONE, Transport, told_of
from hermes_tunnel.ssh.waiting import SLICE
from hermes_tunnel.text import plain

_CHUNK = 32768
_PROHIBITED, _CONNECT_FAILED = 1, 2  # RFC 4254 section 5.1
_GONE_SECONDS = 2.0  # until the server has closed too, or a lost transport has ended as its channels have


class ChannelStream(Stream):
    """A channel as a stream."""

    def __init__(self, channel: paramiko.Channel) -> None:
        self._channel = channel
        self._given_up = False
        # One for both directions, never changed: each has its own deadline, and checks it this often.
        channel.settimeout(SLICE)

    def read(self, seconds: float | None = None) -> bytes:
        """Some bytes; none at the end."""
        return self._received(self._channel.recv, seconds)

    def _received(self, receive: Callable[[int], bytes], seconds: float | None) -> bytes:
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            try:
                data = receive(_CHUNK)
            except TimeoutError:
                if self._is_over():
                    return b""
                if until is not None and time.monotonic() >= until:
                    raise TimeoutError from None
                continue
            except GONE:
                data = b""
            if not data:
                self._await_loss()
            return data

    def write(self, data: bytes, seconds: float = CHANNEL.seconds) -> None:
        """Send all of it."""
        until = time.monotonic() + seconds
        while data:
            try:
                sent = self._channel.send(data)
            except TimeoutError:
                if time.monotonic() >= until:
                    raise TimeoutError from None
                continue
            except GONE as problem:
                stalls = isinstance(problem, paramiko.SSHException) and self._is_open()
                if stalls and until == math.inf:
                    continue  # paramiko has waited half a minute for new keys; the data is still to be sent
                raise BrokenPipeError from problem
            if not sent:
                raise BrokenPipeError
            data = data[sent:]

    def end_input(self) -> None:
        """Nothing more will be written."""
        with suppress(*GONE):
            self._channel.shutdown_write()

    def close(self) -> None:
        """Give it up."""
        self._given_up = True
        with suppress(*GONE):
            self._channel.close()

    def _is_open(self) -> bool:
        return bool(not self._channel.closed and self._channel.get_transport().is_active())

    def _await_loss(self) -> None:
        """If it ended because the connection was lost, wait until that shows."""
        channel = self._channel
        ended_there = channel.eof_received or told_of(channel).closed.is_set()
        if channel.closed and not ended_there and not self._given_up:
            channel.get_transport().join(_GONE_SECONDS)

    def _is_over(self) -> bool:
        """Nothing came for a moment: whether that is the end, even if the server has not said so."""
        return False


class ChannelProcess(ChannelStream, Process):
    """A session's command."""

    def __init__(
        self, transport: Transport, channel: paramiko.Channel, errors: Errors = Errors.DROPPED
    ) -> None:
        super().__init__(channel)
        self._transport = transport
        self._errors = errors
        self._silent_since: float | None = None

    def read(self, seconds: float | None = None) -> bytes:
        """Some of its output; none at the end."""
        data = super().read(seconds)
        if data:
            self._silent_since = None
        return data

    def read_error(self, seconds: float | None = None) -> bytes:
        """Some of its standard error; none at the end."""
        return self._received(self._channel.recv_stderr, seconds)

    def resize(self, size: WindowSize) -> None:
        """Tell it the new size of its terminal's window."""
        with suppress(*GONE):
            self._channel.resize_pty(size.columns, size.rows, size.width, size.height)

    def signal(self, name: str) -> None:
        """Send it a signal, for which paramiko has no call."""
        self._transport.send(_request(self._channel, "signal", name, wants_reply=False))

    def wait(self, seconds: float) -> int | None:
        """How it ended."""
        self._channel.status_event.wait(seconds)
        told = told_of(self._channel)
        if told.status is None and told.closed.is_set():
            return NO_STATUS
        if told.status is None:
            self._await_loss()
        return told.status

    def _is_over(self) -> bool:
        if self._errors is Errors.APART:
            return False
        # Output that nobody reads would block the command in the end: both outputs share one window.
        with suppress(*GONE):
            while self._channel.recv_stderr_ready() and self._channel.recv_stderr(_CHUNK):
                pass
        if told_of(self._channel).status is None:
            return False
        self._silent_since = self._silent_since or time.monotonic()
        return time.monotonic() - self._silent_since >= DRAIN.seconds


def start(
    transport: Transport,
    line: str | None,
    terminal: Terminal | None,
    seconds: float = SESSION.seconds,
    *,
    errors: Errors = Errors.DROPPED,
    environment: Sequence[tuple[str, str]] = (),
    guarded: bool = False,
) -> ChannelProcess:
    """Run a command in a session of its own, as ``Connection.start`` says.

    :param seconds: how long the server may take for each reply
    """
    with ExitStack() as opened:
        channel = _session(transport, seconds)
        opened.callback(_closed, channel)
        channel.set_combine_stderr(errors is Errors.WITH_OUTPUT)

        def execute() -> None:
            for variable in environment:
                transport.send(_request(channel, "env", *variable, wants_reply=False))
            what = ("shell",) if line is None else ("exec", line)
            transport.send(_request(channel, *what, wants_reply=True))

        together = terminal is None or (guarded and ahead.is_borne(transport))
        if terminal is not None:
            transport.send(_request(channel, "pty-req", *_described(terminal), wants_reply=True))
        if together:
            execute()
        if terminal is not None and not _is_granted(transport, channel, seconds):
            raise TerminalRefused(
                "the server refused a terminal for the command",
                "its sshd_config needs PermitTTY yes for this account",
            )
        if not together:
            execute()
        if not _is_granted(transport, channel, seconds):
            raise RemoteCommandFailure(
                "the server refused to run a command",
                "the account may be restricted to something else; connect with ssh and look",
            )
        opened.pop_all()
    return ChannelProcess(transport, channel, errors)


def _described(terminal: Terminal) -> tuple[str | int | bytes, ...]:
    """A terminal as it is asked for (RFC 4254 section 6.2)."""
    size = terminal.size
    return (terminal.term, size.columns, size.rows, size.width, size.height, terminal.modes)


def _closed(channel: paramiko.Channel) -> None:
    """Close a session, and wait until the server has: until then it counts against MaxSessions."""
    with suppress(*GONE):
        channel.close()
    if channel.get_transport().is_active():
        told_of(channel).closed.wait(_GONE_SECONDS)


def open_channel(transport: Transport, host: str, port: int, seconds: float) -> paramiko.Channel:
    """A ``direct-tcpip`` channel (RFC 4254 section 7.2).

    :raises StreamRefused: there is none, and why
    """
    try:
        return ahead.open_channel(transport, ahead.direct_tcpip(host, port), seconds)
    except GONE as problem:
        refusal = _refusal(transport, problem, seconds)
    # Not inside the handler: paramiko's frames would keep a channel that opens late alive, and so open.
    raise refusal


def _refusal(transport: Transport, problem: Exception, seconds: float) -> StreamRefused:
    if not transport.is_active():
        return StreamRefused(NoStream.LOST, "the connection is lost")
    if not isinstance(problem, paramiko.ChannelException):
        return StreamRefused(NoStream.LOST, f"it did not answer within {seconds:g} s")
    nobody = problem.code == _CONNECT_FAILED
    reason = NoStream.NOBODY_LISTENS if nobody else NoStream.FORBIDDEN
    return StreamRefused(reason, plain(str(problem.text)).lower())


def _session(transport: Transport, seconds: float) -> paramiko.Channel:
    try:
        return ahead.open_channel(transport, ahead.SESSION, seconds)
    except GONE as problem:
        refused = isinstance(problem, paramiko.ChannelException) and transport.is_active()
    if refused:
        raise RemoteCommandFailure(
            "the server refused a session on this connection",
            "its sshd_config may have MaxSessions 0, or the account only forwards",
        )
    raise _lost(transport, seconds)


def _is_granted(transport: Transport, channel: paramiko.Channel, seconds: float) -> bool:
    """The reply to the oldest request on a channel: whether it is granted.

    paramiko's own calls wait for it without a limit.

    :raises NetworkFailure: the connection is lost, or no reply came
    """
    until, replies = time.monotonic() + seconds, told_of(channel).replies
    while True:
        try:
            return replies.get(timeout=max(0.0, min(SLICE, until - time.monotonic())))
        except queue.Empty:
            if time.monotonic() >= until or not transport.is_active():
                raise _lost(transport, seconds) from None


def _request(
    channel: paramiko.Channel, kind: str, *values: str | int | bytes, wants_reply: bool
) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(Number.CHANNEL_REQUEST.byte)
    message.add_int(channel.remote_chanid)
    message.add_string(kind)
    message.add_boolean(wants_reply)
    for value in values:
        if isinstance(value, int):
            message.add_int(value)
        else:  # what was typed may be bytes that are no text (PEP 383)
            message.add_string(value if isinstance(value, bytes) else os.fsencode(value))
    return message


def _lost(transport: Transport, seconds: float) -> NetworkFailure:
    if transport.is_active():
        return NetworkFailure(
            f"the server did not answer the request to run a command within {seconds:g} s",
            "run the same command again",
        )
    return NetworkFailure("the connection was lost before the command could start", AGAIN)
