"""Pasting in the browser's place: hidden, judged, and paused while a question is asked."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.pasting import Pasting
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import Deliver, Expected
from hermes_tunnel.oauth.states import Delivered, NobodyPasted, Undelivered
from hermes_tunnel.ports.person import Person
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.way_back.entrance import Entrance
from hermes_tunnel.way_back.gate import Gate
from tests.ports.holding import posix
from tests.terminal.pseudo_terminal import SECONDS, Terminal, terminal, until

pytestmark = [posix, pytest.mark.usefixtures("nothing_left")]
CODE = "a-code-of-that-page"


class Pasted:
    """An offer on a terminal, and what came of it; the decider runs in a thread of its own."""

    def __init__(self, pty: Terminal, *, listens: bool) -> None:
        self.console = Console(pty.writer, Keyboard(pty.reader), color=False)
        self.delivered: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.news: queue.SimpleQueue[object] = queue.SimpleQueue()
        self._over = threading.Event()
        self.decider = Decider(self.console, lambda _: None)
        self._entrance = Entrance(
            Person(self.console.say, there=True), self.decider.emit, self.decider.mailbox.put
        )
        expected = Expected(Redirect("127.0.0.1", 56121, "/callback"), "state-1234")
        self._entrance.gate = Gate(expected, "me@box", self._deliver, self.decider.mailbox.put)
        self._entrance.listens = listens
        self._pasting = Pasting(self.decider, self._entrance)
        self._thread = threading.Thread(target=self._decide)

    def _deliver(self, verdict: Deliver) -> Delivered | Undelivered:
        self.delivered.put(verdict.request.decode().split("code=")[1].split("&")[0])
        return Delivered("", 200)

    def _decide(self) -> None:
        self.decider.emit(events.AuthorizationAsked("loopback", "https://auth.x.ai/a?b=c", "", "auth.x.ai"))
        self._pasting.start()
        while not self._over.is_set():
            item = self.decider.next(0.05)
            if item is not None:
                self.news.put(item)
            elif self._entrance.listens:
                self.console.waiting("your browser", 59)

    def ask(self, question: Question) -> str | None:
        """Ask something meanwhile, as a new connection does."""
        return self.decider.ask_for(question)

    def __enter__(self) -> Pasted:
        self._thread.start()
        return self

    def close(self) -> None:
        """The login is over."""
        self._over.set()
        self._thread.join(SECONDS)
        self._pasting.stop()
        self.console.done_waiting()
        self.decider.end()

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def offered(*, listens: bool = True) -> Iterator[tuple[Terminal, Pasted]]:
    """A terminal where something may be pasted."""
    with terminal() as pty:
        before = pty.modes
        with Pasted(pty, listens=listens) as pasted:
            until(lambda: not pty.echoes)
            yield pty, pasted
        if pty.is_there:
            assert pty.modes == before


def test_it_is_taken_unseen_while_the_time_is_shown() -> None:
    """The offer stands below the invitation; a useless paste is reported as such, and shown nowhere."""
    with offered() as (pty, pasted):
        shown = pty.wait_for("0:59 left")
        assert shown.index("https://auth") < shown.index("A code instead? Paste it.")
        pty.type("\n")
        pty.type("S3CRET with blanks, so no code\n")
        shown += pty.wait_for("That is not it: it is neither an address of this machine nor a code.")
        pty.type(f"{CODE}\n")
        assert pasted.delivered.get(timeout=SECONDS) == CODE
        news = pasted.news.get(timeout=SECONDS)
        assert news == Delivered("", 200, pasted=True)
        shown += pty.shown()
    assert "S3CRET" not in shown
    assert CODE not in shown
    assert pasted.console.safe(CODE) == "[hidden]"


def test_an_address_that_is_needed_is_asked_for() -> None:
    """The words say why; the end of the input is reported."""
    with offered(listens=False) as (pty, pasted):
        pty.wait_for("Paste the address of that page here and press Enter")
        pty.type("\x04")
        assert pasted.news.get(timeout=SECONDS) == NobodyPasted()


def test_what_may_be_a_word_is_taken_when_it_comes_twice() -> None:
    """A word typed by accident would end the login; and it is not treated as a secret."""
    with offered() as (pty, pasted):
        pty.type("help\n")
        pty.wait_for("That could be a word. If it is the code, paste it once more.")
        pty.type("quit\n")
        pty.wait_for("That could be a word. If it is the code, paste it once more.")
        assert pasted.console.safe("no help, no quit") == "no help, no quit"
        assert pasted.delivered.empty()
        pty.type("quit\n")
        assert pasted.delivered.get(timeout=SECONDS) == "quit"


def test_an_address_that_a_mail_program_broke_is_one_paste() -> None:
    """Its lines come at once; nothing is said of the first before the last is there."""
    with offered() as (pty, pasted):
        pty.type(f"<http://127.0.0.1:56121/callback?code={CODE}\n&state=state\n-1234>\n")
        assert pasted.delivered.get(timeout=SECONDS) == CODE
        assert "That is not it" not in pty.shown()


def test_ctrl_d_ends_no_offer() -> None:
    """It does nothing: the paste after it is taken."""
    with offered() as (pty, pasted):
        pty.type("\x04\x04")
        pty.type(f"{CODE}\n")
        assert pasted.delivered.get(timeout=SECONDS) == CODE


def test_a_closed_window_ends_the_offer() -> None:
    """Nothing needs the paste, so nothing else ends with the window."""
    with offered() as (pty, pasted):
        pty.hang_up()
        pasted.close()
        assert pasted.news.empty()


def test_the_offer_pauses_while_a_question_is_asked() -> None:
    """A new connection's password is not taken for a code, nor the code after it for a password."""
    answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    with offered() as (pty, pasted):
        question = Question("password:", hidden=True, whose="me@box")
        asking = threading.Thread(target=lambda: answers.put(pasted.ask(question)))
        asking.start()
        pty.wait_for("password: ")
        pty.type("pass-word-1\n")
        assert answers.get(timeout=SECONDS) == "pass-word-1"
        asking.join(SECONDS)
        assert pasted.delivered.empty()
        until(lambda: not pty.echoes)
        pty.type(f"{CODE}\n")
        assert pasted.delivered.get(timeout=SECONDS) == CODE


def test_without_a_terminal_nothing_is_offered_while_the_browser_can_come_back() -> None:
    """Standard input may be meant for somebody else."""
    with terminal() as pty:
        console = Console(pty.writer, Keyboard(None))
        decider = Decider(console, lambda _: None)
        with closing(
            Entrance(Person(console.say, there=False), decider.emit, decider.mailbox.put)
        ) as entrance:
            expected = Expected(Redirect("127.0.0.1", 56121, "/callback"), "state-1234")
            entrance.gate = Gate(expected, "me@box", lambda _: Delivered("", 200), decider.mailbox.put)
            entrance.listens = True
            Pasting(decider, entrance).start()
        assert pty.shown() == ""
