"""What Hermes can log in to, and what is known of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.authorization import Policy
from hermes_tunnel.oauth.states import PersonTime
from hermes_tunnel.text import quote


@dataclass(frozen=True)
class Provider:
    """What Hermes can log in to.

    :param name: as on the command line and in Hermes
    :param title: as a person calls it
    :param words: the words after ``hermes`` that log in
    :param policy: what may be opened for it
    :param time: how long Hermes waits for the person, less a few seconds
    :param credential: where the credential lands, below Hermes' home
    :param callback: the port and the path that its releases use, if they use the same
    """

    name: str
    title: str
    words: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    time: PersonTime = field(default_factory=PersonTime)
    credential: str = "auth.json"
    callback: tuple[int, str] | None = None


def _auth_add(name: str, title: str, *issuers: str, redirect_hosts: tuple[str, ...] = ()) -> Provider:
    policy = Policy(frozenset(issuers), frozenset(redirect_hosts))
    return Provider(name, title, ("auth", "add", name, "--no-browser"), policy)


_MINIMAX = [
    f"{host}.{domain}" for domain in ("minimax.io", "minimaxi.com") for host in ("account", "www", "platform")
]
KNOWN = {
    provider.name: provider
    for provider in (
        replace(_auth_add("xai-oauth", "xAI", "auth.x.ai", "accounts.x.ai"), callback=(56121, "/callback")),
        Provider(
            "spotify",
            "Spotify",
            ("auth", "spotify", "--no-browser"),
            Policy(frozenset({"accounts.spotify.com"})),
            callback=(43827, "/spotify/callback"),
        ),
        _auth_add("openai-codex", "OpenAI Codex", "auth.openai.com"),
        _auth_add(
            "anthropic",
            "Anthropic",
            "claude.ai",
            "platform.claude.com",
            "console.anthropic.com",
            redirect_hosts=("console.anthropic.com", "platform.claude.com"),
        ),
        _auth_add("nous", "Nous Portal", "portal.nousresearch.com"),
        _auth_add("minimax-oauth", "MiniMax", "api.minimax.io", "api.minimaxi.com", *_MINIMAX),
    )
}
ALIASES = {
    "grok-oauth": "xai-oauth",
    "x-ai-oauth": "xai-oauth",
    "xai-grok-oauth": "xai-oauth",
    "nous-portal": "nous",
    "minimax": "minimax-oauth",
}
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MCP = re.compile(r"mcp:([A-Za-z0-9][A-Za-z0-9._-]{0,63})")


def provider(name: str) -> Provider:
    """The provider of that name, alias, or ``mcp:NAME``; a name that is not known goes to Hermes as it is.

    :raises UsageFailure: no provider can be called so
    """
    known = KNOWN.get(ALIASES.get(name, name))
    if known is not None:
        return known
    if server := _MCP.fullmatch(name):
        return Provider(
            name,
            f"the MCP server {server[1]}",
            ("mcp", "login", server[1]),
            Policy(external_redirects=True),
            PersonTime(callback=295.0),
            f"mcp-tokens/{server[1]}.json",
        )
    if _NAME.fullmatch(name):
        return _auth_add(name, name)
    raise UsageFailure(
        f"{quote(name)} is not a provider's name",
        f"known are {', '.join(KNOWN)}, and mcp:NAME for an MCP server",
    )


def with_origin(known: Provider, origin: str) -> Provider:
    """The same provider, allowed to use one exact origin on this machine: the demo's server."""
    return replace(known, policy=replace(known.policy, origin=origin))


def known_callback(port: int) -> tuple[str, frozenset[str]]:
    """The path of the callback that is known to come to a port, and the origins that may fetch it."""
    for known in KNOWN.values():
        if known.callback and known.callback[0] == port:
            return known.callback[1], frozenset(f"https://{host}" for host in known.policy.issuers)
    return "", frozenset()
