"""What we know of Hermes: its providers, and how to call it."""

from __future__ import annotations

import pytest

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.hermes import ALIASES, KNOWN, in_profile, provider
from hermes_tunnel.remote.program import Credential, Executable, Program


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("xai-oauth", "auth add xai-oauth --no-browser"),
        ("grok-oauth", "auth add xai-oauth --no-browser"),
        ("x-ai-oauth", "auth add xai-oauth --no-browser"),
        ("xai-grok-oauth", "auth add xai-oauth --no-browser"),
        ("spotify", "auth spotify --no-browser"),
        ("openai-codex", "auth add openai-codex --no-browser"),
        ("anthropic", "auth add anthropic --no-browser"),
        ("nous", "auth add nous --no-browser"),
        ("nous-portal", "auth add nous --no-browser"),
        ("minimax-oauth", "auth add minimax-oauth --no-browser"),
        ("minimax", "auth add minimax-oauth --no-browser"),
        ("mcp:Linear.v2_x-1", "mcp login Linear.v2_x-1"),
        ("qwen-oauth", "auth add qwen-oauth --no-browser"),
        ("a", "auth add a --no-browser"),
        ("a" * 64, f"auth add {'a' * 64} --no-browser"),
    ],
)
def test_words(name: str, words: str) -> None:
    """Each provider, alias and MCP server has its command; an unknown name goes to ``hermes auth add``."""
    assert " ".join(provider(name).words) == words


BAD_NAMES = ["", "x;id", "--flag", "-a", "a'!b", "trail\\", "XAI", "ü", "a b", "a\n", "a/b", ".a", "a" * 65]
BAD_SERVERS = ["mcp:", "mcp:-a", "mcp:a/b", "mcp:a b", "mcp:a\n", "MCP:a", "mcp:" + "a" * 65]


@pytest.mark.parametrize("name", [*BAD_NAMES, *BAD_SERVERS])
def test_bad_names(name: str) -> None:
    """An impossible provider name is refused, and the error lists those that we know."""
    with pytest.raises(UsageFailure, match="is not the name of a provider") as caught:
        provider(name)
    assert all(known in caught.value.hint for known in KNOWN)


def test_policies() -> None:
    """Known providers have known issuers and ask about no other redirect; other providers have neither."""
    for known in KNOWN.values():
        assert known.policy.issuers
        assert not known.policy.external_redirects
    for name in ("mcp:lab", "qwen-oauth"):
        assert not provider(name).policy.issuers
    assert provider("mcp:lab").policy.external_redirects
    assert set(ALIASES.values()) <= set(KNOWN)
    assert not set(ALIASES) & set(KNOWN)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("path", "hermes"),
        ("path", "~/hermes"),
        ("path", "/a b"),
        ("path", "/a/"),
        ("path", "/a;b"),
        ("as_user", "-u"),
        ("as_user", "a b"),
        ("as_user", "#0"),
        ("as_user", "a\n"),
        ("container", "-x"),
        ("container", "a/b"),
    ],
)
def test_bad_calls(option: str, value: str) -> None:
    """A relative path, or an impossible account or container, is refused, naming the option."""
    with pytest.raises(UsageFailure, match=f"--(hermes-)?{option.replace('_', '-')}"):
        Call(**{option: value})


@pytest.mark.parametrize("name", ["", "../x", "-x", "a/b", "a" * 65, "a\n"])
def test_bad_profiles(name: str) -> None:
    """An impossible name for a profile is refused."""
    with pytest.raises(UsageFailure, match="cannot be the name of a Hermes profile"):
        in_profile(provider("xai-oauth"), name)


def test_profiles() -> None:
    """A profile is an option of Hermes, and a home inside its home."""
    work = in_profile(provider("mcp:lab"), "work")
    assert work.words == ("--profile", "work", "mcp", "login", "lab")
    assert work.credential == Credential(
        "profiles/work/mcp-tokens/lab.json", ".hermes", "HERMES_HOME", "active_profile"
    )
    assert work.status == ("--profile", "work", "mcp", "test", "lab")


def test_described() -> None:
    """The command is described in the words that a person would type."""
    call = Call(path="/opt/hermes", as_user="me")
    lab = in_profile(provider("mcp:lab"), "work")
    assert call.described(lab, ["-x"]) == "sudo -H -u me /opt/hermes --profile work mcp login lab -x"
    assert call.status(lab) == "sudo -H -u me /opt/hermes --profile work mcp test lab"
    assert Call().described(provider("spotify")) == "hermes auth spotify --no-browser"
    assert Call().described(provider("spotify"), ["--label", "my label\n"]) == (
        r"hermes auth spotify --no-browser --label $'my label\n'"
    )


def test_any_other_program() -> None:
    """Another program is called in the same way, with its own name, words, places and home."""
    cloud = Program(
        "cloud",
        "the cloud",
        Executable("cloud-cli", ("bin", "/opt/cloud/bin")),
        ("login", "--account", "a b"),
        credential=Credential("token", ".config/cloud", "CLOUD_HOME"),
        status=("whoami",),
    )
    assert Call().described(cloud) == "cloud-cli login --account 'a b'"
    assert Call(as_user="svc").status(cloud) == "sudo -H -u svc cloud-cli whoami"
    line = Call().login_line(cloud, "n")
    assert " - cloud-cli bin:/opt/cloud/bin CLOUD_HOME .config/cloud - token " in line
    assert "ermes" not in line.replace("hermes-tunnel", "").replace("Hermes", "")
    bare = Program("x", "x", Executable("x"), ())
    assert Call(container="box").login_line(bare, "n").endswith(" 5 - x - - - - - set:0040--:0040")


def test_markers_differ() -> None:
    """Neither marker is a prefix of the other."""
    begin, sudo = begin_marker("n"), sudo_prompt("n")
    assert not begin.startswith(sudo)
    assert not sudo.startswith(begin)
