"""What Hermes can log in to: each provider is a ``Program``, with all that we know about it."""

from __future__ import annotations

import re
from dataclasses import replace

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.authorization import Mode, Policy
from hermes_tunnel.oauth.states import PersonTime
from hermes_tunnel.remote.program import Credential, Executable, Program
from hermes_tunnel.text import quote

_INSTALLED = Executable(
    "hermes",
    (
        ".local/bin",
        ".hermes/hermes-agent/venv/bin",
        ".hermes/hermes-agent/.venv/bin",
        "hermes-agent/venv/bin",
        "/usr/local/bin",
        "/opt/hermes",
        "/opt/hermes/bin",
        "/opt/hermes/.venv/bin",
        "/opt/homebrew/bin",
        "/home/linuxbrew/.linuxbrew/bin",
    ),
)
_AUTH = Credential("auth.json", ".hermes", "HERMES_HOME", "active_profile")


def _provider(name: str, title: str, words: tuple[str, ...], policy: Policy) -> Program:
    return Program(name, title, _INSTALLED, words, policy, credential=_AUTH, status=("auth", "status", name))


def _auth_add(
    name: str,
    title: str,
    *issuers: str,
    mode: Mode | None = Mode.DEVICE,
    redirect_hosts: tuple[str, ...] = (),
) -> Program:
    policy = Policy(frozenset(issuers), frozenset(redirect_hosts))
    return replace(_provider(name, title, ("auth", "add", name, "--no-browser"), policy), mode=mode)


_MINIMAX = [
    f"{host}.{domain}" for domain in ("minimax.io", "minimaxi.com") for host in ("account", "www", "platform")
]
KNOWN = {
    provider.name: provider
    for provider in (
        replace(
            _auth_add("xai-oauth", "xAI", "auth.x.ai", "accounts.x.ai"),
            callback=(56121, "/callback"),
            before="up to Hermes 0.18.0 your browser comes back to port 56121, through the tunnel",
        ),
        replace(
            _provider(
                "spotify",
                "Spotify",
                ("auth", "spotify", "--no-browser"),
                Policy(frozenset({"accounts.spotify.com"})),
            ),
            callback=(43827, "/spotify/callback"),
            mode=Mode.LOOPBACK,
        ),
        _auth_add("openai-codex", "OpenAI Codex", "auth.openai.com"),
        _auth_add(
            "anthropic",
            "Anthropic",
            "claude.ai",
            "platform.claude.com",
            "console.anthropic.com",
            mode=Mode.PASTE,
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
"""Other names of the same providers."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_MCP = re.compile(r"mcp:([A-Za-z0-9][A-Za-z0-9._-]{0,63})")


def provider(name: str) -> Program:
    """The provider of that name, alias, or ``mcp:NAME``; a name that we do not know goes to Hermes as it is.

    :raises UsageFailure: no provider can have that name
    """
    known = KNOWN.get(ALIASES.get(name, name))
    if known is not None:
        return known
    if server := _MCP.fullmatch(name):
        words, policy = ("mcp", "login", server[1]), Policy(external_redirects=True)
        return replace(
            _provider(name, f"the MCP server {server[1]}", words, policy),
            time=PersonTime(callback=295.0),
            credential=replace(_AUTH, file=f"mcp-tokens/{server[1]}.json"),
            status=("mcp", "test", server[1]),
            mode=Mode.LOOPBACK,
        )
    if _NAME.fullmatch(name):
        return _auth_add(name, name, mode=None)
    raise UsageFailure(
        f"{quote(name)} is not the name of a provider",
        f"the known ones are {', '.join(KNOWN)}, and mcp:NAME for an MCP server",
    )


def aliases_of(name: str) -> tuple[str, ...]:
    """The other names of a provider."""
    return tuple(alias for alias, known in ALIASES.items() if known == name)


def is_known(name: str) -> bool:
    """Whether this is the name or an alias of a provider that we know, or ``mcp:NAME``."""
    return name in KNOWN or name in ALIASES or _MCP.fullmatch(name) is not None


def similar(name: str) -> str:
    """The provider whose name contains this word or closely resembles it; empty if there is none."""
    names = [*KNOWN, *ALIASES]
    parts = [each for each in names if name in each.split("-")]
    if not parts:
        from difflib import get_close_matches

        parts = get_close_matches(name, names, 1, 0.75)
    return ALIASES.get(parts[0], parts[0]) if parts else ""


def in_profile(known: Program, name: str) -> Program:
    """The same provider, in one of Hermes' profiles.

    :raises UsageFailure: no profile can have that name
    """
    if not _PROFILE.fullmatch(name):
        raise UsageFailure(
            f"{quote(name)} cannot be the name of a Hermes profile",
            "use up to 64 letters, digits, - and _: --profile work",
        )
    file = f"profiles/{name}/{known.credential.file}" if known.credential else ""
    return replace(
        known,
        words=("--profile", name, *known.words),
        credential=known.credential and replace(known.credential, file=file),
        status=("--profile", name, *known.status),
    )


def with_origin(known: Program, origin: str) -> Program:
    """The same provider, allowed to use one exact origin on this machine: the demo's server."""
    return replace(known, policy=replace(known.policy, origin=origin))


def known_callback(port: int) -> tuple[str, frozenset[str]]:
    """The path of the callback that is known to come to a port, and the origins that may fetch it."""
    for known in KNOWN.values():
        if known.callback and known.callback[0] == port:
            return known.callback[1], frozenset(f"https://{host}" for host in known.policy.issuers)
    return "", frozenset()
