"""A request to a listener on the remote, by a command that is run there: for where no forward may go.

Servers that forbid forwarding may still run a command, and so may a container's engine. The request goes to
the command's standard input, so that no code stands in a list of processes.
"""

from __future__ import annotations

import contextlib
import time

import paramiko

from hermes_tunnel.deadlines import CHANNEL, DELIVERY, RELAY_BEGIN, STATUS
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.states import NoDelivery, Undelivered
from hermes_tunnel.way_back.channel import is_lost, read_answer

_MOST_NOISE = 64 * 1024  # bytes that a start-up file may print before
_NOBODY_LISTENS = 7  # the command's exit status for that; it is curl's as well
_OBSTACLES = {
    b"none": "the relay found no python3, curl or nc there",
    b"no-container": "the relay could not enter the container",
}


def relay(
    transport: paramiko.Transport,
    line: str,
    marker: str,
    request: bytes,
    *,
    seconds: float = DELIVERY.seconds,
) -> Answer | Undelivered:
    """Run the relaying command, give it the request, and read what the listener answers.

    :param line: the command; it prints ``marker``, ``relay`` and a line feed when it is ready for the
        request, then the answer, and it ends when its input does
    :param marker: what its output begins with; start-up files may print before it
    :param seconds: how long the answer may take
    :return: the answer, as far as it came; or why the request did not get there, which is ``FORBIDDEN`` where
        the relay could not run
    """
    try:
        channel = transport.open_session(timeout=CHANNEL.seconds)
    except paramiko.ChannelException:
        return Undelivered(NoDelivery.FORBIDDEN, "a second session for the relay was refused")
    except (paramiko.SSHException, EOFError, OSError):
        return Undelivered(NoDelivery.LOST, "it did not answer")
    with contextlib.closing(channel):
        begun = _begin(channel, line, marker.encode())
        if not begun and is_lost(transport, channel):
            return Undelivered(NoDelivery.LOST, "the relay had not begun")
        if begun != b"relay":
            return Undelivered(NoDelivery.FORBIDDEN, _OBSTACLES.get(begun, "the relay could not run there"))
        return _exchange(transport, channel, request, seconds)


def _exchange(
    transport: paramiko.Transport, channel: paramiko.Channel, request: bytes, seconds: float
) -> Answer | Undelivered:
    with contextlib.suppress(OSError):  # it ended at once
        channel.sendall(request)
    answer = read_answer(channel, seconds)
    if not answer.size and is_lost(transport, channel):
        return Undelivered(NoDelivery.LOST_UNDER_WAY, "the listener did not answer before")
    ended = not answer.size and channel.eof_received and channel.status_event.wait(STATUS.seconds)
    if ended and channel.exit_status == _NOBODY_LISTENS:
        return Undelivered(NoDelivery.NOBODY_LISTENS, "connect failed")
    return answer


def _begin(channel: paramiko.Channel, line: str, marker: bytes) -> bytes:
    """Run the command; the word after the marker, or nothing where it did not begin."""
    output, begun = bytearray(), -1
    until = time.monotonic() + RELAY_BEGIN.seconds
    with contextlib.suppress(OSError, paramiko.SSHException):
        channel.settimeout(RELAY_BEGIN.seconds)
        channel.exec_command(line)
        while len(output) < _MOST_NOISE and (left := until - time.monotonic()) > 0:
            channel.settimeout(left)
            data = channel.recv(4096)
            output += data
            if begun < 0:  # what was looked at before is not looked at again, however little comes at a time
                begun = output.find(marker, max(0, len(output) - len(data) - len(marker)))
            if begun >= 0 and b"\n" in data:
                word, ended, _ = bytes(output[begun + len(marker) :]).partition(b"\n")
                if ended:
                    return word.partition(b":")[0].strip()
            if not data:
                break
    return b""
