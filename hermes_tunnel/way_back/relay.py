"""A request to a listener on the remote, sent by a command we run there, for when no forward may go there.

A server that forbids forwarding may still run a command, and so may a container engine. The request goes to
the command's standard input, so that no code appears in a process list.
"""

from __future__ import annotations

import math
import time
from contextlib import closing, suppress

from hermes_tunnel.deadlines import DELIVERY, RELAY_BEGIN, STATUS
from hermes_tunnel.errors import NetworkFailure, RemoteCommandFailure
from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.rebuilding import is_form
from hermes_tunnel.oauth.states import NoDelivery, Undelivered
from hermes_tunnel.ssh.connection import Connection, Process
from hermes_tunnel.way_back.channel import exchanged, until_then

_MOST_NOISE = 64 * 1024  # bytes that start-up files may print first
_NOBODY_LISTENS = 7  # the command's exit status for that, and curl's
_OBSTACLES = {
    b"none": "the relay found no python3, curl or nc there",
    b"no-container": "the relay could not enter the container",
}


def relay(
    connection: Connection,
    line: str,
    marker: str,
    request: bytes,
    *,
    seconds: float = DELIVERY.seconds,
    until: float = math.inf,
) -> Answer | Undelivered:
    """Run the relay command, give it the request, and read the listener's answer.

    :param line: the command; it prints ``marker``, ``relay`` and a line feed when it is ready for the
        request, then the answer, and it ends when its input does
    :param marker: what its output begins with; start-up files may print before it
    :param seconds: how long the answer may take
    :param until: when all of it has to be over, by the monotonic clock
    :return: the answer, as much as arrived; or why the request did not get there: ``FORBIDDEN`` if the
        relay could not run
    """
    try:
        process = connection.start(line)
    except RemoteCommandFailure:
        return Undelivered(NoDelivery.FORBIDDEN, "a second session for the relay was refused")
    except NetworkFailure:
        return Undelivered(NoDelivery.LOST, "it did not answer")
    with closing(process):
        begun = _begin(process, marker.encode(), until_then(RELAY_BEGIN.seconds, until))
        if not begun and not connection.is_up:
            return Undelivered(NoDelivery.LOST, "the relay had not begun")
        if begun != b"relay":
            return Undelivered(NoDelivery.FORBIDDEN, _OBSTACLES.get(begun, "the relay could not run there"))
        line_end = b"\n" if is_form(request) else b""  # what runs there reads lines
        answer = exchanged(connection, process, request + line_end, until_then(seconds, until))
        is_empty = isinstance(answer, Answer) and answer.ended and not answer.size
        if is_empty and process.wait(STATUS.seconds) == _NOBODY_LISTENS:
            return Undelivered(NoDelivery.NOBODY_LISTENS, "connect failed")
        return answer


def _begin(process: Process, marker: bytes, seconds: float) -> bytes:
    """The word after the marker; empty if the command did not begin."""
    output, begun = bytearray(), -1
    until = time.monotonic() + seconds
    with suppress(TimeoutError):
        while len(output) < _MOST_NOISE and (data := process.read(until - time.monotonic())):
            output += data
            if begun < 0:  # never search the same bytes twice, however few arrive at a time
                begun = output.find(marker, max(0, len(output) - len(data) - len(marker)))
            if begun >= 0 and b"\n" in data:
                word, ended, _ = bytes(output[begun + len(marker) :]).partition(b"\n")
                if ended:
                    return word.partition(b":")[0].strip()
    return b""
