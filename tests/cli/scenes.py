"""What a person sees of every kind of login, of runs and of endings; ``scripts/screens`` writes it down.

Each scene is played in this process: servers, Hermes and browser are the stage's, the rest is the program's
own. What changes from run to run, such as ports, keys and times, gives way to the same values.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path

import click

from hermes_tunnel import events
from hermes_tunnel.cli.exit import folded_hint
from hermes_tunnel.cli.login import ending
from hermes_tunnel.cli.options import Output, new_console
from hermes_tunnel.cli.report import Ending, Report
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.verbs import run
from hermes_tunnel.cli.words import TYPED
from hermes_tunnel.conversation.decider import Decider, Signalled
from hermes_tunnel.conversation.invitation import Wishes
from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import LoginFailed, ask
from hermes_tunnel.demo.oauth_client import Attempt
from hermes_tunnel.login import LoginOrder, login
from hermes_tunnel.remote.hermes import provider, with_origin
from hermes_tunnel.ssh.config.chain import Options, resolve
from hermes_tunnel.ssh.config.target import parse_target
from tests.cli.sessions import RUN, Session, nothing, one_sign_in, sign_ins
from tests.cli.window import Act, Window, shown
from tests.stage.hermes import Hermes
from tests.stage.logins import device_login, loopback_login, mcp_login, spotify_login
from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.ssh_server import Account
from tests.stage.stage import HOST, USER, Stage

FILES = Path(__file__).parent / "screens"
_SINCE = r"since \d\d:\d\d today"
BROWSER = "Waiting for your browser"
PASSWORD = "open sesame"
NO_KEY = ("-o", "PubkeyAuthentication=no")
ASK = ("-o", "StrictHostKeyChecking=ask")
LOGIN = ("login", "xai-oauth", HOST)
LISTENER = """
    import socket, sys
    s = socket.create_server(("127.0.0.1", 0))
    print(s.getsockname()[1], flush=True)
    sys.stdin.read()
