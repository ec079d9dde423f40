"""The conversation with a login command: what it says, what we do about it, and when it is over."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import Invitations, Wishes
from hermes_tunnel.conversation.own_prompt import OwnPrompt, TypeIn
from hermes_tunnel.conversation.questions import Asked
from hermes_tunnel.conversation.remarks import notice
from hermes_tunnel.conversation.start import Start
from hermes_tunnel.conversation.turns import Turns
from hermes_tunnel.errors import Failure
from hermes_tunnel.oauth import effects
from hermes_tunnel.oauth.instructions import Instructions
from hermes_tunnel.oauth.said import Begun, Line, Prompt, Remark, Said
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
    Undelivered,
)
from hermes_tunnel.oauth.transcript import Transcript
from hermes_tunnel.question import Question
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.command import Output, RemoteCommand
from hermes_tunnel.remote.program import Program
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.steps import Steps, work
from hermes_tunnel.way_back.entrance import Delivering, callback_event

_QUIET_SECONDS = 0.3  # an unfinished line that stays this long is a prompt
_NEWS_SECONDS = 0.9  # how long the invitation waits for the command to finish talking
_LATE_SECONDS = 0.01  # enough for what the command printed while it was being ended
_TICK_SECONDS = 1.0  # how often we show the time left and check the connection

_WAITING_FOR = {
    State.CONNECTED: "Hermes there to start",
    State.QUESTIONED: "Hermes there to start",
    State.STARTING: "Hermes there to start",
    State.AWAITING_CALLBACK: "your browser",
    State.AWAITING_APPROVAL: "your approval",
    State.SHOWN: "the command to go on",
    State.ASKING: "your answer",
    State.AWAITING_ANSWER: "your answer",
}


class Conversation:
    """One login command's conversation.

    :param provider: what Hermes logs in to
    :param call: how Hermes is run there
    :param wishes: how the person wants it
    :param nonce: what makes our markers in the output unmistakable
    """

    def __init__(
        self, provider: Program, call: Call, wishes: Wishes, *, decider: Decider, nonce: str
    ) -> None:
        self._provider = provider
        self._decider = decider
        self._console = decider.console
        self._emit = decider.emit
        self._sudo_prompt = sudo_prompt(nonce)
        self._sudo_asked = False
        self._transcript = Transcript(begin_marker(nonce))
        self._instructions = Instructions()
        seconds = wishes.seconds
        times = provider.time if seconds is None else PersonTime(seconds, seconds, seconds)
        self._session = Session(provider.policy, times, seconds_of=decider.seconds_of)
        self._own_prompt = OwnPrompt(decider, self._send)
        self._start = Start(decider, call, lambda tried: self._perform_all(self._session.feed(tried)))
        self._invitations = Invitations(provider, call, wishes, decider, self._own_prompt.type_in)
        self._turns = Turns(decider)
        self._allowed = effects.Allow(0.0)
        self._deadline = 0.0
        self._quiet_at: float | None = None
        self._news_at: float | None = None
        self._look_at = 0.0
        self._under_way = False  # a request is on its way to the command
        self._held: list[Output | Exited] | None = None  # what the command says meanwhile
        self._asked: Asked | None = None

    def run(self, connection: Connection, command: RemoteCommand) -> effects.Conclude:
        """Run until the login is over; neither the listener nor an open question outlasts it.

        :raises Failure: the login did not succeed
        """
        self._connection, self._command = connection, command
        self._start.of(connection, command)
        with self._invitations.open():
            try:
                todo = self._session.start()
                while not (todo and isinstance(todo[-1], effects.Conclude)):
                    for effect in todo:
                        self._perform(effect)
                    todo = self._next()
                return todo[-1]
            finally:
                self._stop_asking()
                self._own_prompt.settle(offered=False)
                self._turns.stop()
                self._start.stop()
                self._show(self._instructions.end())
                self._decider.news.release(over=True)
                self._console.done_waiting()

    @property
    def invited(self) -> bool:
        """Whether the command got so far as to ask for a sign-in."""
        return self._session.memory.authorization is not None

    def looks(self) -> Sequence[str]:
        """What the script said about the credential's file, before the command and after it has ended."""
        while (item := self._decider.next(_LATE_SECONDS)) is not None:
            if isinstance(item, Output):
                self._transcript.receive(item.data)
        return self._transcript.looks

    # -- what happens ----------------------------------------------------------------------------------

    def _next(self) -> list[effects.Effect]:
        """Take the next item, or do what is due. Neither can hold the other up for long."""
        now = time.monotonic()
        moments = [self._look_at, self._quiet_at, self._news_at, self._own_prompt.due, self._start.due]
        if not self._under_way:
            moments.append(self._deadline)
        due = min(moment for moment in moments if moment is not None)
        if due > now:
            item = self._decider.next(due - now)
            if item is not None:
                return self._on_item(item)
        return self._on_time(time.monotonic())

    def _on_time(self, now: float) -> list[effects.Effect]:
        if self._news_at is not None and now >= self._news_at:
            self._release()
        if (due := self._own_prompt.due) is not None and now >= due:
            self._own_prompt.settle(offered=False)
        if (due := self._start.due) is not None and now >= due:
            if self._session.state is State.CONNECTED:
                self._start.doubt()
            else:
                self._start.due = now + _TICK_SECONDS  # what seems to be a question has a time of its own
        if self._quiet_at is not None and now >= self._quiet_at:
            self._quiet_at = None
            self._release()
            todo = self._said(self._transcript.silence())
            self._show(self._instructions.silence())
            if todo:
                return todo
        if now >= self._deadline and not self._under_way:
            return self._session.feed(TimeUp())
        if now >= self._look_at:
            self._look_at = now + _TICK_SECONDS
            self._connection.check()
            quiet = self._news_at is None and self._turns.over
            if quiet and (what := _WAITING_FOR.get(self._session.state)) is not None:
                if self._allowed.person:
                    self._console.waiting(what, self._deadline - now)
                else:
                    self._console.waiting(what, None, briefly=True)
        return []

    def _release(self) -> None:
        """Show the invitation that was held back, and the time left below it."""
        if self._news_at is not None:
            self._news_at, self._look_at = None, 0.0
        self._decider.news.release()

    def _on_item(self, item: object) -> list[effects.Effect]:
        if isinstance(item, Output | Exited):
            return self._heard(item)
        if isinstance(item, Failure | Undelivered):
            self._connection.check()  # it may know better why
        if isinstance(item, Failure):
            raise item
        if isinstance(item, Delivering):
            self._console.secrets.update(item.secrets)  # a command may print what it was given
            self._under_way, self._held = True, self._held or []
            item.go_on.set()
        elif isinstance(item, TypeIn):
            self._own_prompt.take(item)
            return self._let_go()
        elif isinstance(item, Delivered | Undelivered):
            self._under_way = False
            self._invitations.on_browser_back()
            self._emit(callback_event(item))
            return [*self._session.feed(item), *self._let_go()]
        elif isinstance(item, Strayed):
            self._emit(callback_event(item))
            return self._session.feed(item)
        elif isinstance(item, NobodyPasted):
            return self._session.feed(item)
        return []

    def _heard(self, item: Output | Exited) -> list[effects.Effect]:
        """The command goes on once it has its callback, perhaps before we know that it was delivered. What it
        says meanwhile waits.
        """
        if self._held is not None:
            self._held.append(item)
            return []
        if isinstance(item, Output):
            self._quiet_at = time.monotonic() + _QUIET_SECONDS
            said = self._said(self._transcript.receive(item.data))
            if not self._transcript.begun:
                self._start.hear(item.data)
            return said
        said = self._said(self._transcript.end())
        self._show(self._instructions.end())
        self._emit(events.CommandEnded(item.status))
        return [*said, *self._session.feed(item)]

    def _let_go(self) -> list[effects.Effect]:
        held, self._held = self._held or [], None
        todo: list[effects.Effect] = []
        for item in held:
            todo.extend(self._heard(item))
        self._type_if_offered()
        return todo

    def _said(self, said: Sequence[Said]) -> list[effects.Effect]:
        self._show(self._instructions.hear([one for one in said if self._is_heard(one)]))
        todo: list[effects.Effect] = []
        for one in said:
            if isinstance(one, Begun):
                self._start.over()
            elif isinstance(one, Remark) and (told := notice(one, self._provider.executable.name)):
                self._emit(told)
            if isinstance(one, Prompt) and one.text == self._sudo_prompt:
                self._sudo_asked = True
                todo.append(effects.AskPerson("sudo's password:", secret=True))
                todo.append(effects.Allow(self._provider.time.answer))
            else:
                todo.extend(self._session.feed(one))
        self._type_if_offered()
        return todo

    def _is_heard(self, said: Said) -> bool:
        """Of all that comes before the command, the person sees only what sudo says to a password."""
        if self._transcript.begun or not isinstance(said, Line):
            return True
        return self._sudo_asked and bool(said.text.strip())

    def _show(self, lines: Sequence[Line]) -> None:
        with self._console.at_once():
            for line in lines:
                self._emit(events.RemoteLine(line.text, detail=line.told))

    def _answered(self, text: str | None) -> None:
        self._asked = None
        if text is not None:
            self._send(text)
        self._perform_all(self._session.feed(Answered(nobody=text is None)))

    # -- what is done about it -------------------------------------------------------------------------

    def _perform_all(self, todo: Sequence[effects.Effect]) -> None:
        for effect in todo:
            self._perform(effect)

    def _perform(self, effect: effects.Effect) -> None:
        if isinstance(effect, effects.Allow):
            self._allow(effect)
        elif isinstance(effect, effects.Invite):
            self._invitations.deliver_to(None)
            self._turns.add(self._invite(effect))
        elif isinstance(effect, effects.Offer):
            self._turns.add(self._invitations.offer(effect.url, effect.issuer, self._connection.destination))
        elif isinstance(effect, effects.DeliverTo):
            self._invitations.deliver_to(effect.port)
        elif isinstance(effect, effects.CloseListener):
            self._turns.add(self._invitations.expect_nothing())
        elif isinstance(effect, effects.StopAsking):
            self._stop_asking()
        elif isinstance(effect, effects.AskPerson):
            self._ask(effect)

    def _allow(self, allowed: effects.Allow) -> None:
        self._allowed = allowed
        self._deadline = time.monotonic() + allowed.seconds
        self._console.done_waiting()

    def _invite(self, effect: effects.Invite) -> Steps[None]:
        self._news_at = time.monotonic() + _NEWS_SECONDS
        self._decider.news.hold()
        yield from self._invitations.invite(effect.authorization, self._connection, again=effect.again)
        self._own_prompt.invited()
        if self._allowed.person:  # the person's time starts with the invitation
            self._allow(self._allowed)

    def _stop_asking(self) -> None:
        asked, self._asked = self._asked, None
        if asked is not None:
            self._decider.questions.withdraw(asked)

    def _ask(self, effect: effects.AskPerson) -> None:
        self._stop_asking()
        self._decider.news.release()
        self._emit(events.Prompt(effect.text, effect.secret))
        question = Question(effect.text, hidden=effect.secret, whose=self._connection.destination, piped=True)
        self._asked = self._decider.questions.ask(question, self._answered)

    def _send(self, line: str) -> None:
        self._decider.begin(work(partial(self._command.answer, line)))

    def _type_if_offered(self) -> None:
        if self._session.takes_paste and self._own_prompt.settle(offered=True):
            self._held = self._held or []  # its reaction is shown after the delivery
