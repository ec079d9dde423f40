"""Every way hermes-tunnel can fail: a fact, the next thing to type, an exit status.

Whoever learns the fact raises a ``Failure``; only ``cli`` shows it, as two lines::

    hermes-tunnel: error: <message>
    hermes-tunnel: hint: <hint>

A message may quote a remote machine. It is scrubbed when shown, never trusted to be clean.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """The status the process exits with; part of the command line's contract."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIGURATION = 3
    NETWORK = 4
    HOST_KEY = 5
    AUTHENTICATION = 6
    NO_WAY_BACK = 7
    REMOTE_COMMAND = 8
    REFUSED = 9
    NOBODY_ANSWERED = 10
    UNSAFE = 11


AGAIN = "run the login again"
"""The end of a hint; whoever shows it adds what was typed."""


class Failure(Exception):
    """Something that ends the run, in words for the person who started it.

    :param message: the fact, one sentence, no capital at the start, no full stop
    :param hint: the next thing to type or do, in the same form; empty if there is none
    :param said: the remote machine's last lines, if they have not been shown and may tell more
    """

    status: ClassVar[ExitStatus] = ExitStatus.INTERNAL

    def __init__(self, message: str, hint: str = "", said: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.said = said


class UsageFailure(Failure):
    """A bad option, host, user, provider or port."""

    status = ExitStatus.USAGE


class ConfigurationFailure(Failure):
    """ssh_config, or the chain of jump hosts, makes no sense."""

    status = ExitStatus.CONFIGURATION


class NetworkFailure(Failure):
    """No connection could be made, or it was lost."""

    status = ExitStatus.NETWORK


class HostKeyFailure(Failure):
    """The host key is unknown and was not accepted, or it has changed or been revoked."""

    status = ExitStatus.HOST_KEY


class AuthenticationFailure(Failure):
    """The server accepted none of the person's credentials."""

    status = ExitStatus.AUTHENTICATION


class NoWayBack(Failure):
    """The browser's callback cannot reach the remote: the port is taken, or forwarding is refused."""

    status = ExitStatus.NO_WAY_BACK


class RemoteCommandFailure(Failure):
    """The remote command could not run, or ended without saying anything we recognise."""

    status = ExitStatus.REMOTE_COMMAND


class TerminalRefused(RemoteCommandFailure):
    """The server runs the command only without a terminal (``PermitTTY no``), if at all."""


class NeverBegan(RemoteCommandFailure):
    """Something else ran on the command's terminal: a start-up file started it, or it is all the account
    may run.
    """


class Refused(Failure):
    """The remote or the provider said no."""

    status = ExitStatus.REFUSED


class NobodyAnswered(Failure):
    """The person, the browser or the remote did not answer in time."""

    status = ExitStatus.NOBODY_ANSWERED


class Unsafe(Failure):
    """We refused something because it could harm the person."""

    status = ExitStatus.UNSAFE


class Stopped(BaseException):
    """A signal asked the program to end. Only the decider raises it, when it takes the next item.

    :param number: the signal's number; the exit status is 128 more
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
