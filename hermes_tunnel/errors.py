"""Every way in which hermes-tunnel can fail: a fact, the next thing to type, an exit status.

A ``Failure`` is raised where the fact is known and shown by ``cli`` alone, as two lines::

    hermes-tunnel: error: <message>
    hermes-tunnel: hint: <hint>

Messages may quote what a remote machine said; they are scrubbed when shown, never trusted to be clean.
"""

from __future__ import annotations

from enum import IntEnum
from typing import ClassVar


class ExitStatus(IntEnum):
    """What the process ends with; part of the command line's contract."""

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


class Failure(Exception):
    """Something that ends the run, in words for the person who started it.

    :param message: the fact, one sentence, no capital at the start, no full stop
    :param hint: the next thing to type or to do, in the same form; empty where there is none
    """

    status: ClassVar[ExitStatus] = ExitStatus.INTERNAL

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


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
    """The host key is unknown and was not accepted, or changed, or revoked."""

    status = ExitStatus.HOST_KEY


class AuthenticationFailure(Failure):
    """The server accepted none of the person's credentials."""

    status = ExitStatus.AUTHENTICATION


class NoWayBack(Failure):
    """The browser's callback has no way to the remote: the port is taken, or forwarding is refused."""

    status = ExitStatus.NO_WAY_BACK


class RemoteCommandFailure(Failure):
    """The remote command could not run, or ended without anything that was recognised."""

    status = ExitStatus.REMOTE_COMMAND


class TerminalRefused(RemoteCommandFailure):
    """The server runs the command without a terminal only (``PermitTTY no``), if at all."""


class NeverBegan(RemoteCommandFailure):
    """Something other than the command ran on its terminal: started by a start-up file, or all that the
    account may run.
    """


class Refused(Failure):
    """The remote or the provider said no."""

    status = ExitStatus.REFUSED


class NobodyAnswered(Failure):
    """The person, the browser or the remote did not answer in time."""

    status = ExitStatus.NOBODY_ANSWERED


class Unsafe(Failure):
    """Something was refused because following it could harm the person."""

    status = ExitStatus.UNSAFE
