"""The command line itself: help, version, usage, and what it costs to ask for them."""

from __future__ import annotations

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_tunnel import __version__
from tests.cli.program import ARGV, run

pytestmark = pytest.mark.slow


def test_version() -> None:
    """One line on standard output has our version, Python's and the system's."""
    done = run("--version")
    python = ".".join(map(str, sys.version_info[:3]))
    said = f"hermes-tunnel {__version__} (Python {python}, {platform.system()} {platform.release()})\n"
    assert (done.returncode, done.stdout) == (0, said)


@pytest.mark.parametrize("verb", [[], ["login"], ["port"], ["demo"]])
def test_help(verb: list[str]) -> None:
    """The program and each verb have one, with -h too."""
    done = run(*verb, "--help")
    assert done.returncode == 0
    assert done.stdout == run(*verb, "-h").stdout
    assert "Usage: hermes-tunnel" in done.stdout


NOT_FOR_HELP = {
    "paramiko",
    "psutil",
    "pyperclip",
    "segno",
    "sshtunnel",
    "hermes_tunnel.conversation",
    "hermes_tunnel.events",
}


def test_help_imports_nothing_heavy() -> None:
    """It loads neither the libraries that a verb needs nor what runs a login: help appears at once."""
    program = (
        "import sys; from hermes_tunnel.cli import main\n"
        "try: main(['--help'])\n"
        f"except SystemExit: print(sorted({NOT_FOR_HELP} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_no_verb_is_an_invitation_to_read() -> None:
    """Help goes to standard error, with the status of a usage error."""
    done = run()
    assert done.returncode == 2
    assert "Verbs:" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["nosuch"],
        ["login"],
        ["login", "xai-oauth"],
        ["login", "xai-oauth", "host", "another"],
        ["login", "xai-oauth", "host", "--nosuch"],
        ["login", "xai-oauth", "host", "--timeout", "0"],
        ["login", "xai-oauth", "host", "--on-busy-port", "panic"],
        ["login", "xai-oauth", "host", "--browser", ""],
        ["login", "xai-oauth", "host", "--hermes-path", "~/hermes"],
        ["login", "xai-oauth", "host", "--as-user", "a;b"],
        ["login", "xai-oauth", "host", "--as-user", ""],
        ["login", "xai-oauth", "host", "--as-user="],
        ["login", "xai-oauth", "host", "--container", ""],
        ["login", "xai-oauth", "host", "--profile", ""],
        ["login", "xai-oauth", "host", "--hermes-path", ""],
        ["login", "xai-oauth", "host", "-l", ""],
        ["forward", "host", "--as-user", ""],
        ["forward", "host", "--container", ""],
        ["paste", "host", "--as-user", ""],
        ["paste", "host", "--container", ""],
        ["login", "xai-oauth", "host", "--timeout", "nan"],
        ["login", "xai-oauth", "host", "--timeout", "inf"],
        ["forward", "host", "--timeout", "nan"],
        ["forward", "host", "1023"],
        ["login", "xai-oauth", "host", "--allow-host", ""],
        ["login", "xai-oauth", "host", "--allow-host", "a b"],
        ["login", "xai-oauth", "host", "--allow-host", "*"],
        ["login", "xai-oauth", "host", "--allow-host", "https://x.example"],
        ["login", "xai-oauth", "host", "--allow-host", "x.example:443"],
        ["login", "xai-oauth", "host", "--allow-host", "10.0.0.1"],
        ["login", "xai-oauth", "host", "-o", "foo"],
        ["login", "xai-oauth", "host", "-p", "x"],
        ["login", "xai-oauth", "host", "--profile", "../x"],
        ["login", "xai-oauth", "host", "--", "a b" * 16384],
        ["login", "x;id", "host"],
        ["login", "--flag", "host"],
        ["login", "a'!b", "host"],
        ["login", "trail\\", "host"],
        ["login", "grök", "host"],
        ["login", "mcp:", "host"],
        ["login", "xai-oauth", ""],
        ["login", "xai-oauth", "h;id"],
        ["login", "xai-oauth", "$(id)"],
        ["login", "xai-oauth", "h\nProxyCommand x"],
        ["login", "xai-oauth", "x" * 300],
        ["login", "xai-oauth", "a;b@host"],
        ["login", "xai-oauth", "-l@host"],
        ["login", "xai-oauth", "host:0"],
        ["login", "xai-oauth", "host", "-J", "a;b"],
        ["login", "xai-oauth", "-oProxyCommand=touch x"],
        ["port", "0"],
        ["port", "65536"],
        ["port", "x"],
        ["port"],
    ],
)
def test_bad_input(arguments: list[str]) -> None:
    """It ends with 2 and two lines: a fact, and the next thing to type."""
    done = run(*arguments)
    assert done.returncode == 2
    error, hint = done.stderr.splitlines()
    assert error.startswith("hermes-tunnel: error: ")
    assert hint.startswith("hermes-tunnel: hint: ")
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["-p", "x"], "invalid value for '-p': 'x' is not a port, a number from 1 to 65535"),
        (
            ["--timeout", "x"],
            "invalid value for '--timeout': 'x' is not a time in seconds, a number from 1 to",
        ),
        (["--as-user", ""], "invalid value for '--as-user': it is empty"),
        (["--json=1"], "option '--json' does not take a value"),
        (["--allow-host", "*"], "no sign-in page can be allowed by that: '*' is not a DNS name"),
    ],
)
def test_usage_in_plain_words(arguments: list[str], error: str) -> None:
    """The error says what is wrong with a value, and where to read about the verb's options."""
    done = run("login", "xai-oauth", "host", *arguments)
    assert done.returncode == 2
    said, hint = done.stderr.splitlines()
    assert said.startswith(f"hermes-tunnel: error: {error}")
    if "--allow-host" not in arguments:
        assert hint == "hermes-tunnel: hint: see hermes-tunnel login --help"


