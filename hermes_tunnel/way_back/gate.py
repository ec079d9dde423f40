"""The gate's doorstep: every request to the callback port is read whole before anything goes to the remote.

Each accepted connection has its own thread, so an idle one (browsers open them ahead of need) delays
nobody. ``oauth.callback`` judges what may pass; this module reads, delivers and answers.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial

from hermes_tunnel.deadlines import HEAD
from hermes_tunnel.oauth import callback, form_post, pasted, response
from hermes_tunnel.oauth.first_hop import FirstHop
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.way_back import page
from hermes_tunnel.way_back.reading import Reading

MOST_CONNECTIONS = 64
_SEND_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_SETTLE_SECONDS = 2.0

Deliver = Callable[[callback.Deliver], Delivered | Undelivered]
"""Sends a request to the remote's listener, and returns what became of it."""
Report = Callable[[Delivered | Undelivered | Strayed], object]


@dataclass(frozen=True)
class Onward:
    """A program's own page, from which it sends the browser on.

    :param lead_on: asks the program where to, and gets ready for what comes back; a page of ours if it leads
        nowhere
    """

    hop: FirstHop
    lead_on: Callable[[], str | page.Page]


class _Stage(Enum):
    IDLE = "it has said nothing yet"
    BEGUN = "its request has begun"
    ASKED = "its request is complete, and we are answering"
    ANSWERED = "it has its answer, and may close"


