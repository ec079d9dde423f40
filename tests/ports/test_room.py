"""Making room on a local port, or doing without: who is asked what, and what is refused."""

from __future__ import annotations

import errno
import os
import socket
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

import pytest

from hermes_tunnel.errors import NoWayBack
from hermes_tunnel.ports.person import BusyPort, Person
from hermes_tunnel.ports.room import Room, make_room
from hermes_tunnel.question import Question
from hermes_tunnel.steps import Steps, Work
from tests.ports.holding import LISTENER, Start, as_user, child, ended_connection, posix

T = TypeVar("T")


class Asked:
    """Somebody who gives every question the same answer, or nobody."""

    def __init__(self, answer: bool | None) -> None:
        self._answer = answer
        self.asked: list[str] = []
        self.told: list[str] = []

    def person(self, wish: str = "ask", *, yes: bool = False) -> Person:
        """The person, with what they wished for beforehand."""
        return Person(self.told.append, self._answer is not None, BusyPort(wish, yes))

    def follow(self, steps: Steps[T]) -> T:
        """The result of steps whose questions are answered."""
        answer: object = None
        try:
            while True:
                step = steps.send(answer)
                if isinstance(step, Question):
                    assert step.text.endswith(") [y/N]")
                    self.asked += [*step.above, step.text]
                    answer = "y" if self._answer else None
                elif isinstance(step, Work):
                    answer = step.function()
        except StopIteration as stop:
            result: T = stop.value
            return result


def becomes(
    port: int,
    addresses: tuple[str, ...],
    cause: OSError,
    asked: Asked,
    wish: str,
    *,
    yes: bool = False,
    known: bool = True,
) -> Room:
    """What becomes of a port, which is the provider's known one unless ``known`` is false."""
    return asked.follow(make_room(port, addresses, cause, asked.person(wish, yes=yes), known=known))


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


def refused(number: int) -> OSError:
    """What a system says to an impossible bind; Windows has numbers of its own."""
    return OSError(number, os.strerror(number) if number < 10000 else "words")


