"""What goes back and forth while a login command runs: everything that happens, and what is done about it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import closing
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.invitation import Invitations, Wishes
from hermes_tunnel.conversation.mailbox import Answer, Item, Mailbox, Opened
from hermes_tunnel.errors import Failure
from hermes_tunnel.oauth import effects
from hermes_tunnel.oauth.session import Session
from hermes_tunnel.oauth.states import (
    Answered,
    Delivered,
    Exited,
    PersonTime,
    State,
    Strayed,
    TimeUp,
    Undelivered,
)
from hermes_tunnel.oauth.transcript import Line, Prompt, Said, Transcript
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.command import Output, RemoteCommand
from hermes_tunnel.remote.hermes import Provider
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.way_back.entrance import callback_event

_QUIET_SECONDS = 0.3  # an unfinished line that stays this long is a prompt
_OFFER_SECONDS = 3.0  # from the invitation until the command has said that it takes an address at its prompt
_TICK_SECONDS = 1.0  # how often the time left is shown and the connection looked at

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
        self.mailbox = Mailbox()
        self._provider = provider
        self._console = console
        self._emit = emit
        self._sudo_prompt = sudo_prompt(nonce)
        self._transcript = Transcript(begin_marker(nonce))
        seconds = wishes.seconds
        times = provider.time if seconds is None else PersonTime(seconds, seconds, seconds)
        self._session = Session(provider.policy, times)
        self._invitations = Invitations(
            provider,
            call,
            wishes,
            console=console,
            emit=emit,
            mailbox=self.mailbox,
            type_in=self._type_in,
        )
        self._deadline = 0.0
        self._quiet_at: float | None = None
        self._counted = False
        self._offered = threading.Event()  # the command takes an address at its prompt
        self._offer_due = 0.0
        self._prompts = 0

    def run(self, connection: Connection, command: RemoteCommand) -> effects.Conclude:
        """Until the login is over; the listener and an open question do not outlast it.

        :raises Failure: it is over and did not succeed
        """
        self._connection, self._command = connection, command
        with closing(self._invitations):
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
        moments = [now + _TICK_SECONDS]
        came_in_time = self.mailbox.request_under_way
        if not came_in_time:
            moments.append(self._deadline)
        if self._quiet_at is not None:
            moments.append(self._quiet_at)
        item = self.mailbox.get(min(moments) - now)
        if item is not None:
            return self._on_item(item)
        return self._on_time(time.monotonic(), came_in_time=came_in_time or self.mailbox.request_under_way)

    def _on_time(self, now: float, *, came_in_time: bool) -> list[effects.Effect]:
        self._connection.check()
        if self._quiet_at is not None and now >= self._quiet_at:
            self._quiet_at = None
            self._console.quiet()
            if todo := self._said(self._transcript.silence()):
                return todo
        if now >= self._deadline and not came_in_time:
            return self._session.feed(TimeUp())
        if self._counted and self._session.state in _WAITING_FOR:
            self._console.waiting(_WAITING_FOR[self._session.state], self._deadline - now)
        return []

    def _on_item(self, item: Item) -> list[effects.Effect]:
        if isinstance(item, Output):
            self._quiet_at = time.monotonic() + _QUIET_SECONDS
            return self._said(self._transcript.receive(item.data))
        if isinstance(item, Failure | Undelivered):
            self._connection.check()  # it may know better why
        if isinstance(item, Failure):
            raise item
        if isinstance(item, Answer):
            return self._answered(item)
        if isinstance(item, Opened):
            self._invitations.on_opened(item)
            return []
        if isinstance(item, Exited):
            said = self._said(self._transcript.end())
            self._emit(events.CommandEnded(item.status))
            return [*said, *self._session.feed(item)]
        if isinstance(item, Delivered | Undelivered):
            self._invitations.on_browser_back()
        if isinstance(item, Delivered | Undelivered | Strayed):
            self._emit(callback_event(item))
        return self._session.feed(item)

    def _said(self, said: Sequence[Said]) -> list[effects.Effect]:
        todo: list[effects.Effect] = []
        for one in said:
            if isinstance(one, Line) and self._transcript.begun and not one.decisive:
                self._emit(events.RemoteLine(one.text))
            if isinstance(one, Prompt) and one.text == self._sudo_prompt:
                todo.append(effects.AskPerson("sudo's password:", secret=True))
                todo.append(effects.Allow(self._provider.time.answer))
            else:
                todo.extend(self._session.feed(one))
        if self._session.takes_paste:
            self._offered.set()
        return todo

    def _answered(self, answer: Answer) -> list[effects.Effect]:
        if answer.to != self._prompts:
            return []  # it was no prompt, as it turned out
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
            if not self._session.takes_paste:
                self._offered.clear()
            self._offer_due = time.monotonic() + _OFFER_SECONDS
            self._invitations.invite(effect.authorization, self._connection, again=effect.again)
        elif isinstance(effect, effects.DeliverTo):
            self._invitations.deliver_to(effect.port)
        elif isinstance(effect, effects.CloseListener):
            self._invitations.expect_nothing()
        elif isinstance(effect, effects.StopAsking):
            self._prompts += 1
            self._console.stop_asking()
        elif isinstance(effect, effects.AskPerson):
            self._emit(events.Prompt(effect.text, effect.secret))
            self._prompts += 1
            self._console.ask_meanwhile(
                f"({self._connection.destination}) {effect.text} ",
                effect.secret,
                partial(self._post_answer, self._prompts),
            )

    def _post_answer(self, to: int, text: str | None) -> None:
        self.mailbox.put(Answer(text, to))

    def _type_in(self, address: str) -> bool:
        """The last way: the command's own prompt, if it said that it has one. Called by the gate.

        A browser can be back before the command has said anything of its prompt.
        """
        self.mailbox.hear_on()
        self._offered.wait(self._offer_due - time.monotonic())
        self.mailbox.before_request()
        if not self._session.takes_paste:
            return False
        self._console.secrets.add(address)
        self._command.answer(address)
        return True
