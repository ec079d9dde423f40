"""Making room on a local port, or doing without it: who is asked what, and what is refused."""

from __future__ import annotations

import errno
import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from hermes_tunnel.errors import NoWayBack
from hermes_tunnel.local.console import Console
from hermes_tunnel.local.keyboard import Keyboard
from hermes_tunnel.local.ports import BindRefusal, Refusal, why_not
from hermes_tunnel.port import Room, make_room
from tests.local.holding import LISTENER, Start, as_user, child, root


class Person(Console):
    """A console with somebody, or nobody, before it who says one thing to every question."""

    def __init__(self, answer: bool | None) -> None:
        self.shown = io.StringIO()
        super().__init__(self.shown, Keyboard(None))
        self._answer = answer
        self.asked: list[str] = []

    @property
    def is_terminal(self) -> bool:
        """Whether there is somebody."""
        return self._answer is not None

    def confirm(self, question: str) -> bool:
        """The answer."""
        self.asked.append(question)
        return bool(self._answer)


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that end with the test."""
    with ExitStack() as stack:
        yield lambda code, *argv: stack.enter_context(child(code, *argv))


@pytest.fixture
def free() -> int:
    """A port that nobody holds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def refused(kind: BindRefusal, port: int) -> Refusal:
    """Why the port could not be had, by what a system says: Windows' 10013 is a reserved port, if nobody
    listens there.
    """
    reserved = OSError(errno.EACCES, "reserved")
    reserved.winerror = 10013  # type: ignore[attr-defined]
    forbidden = OSError(errno.EACCES, "no")
    taken = OSError(errno.EADDRINUSE, "in use")
    causes = {"taken": taken, "reserved": reserved, "forbidden": forbidden}
    refusal = why_not(causes[kind.value], port)
    assert refusal.reason is kind
    return refusal


@pytest.mark.parametrize("kind", [BindRefusal.RESERVED, BindRefusal.FORBIDDEN])
def test_where_nobody_listens_the_address_can_be_brought(free: int, kind: BindRefusal) -> None:
    """A port that is reserved or forbidden: on a terminal that is done at once, else if it is wished."""
    assert make_room(free, refused(kind, free), Person(True), on_busy="ask") is Room.NONE
    assert make_room(free, refused(kind, free), Person(None), on_busy="paste") is Room.NONE
    for wish, person in (("ask", Person(None)), ("fail", Person(True)), ("kill", Person(True))):
        with pytest.raises(NoWayBack) as failure:
            make_room(free, refused(kind, free), person, on_busy=wish)
        assert "--on-busy-port paste" in failure.value.hint
        assert person.asked == []


def test_an_occupant_of_one_s_own_may_stay(start: Start) -> None:
    """It is named, and that it will see the answer is agreed to: by a yes, or by --yes."""
    _, port = start(LISTENER, "127.0.0.1", 0)
    refusal = refused(BindRefusal.TAKEN, port)
    person = Person(True)
    assert make_room(port, refusal, person, on_busy="paste") is Room.NONE
    assert person.asked == ["Go on, and paste the address that the browser ends on?"]
    assert "the browser will bring the answer there first" in person.shown.getvalue()
    assert make_room(port, refusal, Person(None), on_busy="paste", yes=True) is Room.NONE
    for no in (Person(False), Person(None)):
        with pytest.raises(NoWayBack, match=f"local port {port} is taken by "):
            make_room(port, refusal, no, on_busy="paste")


@root
def test_an_occupant_of_somebody_else_gets_no_code(start: Start) -> None:
    """Another user's process would receive it: no question, no --yes, no way."""
    _, port = start(as_user(LISTENER, 65534), "127.0.0.1", 0)
    person = Person(True)
    with pytest.raises(NoWayBack, match="which would get the answer that the browser brings"):
        make_room(port, refused(BindRefusal.TAKEN, port), person, on_busy="paste", yes=True)
    assert person.asked == []


def test_a_no_and_a_fail_end_nothing(start: Start) -> None:
    """The occupant goes on; its end is offered as what to type."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    for wish, person in (("ask", Person(False)), ("ask", Person(None)), ("fail", Person(True))):
        with pytest.raises(NoWayBack) as failure:
            make_room(port, refused(BindRefusal.TAKEN, port), person, on_busy=wish)
        assert f"hermes-tunnel port {port} --kill" in failure.value.hint
        assert process.poll() is None


@pytest.mark.parametrize("wish", ["ask", "kill"])
def test_room_is_made_after_a_yes(start: Start, wish: str) -> None:
    """The occupant is ended, and another try is worth it."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    assert make_room(port, refused(BindRefusal.TAKEN, port), Person(True), on_busy=wish) is Room.MADE
    assert process.poll() is not None
