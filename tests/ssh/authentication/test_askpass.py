"""SSH_ASKPASS, compared with what ssh itself makes of the same variables."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.authentication.askpass import through_askpass
from tests.ssh.answering import Answering
from tests.ssh.hops import always, hop, nobody, run, to
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, keygen

pytestmark = [
    pytest.mark.usefixtures("nothing_left"),
    pytest.mark.skipif(shutil.which("ssh") is None, reason="there is no ssh program here"),
]
PATH = {"PATH": "/usr/bin:/bin"}
DISPLAYS = [{}, {"DISPLAY": ":0"}]
REQUIREMENTS = [{}, *({"SSH_ASKPASS_REQUIRE": value} for value in ("force", "prefer", "never", "FORCE", "?"))]


@pytest.fixture
def askpass(tmp_path: Path) -> Path:
    """A program that notes what it is asked, and answers with the passphrase and more."""
    program = tmp_path / "ask pass"
    program.write_text(f"#!/bin/sh\necho \"$1\" >>'{tmp_path}/asked'\nprintf 'correct horse\\r\\nmore\\n'\n")
    program.chmod(0o700)
    return program


def asked(askpass: Path) -> list[str]:
    """What it has been asked since the last call."""
    notes = askpass.with_name("asked")
    lines = notes.read_text().splitlines() if notes.exists() else []
    notes.unlink(missing_ok=True)
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("display", DISPLAYS, ids=str)
@pytest.mark.parametrize("required", REQUIREMENTS, ids=str)
def test_it_is_used_where_ssh_uses_it(
    askpass: Path, tmp_path: Path, display: dict[str, str], required: dict[str, str]
) -> None:
    """Without a terminal the program is used if there is a display or it is forced, but not if set to never.
    ssh-keygen asks with the same code.
    """
    environment = {**PATH, "SSH_ASKPASS": str(askpass), **display, **required}
    key = keygen(tmp_path / "key", passphrase="correct horse")
    done = subprocess.run(
        ["ssh-keygen", "-y", "-f", str(key)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        start_new_session=True,
        check=False,
    )
    by_ssh = asked(askpass)
    assert (done.returncode == 0) == bool(by_ssh)
    question = Question("Password:", hidden=True, whose="me@box")
    answer = through_askpass(nobody, environment, at_terminal=lambda: False)(question, always)
    assert answer == ("correct horse" if by_ssh else None)
    assert asked(askpass) == (["(me@box) Password: "] if by_ssh else [])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"DISPLAY": ":0"}, "typed"),
        ({"DISPLAY": ":0", "SSH_ASKPASS_REQUIRE": "prefer"}, "correct horse"),
        ({"WAYLAND_DISPLAY": "w", "SSH_ASKPASS_REQUIRE": "prefer"}, "correct horse"),
        ({"SSH_ASKPASS_REQUIRE": "prefer"}, "typed"),
        ({"SSH_ASKPASS_REQUIRE": "force"}, "correct horse"),
        ({"DISPLAY": ":0", "SSH_ASKPASS_REQUIRE": "never"}, "typed"),
    ],
    ids=str,
)
def test_a_terminal_comes_first_unless_it_is_preferred(
    askpass: Path, variables: dict[str, str], expected: str
) -> None:
    """At a terminal the program is used only if it is forced, or preferred and there is a display."""
    environment = {**PATH, "SSH_ASKPASS": str(askpass), **variables}
    assert through_askpass(lambda *_: "typed", environment, lambda: True)(Question("?"), always) == expected


def test_who_gave_up_at_the_terminal_is_not_asked_again(askpass: Path) -> None:
    """End of input at the terminal is an answer."""
    environment = {**PATH, "SSH_ASKPASS": str(askpass), "DISPLAY": ":0"}
    assert through_askpass(nobody, environment, lambda: True)(Question("?"), always) is None
    assert asked(askpass) == []


@pytest.mark.slow
@pytest.mark.parametrize("program", ["false", "/no/such/program", "", "/dev/null"])
def test_a_program_that_gives_no_answer_is_nobody(program: str) -> None:
    """A program that is cancelled, missing or not executable counts as nobody there."""
    environment = {**PATH, "SSH_ASKPASS": program, "SSH_ASKPASS_REQUIRE": "force"}
    assert through_askpass(nobody, environment, lambda: False)(Question("?"), always) is None


def test_a_connection_asks_it(
    sshd: Callable[..., Sshd],
    known: Callable[..., Path],
    tmp_path: Path,
    askpass: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without a terminal, the program puts the questions about a host key and a passphrase to the person."""
    server = sshd()
    key = keygen(tmp_path / "key", passphrase="correct horse")
    server.accept(key)
    monkeypatch.setenv("SSH_ASKPASS", str(askpass))
    monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    with to(hop(server.port, known(server), key)) as connection:
        assert run(connection, "echo hello") == b"hello\n"
    assert asked(askpass) == [f"Enter passphrase for key '{key}' ({ME}@box): "]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["the program", "the terminal"])
def test_an_answer_is_known_as_a_secret_before_the_server_has_it(
    known: Callable[..., Path], askpass: Path, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    """Whoever gave it, it can be redacted from whatever the server says next. A name is not a secret; a
    code is, even where the server wants it echoed.
    """
    seen: list[tuple[str, str]] = []

    def hears(event: events.Event) -> None:
        if isinstance(event, events.ServerSaid):
            seen.append(("said", event.text))

    if by == "the program":
        monkeypatch.setenv("SSH_ASKPASS", str(askpass))
        monkeypatch.setenv("SSH_ASKPASS_REQUIRE", "force")
    rounds = [
        ("", "", [("Password: ", False), ("Name: ", True), ("Code: ", True)], ["correct horse"] * 3),
        ("", "correct horse is too easy", [], []),
    ]
    with closing(Server(Account(steps=["keyboard-interactive"], rounds=rounds))) as server:
        answering = Answering(*["correct horse"] * 3)
        to(
            hop(server.port, known(server)),
            ask=answering.ask,
            emit=hears,
            secret=lambda text: seen.append(("secret", text)),
        ).close()
    assert seen == [("secret", "correct horse")] * 2 + [("said", "correct horse is too easy")]


@pytest.mark.slow
def test_its_question_goes_with_whoever_wanted_the_answer(tmp_path: Path) -> None:
    """A server that has left needs no password: the program is ended, and counts as nobody there."""
    program = tmp_path / "stays"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o700)
    environment = {**PATH, "SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force"}
    began = time.monotonic()
    asks = through_askpass(nobody, environment, lambda: False)
    assert asks(Question("?"), lambda: time.monotonic() < began + 0.3) is None
    assert time.monotonic() - began < 2
