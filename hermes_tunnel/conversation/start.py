"""Until the command begins: start-up files run, which may ask the terminal something, or never end."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from functools import partial

from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.tasks import Task
from hermes_tunnel.deadlines import DOUBT
from hermes_tunnel.oauth.states import Tried
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.command import RemoteCommand
from hermes_tunnel.remote.pseudo_terminal import DISCARD, PseudoTerminal
from hermes_tunnel.remote.shell import NoShell, shell_without_terminal
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.steps import Steps, work


class Start:
    """The start of a command, if it is on a terminal; without one nothing can take or ask it.

    :param call: how the program is run there
    :param tried: is told whether the account's shell runs another command, if ours takes its time
    """

    def __init__(self, decider: Decider, call: Call, tried: Callable[[Tried], None]) -> None:
        self._decider = decider
        # sudo and a container's engine have reasons of their own to be slow.
        self._is_plain = not (call.as_user or call.container)
        self._tried = tried
        self._terminal = PseudoTerminal()
        self._trying: Task | None = None
        self.due: float | None = None
        """When we have waited long enough to try the shell, by the monotonic clock."""

    def of(self, connection: Connection, command: RemoteCommand) -> None:
        """The command that starts."""
        self._connection, self._command = connection, command
        if command.on_terminal:
            self.due = time.monotonic() + self._decider.seconds_of(DOUBT)

    def hear(self, output: bytes) -> None:
        """Answer what a start-up file asks the terminal."""
        if self._command.on_terminal and (answer := self._terminal.answer(output)):
            self._send(answer)

    def over(self) -> None:
        """The command has begun."""
        self.stop()
        if self._terminal.has_answered:
            self._send(DISCARD)  # what no start-up file has read is not for the command

    def stop(self) -> None:
        """Nothing more is to be learned."""
        self.due = None
        trying, self._trying = self._trying, None
        if trying is not None:
            self._decider.tasks.drop(trying)

    def doubt(self) -> None:
        """See whether the account's shell runs a command at all."""
        self.due = None
        self._trying = self._decider.begin(self._try())

    def _try(self) -> Steps[None]:
        nonce = secrets.token_hex(8)
        shell = yield from work(partial(shell_without_terminal, self._connection, nonce))
        self._trying = None
        if shell is NoShell.REPLACED or (self._is_plain and not isinstance(shell, NoShell)):
            self._tried(Tried(runs=shell is not NoShell.REPLACED))

    def _send(self, data: bytes) -> None:
        self._decider.begin(work(partial(self._command.send, data)))
