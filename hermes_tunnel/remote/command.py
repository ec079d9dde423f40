"""One command on the remote machine, on a pseudo-terminal, with its output told as it comes.

A pseudo-terminal, because only with one does the command end when the connection does (it gets SIGHUP),
and because some logins insist on it. It is wide, so that no URL is wrapped, and dumb, so that nothing is
coloured. What is sent is never typed by chance: one answer at a time, to a prompt that was recognised.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from types import TracebackType

import paramiko

from hermes_tunnel.errors import Failure, NetworkFailure, RemoteCommandFailure, UsageFailure
from hermes_tunnel.oauth.states import Exited
from hermes_tunnel.oauth.transcript import LONGEST_OUTPUT
from hermes_tunnel.text import quote

_COLUMNS, _ROWS = 4000, 50
_OPEN_SECONDS = 15.0
_STATUS_SECONDS = 5.0  # between the end of the output and the exit status
_END_SECONDS = 1.0
_OUTPUT_SECONDS = 5.0
_LONGEST_OUTPUT = 256 * 1024  # bytes of a command that only tells something
# What reaches the remote login shell (bash, fish, tcsh, rbash ...) unquoted and unchanged in all of them; at
# the start of a word zsh takes = for a command to look up, and fish takes %self for its own process.
_WORD = re.compile(r"(?![=%])[A-Za-z0-9._/:@%+=,-]+")


@dataclass(frozen=True)
class Output:
    """Some bytes of what the command printed."""

    data: bytes = field(repr=False)


Post = Callable[["Output | Exited | Failure"], None]


class Script(str):
    """A script that is a word for another script."""

    __slots__ = ()


def script(name: str) -> str:
    """One of the scripts beside this module as one line, without its comments."""
    text = (files("hermes_tunnel.remote") / name).read_text("utf-8")
    return " ".join(line.strip() for line in text.splitlines() if not line.lstrip().startswith("#"))


def script_line(script: str, words: Sequence[str], *, before: Sequence[str] = ()) -> str:
    """The command line that runs ``script`` by ``sh`` whatever the account's shell is.

    :param script: without ``'``, ``!``, backslash and line feed: then single quotes hold in every shell
    :param words: its ``$1`` and on; of those, each ``Script`` like the above
    :param before: words before ``sh``, such as ``sudo -u NAME``
    :raises UsageFailure: a word has characters that some shell would act on
    """
    for word in (*before, *words):
        if not isinstance(word, Script) and not _WORD.fullmatch(word):
            raise UsageFailure(
                f"{quote(word)} cannot be passed to the remote machine's shell unchanged",
                "letters, digits and . _ / : @ % + = , - can be passed, and it may not begin with = or %",
            )
    quoted = [f"'{word}'" if isinstance(word, Script) else word for word in words]
    return " ".join((*before, f"sh -c '{script}' hermes-tunnel", *quoted))


def output_of(transport: paramiko.Transport, line: str) -> str | None:
    """What a command prints that asks nothing and ends soon, in a session of its own; None where it could not
    run. A start-up file may be talkative before it.
    """
    output = b""
    try:
        with contextlib.closing(transport.open_session(timeout=_OUTPUT_SECONDS)) as channel:
            channel.settimeout(_OUTPUT_SECONDS)
            channel.exec_command(line)
            while len(output) < _LONGEST_OUTPUT and (data := channel.recv(4096)):
                output += data
    except (paramiko.SSHException, EOFError, OSError):
        return None
    return output.decode("utf-8", "replace")


class RemoteCommand:
    """A running command; a context manager that leaves nothing running.

    :param transport: the connection; stays open
    :param line: what the remote shell is to run
    :param post: is told of output, of the exit and of a lost connection; called in a thread
    """

    def __init__(self, transport: paramiko.Transport, line: str, post: Post) -> None:
        self._transport = transport
        self._line = line
        self._post = post
        self._reader = threading.Thread(target=self._read, name="remote-command", daemon=True)

    def __enter__(self) -> RemoteCommand:
        self._channel = _open_terminal(self._transport)
        try:
            self._channel.exec_command(self._line)
        except (paramiko.SSHException, OSError) as error:
            self._channel.close()
            raise RemoteCommandFailure(
                "the server refused to run a command",
                "the account may be restricted to something else; connect with ssh and look",
            ) from error
        self._reader.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def answer(self, text: str) -> None:
        """Send one line, as if it was typed; only ever called for a prompt."""
        try:
            self._channel.settimeout(_OPEN_SECONDS)
            self._channel.sendall(text.encode() + b"\n")
            self._channel.settimeout(None)
        except OSError:
            pass  # it has ended meanwhile; its exit is told by the reader

    def end(self) -> None:
        """End the command if it still runs: as Ctrl-C does, then SIGTERM, then SIGHUP by the closing."""
        channel = self._channel
        if not channel.exit_status_ready() and self._transport.is_active():
            with contextlib.suppress(OSError, paramiko.SSHException):
                channel.settimeout(_END_SECONDS)
                channel.sendall(b"\x03")
                if not channel.status_event.wait(_END_SECONDS):
                    self._signal("TERM")
                    channel.status_event.wait(_END_SECONDS)
        channel.close()
        self._reader.join(_STATUS_SECONDS)

    def _signal(self, name: str) -> None:
        """RFC 4254 section 6.9; paramiko has no call for it."""
        message = paramiko.Message()
        message.add_byte(paramiko.common.cMSG_CHANNEL_REQUEST)
        message.add_int(self._channel.remote_chanid)
        message.add_string("signal")
        message.add_boolean(False)
        message.add_string(name)
        self._transport._send_user_message(message)  # type: ignore[attr-defined]

    def _read(self) -> None:
        received = 0
        # More than a login prints is not even read: the flood stays in the server's window.
        while received <= LONGEST_OUTPUT and (data := self._next()):
            received += len(data)
            self._post(Output(data))
        if received > LONGEST_OUTPUT:
            return
        self._channel.status_event.wait(_STATUS_SECONDS)
        if self._transport.is_active():
            self._post(Exited(self._channel.exit_status))
        else:
            self._post(NetworkFailure("the connection was lost while the command ran", "run the login again"))

    def _next(self) -> bytes:
        while True:
            try:
                return self._channel.recv(32768)
            except TimeoutError:
                continue  # a sender's limit: a channel has one for both directions
            except OSError:
                return b""


def _open_terminal(transport: paramiko.Transport) -> paramiko.Channel:
    try:
        channel = transport.open_session(timeout=_OPEN_SECONDS)
    except paramiko.ChannelException as error:
        raise RemoteCommandFailure(
            "the server refused a session on this connection",
            "its sshd_config may have MaxSessions 0, or the account only forwards",
        ) from error
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise NetworkFailure(
            "the connection was lost before the command could start", "run the login again"
        ) from error
    try:
        channel.get_pty(term="dumb", width=_COLUMNS, height=_ROWS)
    except (paramiko.SSHException, OSError) as error:
        channel.close()
        raise RemoteCommandFailure(
            "the server refused a terminal for the command",
            "its sshd_config needs PermitTTY yes for this account",
        ) from error
    return channel
