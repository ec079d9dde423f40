"""What a person typed to be run, in real shells: its words arrive as typed, its pages at the terminal."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.line import LONGEST_LINE
from hermes_tunnel.remote.typed import typed_line
from tests.remote.shells import LOGIN_SHELLS, SH, SUDO, Account

if sys.platform == "win32":
    pytest.skip("runs scripts of sh", allow_module_level=True)

pytestmark = pytest.mark.slow

NONCE = "0123456789abcdef"
PROGRAM = """#!/bin/sh
printf '%s\\0' "$@"
printf '%s\\0' "$TERM"
exit 7
"""
WORDS = [
    *(
        "plain",
        "two words",
        "",
        "it's",
        '"',
        "$HOME",
        "`id`",
        "$(id)",
        "!!",
        "!",
        "\\",
        "a\\",
        "*",
        "~",
        "--",
    ),
    *("%self", "=ls", "{a,b}", ";", "&", "|", "<", ">", "#", "-n", "line\nfeed", "\ttab ", "ä€", "\udcff"),
    *("--", "^x", "?", "[a-z]", "%s", "\n", "'\\''", "\x1b[31m"),
]
URL = "https://issuer.example/a?b=c&d=%2Fe;f=*[x]$HOME'\"q#%s"


@pytest.fixture(params=LOGIN_SHELLS, ids=" ".join)
def account(tmp_path: Path, request: pytest.FixtureRequest) -> Account:
    """An account with each of the shells."""
    return Account(tmp_path, request.param)


@pytest.fixture(params=LOGIN_SHELLS[:-1], ids=" ".join)
def named(tmp_path: Path, request: pytest.FixtureRequest) -> Account:
    """An account with each of the shells that SHELL can name; busybox's has a word more."""
    return Account(tmp_path, request.param)


def line(*words: str, call: Call | None = None, terminal: bool = False, browser: bool = False) -> str:
    """The command line, which is none only for the account's own shell."""
    made = typed_line(words, call or Call(), NONCE, terminal=terminal, browser=browser)
    assert made is not None
    return made


def output_of(account: Account, made: str) -> tuple[int, bytes]:
    """The status, and what comes after what a start-up file prints."""
    with account.on_pipes(made) as process:
        output, _ = process.communicate(timeout=20)
    return process.returncode, output.removeprefix(b"noise from a start-up file\n")


@pytest.mark.parametrize("browser", [False, True])
def test_words_arrive_as_they_were_typed(account: Account, browser: bool) -> None:
    """In any login shell; the program's status is the command's."""
    account.install("system", PROGRAM, "program")
    status, output = output_of(account, line("program", *WORDS, browser=browser))
    assert output.split(b"\0")[: len(WORDS)] == [word.encode(errors="surrogateescape") for word in WORDS]
    assert status == 7


@pytest.mark.parametrize("sh", SH)
def test_words_with_every_sh(tmp_path: Path, sh: str) -> None:
    """Whatever the account's system calls sh."""
    account = Account(tmp_path, ["bash"], sh=sh)
    account.install("system", PROGRAM, "program")
    _, output = output_of(account, line("program", *WORDS))
    assert output.split(b"\0")[: len(WORDS)] == [word.encode(errors="surrogateescape") for word in WORDS]


def test_a_program_that_is_not_there(account: Account) -> None:
    """The shell says so in its own name, not in ours, and the status is its 127."""
    status, lines = account.run(line("no-such-program", "x"))
    assert status == 127
    assert "no-such-program" in lines[-1]
    assert "hermes-tunnel" not in "".join(lines)


def test_one_word_is_a_command_line() -> None:
    """As with ssh: it goes there as it is, for the account's shell."""
    assert line("cd /tmp && echo $HOME 'x'") == "cd /tmp && echo $HOME 'x'"


def test_no_word_is_the_shell() -> None:
    """As with ssh: there is no command line at all."""
    assert typed_line((), Call(), NONCE, terminal=True) is None