"""

Person = Sequence[tuple[str, "str | Callable[[Play], object]"]]
Kind = Callable[[Hermes], Command]


@dataclass
class Play:
    """One scene while it is played."""

    stage: Stage
    decider: Decider | None = None
    url: str = ""

    def sign_in(self) -> None:
        """Visit the page, as the browser does."""
        self.stage.person.open(self.url)

    def stop(self) -> None:
        """Press Ctrl-C."""
        assert self.decider is not None
        self.decider.mailbox.put(Signalled(signal.SIGINT))

    def sign_in_soon(self) -> None:
        """Visit the page once the program is ready to say so."""
        threading.Timer(0.3, self.sign_in).start()

    def go_on(self) -> None:
        """Let a command of this module go on, which waits for a line."""
        self.stage.server.running[0].receive(b"\n")

    def lose(self) -> None:
        """Pull the plug."""
        self.stage.server.drop()


@dataclass(frozen=True)
class Scene:
    """A scene: who is there, and what they do.

    :param typed: the command line
    :param kind: makes the command's login; None if there is no Hermes
    :param name: the provider, by its name
    :param person: what is waited for on the screen, and what the person does then
    :param known: whether the host key is known; None if it has changed
    :param words: the command line that is run instead of a login by this module
    :param session: makes the program that a ``run`` runs, from the port that is held
    :param held: whether a program of the person's, or else of another user's, holds the callback's port
    :param seconds: the person's time
    """

    typed: str = f"login xai-oauth {HOST}"
    kind: Kind | None = loopback_login
    name: str = "xai-oauth"
    answer: Answer = Answer.APPROVE
    person: Person = ((BROWSER, Play.sign_in),)
    account: Account = field(default_factory=lambda: Account(USER))
    options: tuple[str, ...] = ()
    known: bool | None = True
    words: tuple[str, ...] = ()
    session: Session | None = None
    held: bool | None = None
    seconds: float | None = None
    verbosity: int = 0

    def play_in(self, window: Window) -> None:
        """Play it to its end."""
        with ExitStack() as stack:
            kind, port = self.kind, 0
            if self.held is not None:
                _, port = stack.enter_context(holding(another_user=not self.held))
            if port:
                kind = lambda hermes: loopback_login(hermes, port=port)  # noqa: E731
            around = (lambda _, made=self.session: made(port)) if self.session is not None else None
            stage = stack.enter_context(
                Stage(self.answer, login=kind, around=around, account=self.account, jump=True)
            )
            play = Play(stage)
            self._know(stage)
            person = [
                (words, act if isinstance(act, str) else lambda act=act: act(play))
                for words, act in self.person
            ]
            program = self._verb(stage) if self.words else self._login(play)
            window.play(program, person)

    def _know(self, stage: Stage) -> None:
        if self.known is True:
            return
        *_, jump = lines = stage.known_hosts_file.read_text("ascii").splitlines()
        other = next(line for line in lines if line is not jump)
        kept = [jump]
        if self.known is None:
            name, kind, _ = other.split(" ", 2)
            kept.append(f"{name} {kind} AAAAC3NzaC1lZDI1NTE5AAAAI{'A' * 43}")
        stage.known_hosts_file.write_text("".join(f"{line}\n" for line in kept), "ascii")

    def _verb(self, stage: Stage) -> Act:
        words = [word.replace("PORT", str(stage.port)) for word in self.words]
        at = words.index("--") if "--" in words else len(words)
        words[at:at] = ["-F", str(stage.config_file), *self.options]
        return lambda: run(words, Signals())

    def _login(self, play: Play) -> Act:
        known = with_origin(provider(self.name), play.stage.origin)
        settings = Options(config_file=str(play.stage.config_file), options=self.options[1::2])

        def lead(decider: Decider) -> Ending:
            play.decider = decider
            hops = resolve(parse_target(HOST), settings)
            order = LoginOrder(known, hops, wishes=Wishes(self.seconds, open_page=lambda _: True))
            return ending(known, login(order, decider))

        class Watching(Report):
            def record(self, event: events.Event) -> None:
                super().record(event)
                if isinstance(event, events.AuthorizationAsked):
                    play.url = event.url

        def program() -> None:
            with click.Context(click.Command("login")) as context:
                context.meta[TYPED] = tuple(self.typed.split(" "))
                Watching(new_console(verbosity=self.verbosity), Output()).conclude(lead, may_repeat=True)

        return program


class holding:  # noqa: N801 - it reads as a verb
    """A program that holds a port, and the port."""

    def __init__(self, *, another_user: bool) -> None:
        become = "import os; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n" if another_user else ""
        self._code = become + textwrap.dedent(LISTENER)

    def __enter__(self) -> tuple[subprocess.Popen[str], int]:
        python = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable
        self._process = subprocess.Popen(
            [python, "-c", self._code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        return self._process, int(self._process.stdout.readline())

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


def codex_login(hermes: Hermes) -> Command:
    """Like OpenAI Codex: the page asks for the code, which is not in its address."""

    def command(process: RemoteProcess) -> int:
        process.print("To continue, follow these steps:\n\n  1. Open this URL in your browser:")
        process.print("     https://auth.openai.com/codex/device\n\n  2. Enter this code:\n     BCDF-GHJK\n")
        process.print("Waiting for sign-in... (press Ctrl+C to cancel)")
        process.read_line()
        hermes.store("token")
        process.print('Added openai-codex OAuth credential #1: "demo@hermes-demo"')
        return 0

    return command


def anthropic_login(hermes: Hermes) -> Command:
    """Like Anthropic: the page shows a code, which the person carries to the prompt."""

    def command(process: RemoteProcess) -> int:
        back = "https%3A%2F%2Fconsole.anthropic.com%2Foauth%2Fcode%2Fcallback"
        url = f"https://claude.ai/oauth/authorize?client_id=c&redirect_uri={back}&state={'x' * 32}"
        process.print(f"\nAuthorize Hermes with your Claude Pro/Max subscription.\n\n  {url}\n")
        process.print("After authorizing, you'll see a code. Paste it below.\n")
        process.write(b"Authorization code: ")
        process.read_line()
        hermes.store("token")
        process.print('Added anthropic OAuth credential #1: "demo@hermes-demo"')
        return 0

    return command


def impatient_login(hermes: Hermes) -> Command:
    """Like xAI's, but it gives up before anybody comes."""

    def command(process: RemoteProcess) -> int:
        with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            ask(hermes, process, Attempt(listener.redirect_uri))
            process.read_line()
            raise LoginFailed("xAI authorization timed out waiting for the local callback.")

    return command


def settled(output: str) -> str:
    """The output with values that do not change from run to run, and that are as long."""
    output = re.sub(r"/tmp/hermes-tunnel-demo-\w{8}", "/tmp/hermes-tunnel-demo-abcdefgh", output)
    output = re.sub(
        r"(?<=[?&])(state|code_challenge)=([\w-]+)", lambda m: f"{m[1]}={'x' * len(m[2])}", output
    )
    output = re.sub(r"SHA256:[\w+/]{43}", f"SHA256:{'x' * 43}", output)
    output = re.sub(r"\b[B-DF-HJ-NP-TV-Z]{4}-[B-DF-HJ-NP-TV-Z]{4}\b", "BCDF-GHJK", output)
    output = re.sub(_SINCE, "since 14:02 today", output)
    found = re.findall(r"(?:127\.0\.0\.1(?:%3A|:|\]:)|\bport )(\d{5})\b", output)
    ports = {port: str(number) for number, port in enumerate(dict.fromkeys(found), 56121)}
    return re.sub(r"(?<!\d)\d{5}(?!\d)", lambda m: ports.get(m[0], m[0]), output)


def _pid_of_all(found: re.Match[str]) -> str:
    return "PID 4711" if found[0].startswith("PID") else "4711"


