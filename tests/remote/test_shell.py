"""Start-up files of real shells that take the terminal, behind a real OpenSSH server."""

from __future__ import annotations

import getpass
import queue
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from hermes_tunnel.deadlines import BEGIN
from hermes_tunnel.errors import Failure, NeverBegan
from hermes_tunnel.oauth.authorization import Policy
from hermes_tunnel.oauth.said import Begun
from hermes_tunnel.oauth.session import Session
from hermes_tunnel.oauth.states import Event, Exited, State, TimeUp
from hermes_tunnel.oauth.transcript import Transcript
from hermes_tunnel.remote.call import Call, begin_marker
from hermes_tunnel.remote.command import Output, RemoteCommand
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.remote.shell import NoShell, Shell, shell_without_terminal
from hermes_tunnel.ssh.connection import Connection
from tests.ports.holding import posix
from tests.remote.shells import HERMES, installed, make_home
from tests.ssh.hops import hop, to
from tests.ssh.sshd import Sshd, gives_terminals

pytestmark = [pytest.mark.slow, posix, pytest.mark.usefixtures("nothing_left")]

NONCE = "0123456789abcdef"
XAI = provider("xai-oauth")
FILES = {
    "bash": ".bashrc",
    "fish": ".config/fish/config.fish",
    "tcsh": ".tcshrc",
    "zsh": ".zshenv",
}
QUIET_SECONDS = 0.3
QUESTIONED_SECONDS = 0.5  # instead of the five that a login allows


@dataclass(frozen=True)
class Taken:
    """A start-up file that takes the terminal.

    :param needs: the program that it becomes
    :param guarded: whether it does so only on a terminal
    """

    shell: str
    text: str
    needs: str
    guarded: bool = True

    def __str__(self) -> str:
        return f"{self.shell}: {self.text}"


TAKEN = [
    Taken("bash", "[ -t 0 ] && exec tmux", "tmux"),
    Taken("bash", "[ -t 0 ] && TERM=xterm exec tmux", "tmux"),
    Taken("bash", "exec tmux", "tmux", guarded=False),
    Taken("bash", "[ -t 0 ] && exec fish", "fish"),
    Taken("bash", "[ -t 1 ] && TERM=xterm exec fish", "fish"),
    Taken("bash", "exec fish", "fish", guarded=False),
    Taken("bash", "[ -t 0 ] && exec zsh -f", "zsh"),
    Taken("bash", "[ -t 0 ] && exec dash", "dash"),
    Taken("bash", "exec dash", "dash", guarded=False),
    Taken("zsh", "[[ -t 0 ]] && exec tmux", "tmux"),
    Taken("zsh", "[[ -t 0 ]] && exec fish", "fish"),
    Taken("zsh", "exec fish", "fish", guarded=False),
    Taken("fish", "isatty stdin; and exec tmux", "tmux"),
    Taken("fish", "isatty stdin; and exec bash --norc", "bash"),
    Taken("tcsh", "test -t 0 && exec tmux", "tmux"),
    Taken("tcsh", "test -t 0 && exec dash", "dash"),
]
EACH = pytest.mark.parametrize("taken", TAKEN, ids=str)
GUARDED = pytest.mark.parametrize("taken", [each for each in TAKEN if each.guarded], ids=str)
UNGUARDED = pytest.mark.parametrize("taken", [each for each in TAKEN if not each.guarded], ids=str)


@pytest.fixture
def connection(
    taken: Taken, tmp_path: Path, sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path]
) -> Iterator[Connection]:
    """A connection to an account with that shell and that start-up file, and a Hermes."""
    home = tmp_path / "home"
    make_home(home)
    for path, text in ((FILES[taken.shell], f"{taken.text}\n"), (".local/bin/hermes", HERMES)):
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_text(text)
        (home / path).chmod(0o755)
    shell = installed(taken.shell)
    installed(taken.needs)
    server = sshd(
        "host",
        f"SetEnv HOME={home} TMUX_TMPDIR={home} SHELL={shell}",
        *([] if taken.shell == "bash" else [f'ForceCommand exec {shell} -c "$SSH_ORIGINAL_COMMAND"']),
    )
    server.accept(key)
    with to(hop(server.port, known(server), key, user=getpass.getuser())) as connection:
        yield connection
    for socket in home.glob("tmux-*/default"):
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, stderr=subprocess.DEVNULL)


class Heard:
    """What a login hears from the start to the begin marker, or to whatever comes instead."""

    def __init__(self, connection: Connection, *, terminal: bool) -> None:
        posts: queue.SimpleQueue[Output | Exited | Failure] = queue.SimpleQueue()
        line = Call().login_line(XAI, NONCE, terminal=terminal)
        transcript, session = Transcript(begin_marker(NONCE)), Session(Policy())
        self.begun: Begun | None = None
        with RemoteCommand(connection, line, posts.put, terminal=terminal):
            allowed = time.monotonic() + BEGIN.seconds
            while self.begun is None:
                try:
                    post = posts.get(timeout=QUIET_SECONDS)
                    assert not isinstance(post, Failure)
                    said = self._said(transcript, post)
                except queue.Empty:
                    said = [*transcript.silence(), *([TimeUp()] if time.monotonic() > allowed else [])]
                for one in said:
                    if isinstance(one, Begun):
                        self.begun = one
                    if session.feed(one):
                        questioned = session.state is State.QUESTIONED
                        allowed = time.monotonic() + (QUESTIONED_SECONDS if questioned else BEGIN.seconds)

    @staticmethod
    def _said(transcript: Transcript, post: Output | Exited) -> list[Event]:
        return [*transcript.receive(post.data)] if isinstance(post, Output) else [*transcript.end(), post]


@gives_terminals
@EACH
def test_it_is_noticed(taken: Taken, connection: Connection) -> None:
    """Its prompt, its screen or its end gives it away, long before the time to begin is up."""
    began = time.monotonic()
    with pytest.raises(NeverBegan):
        Heard(connection, terminal=True)
    assert time.monotonic() - began < BEGIN.seconds / 2


@GUARDED
def test_without_a_terminal_the_command_begins(taken: Taken, connection: Connection) -> None:
    """The account's shell is found out, and so is which of its files to look into."""
    shell = shell_without_terminal(connection, NONCE)
    assert isinstance(shell, Shell)
    assert shell.startup_file == f"~/{FILES[taken.shell]}"
    assert Heard(connection, terminal=False).begun is not None


@UNGUARDED
def test_an_unguarded_file_lets_nothing_through(taken: Taken, connection: Connection) -> None:
    """We know so at once."""
    began = time.monotonic()
    assert shell_without_terminal(connection, NONCE) is NoShell.REPLACED
    assert time.monotonic() - began < 4


def test_a_shell_that_we_do_not_know() -> None:
    """Its start-up file is not named."""
    assert Shell("/usr/bin/nu").startup_file == "its start-up file"
    assert "case $- in" in Shell("/usr/bin/nu").guard
    assert "is-interactive" in Shell("/usr/bin/fish").guard
