"""What a person typed reaches the program unchanged, through every shell that an account may have."""

from __future__ import annotations

import os
import random
import shlex
import string
import subprocess
import sys
from pathlib import Path

import pytest

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.remote.line import LONGEST_LINE, script, script_line, typed
from tests.ports.holding import posix
from tests.remote.shells import LOGIN_SHELLS, SH, SUDO, Account, installed, nobodys_terminal

NONCE = "0123456789abcdef"
XAI = provider("xai-oauth")
SHOWS_WORDS = """#!/usr/bin/env python3
import os, sys
sys.stdout.buffer.write(b"\\0".join([b"", *map(os.fsencode, sys.argv[1:]), b""]))
"""
RANDOM = random.Random(7)
WORDS = [
    "",
    " ",
    "a b",
    "a\n",
    "\n\n",
    "\na\r\n\t",
    "=ls",
    "%self",
    "~",
    "~root/x",
    "-n",
    "-e",
    "--",
    "$HOME",
    "$(id) `id` ${HOME} $$ $?",
    "'",
    "it's",
    "'\"'\\''",
    "\\",
    "a\\",
    "\\n\\\\0101",
    "!",
    "!!",
    "a!b!c",
    "^a^b",
    "*",
    "[a-z]?{b,c}",
    "#c",
    "a;b&c|d<e>f(g)",
    "%s%d%b\\c",
    ":0101",
    "@%:",
    "ä€𝄞",
    "日本語",
    "مرحبا",
    "\u202eabc\u200b",
    "\x01\x1b[31m\x7f",
    *(f"a{mark}b" for mark in string.punctuation),
    os.fsdecode(b"\xff\xfe"),
    os.fsdecode(b"\xc3"),
    os.fsdecode(bytes(range(1, 256))),
    *(os.fsdecode(bytes(RANDOM.randrange(1, 256) for _ in range(RANDOM.randrange(60)))) for _ in range(20)),
]


def received(account: Account, line: str) -> list[str]:
    """The words that the program got."""
    with nobodys_terminal() as terminal:
        done = subprocess.run(
            account.argv(line), env=account.variables, stdin=terminal, stdout=subprocess.PIPE, check=False
        )
    return list(map(os.fsdecode, done.stdout.split(b"\0")[1:-1]))


@pytest.mark.slow
@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("shell", LOGIN_SHELLS, ids=" ".join)
def test_any_word_through_any_login_shell(tmp_path: Path, shell: list[str], locale: str) -> None:
    """Spaces, quotes, line feeds, other scripts and bytes that are not text arrive exactly as typed."""
    account = Account(tmp_path, shell, environment={"LC_ALL": locale})
    account.install("system", SHOWS_WORDS)
    assert received(account, Call().login_line(XAI, NONCE, WORDS)) == [*XAI.words, *WORDS]


@pytest.mark.slow
@posix
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
@pytest.mark.parametrize("name", SH)
def test_any_word_through_any_sh(tmp_path: Path, name: str, locale: str) -> None:
    """Any ``sh`` decodes them, with any ``tr``."""
    account = Account(tmp_path, ["bash"], sh=name, environment={"LC_ALL": locale})
    account.install("system", SHOWS_WORDS)
    assert received(account, Call().login_line(XAI, NONCE, WORDS)) == [*XAI.words, *WORDS]


@pytest.mark.slow
@posix
def test_any_word_with_nothing_but_busybox(tmp_path: Path) -> None:
    """Its ``printf`` and ``tr`` will do."""
    account = Account(tmp_path, ["busybox", "sh"], sh="busybox")
    account.install("system", SHOWS_WORDS.replace("/usr/bin/env python3", sys.executable))
    for name in ("tr", "printf", "id", "stat", "cat", "stty"):
        (account.bin / name).symlink_to(installed("busybox"))
    account.environment["PATH"] = str(account.bin)
    assert received(account, Call().login_line(XAI, NONCE, WORDS)) == [*XAI.words, *WORDS]