def named_alike(rows: Sequence[str], columns: int) -> list[str]:
    """The rows with the same names and numbers of processes, which may be longer or shorter, folded again."""
    sentences: list[str] = []
    for row in rows:
        if row.startswith("  ") and sentences[-1].startswith(("hermes-tunnel:", "Local port")):
            sentences[-1] += f" {row.strip()}"
        else:
            sentences.append(row)
    user = getuser()
    told = [
        re.sub(r"PID \d+|(?<=sudo kill )\d+", _pid_of_all, re.sub(_SINCE, "since 14:02 today", each)).replace(
            f"user {user},", "user me,"
        )
        for each in sentences
    ]
    # An address is as it was, whole.
    return [row for each in told for row in (folded_hint(each, columns) if " " in each else [each])]


SCENES: dict[str, Scene] = {
    "xai": Scene(),
    "spotify": Scene(kind=spotify_login, name="spotify", typed=f"login spotify {HOST}"),
    "device": Scene(kind=device_login, person=(("Waiting for your approval", Play.sign_in),)),
    "codex": Scene(
        kind=codex_login, name="openai-codex", person=(("Waiting for your approval", Play.go_on),)
    ),
    "anthropic": Scene(kind=anthropic_login, name="anthropic", person=(("(hidden)", "a-code#a-state\n"),)),
    "mcp": Scene(kind=mcp_login, name="mcp:lab", typed=f"login mcp:lab {HOST}"),
    "quiet": Scene(verbosity=-1, person=(("method=S256", Play.sign_in_soon),)),
    "password": Scene(
        account=Account(USER, password=PASSWORD),
        options=NO_KEY,
        person=(("(hidden)", f"{PASSWORD}\n"), (BROWSER, Play.sign_in)),
    ),
    "denied": Scene(answer=Answer.DENY),
    "device-denied": Scene(
        kind=device_login, answer=Answer.DENY, person=(("Waiting for your approval", Play.sign_in),)
    ),
    "timeout": Scene(seconds=1.5, person=(("[y/N]", "\n"),)),
    "hermes-timeout": Scene(kind=impatient_login, person=((BROWSER, Play.go_on), ("[y/N]", "\n"))),
    "ctrl-c": Scene(person=((BROWSER, Play.stop),)),
    "lost": Scene(person=((BROWSER, Play.lose), ("[y/N]", "\n"))),
    "busy-port": Scene(held=True, person=(("[y/N]", "\n"),)),
    "busy-port-ended": Scene(held=True, person=(("[y/N]", "y\n"), (BROWSER, Play.sign_in))),
    "busy-port-of-another": Scene(held=False, person=()),
    "no-hermes": Scene(kind=None, words=LOGIN, person=()),
    "wrong-password": Scene(
        words=LOGIN,
        account=Account(USER, password=PASSWORD),
        options=NO_KEY,
        person=(("(hidden)", "x\n"),) * 3,
    ),
    "unknown-key": Scene(words=LOGIN, known=False, options=ASK, person=(("fingerprint])?", "no\n"),)),
    "changed-key": Scene(words=LOGIN, known=None, options=ASK, person=()),
    "forward-cut-off": Scene(
        words=("forward", HOST), person=(("(Enter: look", "auth.x.ai/authorize?client_id=c&\n"),)
    ),
    "run": Scene(
        words=RUN,
        session=sign_ins,
        person=(
            ("page of", "\r"),
            ("example.com:", "\r"),
            ("GHJK:", "~l"),
            ("github.com", "~f 8080\r"),
            ("again.", "\r"),
        ),
    ),
    "run-help": Scene(words=RUN, session=nothing, person=(("$", "~?"), ("send ~", "\r"))),
    "run-no-browser": Scene(
        words=("run", HOST, "--no-browser", "--", "an-app"),
        session=sign_ins,
        person=(("openai.com:", "~o 1\r"), ("open this", "~.")),
    ),
    "run-taken": Scene(words=RUN, session=one_sign_in, held=True, person=(("taken", "\r"),)),
    "run-taken-by-another": Scene(words=RUN, session=one_sign_in, held=False, person=(("is taken", "\r"),)),
}
"""Each scene by its name; all are at 80 columns."""
OTHERS: dict[str, tuple[str, Window]] = {
    **{
        f"{name}-40": (name, Window(40))
        for name in ("xai", "device", "ctrl-c", "denied", "timeout", "run", "run-help", "run-taken")
    },
    **{f"{name}-200": (name, Window(200)) for name in ("xai", "denied")},
    "xai-100": ("xai", Window(100)),
    "xai-no-color": ("xai", Window(variables={"NO_COLOR": "1"})),
    "xai-dumb": ("xai", Window(variables={"TERM": "dumb"})),
    "xai-ascii": ("xai", Window(encoding="ascii")),
}


def drawn(name: str) -> str:
    """What the window shows at the end of a scene, by the name of its file."""
    scene, window = OTHERS.get(name, (name, Window()))
    window.output = ""
    SCENES[scene].play_in(window)
    rows = shown(settled(window.output), window.columns)
    if SCENES[scene].held is not None:
        rows = named_alike(rows, window.columns)
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    for each in sys.argv[1:] or [*SCENES, *OTHERS]:
        (FILES / f"{each}.txt").write_text(drawn(each), "utf-8")