class Gate:
    """Judges what comes to the callback port, and delivers the one request we are waiting for.

    :param expected: the callback of the login in progress
    :param receiver: the program that waits, and where, for the pages: ``Hermes on user@host``
    :param deliver: sends a request to the remote's listener
    :param report: told when the callback was delivered or could not be, and once of each thing that came
        in its place; called in a connection's thread
    :param onward: a page of the program's that may be visited before its callback comes
    :param head_seconds: how long a request may take to come
    """

    def __init__(
        self,
        expected: callback.Expected,
        receiver: str,
        deliver: Deliver,
        report: Report,
        *,
        onward: Onward | None = None,
        head_seconds: float = HEAD.seconds,
    ) -> None:
        self._expected = expected
        self._receiver = receiver
        self._deliver = deliver
        self._report = report
        self._onward = onward
        self._head_seconds = head_seconds
        self._changed = threading.Condition()
        self._connections: dict[socket.socket, _Stage] = {}  # in order of arrival
        self._delivering = threading.Lock()
        self._handed_over = False
        self._outcome: Delivered | Undelivered | None = None
        self._told: set[callback.Amiss] = set()

    def serve(self, connection: socket.socket) -> None:
        """Handle one accepted connection; if there are too many, the longest idle one goes.

        A browser that goes away is no bug. Anything else that goes wrong in the delivery is one, and must
        escape from here: a login that hears nothing of its callback would wait for it in vain.
        """
        self._enter(connection)
        try:
            verdict = self._judge(connection)
            if verdict is None:
                return
            self._is_at(connection, _Stage.ASKED)
            self._answer(connection, verdict)
            self._is_at(connection, _Stage.ANSWERED)
            _await_end(connection)
        finally:
            with self._changed:
                self._connections.pop(connection, None)
                self._changed.notify_all()

    def expect(self, expected: callback.Expected) -> None:
        """From now on, wait for this callback."""
        self._expected = expected

    def judge_pasted(self, text: str) -> callback.Deliver | str:
        """The request for what the person pasted; or, in words, why it is not the callback."""
        verdict = pasted.judge_pasted(text, self._expected)
        if isinstance(verdict, callback.Reject):
            return verdict.reason
        if isinstance(verdict, callback.Stray):
            return "by its state, it is the answer to another login"
        return verdict

    def deliver_pasted(self, verdict: callback.Deliver) -> None:
        """Deliver it in the browser's place; ``report`` is told what became of it."""
        with self._delivering:
            event = self._hand_over(verdict)
            if event is not None:
                self._report(replace(event, pasted=True) if isinstance(event, Delivered) else event)

    def settle(self) -> None:
        """Wait briefly until everyone who asked has an answer."""
        with self._changed:
            self._changed.wait_for(self._is_settled, _SETTLE_SECONDS)

    def _is_settled(self) -> bool:
        stages = self._connections.values()
        busy = _Stage.BEGUN in stages or _Stage.ASKED in stages or self._unread()
        return not busy and not self._delivering.locked()

    def _enter(self, connection: socket.socket) -> None:
        with self._changed:
            self._connections[connection] = _Stage.IDLE
            places = [one for one, stage in self._connections.items() if stage is not _Stage.ASKED]
            if len(places) > MOST_CONNECTIONS:
                self._make_room(places[:-1])

    def _is_at(self, connection: socket.socket, stage: _Stage) -> None:
        with self._changed:
            if connection in self._connections:
                self._connections[connection] = stage
            self._changed.notify_all()

    def _make_room(self, others: list[socket.socket]) -> None:
        """End the longest idle connection; if none is idle, the one with the slowest head."""
        unread = self._unread()
        idle = [one for one in others if self._connections[one] is _Stage.IDLE and one not in unread]
        leaves = next(iter(idle), others[0])
        del self._connections[leaves]
        with contextlib.suppress(OSError):  # it has left by itself
            leaves.shutdown(socket.SHUT_RDWR)

    def _unread(self) -> set[object]:
        """The connections that have said something we have not even looked at yet."""
        idle = [one for one, stage in self._connections.items() if stage is _Stage.IDLE]
        with selectors.DefaultSelector() as selector:
            for one in idle:
                if one.fileno() != -1:
                    selector.register(one, selectors.EVENT_READ)
            return {key.fileobj for key, _ in selector.select(0)}

    def _judge(self, connection: socket.socket) -> callback.Verdict | Onward | None:
        """What to do with the request on this connection; None if none came."""
        begun = partial(self._is_at, connection, _Stage.BEGUN)
        reading = Reading(connection, begun, self._head_seconds)
        head = reading.head()
        if head is None or isinstance(head, callback.Reject):
            return head
        if self._onward is not None and self._onward.hop.is_asked_for_by(head):
            return self._onward
        verdict = callback.judge(head, self._expected)
        if not isinstance(verdict, callback.Form):
            return verdict
        body = reading.body(verdict.length)
        return form_post.judge_form(body, self._expected) if isinstance(body, bytes) else body

    def _answer(self, connection: socket.socket, verdict: callback.Verdict | Onward) -> None:
        if isinstance(verdict, callback.Reject):
            if verdict.amiss is not None:
                self._tell(Strayed(verdict.amiss, verdict.error))
            if verdict.amiss is callback.Amiss.NAMELESS_DENIAL:
                shown = page.nameless_denial()
                _write(connection, response.page_response(404, shown.body, shown.policy))
            else:
                _write(connection, response.reject_response(verdict))
        elif isinstance(verdict, callback.Preflight):
            _write(connection, response.preflight_response(verdict))
        elif isinstance(verdict, callback.Stray):
            self._tell(Strayed())
            shown = page.stray()
            _write(connection, response.page_response(404, shown.body, shown.policy))
        elif isinstance(verdict, Onward):
            with self._delivering:
                leads = verdict.lead_on()
            if isinstance(leads, str):
                _write(connection, response.onward_response(leads))
            else:
                _write(connection, response.page_response(200, leads.body, leads.policy))
        elif isinstance(verdict, callback.Deliver):
            # One at a time: a reload must not spend a listener that serves once.
            with self._delivering:
                self._deliver_for(connection, verdict)

    def _tell(self, strayed: Strayed) -> None:
        """Report it once, even if someone guesses states all day."""
        with self._changed:
            known = strayed.amiss in self._told
            self._told.add(strayed.amiss)
        if not known:
            self._report(strayed)

    def _deliver_for(self, connection: socket.socket, verdict: callback.Deliver) -> None:
        """Deliver the callback, answer the browser, then report: the report may end everything."""
        event = None
        try:
            event = self._hand_over(verdict)
        finally:
            shown = self._page()
            _write(connection, response.page_response(200, shown.body, shown.policy, origin=verdict.origin))
        if event is not None:
            self._report(event)

    def _hand_over(self, verdict: callback.Deliver) -> Delivered | Undelivered | None:
        """Deliver it and return what became of it; None if it, or another, was tried before."""
        if self._handed_over:
            return None
        self._handed_over = True
        self._outcome = self._deliver(verdict)
        return self._outcome

    def _page(self) -> page.Page:
        if not isinstance(self._outcome, Delivered):
            return page.failed(self._receiver)
        if self._outcome.error:
            return page.declined(self._receiver)
        return page.delivered(self._receiver) if self._outcome.taken else page.failed(self._receiver)


def _write(connection: socket.socket, response: bytes) -> None:
    """Answer; if the browser has gone, there is no one to answer."""
    with contextlib.suppress(OSError):
        connection.settimeout(_SEND_SECONDS)
        connection.sendall(response)
        connection.shutdown(socket.SHUT_WR)


def _await_end(connection: socket.socket) -> None:
    """Let the browser end first, so that no reset overtakes the answer."""
    deadline = time.monotonic() + _CLOSE_SECONDS
    with contextlib.suppress(OSError):
        while (left := deadline - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(4096):
                return