def test_a_command_line_is_the_shell_s_with_a_browser_too(named: Account) -> None:
    """The same shell reads it as would without one."""
    tests = {"fish": "echo $FISH_VERSION", "tcsh": "echo $tcsh", "zsh": "echo $ZSH_VERSION"}
    asks = tests.get(named.shell[0], "echo it_is $0")
    plain, with_browser = named.run(line(asks)), named.run(line(asks, browser=True))
    assert [one.rpartition("/")[2] for one in plain[1]] == [one.rpartition("/")[2] for one in with_browser[1]]


@pytest.mark.parametrize("words", [("program", "a b", "$HOME"), ("program 'a b' '$HOME'",)])
def test_as_another_user(named: Account, words: tuple[str, ...]) -> None:
    """By sudo, which may ask on the terminal; the words arrive all the same."""
    named.install("system", SUDO, "sudo")
    named.install("system", PROGRAM, "program")
    status, output = output_of(named, line(*words, call=Call(as_user="other")))
    first, _, rest = output.partition(b"\n")
    assert first == b"sudo -H -u other"
    assert b"a b\0$HOME\0" in rest
    assert status == 7


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("a\0",), "NUL"),
        (("a", "\0"), "NUL"),
        (("x" * LONGEST_LINE * 2,), "longer"),
        (("x" * 40000, ""), "long"),
    ],
)
def test_what_cannot_be_passed(words: tuple[str, ...], why: str) -> None:
    """It is said before anything connects."""
    with pytest.raises(UsageFailure, match=why):
        typed_line(words, Call(), NONCE, terminal=False)


OPENERS = {
    "webbrowser": f"{sys.executable} -m webbrowser {{}}",
    "xdg-open": 'u={}; for a in $BROWSER; do set -- "$@" "$(printf -- "$a" "$u")"; done; "$@"',
    "a shell": "u={}; export u; sh -c \"$BROWSER '\"'https://issuer.example/x?y=z&a=%20b'\"'\"",
    "a split at its blanks": "$BROWSER {}",
    "shlex": f"{sys.executable} -c 'import os, shlex, subprocess, sys; "
    'sys.exit(subprocess.call([*shlex.split(os.environ["BROWSER"]), sys.argv[1]]))\' {}',
}


@pytest.mark.parametrize("sh", SH)
@pytest.mark.parametrize("opener", OPENERS)
def test_a_page_comes_to_the_terminal(tmp_path: Path, opener: str, sh: str) -> None:
    """However a program reads BROWSER, it opens the page by one sequence, which no terminal shows."""
    account = Account(tmp_path, ["bash"], sh=sh)
    url = "https://issuer.example/x?y=z&a=%20b" if opener == "a shell" else URL
    command = OPENERS[opener].replace("{}", shlex.quote(url))
    with account.on_terminal(line(command, terminal=True, browser=True)) as terminal:
        assert terminal.wait() == 0, terminal.output
        assert terminal.output.strip("\a\r\n") == f"\x1b]9008;hermes-tunnel;{url}\x1b\\"


def test_without_a_terminal_no_page_is_opened(tmp_path: Path) -> None:
    """The program hears that its browser failed, and prints its page; nothing else is printed."""
    account = Account(tmp_path, ["bash"])
    status, lines = account.run(line("$BROWSER https://issuer.example/", browser=True))
    assert (status != 0, lines) == (True, [])


def test_a_shell_has_the_browser_too(tmp_path: Path) -> None:
    """It is a login shell then as well, with what the account sets for one."""
    account = Account(tmp_path, ["bash"])
    (account.home / ".bash_profile").write_text("PS1='ready> '\n")
    made = typed_line((), Call(), NONCE, terminal=True, browser=True)
    assert made is not None
    with account.on_terminal(made) as terminal:
        terminal.expect("ready> ")
        terminal.send(f"$BROWSER {shlex.quote('https://issuer.example/')}; exit 5\n")
        assert terminal.wait() == 5
        assert "\x1b]9008;hermes-tunnel;https://issuer.example/\x1b\\" in terminal.output


def test_no_colon_in_the_browser(tmp_path: Path) -> None:
    """After a colon there would be another browser."""
    account = Account(tmp_path, ["bash"])
    _, (value,) = account.run(line('echo "$BROWSER"', browser=True))
    assert ":" not in value
