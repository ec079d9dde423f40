"""The verbs ``paste`` and ``forward`` as a program: what they refuse before they connect."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.cli.program import run

pytestmark = pytest.mark.slow

NOWHERE = ("-F", "none", "-o", "BatchMode=yes", "nobody@127.0.0.1:1")
CALLBACK = "http://127.0.0.1:56121/callback?code=S3CRET-code&state=S3CRET-state"


def piped(text: str) -> int:
    """A standard input with this text."""
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    return read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no address was given"),
        ("\n", "no address was given"),
        ("nonsense\n", "that is not a callback address"),
        (f"{CALLBACK}#fragment\n", "that is not a callback address: it has a user name or a fragment"),
        (CALLBACK.replace("127.0.0.1", "192.0.2.1"), "it is not an http address of this machine"),
    ],
)
def test_what_is_no_address_is_refused(text: str, words: str) -> None:
    """It ends with 2 and shows what an address looks like, but nothing of what was pasted."""
    done = run("paste", *NOWHERE, stdin=piped(text))
    assert done.returncode == 2
    assert words in done.stderr
    assert "hint: " in done.stderr
    assert "S3CRET" not in done.stderr + done.stdout


def test_an_address_that_cannot_be_delivered_is_not_shown() -> None:
    """If the connection fails, it ends with 4, and neither a line nor an event has the code."""
    done = run("paste", *NOWHERE, "-vv", "--json", stdin=piped(CALLBACK))
    assert done.returncode == 4
    assert "S3CRET" not in done.stderr + done.stdout
    assert '"event": "finished"' in done.stdout


def test_the_end_of_the_input_is_not_waited_for() -> None:
    """A program that gives the address may keep its end of the pipe open, or write without end."""
    read, write = os.pipe()
    os.write(write, CALLBACK.replace("&", "\n&").encode() + b"\n")
    done = run("paste", *NOWHERE, stdin=read)
    os.close(write)
    assert done.returncode == 4, done.stderr
    yes = [sys.executable, "-c", "while True: print('y')"]
    with subprocess.Popen(yes, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as endless:
        assert endless.stdout is not None
        done = run("paste", *NOWHERE, stdin=endless.stdout.fileno())
        endless.kill()
    assert done.returncode == 2
    assert "that is not a callback address" in done.stderr


def test_a_refusal_hides_no_words_of_its_own() -> None:
    """What was pasted instead of an address may be made of words that the error needs."""
    done = run("paste", *NOWHERE, stdin=piped("callback address that\n"))
    assert "that is not a callback address: it is not an http address of this machine" in done.stderr


@pytest.mark.parametrize("verb", ["paste", "forward"])
def test_an_address_is_never_an_argument(verb: str) -> None:
    """It is refused there, where other users could read it."""
    done = run(verb, "host", CALLBACK)
    assert done.returncode == 2
    assert "S3CRET" not in done.stderr


@pytest.mark.parametrize("port", ["80", "65536", "x", "-1"])
def test_a_port_that_no_login_can_use(port: str) -> None:
    """It is refused with 2 before anything is opened."""
    assert run("forward", "-F", "none", "nobody@127.0.0.1:1", port).returncode == 2


def test_an_impossible_container() -> None:
    """It is refused with 2, naming the option."""
    for verb in (["forward"], ["paste"], ["login", "spotify"]):
        done = run(*verb, "-F", "none", "--container", "a;b", "nobody@127.0.0.1:1")
        assert done.returncode == 2
        assert "--container" in done.stderr


def test_forward_without_a_terminal_asks_nothing() -> None:
    """Without a port, too, it connects to see what listens there, and does not read its input."""
    for stdin in (piped(CALLBACK), None):
        done = run("forward", *NOWHERE, stdin=stdin)
        assert done.returncode == 4
        assert "authorization URL" not in done.stderr
