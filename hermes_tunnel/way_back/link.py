"""A connection that comes back: made again when it drops, for as long as somebody waits for a callback."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType

from hermes_tunnel import events
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.connect import connect
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.terminal.console import Console

_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)  # before one attempt and the next; the last one again and again
_HOLD_SECONDS = 30.0  # a browser waits for its page about that long


class Link:
    """The connection to the remote machine; a context manager.

    :param hops: the way there
    :param console: asks for what a new connection may need
    :param emit: is told of each connection, and of each loss
    """

    def __init__(self, hops: Sequence[HopConfiguration], console: Console, emit: events.Emit) -> None:
        self._hops = hops
        self._console = console
        self._emit = emit
        self._connection: Connection | None = None
        self._changed = threading.Condition()
        self._attempts = 0
        self._next_attempt = 0.0

    @property
    def destination(self) -> str:
        """``user@host`` as the person knows it."""
        return self._hops[-1].label

    def connection(self) -> Connection:
        """The connection; where it was lost, the next one, if it comes soon.

        :raises NetworkFailure: it did not
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self.is_up, _HOLD_SECONDS) or self._connection is None:
                raise NetworkFailure(
                    f"the connection to {self.destination} was lost and has not come back", "run it again"
                )
            return self._connection

    @property
    def is_up(self) -> bool:
        """Whether there is a connection, as far as is known."""
        return self._connection is not None and self._connection.is_up

    def keep(self) -> None:
        """Look whether the connection lives; if not, try to make it again when the time for that has come.

        :raises HostKeyFailure: what answers there now is another machine
        :raises AuthenticationFailure: it lets the person in no more
        """
        if self._connection is not None:
            try:
                self._connection.check()
            except NetworkFailure as lost:
                self._emit(
                    events.Notice(f"{lost.message[:1].upper()}{lost.message[1:]}; connecting again ...")
                )
                self._drop()
                self._attempts = 0
            else:
                return
        if time.monotonic() >= self._next_attempt:
            try:
                self._connect()
            except NetworkFailure as failure:
                self._attempts += 1
                self._next_attempt = time.monotonic() + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
                self._emit(events.Notice(f"Not yet: {failure.message}.", detail=True))

    def _connect(self) -> None:
        connection = connect(
            self._hops,
            ask=self._console.ask,
            tell=lambda text: self._emit(events.Notice(text)),
            detail=lambda text: self._emit(events.Notice(text, detail=True)),
        )
        with self._changed:
            self._connection = connection
            self._changed.notify_all()
        self._emit(events.Connected(connection.destination, connection.via))

    def _drop(self) -> None:
        with self._changed:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Link:
        self._connect()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._drop()
