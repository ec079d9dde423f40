"""Real Hermes, replayed: what every recorded login asks for, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from hermes_tunnel.oauth.authorization import Mode, assess_authorization
from hermes_tunnel.oauth.effects import Proof
from hermes_tunnel.oauth.said import AuthorizationRequest, Begun, Listening
from hermes_tunnel.remote.hermes import provider
from tests.oauth.replay import (
    RECORDINGS,
    Cut,
    Recording,
    as_it_came,
    byte_by_byte,
    read,
    replay,
    whole,
)

FILES = sorted(RECORDINGS.glob("*.jsonl"))
NOTHING = (None, "", 0, "")
XAI = (Mode.LOOPBACK, "auth.x.ai", 1, "")
XAI_DEVICE = (Mode.DEVICE, "accounts.x.ai", 1, "")
SPOTIFY = (Mode.LOOPBACK, "accounts.spotify.com", 1, "")
MCP = (Mode.LOOPBACK, "mcp.lab.test", 1, "")
CODEX = (Mode.DEVICE, "auth.openai.com", 1, "")
NOUS = (Mode.DEVICE, "portal.nousresearch.com", 1, "")
MINIMAX = (Mode.DEVICE, "platform.minimax.io", 1, "")
ANTHROPIC = (Mode.PASTE, "claude.ai", 1, "Authorization code:")
IMPORT = "Import these credentials? [Y/n]:"
DECLINED = "9 the sign-in was declined at the provider (access_denied)"
NOT_TAKEN = "9 the callback was delivered, but the command did not accept it and asked for another sign-in"

# mode, issuer, how many invitations, the question that was passed on; and how the outcome begins.
EXPECTED: dict[str, tuple[tuple[Mode | None, str, int, str], str]] = {
    "anthropic-approved": (ANTHROPIC, "logged_in"),
    "anthropic-token-400": (
        ANTHROPIC,
        "9 the remote command failed: Anthropic OAuth login did not return credentials.",
    ),
    "anthropic-wrong-code": (
        ANTHROPIC,
        "9 the remote command failed: Anthropic OAuth login did not return credentials.",
    ),
    "mcp-approved": (MCP, "logged_in"),
    "mcp-denied": (MCP, DECLINED),
    "mcp-timeout": (
        MCP,
        "10 nobody signed in before Hermes there gave up: ✗ Authentication failed: MCP call timed out",
    ),
    "mcp-token-400": (MCP, NOT_TAKEN),
    "mcp-wrong-state": ((Mode.LOOPBACK, "mcp.lab.test", 4, ""), "9 the remote command failed: ✗ "),
    "minimax-oauth-approved": (MINIMAX, "logged_in"),
    "minimax-oauth-denied": (MINIMAX, "9 the remote command failed: MiniMax OAuth reported an error."),
    "nonsense-unknown": (NOTHING, "9 the remote command failed: Unknown provider: nonsense (exit status 1)"),
    "nous-approved": (NOUS, "logged_in"),
    "nous-denied": (NOUS, "9 the remote command failed: access_denied: "),
    "nous-import-declined": ((*NOUS[:3], IMPORT), "logged_in"),
    "nous-imported": ((None, "", 0, IMPORT), "imported"),
    "openai-codex-approved": (CODEX, "logged_in"),
    "qwen-oauth-failed": (NOTHING, "9 the remote command failed: Qwen CLI credentials not found."),
    "spotify-approved": (SPOTIFY, "logged_in"),
    "spotify-auth-add": (NOTHING, "9 the remote command failed: Unknown provider: spotify"),
    "spotify-denied": (SPOTIFY, DECLINED),
    "spotify-first-time": ((*SPOTIFY[:3], "Spotify Client ID:"), "logged_in"),
    "spotify-port-taken": (SPOTIFY, "9 the remote command failed: Could not bind Spotify callback server"),
    "spotify-timeout": (
        SPOTIFY,
        "10 nobody signed in before Hermes there gave up: Spotify authorization timed out",
    ),
    "spotify-token-400": (SPOTIFY, "9 the remote command failed: Spotify token exchange failed."),
    "spotify-wrong-state": (SPOTIFY, "9 the remote command failed: Spotify authorization failed: state"),
    "xai-oauth-approved": (XAI, "logged_in"),
    "xai-oauth-denied": (XAI, DECLINED),
    "xai-oauth-port-taken": (XAI, "logged_in"),
    "xai-oauth-shown-code": (XAI, "logged_in"),
    "xai-oauth-timeout": (
        XAI,
        "10 nobody signed in before Hermes there gave up: xAI authorization timed out",
    ),
    "xai-oauth-token-400": (XAI, "9 the remote command failed: xAI token exchange failed"),
    "xai-oauth-wrong-state": (XAI, "9 the remote command failed: xAI authorization failed: state mismatch."),
    # From 0.18.1 on it is a device login.
    "0.19.0-xai-oauth-approved": (XAI_DEVICE, "logged_in"),
    "0.19.0-xai-oauth-denied": (XAI_DEVICE, "9 the remote command failed: xAI device-code token polling"),
    "0.19.0-xai-oauth-token-400": (XAI_DEVICE, "9 the remote command failed: xAI device-code token polling"),
    # These were run without our script, which finds Hermes or says that it is missing.
    "none-xai-oauth-not-found-bash": (NOTHING, "9 the remote command failed: bash: line 1: hermes: command"),
    "none-xai-oauth-not-found-fish": (NOTHING, "9 the remote command failed: "),
    "none-xai-oauth-not-found-sh": (NOTHING, "9 the remote command failed: sh: 1: hermes: not found"),
}


def row(name: str) -> str:
    """The name of a recording's row: its own, or the one for all releases."""
    return name if name in EXPECTED else name.partition("-")[2]


