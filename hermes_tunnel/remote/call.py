"""How Hermes is called on the remote machine: the command lines of a login, and of what goes with it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.command import Script, script, script_line
from hermes_tunnel.remote.hermes import Provider
from hermes_tunnel.text import quote

_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PATH = re.compile(r"/[A-Za-z0-9._/@+=,-]*[A-Za-z0-9._@+=,-]")
_CONTAINER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True)
class Call:
    """How Hermes is run on the remote machine.

    :param path: where it is, if it need not be looked for
    :param as_user: the account that runs it, by sudo, if it is not the one that logs in
    :param profile: the Hermes profile, if not the default
    :param container: the container that it runs in, by docker or podman, if in one; as the owner of Hermes'
        home there, or as ``as_user``
    """

    path: str = ""
    as_user: str = ""
    profile: str = ""
    container: str = ""

    def __post_init__(self) -> None:
        _check(self.path, _PATH, "--hermes-path", "give the whole path on the remote machine, from /")
        _check(self.as_user, _ACCOUNT, "--as-user", "give the name of an account on the remote machine")
        _check(self.container, _CONTAINER, "--container", "give the name or the ID of a container there")
        _check(self.profile, _PROFILE, "--profile", "give the name of a Hermes profile there")

    def login_line(self, provider: Provider, nonce: str, extra: Sequence[str] = ()) -> str:
        """The command line for a login; what it prints is preceded by ``begin_marker(nonce)``.

        :param extra: words for Hermes after its own
        :raises UsageFailure: a word cannot be passed
        """
        profile = ("--profile", self.profile) if self.profile else ()
        words = (nonce, self.path or "-", *profile, *provider.words, *extra)
        return self._line("find_and_run.sh", words, nonce, terminal=True)

    def landing_line(self, provider: Provider, nonce: str) -> str:
        """The command line that says where the credential is; answered after ``begin_marker(nonce)``."""
        return self._line("look_at_credential.sh", (nonce, self.profile or "-", provider.credential), nonce)

    def relay_line(self, port: int, hosts: Sequence[str], nonce: str) -> str:
        """The command line that gives a request on its standard input to a port there, and prints the answer.

        :param hosts: loopback addresses, tried in turn
        """
        call = self if self.container else Call()  # a loopback is the whole machine's, whoever listens there
        lifeline = Script(script("while_connected.sh"))
        return call._line("deliver.sh", (nonce, str(port), lifeline, *hosts), nonce)

    def listeners_line(self, nonce: str) -> str:
        """The command line that lists what listens there, after ``begin_marker(nonce)``."""
        return self._line("listeners.sh", (nonce,), nonce)

    def _line(self, name: str, words: Sequence[str], nonce: str, *, terminal: bool = False) -> str:
        if self.container:
            scripts = [Script(script(f"{each}_in_container.sh")) for each in ("home", "end")]
            where = (nonce, "terminal" if terminal else "-", self.container, self.as_user or "-")
            return script_line(script("in_container.sh"), (*where, *scripts, Script(script(name)), *words))
        asks_as = ("-p", sudo_prompt(nonce)) if terminal else ("-n",)
        sudo = ("sudo", *asks_as, "-H", "-u", self.as_user) if self.as_user else ()
        return script_line(script(name), words, before=sudo)

    def described(self, provider: Provider, extra: Sequence[str] = ()) -> str:
        """What is run there, in the words a person would type."""
        profile = ("--profile", self.profile) if self.profile else ()
        sudo = ("sudo", "-H", "-u", self.as_user) if self.as_user and not self.container else ()
        words = " ".join((*sudo, self.path or "hermes", *profile, *provider.words, *extra))
        return f"{words} in the container {self.container}" if self.container else words


def begin_marker(nonce: str) -> str:
    """What stands before the command's own output."""
    return f"hermes-tunnel:{nonce}:"


def sudo_prompt(nonce: str) -> str:
    """What sudo asks its password by: no other prompt can be taken for it, nor it for the begin marker."""
    return f"hermes-tunnel:sudo:{nonce}:"


def _check(value: str, form: re.Pattern[str], option: str, hint: str) -> None:
    if value and not form.fullmatch(value):
        raise UsageFailure(f"{quote(value)} cannot be used for {option}", hint)
