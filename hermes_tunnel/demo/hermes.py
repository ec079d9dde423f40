"""A stand-in for Hermes, whose login to xAI prints, asks, waits and answers as the real one does.

It prints what Hermes Agent 0.18 prints. What it does is real: it listens, and exchanges the code. It keeps
the credential in memory.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.loopback import Loopback
from hermes_tunnel.demo.oauth_client import Attempt, Client, ProviderRefused
from hermes_tunnel.demo.remote_process import Command, RemoteProcess

_RULE = "-" * 60


@dataclass(frozen=True)
class Credential:
    """What a login stored; ``saved`` is in seconds since the epoch."""

    access_token: str = field(repr=False)
    saved: float


@dataclass
class Hermes:
    """An installed Hermes: where it is, whose it is, what it has stored."""

    client: Client
    loopback: Loopback
    user: str
    host: str
    home: str = "/home/demo"
    provider: str = "xai-oauth"
    name: str = "the demo"
    credentials: list[Credential] = field(default_factory=list)

    def store(self, access_token: str) -> None:
        """Store a new credential."""
        self.credentials.append(Credential(access_token, time.time()))


class LoginFailed(Exception):
    """A login that ends as most of Hermes' failures do: with a traceback and status 1."""


def installed(hermes: Hermes) -> Command:
    """What the server runs: the script that finds and runs Hermes, and the login inside it."""

    def command(process: RemoteProcess) -> int:
        # sh -c SCRIPT hermes-tunnel NONCE ... FILE WORDS
        nonce, *_, file, _ = shlex.split(process.line)[4:]
        return scripted(hermes, process, nonce, file, lambda: loopback_login(hermes, process))

    return command


def scripted(hermes: Hermes, process: RemoteProcess, nonce: str, file: str, login: Callable[[], int]) -> int:
    """Run a login, and print around it what our script prints; return its exit status.

    :param file: where the credential lands, below Hermes' home
    """
    program = f"{hermes.home}/.local/bin/hermes"
    process.print(f"hermes-tunnel:{nonce}:begin:{hermes.user}:{hermes.home}/.hermes:{program}")
    look(hermes, process, nonce, file)
    try:
        status = login()
    except LoginFailed as failure:
        process.print("Traceback (most recent call last):")
        process.print('  File "hermes_cli/auth_commands.py", line 1, in auth_add_command')
        process.print(f"hermes_cli.auth.AuthError: {failure}")
        status = 1
    look(hermes, process, nonce, file)
    return status


def look(hermes: Hermes, process: RemoteProcess, nonce: str, file: str) -> None:
    """Print what the credential's file is like, as our script does; nothing if ``file`` is ``-``."""
    if file == "-":
        return
    written = len(hermes.credentials)
    state = f"{hermes.user}:600:1,{written},{hermes.credentials[-1].saved}" if written else "absent"
    process.print(f"hermes-tunnel:{nonce}:landed:{state}:{hermes.home}/.hermes/{file}")


def not_found(process: RemoteProcess) -> int:
    """Say what a shell says about a program that it cannot find."""
    process.print(f"sh: 1: {process.line.partition(' ')[0]}: not found")
    return 127


def loopback_login(hermes: Hermes, process: RemoteProcess) -> int:
    """The login to xAI up to 0.18.0, which listens first and then asks."""
    with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as listener:
        attempt = Attempt(listener.redirect_uri)
        ask(hermes, process, attempt)
        process.wait_for(lambda: bool(listener.answer))
        redeem(hermes, attempt, listener.answer, f"{hermes.name} authorization")
        print_saved(hermes, process)
    return 0


def ask(hermes: Hermes, process: RemoteProcess, attempt: Attempt) -> None:
    """Ask the person to sign in, and say which callback it waits for."""
    process.print(f"Open this URL to authorize Hermes with {hermes.name}:")
    process.print(hermes.client.authorization_url(attempt))
    process.print()
    process.print(f"Waiting for callback on {attempt.redirect_uri}")
    print_hint(hermes, process, attempt.redirect_uri)
    process.print()


def print_hint(hermes: Hermes, process: RemoteProcess, redirect_uri: str) -> None:
    """Print the block that Hermes prints in a session over SSH."""
    port = urlsplit(redirect_uri).port
    process.print(f"\n{_RULE}\nRemote session detected — SSH tunnel required\n{_RULE}")
    process.print(f"Hermes is waiting for the OAuth callback on {redirect_uri}")
    process.print(f"  ssh -N -L {port}:127.0.0.1:{port} {hermes.user}@{hermes.host}\n{_RULE}")


def print_saved(hermes: Hermes, process: RemoteProcess) -> None:
    """Print what Hermes prints when it has stored the credential."""
    process.print(f'Saved {hermes.provider} OAuth credentials: "{hermes.user}@{hermes.host}"')


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