@pytest.mark.slow
@posix
@pytest.mark.parametrize("shell", LOGIN_SHELLS, ids=" ".join)
def test_any_word_through_sudo(tmp_path: Path, shell: list[str]) -> None:
    """Sudo is one more program that hands the words on."""
    account = Account(tmp_path, shell)
    account.install("system", SUDO.replace("echo;", "").replace("printf", ": printf"), "sudo")
    account.install("system", SHOWS_WORDS)
    assert received(account, Call(as_user="svc").login_line(XAI, NONCE, WORDS)) == [*XAI.words, *WORDS]


@pytest.mark.slow
@posix
@pytest.mark.parametrize("shell", LOGIN_SHELLS, ids=" ".join)
def test_the_longest_words(tmp_path: Path, shell: list[str]) -> None:
    """A line as long as every SSH server accepts gets through every shell."""
    account = Account(tmp_path, shell)
    account.install("system", SHOWS_WORDS)
    longest = "a" * (1 + LONGEST_LINE - len(Call().login_line(XAI, NONCE, ["a"])))
    line = Call().login_line(XAI, NONCE, [longest])
    assert len(line) == LONGEST_LINE
    assert received(account, line) == [*XAI.words, longest]


def test_too_long() -> None:
    """A longer line is refused before anything is opened, and the error has both numbers."""
    with pytest.raises(UsageFailure, match=rf"would be \d+ bytes long.* {LONGEST_LINE}$") as caught:
        Call().login_line(XAI, NONCE, ["ä" * LONGEST_LINE])
    assert "after --" in caught.value.hint


def test_a_nul() -> None:
    """No program can be given one, so it is refused rather than dropped silently."""
    with pytest.raises(UsageFailure, match=r"'a\\x00b' contains a NUL"):
        Call().login_line(XAI, NONCE, ["a\0b"])


@pytest.mark.parametrize(
    "word", ["", "=ls", "%self", "a b", "a\n", "ä", *(f"a{c}" for c in "!\"#$&'()*;<>?[\\]^`{|}~")]
)
def test_what_we_compose_is_on_the_list(word: str) -> None:
    """A word that we compose and some shell would act on is a fault of this program."""
    with pytest.raises(ValueError, match="would act on"):
        script_line("true", [word])
    with pytest.raises(ValueError, match="would act on"):
        script_line("true", [], before=[word])


def test_what_was_typed_is_encoded_in_the_line() -> None:
    """What was typed adds no character that some shell acts on."""
    line = Call().login_line(XAI, NONCE, WORDS)
    _, scripted, words = line.partition(f"sh -c '{script('find_and_run.sh')}' hermes-tunnel ")
    words = words.replace(f"'{script('login_shell.sh')}'", "")
    assert scripted
    assert set(words) <= set(string.ascii_letters + string.digits + "._/:@%+=,- ")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["--label", "work"], "--label work"),
        (["a b", "", "$(id)"], "'a b' '' '$(id)'"),
        (["it's", "=ls"], r"'it'\''s' '=ls'"),
        (["ä"], "'ä'"),
        (["a\nb\t'\\"], r"$'a\nb\t\'\\'"),
        (["\x1b]0;x\x07"], r"$'\033]0;x\007'"),
        (["\u202e"], r"$'\342\200\256'"),
        ([os.fsdecode(b"\xff1")], r"$'\3771'"),
    ],
)
def test_words_are_shown_as_one_would_type_them(words: list[str], shown: str) -> None:
    """They are quoted where a shell needs it, on one line, with nothing that a terminal acts on."""
    assert typed(words) == shown


@pytest.mark.slow
@posix
@pytest.mark.parametrize("shell", ["bash", "zsh", "mksh"])
def test_what_is_shown_can_be_typed(shell: str) -> None:
    """A shell reads the same words from it."""
    done = subprocess.run(
        [installed(shell), "-c", rf"printf '%s\0' {typed(WORDS)}"], stdout=subprocess.PIPE, check=True
    )
    assert done.stdout == b"".join(os.fsencode(word) + b"\0" for word in WORDS)
    assert shlex.split(typed(["a b", "it's"])) == ["a b", "it's"]