def test_table_is_whole() -> None:
    """Every recording has a row in the table, and every row a recording."""
    assert {row(path.stem) for path in FILES} == set(EXPECTED)


@pytest.mark.parametrize("cut", [as_it_came, whole, byte_by_byte])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recording(path: Path, cut: Cut) -> None:
    """A replayed login asks for what was asked, and ends as it ended, however its bytes are cut."""
    played = replay(read(path), cut)
    (mode, issuer, invitations, question), ending = EXPECTED[row(path.stem)]
    assert [(one.mode, one.issuer) for one in played.invited] == [(mode, issuer)] * invitations
    assert [one.text for one in played.asked] == ([question] if question else [])
    assert played.ending.startswith(ending)
    assert played.said == replay(read(path), as_it_came).said
    assert played.said[0] == Begun(("begin", "lab", "/home/lab", "/usr/local/bin/hermes"))


PROOFS = {
    Mode.LOOPBACK: Proof.NEEDLESS,
    Mode.PASTE: Proof.NEEDLESS,
    Mode.DEVICE: Proof.WANTED,
    None: Proof.REQUIRED,
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_what_proves_it(path: Path) -> None:
    """A callback or a code is proof enough; after an approval or an import the credential is looked at."""
    (mode, *_), ending = EXPECTED[row(path.stem)]
    assert replay(read(path), whole).proof is (PROOFS[mode] if ending in ("logged_in", "imported") else None)


@pytest.mark.parametrize(
    "path", [one for one in FILES if one.match("0.1[48]*-xai-*")], ids=lambda path: path.stem
)
def test_ports_agree(path: Path) -> None:
    """The redirect's port is the one that xAI says it listens on, even after it had to move."""
    played = replay(read(path), as_it_came)
    said = {one.port for one in played.said if isinstance(one, Listening)}
    assert said == {one.redirect.port for one in played.invited if one.redirect}


@pytest.mark.parametrize(
    "path",
    [one for one in FILES if EXPECTED[row(one.stem)][0][0] in (Mode.LOOPBACK, Mode.PASTE)],
    ids=lambda path: path.stem,
)
def test_real_urls_are_accepted(path: Path) -> None:
    """A real Hermes's authorization URL is accepted; its issuer is known, unless it is an MCP server's."""
    recording = read(path)
    policy = provider(recording.provider).policy
    urls = [one.url for one in replay(recording, whole).said if isinstance(one, AuthorizationRequest)]
    assert urls
    for url in urls:
        authorization = assess_authorization(url, policy)
        assert policy.knows(authorization.issuer) is (recording.provider != "mcp:lab")
        assert authorization.state


def test_stalled_anywhere() -> None:
    """Output that stalls after any of its bytes still leads to the same invitation."""
    recording = read(RECORDINGS / "0.18.0-xai-oauth-approved.jsonl")
    text = b"".join(b"".join(spell) for spell in recording.spells)
    end = text.index(b"Remote session")
    (invited,) = replay(recording, whole).invited
    for at in range(1, end):
        stalled = Recording(recording.name, recording.about, [[text[:at]], [text[at:end]]])
        assert replay(stalled, whole).invited == [invited]
