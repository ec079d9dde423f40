"""Hermes' logins: xAI's with all its turns, Spotify's, by device, and an MCP server's."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import parse_qs, parse_qsl, urlsplit

from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import LoginFailed, ask, print_hint, print_saved, redeem
from hermes_tunnel.demo.oauth_client import Attempt, ProviderRefused
from tests.stage.hermes import Hermes
from tests.stage.remote_process import Command, RemoteProcess

_POLL = 0.1  # seconds between two polls


def loopback_login(
    hermes: Hermes,
    *,
    port: int = 0,
    attempts: int = 1,
    offer: str = "",
    kind: type[CallbackListener] = CallbackListener,
) -> Command:
    """Like xAI up to 0.18.0: it listens first, then asks; a typed line is taken for the code.

    :param port: the port to listen on; if it is taken, another one
    :param attempts: requests in all; each but the last is given up at once, and a new one replaces it,
        with another port and state
    :param offer: what it says about the prompt, which is always there
    :param kind: the listener's class
    """

    def command(process: RemoteProcess) -> int:
        hermes.loopback.preferred = port
        for _ in range(attempts - 1):
            with CallbackListener(hermes.loopback, "/callback", heard=process.changed) as given_up:
                ask(hermes, process, Attempt(given_up.redirect_uri))
            process.print("The authorization server asked to start again.")
        with kind(hermes.loopback, "/callback", heard=process.changed) as listener:
            attempt = Attempt(listener.redirect_uri)
            ask(hermes, process, attempt)
            process.print(offer)
            answer = wait_for_answer(process, listener)
            redeem(hermes, attempt, answer, f"{hermes.name} authorization")
            print_saved(hermes, process)
        return 0

    return command


def wait_for_answer(process: RemoteProcess, listener: CallbackListener) -> dict[str, str]:
    """The parameters of the callback, or of an address or a bare code that was typed instead."""
    while not listener.answer:
        process.wait_for(lambda: bool(listener.answer) or process.has_line)
        if process.has_line and (typed := process.read_line().strip()):
            return typed_answer(typed)
    return listener.answer


def typed_answer(typed: str) -> dict[str, str]:
    """What a person typed: the address of the callback, ``code#state``, or the bare code."""
    if "?" in typed:
        return {name: values[0] for name, values in parse_qs(urlsplit(typed).query).items()}
    code, hash_sign, state = typed.partition("#")
    return {"code": code, "state": state} if hash_sign else {"code": code}


def spotify_login(hermes: Hermes) -> Command:
    """Like Spotify: it prints the address before the listener exists, and no waiting line."""

    def command(process: RemoteProcess) -> int:
        process.print("Starting Spotify PKCE login...")
        with CallbackListener(hermes.loopback, "/spotify/callback", heard=process.changed) as listener:
            attempt = Attempt(listener.redirect_uri)
            process.print(f"Client ID: {hermes.client.client_id}")
            process.print(f"Redirect URI: {attempt.redirect_uri}")
            process.print("Make sure this redirect URI is allow-listed in your Spotify app settings.")
            process.print("\nOpen this URL to authorize Hermes:")
            process.print(hermes.client.authorization_url(attempt))
            process.print()
            print_hint(hermes, process, attempt.redirect_uri)
            answer = wait_for_answer(process, listener)
            redeem(hermes, attempt, answer, "Spotify authorization")
        process.print("Spotify login successful!")
        process.print(f"  Auth state: {hermes.home}/.hermes/auth.json")
        process.print(f"  Provider state saved under providers.{hermes.provider}")
        return 0

    return command


def device_login(hermes: Hermes) -> Command:
    """Like xAI since 0.18.1: a page and a code; the command polls."""

    def command(process: RemoteProcess) -> int:
        device = hermes.client.request_device()
        process.print("\nTo continue:")
        process.print(f"  1. Open: {device['verification_uri_complete']}")
        process.print(f"  2. If prompted, enter code: {device['user_code']}")
        process.print(f"Waiting for approval (polling every {device['interval']}s)...")
        try:
            while (token := hermes.client.redeem_device(str(device["device_code"]))) is None:
                with suppress(TimeoutError):
                    process.wait_for(lambda: False, _POLL)
        except ProviderRefused as refusal:
            raise LoginFailed(f"{hermes.name} device-code token polling failed: {refusal}") from None
        hermes.store(token)
        print_saved(hermes, process)
        return 0

    return command


class SingleRequestListener(CallbackListener):
    """Takes whatever comes first for the callback, and serves nothing after it."""

    def hear(self, target: str) -> int:
        """Hear what a request says; the status of the answer."""
        if self._said:
            return 404
        self._said = dict(parse_qsl(urlsplit(target).query)) or {"code": ""}
        return 200


def mcp_login(hermes: Hermes) -> Command:
    """Like an MCP server's: one request is served, whatever it is; a failure exits with 0, too."""

    def command(process: RemoteProcess) -> int:
        process.print(f"  Starting OAuth flow for '{hermes.provider}'...")
        with SingleRequestListener(hermes.loopback, "/callback", heard=process.changed) as listener:
            attempt = Attempt(listener.redirect_uri)
            process.print("  MCP OAuth: authorization required.\n  Open this URL in your browser:\n")
            process.print(f"    {hermes.client.authorization_url(attempt)}\n")
            try:
                redeem(hermes, attempt, wait_for_answer(process, listener), "OAuth")
            except LoginFailed as failure:
                process.print(f"  \x1b[31m✗ Authentication failed: {failure}\x1b[0m")
                return 0
        process.print("  \x1b[32m✓ Authenticated — 1 tool(s) available\x1b[0m")
        return 0

    return command
