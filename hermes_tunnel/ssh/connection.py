"""An SSH connection as the rest of the program knows it: commands on a machine, and streams to its ports.

An interface (RFC 4254 in a dozen calls), so that what builds on it need not know a library, and another
implementation, such as the ssh program, can stand beside this program's own. No library's exception escapes
it.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Protocol, TypeVar

from hermes_tunnel.deadlines import CHANNEL
from hermes_tunnel.events import NO_STATUS

__all__ = [
    "NO_STATUS",
    "Connection",
    "Errors",
    "NoStream",
    "NotWanted",
    "Process",
    "Stream",
    "StreamRefused",
    "Terminal",
    "WindowSize",
]
Self = TypeVar("Self", bound="Connection")


class NotWanted(Exception):
    """The connection was no longer wanted while it was made: everything opened is closed again."""


@dataclass(frozen=True)
class WindowSize:
    """The size of a terminal's window, in characters and, if known, in pixels (RFC 4254 section 6.2)."""

    columns: int
    rows: int
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class Terminal:
    """A pseudo-terminal for a command (RFC 4254 section 6.2).

    :param term: the value of TERM there
    :param size: of its window
    :param modes: how it is set (RFC 4254 section 8); empty to leave that to the server
    """

    term: str
    size: WindowSize
    modes: bytes = b""


class Errors(Enum):
    """What becomes of a command's standard error; on a terminal there is no such thing."""

    DROPPED = "thrown away"
    WITH_OUTPUT = "read as part of its output"
    APART = "read by itself; then both outputs last until the server closes them, as with ssh"


class Stream(Protocol):
    """Bytes to somewhere on the remote machine, and back. One thread may read while another writes."""

    @abstractmethod
    def read(self, seconds: float | None = None) -> bytes:
        """Some bytes as soon as there are any; none at the end, even if the connection was lost: then it is
        no longer ``is_up``.

        :param seconds: how long to wait for them; None for no limit
        :raises TimeoutError: none came in that time
        """

    @abstractmethod
    def write(self, data: bytes, seconds: float = CHANNEL.seconds) -> None:
        """Send all the data.

        :param seconds: how long the other end may take to make room for it
        :raises TimeoutError: it did not in that time; some of the data may have been sent
        :raises BrokenPipeError: nobody reads it any more
        """

    @abstractmethod
    def end_input(self) -> None:
        """Write nothing more (RFC 4254 section 5.3); what the other end says can still be read."""

    @abstractmethod
    def close(self) -> None:
        """Give it up, from any thread; for whoever is reading it, it ends."""


class Process(Stream, Protocol):
    """A command on the remote machine.

    Its output ends with it, even if something it left behind keeps the output open and says nothing. Without
    a terminal, ``read`` gives only its standard output, and its standard error is thrown away, unless
    ``start`` was told otherwise.
    """

    @abstractmethod
    def read_error(self, seconds: float | None = None) -> bytes:
        """Some bytes of its standard error, if ``start`` was told to keep them apart; else as ``read``."""

    @abstractmethod
    def resize(self, size: WindowSize) -> None:
        """Tell it the new size of its terminal's window (RFC 4254 section 6.7)."""

    @abstractmethod
    def signal(self, name: str) -> None:
        """Send it a signal (RFC 4254 section 6.9); not every server passes it on.

        :param name: such as ``TERM``
        """

    @abstractmethod
    def wait(self, seconds: float) -> int | None:
        """Its exit status; if a signal ended it, the signal's number, negative (RFC 4254 section 6.10).

        :param seconds: how long to wait for it
        :return: ``NO_STATUS`` if the server does not say how it ended, or names an unknown signal; None if it
            has not ended in that time, or if the connection was lost
        """


class NoStream(Enum):
    """Why there is no stream to a port there."""

    FORBIDDEN = "the server does not allow it"
    NOBODY_LISTENS = "nobody listens there"
    LOST = "the connection is lost, or the server does not answer"


class StreamRefused(Exception):
    """There is no stream to a port there.

    :param words: the server's own, or ours for it
    """

    def __init__(self, reason: NoStream, words: str) -> None:
        super().__init__(words)
        self.reason = reason
        self.words = words


class Connection(Protocol):
    """An authenticated connection; as a context manager, it closes itself."""

    @property
    @abstractmethod
    def destination(self) -> str:
        """``user@host`` as the person knows it."""

    @property
    @abstractmethod
    def via(self) -> tuple[str, ...]:
        """The jump hosts as ``user@host``, first to last."""

    @property
    @abstractmethod
    def is_up(self) -> bool:
        """Whether it is up, as far as is known."""

    @abstractmethod
    def check(self) -> None:
        """Do nothing while it is up.

        :raises NetworkFailure: a hop is gone, or has been silent for too long; says which
        """

    @abstractmethod
    def start(
        self,
        line: str | None,
        terminal: Terminal | None = None,
        *,
        errors: Errors = Errors.DROPPED,
        environment: Sequence[tuple[str, str]] = (),
        guarded: bool = False,
    ) -> Process:
        """Run a command line in the account's shell.

        :param line: None for the shell itself, as the account has it when it logs in
        :param errors: what becomes of its standard error
        :param environment: variables that it should have; the server takes those that it likes
            (RFC 4254 section 6.4)
        :param guarded: whether the command does nothing if it has no terminal; then it can be sent before
            the server has granted one
        :raises TerminalRefused: it cannot have a terminal
        :raises RemoteCommandFailure: the server refuses to run a command
        :raises NetworkFailure: the connection is lost, or the server does not answer
        """

    @abstractmethod
    def open_stream(self, host: str, port: int, seconds: float = CHANNEL.seconds) -> Stream:
        """A stream to a port, as seen from the remote machine (RFC 4254 section 7.2).

        :param seconds: how long the server may take to connect
        :raises StreamRefused: there is none, and why
        """

    @abstractmethod
    def close(self) -> None:
        """Close it, with everything that runs on it; nothing is left."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
