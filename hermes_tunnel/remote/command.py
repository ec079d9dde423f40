"""One command on the remote machine, its output posted as it comes.

It runs on a pseudo-terminal if the server gives it one: then it ends when the connection does (by SIGHUP),
and some logins insist on a terminal. Without one, the script's lifeline ends the command.
Nothing is ever typed blindly: each answer goes to a prompt that we recognised, or to a question for the
terminal.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from types import TracebackType

from hermes_tunnel.deadlines import LOOK, STATUS
from hermes_tunnel.errors import AGAIN, Failure, NetworkFailure
from hermes_tunnel.oauth.states import Exited
from hermes_tunnel.oauth.transcript import LONGEST_OUTPUT
from hermes_tunnel.remote.pseudo_terminal import TERMINAL
from hermes_tunnel.ssh.connection import NO_STATUS, Connection, Errors

_ANSWER_SECONDS = 15.0
_END_SECONDS = 1.0
_LONGEST_OUTPUT = 256 * 1024  # bytes, of a command that only reports something


@dataclass(frozen=True)
class Output:
    """Some bytes of what the command printed."""

    data: bytes = field(repr=False)


Post = Callable[["Output | Exited | Failure"], None]


def output_of(connection: Connection, line: str) -> str | None:
    """The output of a command that asks nothing and ends soon; None if it could not run, or did not end.

    What start-up files print comes before it.
    """
    output = bytearray()
    until = time.monotonic() + LOOK.seconds
    try:
        with closing(connection.start(line, errors=Errors.WITH_OUTPUT)) as process:
            process.end_input()  # so that a shell that replaced the command ends
            while len(output) < _LONGEST_OUTPUT and (data := process.read(until - time.monotonic())):
                output += data
    except (Failure, TimeoutError):
        return None
    return output.decode("utf-8", "replace")


class RemoteCommand:
    """A running command; a context manager that leaves nothing running.

    :param connection: stays open
    :param line: what the remote shell is to run; it does nothing if it is meant for a terminal and has none
    :param post: takes output, the exit, or a lost connection; called in a thread
    :param terminal: whether it runs on a terminal; if not, it has to end when its input does
    :param status_seconds: between the end of the output and the exit status, whichever comes first
    """

    def __init__(
        self,
        connection: Connection,
        line: str,
        post: Post,
        *,
        terminal: bool = True,
        status_seconds: float = STATUS.seconds,
    ) -> None:
        self._connection = connection
        self._line = line
        self._post = post
        self._terminal = TERMINAL if terminal else None
        self._status_seconds = status_seconds
        self.was_stopped = False
        """Whether it did not end by itself, and was seen to end when it was told to."""
        self._reader = threading.Thread(target=self._read, name="remote-command", daemon=True)

    def __enter__(self) -> RemoteCommand:
        self._process = self._connection.start(
            self._line, self._terminal, errors=Errors.WITH_OUTPUT, guarded=True
        )
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    @property
    def on_terminal(self) -> bool:
        """Whether it runs on a terminal."""
        return self._terminal is not None

    def answer(self, text: str) -> None:
        """Send one line, as if it were typed; called only for a prompt."""
        self.send(text.encode() + b"\n")

    def send(self, data: bytes) -> None:
        """Send what its terminal says."""
        with suppress(OSError):  # it has ended meanwhile; the reader posts its exit
            self._process.write(data, _ANSWER_SECONDS)

    def end(self) -> None:
        """End the command if it still runs: by Ctrl-C, or by ending its input if it has no terminal; then by
        SIGTERM; then by closing the channel, which hangs up a terminal.
        """
        process = self._process
        ran = process.wait(0) is None and self._connection.is_up
        if ran:
            with suppress(OSError):
                if self._terminal is None:
                    process.end_input()
                else:
                    process.write(b"\x03", _END_SECONDS)
            if process.wait(_END_SECONDS) is None:
                process.signal("TERM")
                process.wait(_END_SECONDS)
        self.was_stopped = self.was_stopped or (ran and process.wait(0) is not None)
        process.close()
        self._reader.join(STATUS.seconds)

    def _read(self) -> None:
        received, until = 0, math.inf
        # We stop reading at more than any login prints: a flood stays in the server's window.
        while received <= LONGEST_OUTPUT and time.monotonic() < until and (data := self._process.read()):
            received += len(data)
            self._post(Output(data))
            if until == math.inf and self._process.wait(0) is not None:
                until = time.monotonic() + self._status_seconds  # what it left running may print for ever
        if received > LONGEST_OUTPUT:
            return
        status = self._process.wait(self._status_seconds)
        if status is None and not self._connection.is_up:
            self._post(NetworkFailure("the connection was lost while the command ran", AGAIN))
        else:
            self._post(Exited(NO_STATUS if status is None else status))