TAKEN, FORBIDDEN = refused(errno.EADDRINUSE), refused(errno.EACCES)
RESERVED, EXCLUSIVE = refused(10013), refused(10013)
HERE = ("127.0.0.1",)
DOCKER = "docker ps --filter publish=PORT names the container, and docker stop NAME frees the port"
PYTHON = Path(sys.executable).name
NOBODY, YES, NO = None, True, False
# --on-busy-port, the answer if anybody is there, --yes; the result: the room, or words of the hint.
OF_ONE_S_OWN: list[tuple[str, bool | None, bool, Room | str]] = [
    ("ask", YES, False, Room.MADE),
    ("ask", NO, False, "to end it: hermes-tunnel port PORT --kill"),
    ("ask", NOBODY, False, "to end it: hermes-tunnel port PORT --kill"),
    ("ask", NOBODY, True, Room.MADE),
    ("kill", YES, False, Room.MADE),
    ("kill", NO, False, "to end it: hermes-tunnel port PORT --kill"),
    ("kill", NOBODY, False, "to end it: hermes-tunnel port PORT --kill"),
    ("kill", NOBODY, True, Room.MADE),
    ("paste", YES, False, Room.NONE),
    ("paste", NO, False, "to let it see the answer: --yes; to end it: hermes-tunnel port PORT --kill"),
    ("paste", NOBODY, False, "to let it see the answer: --yes; to end it: hermes-tunnel port PORT --kill"),
    ("paste", NOBODY, True, Room.NONE),
    ("fail", YES, True, "to end it: hermes-tunnel port PORT --kill"),
    ("fail", NOBODY, False, "to end it: hermes-tunnel port PORT --kill"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("wish", "answer", "yes", "result"), OF_ONE_S_OWN)
def test_an_occupant_of_one_s_own(
    start: Start, wish: str, answer: bool | None, yes: bool, result: Room | str
) -> None:
    """It is named with its PID and start, and ended only where the result is room."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    person = Asked(answer)
    if isinstance(result, Room):
        assert becomes(port, HERE, TAKEN, person, wish, yes=yes) is result
    else:
        with pytest.raises(NoWayBack) as failure:
            becomes(port, HERE, TAKEN, person, wish, yes=yes)
        assert failure.value.status == 7
        if answer is NO and wish != "paste":  # the question told the rest
            assert failure.value.message == f"local port {port} stays taken by {PYTHON} (PID {process.pid})"
        else:
            assert failure.value.message.startswith(f"local port {port} is taken by {PYTHON} ")
            assert f"(PID {process.pid}, user " in failure.value.message
            assert " today)" in failure.value.message
        assert "--on-busy-port paste" in failure.value.hint or wish == "paste"
        assert result.replace("PORT", str(port)) in failure.value.hint
    said = "".join([*person.told, *person.asked])
    named = said.count(f"{PYTHON} (PID {process.pid}, user ")
    assert named <= 1
    assert named or not person.asked
    if answer is not None:
        assert len(person.asked) == 2 * (not yes and wish != "fail")  # what to know, and the question
    assert (process.poll() is None) == (result is not Room.MADE)


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize("wish", ["ask", "kill", "paste", "fail"])
@pytest.mark.parametrize("answer", [NOBODY, YES])
def test_an_occupant_of_somebody_else(start: Start, wish: str, answer: bool | None) -> None:
    """It would get the code, and is not ours to end: no question and no --yes changes that."""
    process, port = start(as_user(LISTENER, 65534), "127.0.0.1", 0)
    person = Asked(answer)
    with pytest.raises(NoWayBack) as failure:
        becomes(port, HERE, TAKEN, person, wish, yes=True)
    assert f"is taken by {PYTHON} (PID {process.pid}, user nobody" in failure.value.message
    assert ("it must end first" in failure.value.hint) == (wish == "paste")
    assert failure.value.hint.endswith(
        f"user nobody can end it, or you by sudo kill {process.pid}; then run it again"
    )
    assert person.asked == []
    assert process.poll() is None


@pytest.mark.slow
@posix
@pytest.mark.parametrize(
    ("wish", "answer", "result"),
    [
        ("ask", NO, DOCKER),
        ("ask", YES, Room.MADE),
        ("ask", NOBODY, DOCKER),
        ("fail", YES, DOCKER),
        ("paste", NO, DOCKER),
        ("paste", YES, Room.NONE),
    ],
)
def test_what_serves_a_container_of_one_s_own(
    start: Start, tmp_path: Path, wish: str, answer: bool | None, result: Room | str
) -> None:
    """It may serve other containers too: stop that one, the person is told before they are asked."""
    script = tmp_path / "com.docker.backend"
    script.write_text(textwrap.dedent(LISTENER))
    process, port = start(
        "import os, sys; os.execv(sys.executable, sys.argv[1:])", PYTHON, script, "0.0.0.0", 0
    )
    person = Asked(answer)
    if isinstance(result, Room):
        assert becomes(port, HERE, TAKEN, person, wish) is result
    else:
        with pytest.raises(NoWayBack) as failure:
            becomes(port, HERE, TAKEN, person, wish)
        assert result.replace("PORT", str(port)) in failure.value.hint
    if wish == "ask" and answer is not None:
        told = f"stop its container: docker ps --filter publish={port} names the container"
        assert any(told in words for words in person.told)
    assert (process.poll() is None) == (result is not Room.MADE)


@pytest.mark.parametrize("cause", [RESERVED, FORBIDDEN])
@pytest.mark.parametrize(
    ("wish", "answer", "room"),
    [
        ("ask", YES, Room.NONE),
        ("ask", NOBODY, None),
        ("paste", YES, Room.NONE),
        ("paste", NOBODY, Room.NONE),
        ("kill", YES, None),
        ("fail", YES, None),
    ],
)
def test_a_port_that_nobody_holds(
    free: int, cause: OSError, wish: str, answer: bool | None, room: Room | None
) -> None:
    """If it is reserved or forbidden, the person can paste: at once on a terminal, otherwise on request."""
    person = Asked(answer)
    if room:
        assert becomes(free, HERE, cause, person, wish) is room
    else:
        with pytest.raises(NoWayBack) as failure:
            becomes(free, HERE, cause, person, wish)
        assert "--on-busy-port paste" in failure.value.hint
        assert f"local port {free}" in failure.value.message
    assert person.asked == []


@pytest.mark.slow
def test_windows_says_the_same_of_what_it_reserves_and_of_what_is_held(start: Start, free: int) -> None:
    """The occupant tells: it is named if there is one; only otherwise are the reserved ranges."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    with pytest.raises(NoWayBack, match=rf"is taken by {PYTHON} \(PID {process.pid}, "):
        becomes(port, HERE, EXCLUSIVE, Asked(NOBODY), "fail")
    with pytest.raises(NoWayBack, match="Windows keeps local port") as failure:
        becomes(free, HERE, RESERVED, Asked(NOBODY), "fail")
    assert "netsh int ipv4 show excludedportrange protocol=tcp" in failure.value.hint


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="has to see TIME_WAIT")
def test_what_has_ended_is_waited_for() -> None:
    """If the system keeps the port for an ended connection, it takes a minute, and there is nobody to end."""
    with pytest.raises(NoWayBack, match="is held by a connection that has ended") as failure:
        becomes(ended_connection(), HERE, TAKEN, Asked(YES), "kill", yes=True)
    assert "within a minute; then run it again" in failure.value.hint


@pytest.mark.slow
def test_who_is_not_in_the_way_is_left_alone(start: Start) -> None:
    """A listener on the other family has the same port number, and is in nobody's way."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    other, _ = start(LISTENER, "::1", port)
    assert becomes(port, HERE, TAKEN, Asked(YES), "kill") is Room.MADE
    assert process.poll() is not None
    assert other.poll() is None
    with pytest.raises(NoWayBack, match=rf"PID {other.pid}, "):
        becomes(port, (*HERE, "::1"), TAKEN, Asked(NOBODY), "fail")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "wish"), [(NOBODY, "kill"), (NOBODY, "ask"), (NOBODY, "paste"), (NO, "kill")]
)
def test_a_yes_that_was_given_beforehand_is_not_for_any_program(
    start: Start, answer: bool | None, wish: str
) -> None:
    """On a port that only the remote named, we ask all the same, and leave it alone if nobody is there."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    person = Asked(answer)
    with pytest.raises(NoWayBack):
        becomes(port, HERE, TAKEN, person, wish, yes=True, known=False)
    assert len(person.asked) == 2 * (answer is not None or wish == "paste")
    assert process.poll() is None
