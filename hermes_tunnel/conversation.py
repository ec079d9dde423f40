"""What goes back and forth while a login command runs: everything that happens, and what is done about it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from hermes_tunnel import events
from hermes_tunnel.delivery import Delivery
from hermes_tunnel.errors import Failure, Undeliverable, Unsafe
from hermes_tunnel.local.browser import open_browser
from hermes_tunnel.local.console import Console
from hermes_tunnel.oauth import effects
from hermes_tunnel.oauth.authorization import Authorization, Mode
from hermes_tunnel.oauth.callback import Expected
from hermes_tunnel.oauth.session import Session
from hermes_tunnel.oauth.states import (
    Answered,
    Delivered,
    Exited,
    NobodyPasted,
    PersonTime,
    State,
    Strayed,
    TimeUp,
)
from hermes_tunnel.oauth.transcript import Line, Prompt, Said, Transcript
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.command import Output, RemoteCommand
from hermes_tunnel.remote.hermes import Provider
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.way_back import BusyPort, WayBack, callback_event

_QUIET_SECONDS = 0.3  # an unfinished line that stays this long is a prompt
_TICK_SECONDS = 1.0  # how often the time left is shown and the connection looked at
_CATCH_UP_SECONDS = 5.0
_MOST_BROWSERS = 2  # the page, and once more if the command starts over


@dataclass(frozen=True)
class Wishes:
    """How the person wants the conversation to go.

    :param seconds: the person's time; None: as long as the provider gives
    :param open_page: opens a page in the person's browser; whether it could. None: the person does it
    :param allowed_hosts: issuers that the person vouches for
    :param busy_port: what becomes of a local port that is taken
    :param relay: whether the callback goes by a relay: ``auto``, ``always`` or ``never``
    """

    seconds: float | None = None
    open_page: Callable[[str], bool] | None = open_browser
    allowed_hosts: frozenset[str] = frozenset()
    busy_port: BusyPort = field(default_factory=BusyPort)
    relay: str = "auto"


@dataclass(frozen=True)
class Answer:
    """What the person said to a prompt; None if there is nobody to say anything."""

    text: str | None = field(repr=False)


Item = (
    Output | Exited | Failure | Delivered | Undeliverable | Strayed | NobodyPasted | Answer | threading.Event
)

_WAITING_FOR = {
    State.AWAITING_CALLBACK: "the browser to come back",
    State.AWAITING_APPROVAL: "your approval",
    State.ASKING: "your answer",
    State.AWAITING_ANSWER: "your answer",
}


class Conversation:
    """One login command's conversation.

    One thread decides (the one that calls ``run``); the others put what they saw into the mailbox.

    :param provider: what is logged in to
    :param call: how Hermes is run there
    :param wishes: how the person wants it
    :param nonce: what makes our markers in the output unmistakable
    """

    def __init__(
        self,
        provider: Provider,
        call: Call,
        wishes: Wishes,
        *,
        console: Console,
        emit: events.Emit,
        nonce: str,
    ) -> None:
        self.mailbox: queue.SimpleQueue[Item] = queue.SimpleQueue()
        self._provider = provider
        self._call = call
        self._wishes = wishes
        self._console = console
        self._emit = emit
        self._sudo_prompt = sudo_prompt(nonce)
        self._transcript = Transcript(begin_marker(nonce))
        seconds = wishes.seconds
        times = provider.time if seconds is None else PersonTime(seconds, seconds, seconds)
        self._session = Session(provider.policy, times)
        self._way_back = WayBack(console, emit, self.mailbox.put, wishes.busy_port)
        self._delivery: Delivery | None = None
        self._browsers = 0
        self._deadline = 0.0
        self._quiet_at: float | None = None
        self._counted = False
        self._held_back = False

    def run(self, connection: Connection, command: RemoteCommand) -> effects.Conclude:
        """Until the login is over; the listener and an open question do not outlast it.

        :raises Failure: it is over and did not succeed
        """
        self._connection, self._command = connection, command
        with closing(self._way_back):
            try:
                todo = self._session.start()
                while not (todo and isinstance(todo[-1], effects.Conclude)):
                    for effect in todo:
                        self._perform(effect)
                    todo = self._next()
                return todo[-1]
            finally:
                self._console.stop_asking()
                self._console.quiet()
                self._console.done_waiting()

    # -- what happens ----------------------------------------------------------------------------------

    def _next(self) -> list[effects.Effect]:
        """Wait for the next thing to happen, or for the time to come."""
        now = time.monotonic()
        moments = [self._deadline, now + _TICK_SECONDS]
        if self._quiet_at is not None:
            moments.append(self._quiet_at)
        try:
            item = self.mailbox.get(timeout=max(0.0, min(moments) - now))
        except queue.Empty:
            return self._on_time(time.monotonic())
        return self._on_item(item)

    def _on_time(self, now: float) -> list[effects.Effect]:
        self._connection.check()
        if self._quiet_at is not None and now >= self._quiet_at:
            self._quiet_at = None
            self._console.quiet()
            return self._said(self._transcript.silence())
        if now >= self._deadline:
            return self._session.feed(TimeUp())
        if self._counted and self._session.state in _WAITING_FOR:
            self._console.waiting(_WAITING_FOR[self._session.state], self._deadline - now)
        return []

    def _on_item(self, item: Item) -> list[effects.Effect]:
        if isinstance(item, Output):
            self._quiet_at = time.monotonic() + _QUIET_SECONDS
            return self._said(self._transcript.receive(item.data))
        if isinstance(item, threading.Event):
            item.set()
            return []
        if isinstance(item, Failure):
            self._connection.check()  # it may know better why
            raise item
        if isinstance(item, Answer):
            return self._answered(item)
        if isinstance(item, Exited):
            gate = self._way_back.gate
            if gate is not None and not self._held_back and gate.settle():
                # The command was faster than the news of what it was given, which has to come first.
                self._held_back = True
                self.mailbox.put(item)
                return []
            said = self._said(self._transcript.end())
            self._emit(events.CommandEnded(item.status))
            return [*said, *self._session.feed(item)]
        if not isinstance(item, NobodyPasted):
            self._emit(callback_event(item))
        return self._session.feed(item)

    def _said(self, said: Sequence[Said]) -> list[effects.Effect]:
        todo: list[effects.Effect] = []
        for one in said:
            if isinstance(one, Line) and self._transcript.begun and not one.decisive:
                self._emit(events.RemoteLine(one.text))
            if isinstance(one, Prompt) and one.text == self._sudo_prompt:
                todo.append(
                    effects.Relay(f"sudo's password for {self._connection.destination}:", secret=True)
                )
                todo.append(effects.Allow(self._provider.time.answer))
            else:
                todo.extend(self._session.feed(one))
        return todo

    def _answered(self, answer: Answer) -> list[effects.Effect]:
        self._console.stop_asking()
        if answer.text is not None:
            self._command.answer(answer.text)
        return self._session.feed(Answered(nobody=answer.text is None))

    # -- what is done about it -------------------------------------------------------------------------

    def _perform(self, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Allow):
            self._deadline = time.monotonic() + effect.seconds
            self._counted = effect.person
            self._console.done_waiting()
        elif isinstance(effect, effects.Invite):
            self._invite(effect.authorization, again=effect.again)
        elif isinstance(effect, effects.DeliverTo):
            if self._delivery is not None:
                self._delivery.port = effect.port
        elif isinstance(effect, effects.CloseListener):
            self._console.stop_asking()
            self._way_back.close()
        elif isinstance(effect, effects.StopAsking):
            self._console.stop_asking()
        elif isinstance(effect, effects.Relay):
            self._emit(events.Prompt(effect.text, effect.secret))
            self._console.ask_meanwhile(
                f"({self._connection.destination}) {effect.text} ",
                effect.secret,
                lambda text: self.mailbox.put(Answer(text)),
            )

    def _invite(self, authorization: Authorization, *, again: bool) -> None:
        """Ready to receive the answer first, then the invitation, then the browser."""
        self._console.stop_asking()
        self._check_issuer(authorization)
        self._console.secrets.add(authorization.state)  # some releases print it when it does not match
        self._way_back.close()
        comes_back = authorization.mode is not Mode.LOOPBACK or self._expect(authorization)
        self._emit(
            events.AuthorizationAsked(
                authorization.mode.value,
                authorization.url,
                authorization.user_code,
                authorization.issuer,
                again,
            )
        )
        if self._wishes.open_page is not None and self._browsers < _MOST_BROWSERS:
            self._browsers += 1
            self._emit(events.Browser(self._wishes.open_page(authorization.url)))
        if authorization.mode is Mode.LOOPBACK:
            self._take_what_is_pasted(comes_back=comes_back)

    def _check_issuer(self, authorization: Authorization) -> None:
        """An issuer that nobody vouches for is the person's to judge."""
        policy, issuer = self._provider.policy, authorization.issuer
        known = policy.knows(issuer) or issuer in self._wishes.allowed_hosts
        if known and authorization.mode is not Mode.EXTERNAL:
            return
        self._console.say(f"{self._connection.destination} asks you to sign in at:")
        self._console.say(f"    {issuer}", bold=True)
        if authorization.mode is Mode.EXTERNAL:
            self._console.say("and the answer will go from your browser to:")
            self._console.say(f"    {authorization.redirect_host}", bold=True)
        if not self._console.confirm("Is that where you want to sign in?"):
            raise Unsafe(
                f"{issuer} is not known to belong to {self._provider.title}; nothing was opened",
                f"if you know that it does: --allow-host {issuer}",
            )

    def _expect(self, authorization: Authorization) -> bool:
        """Be ready for the browser; whether it can come back by itself."""
        redirect = authorization.redirect
        assert redirect is not None  # noqa: S101 - a loopback authorization has one
        expected = Expected(redirect, authorization.state, self._provider.policy.origins(authorization))
        transport = self._connection.transport
        self._delivery = Delivery(
            lambda: transport, self._call, redirect, by=self._wishes.relay, type_in=self._type_in
        )
        return self._way_back.open(transport, self._connection.destination, expected, self._delivery)

    def _take_what_is_pasted(self, *, comes_back: bool) -> None:
        """The address that the browser ended on, or a code that the page shows, in the browser's place."""
        gate = self._way_back.gate
        if gate is None or (comes_back and not self._console.is_terminal):
            return  # standard input may be meant for somebody else
        if not comes_back:
            self._emit(events.Prompt("the address that the browser ended on", secret=True))
        self._console.take_pasted(
            gate.paste,
            needed=not comes_back,
            nobody=lambda: None if comes_back else self.mailbox.put(NobodyPasted()),
        )

    def _type_in(self, address: str) -> bool:
        """The last way: the command's own prompt, if it said that it has one. Called by the gate.

        A browser can be back before what the command says of its prompt has been read.
        """
        read_so_far = threading.Event()
        self.mailbox.put(read_so_far)
        read_so_far.wait(_CATCH_UP_SECONDS)
        if not self._session.takes_paste:
            return False
        self._console.secrets.add(address)
        self._command.answer(address)
        return True
