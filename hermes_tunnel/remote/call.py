"""How we call a program on the remote machine: the command lines for a login and what goes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hermes_tunnel.deadlines import LOGIN_SHELL
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.line import encoded, script, script_line, typed
from hermes_tunnel.remote.program import Credential, Program
from hermes_tunnel.text import quote

_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PATH = re.compile(r"/[A-Za-z0-9._/@+=,-]*[A-Za-z0-9._@+=,-]")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Call:
    """How we call a program on the remote machine.

    :param path: where it is, if we need not look for it
    :param as_user: the account that runs it, by sudo, if it is not the one that connects
    :param container: the docker or podman container that it runs in, if any; it runs as the owner of its home
        there, or as ``as_user``
    """

    path: str = ""
    as_user: str = ""
    container: str = ""

    def __post_init__(self) -> None:
        _check(self.path, _PATH, "--hermes-path", "give the whole path on the remote machine, from /")
        _check(self.as_user, _ACCOUNT, "--as-user", "give the name of an account on the remote machine")
        _check(self.container, _CONTAINER, "--container", "give the name or the ID of a container there")

    def login_line(
        self, program: Program, nonce: str, extra: Sequence[str] = (), *, terminal: bool = True
    ) -> str:
        """The command line for a login. The program's output comes between ``begin_marker(nonce)`` and the
        line that says what its credential's file is like afterwards.

        :param extra: words for the program after its own
        :param terminal: whether it runs on a terminal; if not, it ends when its input does
        :raises UsageFailure: a word cannot be passed, or there are too many
        """
        words = encoded((*program.words, *extra))
        return self._find_and_run(program, nonce, "terminal" if terminal else "pipe", words)

    def landing_line(self, program: Program, nonce: str) -> str:
        """The command line that says what the credential's file is like, after ``begin_marker(nonce)``."""
        return self._find_and_run(program, nonce, "look", "-")

    def _find_and_run(self, program: Program, nonce: str, mode: str, words: str) -> str:
        executable, credential = program.executable, program.credential
        asks = (script("login_shell.sh"), f"{LOGIN_SHELL.seconds:.0f}")
        found = (self.path or "-", executable.name, ":".join(executable.folders) or "-")
        profile, file = (credential.profile or "-", credential.file) if credential else ("-", "-")
        return self._line(
            "find_and_run.sh",
            (nonce, mode, *asks, *found, *_home(credential), profile, file, words),
            nonce,
            mode="-" if mode == "look" else mode,
            home=_home(credential),
        )

    def become_line(self, words: Sequence[str], nonce: str, *, terminal: bool) -> str:
        """The command line that becomes what a person typed; it asks on the terminal what sudo asks.

        :param words: what ``become.sh`` takes
        """
        if self.container:
            return self._line("become.sh", words, nonce, mode="screen" if terminal else "plain")
        sudo = ("sudo", "-H", "-u", self.as_user) if self.as_user else ()
        return script_line(script("become.sh"), words, before=sudo, name="sh")

    def relay_line(self, port: int, hosts: Sequence[str], nonce: str) -> str:
        """The command line that sends a request on its standard input to a port there and prints the answer.

        :param hosts: loopback addresses, tried in turn
        """
        call = self if self.container else Call()  # every account on a machine has the same loopback
        return call._line("deliver.sh", (nonce, str(port), script("while_connected.sh"), *hosts), nonce)

    def listeners_line(self, nonce: str) -> str:
        """The command line that lists what listens there, after ``begin_marker(nonce)``."""
        return self._line("listeners.sh", (nonce,), nonce)

    def _line(
        self,
        name: str,
        words: Sequence[str],
        nonce: str,
        *,
        mode: str = "-",
        home: tuple[str, str] = ("-", "-"),
    ) -> str:
        """The command line for a script.

        :param mode: ``terminal``, ``pipe``, or ``-`` for a script that asks nothing and ends soon; for a
            person's own command, ``screen`` or, without a terminal, ``plain``
        :param home: in a container the script runs as the owner of this home, as ``in_container.sh`` takes it
        """
        if self.container:
            scripts = [script(f"{each}_in_container.sh") for each in ("home", "end")]
            where = (nonce, mode, self.container, self.as_user or "-", *home)
            return script_line(script("in_container.sh"), (*where, *scripts, script(name), *words))
        sudo = ("sudo", *_asking(mode, nonce), "-H", "-u", self.as_user) if self.as_user else ()
        return script_line(script(name), words, before=sudo)

    def described(self, program: Program, extra: Sequence[str] = ()) -> str:
        """What runs there, as a person would type it."""
        return self._typed(program, (*program.words, *extra))

    def by_hand(self, program: Program, extra: Sequence[str] = ()) -> str:
        """The command line that a person would type there; for a container, ``docker exec`` and all."""
        words = (self.path or program.executable.name, *program.words, *extra)
        if self.container:
            user = ("-u", self.as_user) if self.as_user else ()
            return typed(("docker", "exec", "-it", *user, self.container, *words))
        return self.described(program, extra)

    def account(self, destination: str) -> str:
        """Whose program it is: ``user@host``, the user being the account that runs it.

        :param destination: ``user@host`` of the account that connects
        """
        user, _, host = destination.rpartition("@")
        return destination if self.container else f"{self.as_user or user}@{host}"

    def status(self, program: Program) -> str:
        """What a person has to type there to see whether the program is logged in."""
        return self._typed(program, program.status)

    def _typed(self, program: Program, words: Sequence[str]) -> str:
        sudo = ("sudo", "-H", "-u", self.as_user) if self.as_user and not self.container else ()
        command = typed((*sudo, self.path or program.executable.name, *words))
        return f"{command} in the container {self.container}" if self.container else command


def _home(credential: Credential | None) -> tuple[str, str]:
    """The variable that names the program's home, and the home without that."""
    return (credential.variable or "-", credential.home) if credential else ("-", "-")


def _asking(mode: str, nonce: str) -> tuple[str, ...]:
    """How sudo asks for a password: at the terminal, on its standard input, or not at all."""
    ask = {"terminal": ("-p",), "pipe": ("-S", "-p")}
    return (*ask[mode], sudo_prompt(nonce)) if mode in ask else ("-n",)


def begin_marker(nonce: str) -> str:
    """What comes before the command's own output."""
    return f"hermes-tunnel:{nonce}:"


def sudo_prompt(nonce: str) -> str:
    """How sudo asks for its password: not to be mistaken for another prompt, or for the begin marker."""
    return f"hermes-tunnel:sudo:{nonce}:"


def _check(value: str, form: re.Pattern[str], option: str, hint: str) -> None:
    if value and not form.fullmatch(value):
        raise UsageFailure(f"{quote(value)} cannot be used for {option}", hint)
