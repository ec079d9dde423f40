"""Stand-ins for Hermes' login commands: they print, ask, wait and answer as the real ones do.

Each function here makes a ``Command``. What they print has the form of Hermes Agent 0.18; what they do
is real: they listen, they exchange the code, they poll. What they get is kept in memory.
"""

from __future__ import annotations

import shlex
import time
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.loopback import Loopback
from hermes_tunnel.demo.oauth_client import Attempt, Client, ProviderRefused
from hermes_tunnel.demo.remote_process import Command, RemoteProcess
from hermes_tunnel.demo.variations import relays

_RULE = "-" * 60


@dataclass(frozen=True)
class Credential:
    """What a login left. ``saved`` is in seconds since the epoch."""

    provider: str
    access_token: str = field(repr=False)
    saved: float


@dataclass
class Hermes:
    """An installed Hermes: where it is, who it belongs to, what it has stored."""

    client: Client
    loopback: Loopback
    user: str = "demo"
    host: str = "hermes-demo"
    home: str = "/home/demo"
    provider: str = "xai-oauth"
    name: str = "the demo"
    patience: float = 180  # seconds for the person
    credentials: list[Credential] = field(default_factory=list)

    @property
    def program(self) -> str:
        """The path of the program."""
        return f"{self.home}/.local/bin/hermes"

    def store(self, access_token: str) -> None:
        """Keep what was obtained."""
        self.credentials.append(Credential(self.provider, access_token, time.time()))


class LoginFailed(Exception):
    """A login that ends as most of Hermes' failures do: with a traceback and status 1."""


@dataclass(frozen=True)
class Request:
    """What a command line of ours asks for.

    :param what: ``terminal`` or ``pipe`` for a login on one; ``look`` where a credential landed; ``relay`` a
        request to a port
    :param words: the other words after the nonce
    """

    nonce: str
    what: str
    words: tuple[str, ...]


def requested(line: str) -> Request | None:
    """The request in ``[sudo ...] sh -c '<script>' hermes-tunnel <nonce> <word>...``; None for other lines.

    The words are those of the scripts in ``hermes_tunnel.remote``.
    """
    with suppress(ValueError, IndexError):
        words = shlex.split(line)
        start = words.index("sh")
        if words[start + 1] == "-c" and words[start + 3] == "hermes-tunnel":
            nonce, *rest = words[start + 4 :]
            what = "relay" if "relay;" in words[start + 2] else rest.pop(0)
            return Request(nonce, what, tuple(rest))
    return None


def installed(hermes: Hermes, login: Command | None, otherwise: Command | None = None) -> Command:
    """What the server runs: what our scripts would do there, and within it the login.

    :param login: Hermes' login command; None if no Hermes is installed
    :param otherwise: answers every other command line
    """

    def command(process: RemoteProcess) -> int:
        request = requested(process.line)
        if request is None:
            return (otherwise or not_found)(process)
        marker = f"hermes-tunnel:{request.nonce}"
        if request.what == "relay":
            process.print(f"{marker}:relay")
            return relays(hermes.loopback)(process)
        file = request.words[-2]
        if request.what == "look":
            return look(process, marker, file)
        process.echo = False  # the script's `stty -echo`
        process.lifeline = request.what == "pipe"
        if login is None:
            process.print(f"{marker}:missing:PATH, ~/.local/bin")
            return 127
        process.print(f"{marker}:begin:{hermes.user}:{hermes.home}/.hermes:{hermes.program}:/bin/sh")
        look(process, marker, file)
        status = ended(login, process)
        look(process, marker, file)
        return status

    def ended(login: Command, process: RemoteProcess) -> int:
        try:
            return login(process)
        except LoginFailed as failure:
            process.print("Traceback (most recent call last):")
            process.print('  File "hermes_cli/auth_commands.py", line 1, in auth_add_command')
            process.print(f"hermes_cli.auth.AuthError: {failure}")
            return 1

    def look(process: RemoteProcess, marker: str, file: str) -> int:
        if file == "-":
            return 0
        written = len(hermes.credentials)
        state = f"{hermes.user}:600:1,{written},{hermes.credentials[-1].saved}" if written else "absent"
        process.print(f"{marker}:landed:{state}:{hermes.home}/.hermes/{file}")
        return 0

    return command


