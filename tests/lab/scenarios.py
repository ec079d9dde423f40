"""The logins that are recorded: which release, which command, what the person does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

RELEASES = ("0.14.0", "0.18.0", "0.19.0")


@dataclass(frozen=True)
class Scenario:
    """One recording, of `command`.

    `what` says in one word, `person` in a few, what the person did; `decision` is what the
    providers are told. `answers` are prompts and what is typed at them, {code} being the code that
    the last page showed. `before` are commands that run first, unrecorded.
    """

    release: str
    provider: str
    what: str
    command: tuple[str, ...]
    person: str
    decision: str = "redirect"
    answers: tuple[tuple[str, str], ...] = ()
    taken_port: int = 0
    before: tuple[tuple[str, ...], ...] = ()

    @property
    def name(self) -> str:
        """The recording's file name without its suffix."""
        return f"{self.release}-{self.provider}-{self.what}"


_APPROVED = "approved"
_DENIED = "denied"
_REFUSED = "approved; the token endpoint refused the code"
_WRONG_STATE = "approved; the provider returned another state"


def _add(provider: str, *options: str) -> tuple[str, ...]:
    return ("hermes", "auth", "add", provider, *options)


def of_every_release(release: str) -> Iterator[Scenario]:
    """What is recorded of each release, older or newer."""
    xai = _add("xai-oauth", "--no-browser")
    yield Scenario(release, "xai-oauth", "approved", xai, _APPROVED)
    yield Scenario(release, "xai-oauth", "denied", xai, _DENIED, "deny")
    yield Scenario(release, "xai-oauth", "token-400", xai, _REFUSED, "token-400")

    first = ("hermes", "auth", "spotify", "login", "--no-browser")
    client_id = (("Spotify Client ID:", "lab-client"),)
    asked = "typed the Client ID, then approved"
    spotify = (*first, "--client-id", "lab-client")
    yield Scenario(release, "spotify", "approved", spotify, _APPROVED)
    yield Scenario(release, "spotify", "denied", spotify, _DENIED, "deny")
    yield Scenario(release, "spotify", "token-400", spotify, _REFUSED, "token-400")
    yield Scenario(release, "spotify", "wrong-state", spotify, _WRONG_STATE, "wrong-state")
    yield Scenario(release, "spotify", "first-time", first, asked, answers=client_id)
    yield Scenario(release, "spotify", "port-taken", spotify, "nothing", taken_port=43827)
    short = (*spotify, "--timeout", "1")
    yield Scenario(release, "spotify", "timeout", short, "nothing", "hang")

    mcp = ("hermes", "mcp", "login", "lab")
    yield Scenario(release, "mcp", "approved", mcp, _APPROVED)
    yield Scenario(release, "mcp", "denied", mcp, _DENIED, "deny")
    yield Scenario(release, "mcp", "token-400", mcp, _REFUSED, "token-400")
    yield Scenario(release, "mcp", "wrong-state", mcp, _WRONG_STATE, "wrong-state")

    codex = _add("openai-codex", "--no-browser")
    yield Scenario(release, "openai-codex", "approved", codex, _APPROVED)

    nous = _add("nous", "--no-browser")
    prompt = "Import these credentials? [Y/n]:"
    yield Scenario(release, "nous", "approved", nous, _APPROVED)
    yield Scenario(release, "nous", "denied", nous, _DENIED, "deny")
    for what, person, answer in (
        ("imported", "agreed to the import", ""),
        ("import-declined", "declined the import, then approved", "n"),
    ):
        typed = ((prompt, answer),)
        yield Scenario(release, "nous", what, nous, person, answers=typed, before=(nous,))

    minimax = _add("minimax-oauth", "--no-browser")
    yield Scenario(release, "minimax-oauth", "approved", minimax, _APPROVED)
    yield Scenario(release, "minimax-oauth", "denied", minimax, _DENIED, "deny")

    anthropic = _add("anthropic", "--no-browser")
    for what, person, decision, answer in (
        ("approved", "approved and pasted the code", "redirect", "{code}"),
        ("wrong-code", "pasted something else", "redirect", "something else"),
        ("token-400", _REFUSED, "token-400", "{code}"),
    ):
        typed = (("Authorization code:", answer),)
        yield Scenario(release, "anthropic", what, anthropic, person, decision, typed)

    yield Scenario(release, "qwen-oauth", "failed", _add("qwen-oauth"), "nothing")
    yield Scenario(release, "nonsense", "unknown", _add("nonsense"), "nothing")
    # A command that guides have named but no release has.
    yield Scenario(release, "spotify", "auth-add", _add("spotify", "--no-browser"), "nothing")


def _of_one_release() -> Iterator[Scenario]:
    xai = _add("xai-oauth", "--no-browser")
    enter = (("Callback URL:", ""),)
    waited = "nothing; then Enter at the prompt, if there is one"
    for release in ("0.14.0", "0.18.0"):
        yield Scenario(release, "xai-oauth", "port-taken", xai, _APPROVED, taken_port=56121)
        yield Scenario(release, "xai-oauth", "wrong-state", xai, _WRONG_STATE, "wrong-state")
        short = (*xai, "--timeout", "1")
        yield Scenario(release, "xai-oauth", "timeout", short, waited, "hang", enter)
    code = (("press Enter.", "{code}"),)
    shown = "approved; the page showed a code, which was pasted"
    yield Scenario("0.18.0", "xai-oauth", "shown-code", xai, shown, "show-code", code)
    mcp = ("hermes", "mcp", "login", "lab")
    for release in ("0.14.0", "0.18.0"):  # 0.19.0 waits for five minutes
        yield Scenario(release, "mcp", "timeout", mcp, "nothing", "hang")
    for shell in ("bash", "fish", "sh"):
        missing = (shell, "-c", "hermes auth add xai-oauth --no-browser")
        yield Scenario("none", "xai-oauth", f"not-found-{shell}", missing, "nothing")


SCENARIOS = (
    *(scenario for release in RELEASES for scenario in of_every_release(release)),
    *_of_one_release(),
)