@pytest.mark.parametrize(
    ("typed", "error", "hint"),
    [
        ("logni", "'logni' is not a verb", "did you mean hermes-tunnel login?"),
        ("tunnel", "'tunnel' is not a verb", "the verbs are login, run, forward"),
        ("login box", "which provider should the Hermes on 'box' log in to?", "PROVIDER box, where"),
        ("login spotify", "on which host should Hermes log in to spotify?", "login spotify [USER@]HOST"),
        ("login mcp:x", "on which host should Hermes log in to mcp:x?", "login mcp:x [USER@]HOST"),
        ("login box spotify", "the provider comes first, and then the host", "login spotify box"),
        ("login me@box grok-oauth", "the provider comes first, and then the host", "login grok-oauth me@box"),
    ],
)
def test_a_word_is_missing_or_misplaced(typed: str, error: str, hint: str) -> None:
    """The person is told which, and what to type; nothing is looked up or connected to."""
    done = run(*typed.split())
    assert done.returncode == 2
    said, next_step = done.stderr.splitlines()
    assert said.startswith(f"hermes-tunnel: error: {error}")
    assert hint in next_step


def test_a_provider_that_looks_like_another() -> None:
    """It goes to Hermes as it is, since Hermes may know it; the person is told which one we know."""
    done = run("login", "grok", "x.invalid", "-F", "none")
    assert "Did you mean xai-oauth?" in done.stderr.splitlines()[0]
    assert done.returncode == 4


@pytest.mark.parametrize("word", ["a\x1b]0;x\x07b", "a\x9b31mb", "a\u202eb"])
@pytest.mark.parametrize("place", [["login", "{}", "host"], ["login", "xai-oauth", "{}"], ["{}"]])
def test_what_was_typed_is_shown_harmless(word: str, place: list[str]) -> None:
    """None of its escapes or control bytes reaches the terminal."""
    done = run(*(part.format(word) for part in place))
    assert done.returncode == 2
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stderr)


def test_every_option_is_a_variable_too() -> None:
    """It is HERMES_TUNNEL_ and the option's name; the command line wins."""
    variable = {"HERMES_TUNNEL_TIMEOUT": "0"}
    assert "--timeout" in run("login", "xai-oauth", "h;", env=variable).stderr
    assert "--timeout" not in run("login", "xai-oauth", "h;", "--timeout", "9", env=variable).stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["--version", "port 1", "demo"])
def test_a_closed_stream_is_no_fault(arguments: str, closed: str) -> None:
    """Nothing is said about it, and the status is the same."""
    command = f'"$@" {arguments} {closed}'
    done = subprocess.run(["sh", "-c", command, "sh", *ARGV], capture_output=True, text=True, check=False)
    assert (done.returncode, "fault" in done.stderr) == (0, False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device of a full disk")
@pytest.mark.parametrize("stream", [">", "2>"])
@pytest.mark.parametrize(
    ("arguments", "status"),
    [("--version", 0), ("--help", 0), ("login --help", 0), ("port 1", 0), ("port x", 2), ("demo --deny", 9)],
)
def test_a_full_disk_is_no_fault(arguments: str, status: int, stream: str) -> None:
    """Nothing can be said about it, and the status is the same."""
    command = f'"$@" {arguments} {stream}/dev/full'
    done = subprocess.run(["sh", "-c", command, "sh", *ARGV], capture_output=True, text=True, check=False)
    assert (done.returncode, "fault" in done.stderr) == (status, False)
