"""Hermes on the remote machine: what is known of its providers, how it is called, where it is found."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.oauth.authorization import Policy
from hermes_tunnel.oauth.states import PersonTime
from hermes_tunnel.remote.command import script, script_line
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
    """

    name: str
    title: str
    words: tuple[str, ...]
    policy: Policy = field(default_factory=Policy)
    time: PersonTime = field(default_factory=PersonTime)
    credential: str = "auth.json"


def _auth_add(name: str, title: str, *issuers: str, redirect_hosts: tuple[str, ...] = ()) -> Provider:
    policy = Policy(frozenset(issuers), frozenset(redirect_hosts))
    return Provider(name, title, ("auth", "add", name, "--no-browser"), policy)


_MINIMAX = [
    f"{host}.{domain}" for domain in ("minimax.io", "minimaxi.com") for host in ("account", "www", "platform")
]
KNOWN = {
    provider.name: provider
    for provider in (
        _auth_add("xai-oauth", "xAI", "auth.x.ai", "accounts.x.ai"),
        Provider(
            "spotify",
            "Spotify",
            ("auth", "spotify", "--no-browser"),
            Policy(frozenset({"accounts.spotify.com"})),
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
_ACCOUNT = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_PROFILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_PATH = re.compile(r"/[A-Za-z0-9._/@+=,-]*[A-Za-z0-9._@+=,-]")


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


@dataclass(frozen=True)
class Call:
    """How Hermes is run on the remote machine.

    :param path: where it is, if it need not be looked for
    :param as_user: the account that runs it, by sudo, if it is not the one that logs in
    :param profile: the Hermes profile, if not the default
    """

    path: str = ""
    as_user: str = ""
    profile: str = ""

    def __post_init__(self) -> None:
        _check(self.path, _PATH, "--hermes-path", "give the whole path on the remote machine, from /")
        _check(self.as_user, _ACCOUNT, "--as-user", "give the name of an account on the remote machine")
        _check(self.profile, _PROFILE, "--profile", "give the name of a Hermes profile there")

    def login_line(self, provider: Provider, nonce: str, extra: Sequence[str] = ()) -> str:
        """The command line for a login; what it prints is preceded by ``begin_marker(nonce)``.

        :param extra: words for Hermes after its own
        :raises UsageFailure: a word cannot be passed
        """
        profile = ("--profile", self.profile) if self.profile else ()
        words = (nonce, self.path or "-", *profile, *provider.words, *extra)
        return script_line(script("find_and_run.sh"), words, before=self._sudo(asks_as=sudo_prompt(nonce)))

    def landing_line(self, provider: Provider, nonce: str) -> str:
        """The command line that says where the credential is; answered after ``begin_marker(nonce)``."""
        words = (nonce, self.profile or "-", provider.credential)
        return script_line(script("look_at_credential.sh"), words, before=self._sudo(asks_as=None))

    def described(self, provider: Provider, extra: Sequence[str] = ()) -> str:
        """What is run there, in the words a person would type."""
        profile = ("--profile", self.profile) if self.profile else ()
        sudo = ("sudo", "-H", "-u", self.as_user) if self.as_user else ()
        return " ".join((*sudo, self.path or "hermes", *profile, *provider.words, *extra))

    def _sudo(self, asks_as: str | None) -> tuple[str, ...]:
        if not self.as_user:
            return ()
        return ("sudo", *(("-p", asks_as) if asks_as else ("-n",)), "-H", "-u", self.as_user)


def with_origin(known: Provider, origin: str) -> Provider:
    """The same provider, allowed to use one exact origin on this machine: the demo's server."""
    return replace(known, policy=replace(known.policy, origin=origin))


def begin_marker(nonce: str) -> str:
    """What stands before the command's own output."""
    return f"hermes-tunnel:{nonce}:"


def sudo_prompt(nonce: str) -> str:
    """What sudo asks its password by: no other prompt can be taken for it, nor it for the begin marker."""
    return f"hermes-tunnel:sudo:{nonce}:"


def _check(value: str, form: re.Pattern[str], option: str, hint: str) -> None:
    if value and not form.fullmatch(value):
        raise UsageFailure(f"{quote(value)} cannot be used for {option}", hint)
