"""Hermes' other logins: Spotify's, by device, by pasted code, and an MCP server's."""

from __future__ import annotations

from contextlib import suppress

from hermes_tunnel.demo.callback_listener import CallbackListener
from hermes_tunnel.demo.hermes import (
    Hermes,
    LoginFailed,
    print_hint,
    redeem,
    typed_answer,
    wait_for_answer,
)
from hermes_tunnel.demo.oauth_client import Attempt, ProviderRefused
from hermes_tunnel.demo.remote_process import Command, RemoteProcess


def spotify_login(hermes: Hermes, *, path: str = "/spotify/callback") -> Command:
    """As Spotify: the address is printed before the listener is there, and there is no waiting line."""

    def command(process: RemoteProcess) -> int:
        process.print("Starting Spotify PKCE login...")
        with CallbackListener(hermes.loopback, path, heard=process.changed) as listener:
            attempt = Attempt(listener.redirect_uri)
            process.print(f"Client ID: {hermes.client.client_id}")
            process.print(f"Redirect URI: {attempt.redirect_uri}")
            process.print("Make sure this redirect URI is allow-listed in your Spotify app settings.")
            process.print("\nOpen this URL to authorize Hermes:")
            process.print(hermes.client.authorization_url(attempt))
            process.print()
            print_hint(hermes, process, attempt.redirect_uri)
            answer = wait_for_answer(hermes, process, listener)
            redeem(hermes, attempt, answer, "Spotify authorization")
        process.print("Spotify login successful!")
        process.print(f"  Auth state: {hermes.home}/.hermes/auth.json")
        process.print(f"  Provider state saved under providers.{hermes.provider}")
        return 0

    return command


def device_login(hermes: Hermes, *, poll: float = 0.1) -> Command:
    """As xAI since 0.18.1: a page and a code; the command polls.

    :param poll: seconds between two polls
    """

    def command(process: RemoteProcess) -> int:
        device = hermes.client.request_device()
        process.print("\nTo continue:")
        process.print(f"  1. Open: {device['verification_uri_complete']}")
        process.print(f"  2. If prompted, enter code: {device['user_code']}")
        process.print(f"Waiting for approval (polling every {device['interval']}s)...")
        try:
            while (token := hermes.client.redeem_device(str(device["device_code"]))) is None:
                with suppress(TimeoutError):
                    process.wait_for(lambda: False, poll)
        except ProviderRefused as refusal:
            raise LoginFailed(f"{hermes.name} device-code token polling failed: {refusal}") from None
        hermes.store(token)
        process.print(f'Saved {hermes.provider} OAuth credentials: "{hermes.user}@{hermes.host}"')
        return 0

    return command


def paste_login(hermes: Hermes, redirect_uri: str, *, prompt: str = "Authorization code: ") -> Command:
    """As Anthropic: the page shows a code, which is typed here; nobody listens.

    :param redirect_uri: the page that would show it
    """

    def command(process: RemoteProcess) -> int:
        attempt = Attempt(redirect_uri)
        process.print("Open this URL in your browser:")
        process.print(f"\n  {hermes.client.authorization_url(attempt)}\n")
        process.write(prompt.encode())
        try:
            typed = process.read_line(hermes.patience).strip()
        except (EOFError, TimeoutError):
            typed = ""
        if not typed:
            process.print("OAuth login did not return credentials.")
            return 1
        redeem(hermes, attempt, typed_answer(typed), f"{hermes.name} authorization")
        process.print(f'Added {hermes.provider} OAuth credential #1: "{hermes.user}@{hermes.host}"')
        return 0

    return command


def mcp_login(hermes: Hermes) -> Command:
    """As an MCP server: one request is served, whatever it is; a failure has the status 0."""

    def command(process: RemoteProcess) -> int:
        process.print(f"  Starting OAuth flow for '{hermes.provider}'...")
        listener = CallbackListener(hermes.loopback, "/callback", heard=process.changed, single_request=True)
        with listener:
            attempt = Attempt(listener.redirect_uri)
            process.print("  MCP OAuth: authorization required.\n  Open this URL in your browser:\n")
            process.print(f"    {hermes.client.authorization_url(attempt)}\n")
            try:
                redeem(hermes, attempt, wait_for_answer(hermes, process, listener), "OAuth")
            except LoginFailed as failure:
                process.print(f"  \x1b[31m✗ Authentication failed: {failure}\x1b[0m")
                return 0
        process.print("  \x1b[32m✓ Authenticated — 1 tool(s) available\x1b[0m")
        return 0

    return command
