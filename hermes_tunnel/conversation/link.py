"""The connection to the remote machine: one, or one that is made again when it drops."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from types import TracebackType

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import UNWIND_SECONDS, Decider
from hermes_tunnel.conversation.tasks import Task
from hermes_tunnel.conversation.work import LOOK_SECONDS
from hermes_tunnel.deadlines import LINK
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.ssh.config.chain import HopConfiguration
from hermes_tunnel.ssh.connect import connect
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.ssh.dial import TcpSocket
from hermes_tunnel.steps import Pause, Steps, work

_PAUSES = (0.0, 1.0, 2.0, 5.0, 10.0)  # between attempts; the last one repeats


@contextmanager
def connected(
    hops: Sequence[HopConfiguration],
    decider: Decider,
    *,
    told: bool = True,
    runs: bool = True,
    sock: TcpSocket | None = None,
) -> Iterator[Connection]:
    """Connect in a thread, which asks and reports through the decider; close the connection at the end.

    :param told: whether the person is told when it is made
    :param runs: whether a command is to be run on it at once
    :param sock: a connection to the first hop that there is already
    """
    made = partial(_connect, hops, decider, decider.wanted, runs=runs, sock=sock)
    with decider.do(made, undo=Connection.close) as connection:
        (decider.emit if told else decider.record)(events.Connected(connection.destination, connection.via))
        yield connection


def _connect(
    hops: Sequence[HopConfiguration],
    decider: Decider,
    wanted: Callable[[], bool],
    *,
    runs: bool,
    sock: TcpSocket | None = None,
) -> Connection:
    return connect(
        hops,
        ask=decider.ask_for,
        emit=decider.tell,
        wanted=wanted,
        secret=decider.console.secrets.add,
        runs=runs,
        sock=sock,
    )


class Link:
    """A connection that comes back when it drops; a context manager.

    :param hops: the way there
    """

    def __init__(self, hops: Sequence[HopConfiguration], decider: Decider) -> None:
        self._hops = hops
        self._decider = decider
        self._connection: Connection | None = None
        self._changed = threading.Condition()
        self._reconnecting: Task | None = None
        self._left = False

    @property
    def destination(self) -> str:
        """``user@host`` as the person knows it."""
        return self._hops[-1].label

    def connection(self) -> Connection:
        """The connection, or the next one if it is made soon. For a thread that can wait.

        :raises NetworkFailure: it did not
        """
        until = time.monotonic() + LINK.seconds
        with self._changed:
            while self._wanted() and (left := until - time.monotonic()) > 0:
                if (present := self.present) is not None:
                    return present
                self._changed.wait(min(left, LOOK_SECONDS))
        raise NetworkFailure(
            f"the connection to {self.destination} was lost and has not come back", "run it again"
        )

    @property
    def present(self) -> Connection | None:
        """The connection, if there is one, as far as is known."""
        connection = self._connection  # which another thread may take away meanwhile
        return connection if connection is not None and connection.is_up else None

    @property
    def is_up(self) -> bool:
        """Whether there is one, as far as is known."""
        return self.present is not None

    def keep(self) -> None:
        """Check whether the connection is up; if not, have it made again.

        That raises, out of the decider's ``next``, HostKeyFailure where what answers there now is another
        machine, and AuthenticationFailure where it lets the person in no more.
        """
        connection, coming = self._connection, self._reconnecting
        if connection is None or (coming is not None and not coming.over):
            return
        try:
            connection.check()
        except NetworkFailure as lost:
            text = f"{lost.message[:1].upper()}{lost.message[1:]}; connecting again ..."
            self._decider.emit(events.Notice(text))
            self._reconnecting = self._decider.begin(self._again())

    def _again(self) -> Steps[None]:
        yield from work(self._drop)
        attempts = 0
        while self._connection is None:
            yield Pause(_PAUSES[min(attempts, len(_PAUSES) - 1)])
            try:
                connection = yield from work(self._connect, Connection.close)
            except NetworkFailure as failure:
                attempts += 1
                self._decider.emit(events.Notice(f"Not yet: {failure.message}.", detail=True))
            else:
                self._take(connection)

    def _connect(self) -> Connection:
        return _connect(self._hops, self._decider, self._wanted, runs=False)

    def _wanted(self) -> bool:
        return not self._left and self._decider.wanted()

    def _take(self, connection: Connection) -> None:
        with self._changed:
            self._connection = connection
            self._changed.notify_all()
        self._decider.emit(events.Connected(connection.destination, connection.via))

    def _drop(self) -> None:
        with self._changed:
            connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def __enter__(self) -> Link:
        self._take(self._decider.do(self._connect, undo=Connection.close))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._left = True
        if self._reconnecting is not None:
            working = self._reconnecting.working
            self._decider.tasks.drop(self._reconnecting)
            if working is not None:  # it may have started a ProxyCommand
                working.join(UNWIND_SECONDS)
        self._drop()
