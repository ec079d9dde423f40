"""A request to a listener on the remote, by a command that is run there: for where no forward may go.

Servers that forbid forwarding may still run a command, and so may a container's engine. The request goes to
the command's standard input, so that no code stands in a list of processes.
"""

from __future__ import annotations

import contextlib

import paramiko

from hermes_tunnel.errors import Undeliverable
from hermes_tunnel.ssh.direct_tcpip import LONGEST_ANSWER

_SESSION_SECONDS = 10.0
_ANSWER_SECONDS = 45.0  # longer than the command there waits for the listener
_MOST_NOISE = 64 * 1024  # bytes that a start-up file may print before


def relay(transport: paramiko.Transport, line: str, marker: str, request: bytes) -> bytes:
    """Run the relaying command, give it the request, and give back what the listener answered.

    :param line: the command; it prints ``marker``, a word and a line feed, then the answer
    :param marker: what its output begins with; start-up files may print before it
    :raises Undeliverable: it could not run (``refused``), or nobody listens there
    """
    output, status = _run(transport, line, request)
    _, begun, rest = output.partition(marker.encode())
    word, _, answer = rest.partition(b"\n")
    if not begun:
        raise Undeliverable("the relay could not run there", refused=True)
    if word.strip() != b"relay":
        raise Undeliverable("the relay found no python3, curl or nc there", refused=True)
    answer = answer.lstrip()
    if status != 0 and not answer.startswith(b"HTTP/"):
        raise Undeliverable("connect failed", refused=False)
    return answer


def _run(transport: paramiko.Transport, line: str, request: bytes) -> tuple[bytes, int]:
    try:
        channel = transport.open_session(timeout=_SESSION_SECONDS)
    except paramiko.ChannelException as error:
        raise Undeliverable("a second session for the relay was refused", refused=True) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise Undeliverable("the connection did not answer", refused=False) from error
    output = b""
    with contextlib.closing(channel):
        channel.settimeout(_ANSWER_SECONDS)
        with contextlib.suppress(OSError, paramiko.SSHException):
            channel.exec_command(line)
            channel.sendall(request)
            channel.shutdown_write()
            while len(output) < LONGEST_ANSWER + _MOST_NOISE and (chunk := channel.recv(16384)):
                output += chunk
            channel.status_event.wait(_SESSION_SECONDS)
        return output, channel.exit_status
