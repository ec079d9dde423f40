"""The gate's doorstep: what comes for the callback port, read whole before anything goes to the remote.

Each accepted connection comes here in a thread of its own, so an idle one (a browser opens them ahead of
need) delays nobody. What may pass is judged in ``oauth.callback``; this module reads, delivers and answers.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from hermes_tunnel.oauth import callback, response
from hermes_tunnel.oauth.states import Delivered, Strayed, Undelivered
from hermes_tunnel.way_back import page

HEAD_SECONDS = 10.0
MOST_CONNECTIONS = 64
_SEND_SECONDS = 10.0
_CLOSE_SECONDS = 1.0
_SETTLE_SECONDS = 2.0

Deliver = Callable[[callback.Deliver], Delivered | Undelivered]
"""Sends a request to the remote's listener, and says what became of it."""
Report = Callable[[Delivered | Undelivered | Strayed], None]


class Gate:
    """Judges what comes to the callback port and delivers the one request that is waited for.

    :param expected: the callback of the login in progress
    :param destination: ``user@host``, for the pages
    :param deliver: sends a request to the remote's listener
    :param report: is told when the callback was delivered or could not be, and when an answer came that
        belongs to another login; called in a connection's thread
    :param head_seconds: how long a request head may take
    """

    def __init__(
        self,
        expected: callback.Expected,
        destination: str,
        deliver: Deliver,
        report: Report,
        *,
        head_seconds: float = HEAD_SECONDS,
    ) -> None:
        self._expected = expected
        self._destination = destination
        self._deliver = deliver
        self._report = report
        self._head_seconds = head_seconds
        self._places = threading.Lock()
        self._waiting: dict[socket.socket, bool] = {}  # in the order of their coming; whether a head began
        self._delivering = threading.Lock()
        self._outcome: Delivered | Undelivered | None = None
        self._strayed = False

    def serve(self, connection: socket.socket) -> None:
        """Handle one accepted connection; where there are too many, the one that idles longest goes."""
        with contextlib.suppress(OSError):  # the browser went away: nobody is left to tell
            with self._place(connection):
                head = self._read_head(connection)
            if head is None:
                return
            self._answer(connection, head)
            with self._place(connection):
                _await_end(connection)

    def paste(self, text: str) -> str:
        """Take what the person pasted in the browser's place.

        :return: why it was not taken, in words; empty where it was, and ``report`` says what became of it
        """
        verdict = callback.judge_pasted(text, self._expected)
        if isinstance(verdict, callback.Reject):
            return verdict.reason
        if isinstance(verdict, callback.Stray):
            return "it is the answer to another login, by its state"
        with self._delivering:
            event = self._hand_over(verdict)
            if event is not None:
                self._report(replace(event, pasted=True) if isinstance(event, Delivered) else event)
        return ""

    def settle(self) -> None:
        """Wait, not for long, until the answer to the callback is with the browser, and reported."""
        if self._delivering.acquire(timeout=_SETTLE_SECONDS):
            self._delivering.release()

    @contextlib.contextmanager
    def _place(self, connection: socket.socket) -> Iterator[None]:
        """One of the places for connections that are not being answered."""
        with self._places:
            self._waiting[connection] = False
            if len(self._waiting) > MOST_CONNECTIONS:
                self._make_room()
        try:
            yield
        finally:
            with self._places:
                self._waiting.pop(connection, None)

    def _make_room(self) -> None:
        """End the connection that idles longest; only where none idles, the one whose head is due longest."""
        *others, _ = self._waiting
        idle = [one for one in others if not self._waiting[one]]
        with selectors.DefaultSelector() as selector:
            for one in idle:
                selector.register(one, selectors.EVENT_READ)
            unread = [key.fileobj for key, _ in selector.select(0)]  # what they said was not even looked at
        leaves = next((one for one in idle if one not in unread), others[0])
        del self._waiting[leaves]
        with contextlib.suppress(OSError):  # it left by itself
            leaves.shutdown(socket.SHUT_RDWR)

    def _read_head(self, connection: socket.socket) -> bytes | callback.Reject | None:
        """One request head; None from a connection that asked nothing, or closed in the middle of it.

        One that was opened ahead of need is closed without a word: a browser that uses it at that moment
        takes a word for the answer, and the silence for a reason to ask again on a new connection.
        """
        head = b""
        deadline = time.monotonic() + self._head_seconds
        while b"\r\n\r\n" not in head:
            if head and (refused := callback.judge_beginning(head)):
                return refused
            try:
                connection.settimeout(max(deadline - time.monotonic(), 0.001))
                chunk = connection.recv(4096)
            except TimeoutError:
                return callback.Reject(408, "the request head did not come") if head else None
            if not chunk:
                return None
            self._has_begun(connection)
            head += chunk
        return head.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"

    def _has_begun(self, connection: socket.socket) -> None:
        with self._places:
            if connection in self._waiting:
                self._waiting[connection] = True

    def _answer(self, connection: socket.socket, head: bytes | callback.Reject) -> None:
        verdict = head if isinstance(head, callback.Reject) else callback.judge(head, self._expected)
        if isinstance(verdict, callback.Reject):
            _write(connection, response.reject_response(verdict))
        elif isinstance(verdict, callback.Preflight):
            _write(connection, response.preflight_response(verdict))
        elif isinstance(verdict, callback.Stray):
            if not self._strayed:  # who guesses states all day need not be heard of all day
                self._strayed = True
                self._report(Strayed())
            shown = page.stray()
            _write(connection, response.page_response(404, shown.body, shown.policy))
        else:
            # One at a time: a reload must not spend a listener that serves once.
            with self._delivering:
                self._deliver_for(connection, verdict)

    def _deliver_for(self, connection: socket.socket, verdict: callback.Deliver) -> None:
        """Deliver the callback, tell the browser, then report: the report may end everything."""
        event = self._hand_over(verdict)
        try:
            shown = self._page()
            _write(connection, response.page_response(200, shown.body, shown.policy, origin=verdict.origin))
        finally:
            if event is not None:
                self._report(event)

    def _hand_over(self, verdict: callback.Deliver) -> Delivered | Undelivered | None:
        """What became of it; None where it, or another, was handed over before, for better or worse."""
        if self._outcome is not None:
            return None
        self._outcome = self._deliver(verdict)
        return self._outcome

    def _page(self) -> page.Page:
        if not isinstance(self._outcome, Delivered):
            return page.failed(self._destination)
        if self._outcome.error:
            return page.declined(self._destination)
        return page.delivered(self._destination) if self._outcome.taken else page.failed(self._destination)


def _write(connection: socket.socket, response: bytes) -> None:
    connection.settimeout(_SEND_SECONDS)
    connection.sendall(response)
    connection.shutdown(socket.SHUT_WR)


def _await_end(connection: socket.socket) -> None:
    """Let the browser end first, so that no reset overtakes the answer."""
    deadline = time.monotonic() + _CLOSE_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        connection.settimeout(left)
        if not connection.recv(4096):
            return