def not_found(process: RemoteProcess) -> int:
    """What a shell says about a program that it cannot find."""
    process.print(f"sh: 1: {process.line.partition(' ')[0]}: not found")
    return 127


def loopback_login(
    hermes: Hermes, *, port: int = 0, path: str = "/callback", attempts: int = 1, offer: str = ""
) -> Command:
    """As xAI up to 0.18.0: listens first, then asks; a line that is typed is taken for the code.

    :param port: the port to listen on; if it is taken, another one
    :param attempts: requests in all: each but the last is given up at once, and a new one replaces it,
        with another port and state
    :param offer: what is said of the prompt, which is always there
    """

    def listen(process: RemoteProcess) -> CallbackListener:
        with suppress(OSError):
            return CallbackListener(hermes.loopback, path, port, heard=process.changed)
        return CallbackListener(hermes.loopback, path, heard=process.changed)

    def command(process: RemoteProcess) -> int:
        for _ in range(attempts - 1):
            with listen(process) as given_up:
                ask(process, Attempt(given_up.redirect_uri))
            process.print("The authorization server asked to start again.")
        with listen(process) as listener:
            attempt = Attempt(listener.redirect_uri)
            ask(process, attempt)
            return finish(process, attempt, wait_for_answer(hermes, process, listener))

    def ask(process: RemoteProcess, attempt: Attempt) -> None:
        process.print(f"Open this URL to authorize Hermes with {hermes.name}:")
        process.print(hermes.client.authorization_url(attempt))
        process.print()
        process.print(f"Waiting for callback on {attempt.redirect_uri}")
        print_hint(hermes, process, attempt.redirect_uri)
        process.print(offer)

    def finish(process: RemoteProcess, attempt: Attempt, answer: dict[str, str]) -> int:
        redeem(hermes, attempt, answer, f"{hermes.name} authorization")
        process.print(f'Saved {hermes.provider} OAuth credentials: "{hermes.user}@{hermes.host}"')
        return 0

    return command


def print_hint(hermes: Hermes, process: RemoteProcess, redirect_uri: str) -> None:
    """The block that Hermes prints in a session over SSH."""
    port = urlsplit(redirect_uri).port
    process.print(f"\n{_RULE}\nRemote session detected — SSH tunnel required\n{_RULE}")
    process.print(f"Hermes is waiting for the OAuth callback on {redirect_uri}")
    process.print(f"  ssh -N -L {port}:127.0.0.1:{port} {hermes.user}@{hermes.host}\n{_RULE}")


def wait_for_answer(hermes: Hermes, process: RemoteProcess, listener: CallbackListener) -> dict[str, str]:
    """The parameters of the callback, or of an address or a bare code that was typed instead."""
    while listener.answer is None:
        try:
            process.wait_for(lambda: listener.answer is not None or process.has_line, hermes.patience)
        except TimeoutError:
            raise LoginFailed(
                f"{hermes.name} authorization timed out waiting for the local callback."
            ) from None
        if process.has_line and (typed := process.read_line().strip()):
            return typed_answer(typed)
    return listener.answer


def typed_answer(typed: str) -> dict[str, str]:
    """What a person typed: the address of the callback, ``code#state``, or the bare code."""
    if "?" in typed:
        return {name: values[0] for name, values in parse_qs(urlsplit(typed).query).items()}
    code, hash_sign, state = typed.partition("#")
    return {"code": code, "state": state} if hash_sign else {"code": code}


def redeem(hermes: Hermes, attempt: Attempt, answer: dict[str, str], what: str) -> None:
    """Check the answer, exchange its code, keep the token.

    :param what: the beginning of the error message
    """
    if answer.get("state", attempt.state) != attempt.state:
        raise LoginFailed(f"{what} failed: state mismatch.")
    if "error" in answer:
        raise LoginFailed(f"{what} failed: {answer.get('error_description', answer['error'])}")
    try:
        hermes.store(hermes.client.redeem_code(attempt, answer.get("code", "")))
    except ProviderRefused as refusal:
        raise LoginFailed(f"{what} failed: token exchange failed (HTTP 400): {refusal}") from None
