"""Hermes' logins and the scripts around them, over a real connection."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import paramiko
import pytest

from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.remote.line import encoded, script
from tests.stage.client import (
    LANDING_LINE,
    LOGIN_LINE,
    NONCE,
    Command,
    approved,
    callback,
    connected,
    forwarded,
    redirect_port,
)
from tests.stage.hermes import Hermes, Request, requested
from tests.stage.logins import device_login, loopback_login, mcp_login, spotify_login
from tests.stage.remote_process import Command as ServerCommand
from tests.stage.stage import Stage
from tests.stage.variations import asks_first, behind_sudo, prints_first, relays


def test_the_lines_of_the_real_scripts_are_understood() -> None:
    """The command lines that a login sends are taken apart, even behind sudo."""
    call = Call(path="/opt/hermes", as_user="svc")
    xai = provider("xai-oauth")
    asks = (script("login_shell.sh"), "5")
    found = ("/opt/hermes", "hermes", ":".join(xai.executable.folders))
    lands = ("HERMES_HOME", ".hermes", "active_profile", "auth.json")
    words = (*asks, *found, *lands, encoded(xai.words))
    assert requested(call.login_line(xai, NONCE)) == Request(NONCE, "terminal", words)
    assert requested(call.login_line(xai, NONCE, terminal=False)) == Request(NONCE, "pipe", words)
    assert requested(Call().landing_line(xai, NONCE)) == Request(
        NONCE, "look", (*asks, "-", *found[1:], *lands, "-")
    )
    relay = Request(NONCE, "relay", ("56121", script("while_connected.sh"), "127.0.0.1"))
    assert requested(call.relay_line(56121, ("127.0.0.1",), NONCE)) == relay
    for other in ("", "hermes", "sh", "sh -c", "sh -c 'true'", "sh -c 'true' a b", "sh -c 'unfinished"):
        assert requested(other) is None


def test_any_other_command_is_not_found() -> None:
    """Anything but one of our requests is a program that no shell finds."""
    with Stage() as stage, connected(stage) as transport:
        command = Command(transport, "hermes auth add xai-oauth")
        assert (command.read_all(), command.status()) == ("sh: 1: hermes: not found\r\n", 127)


def test_hermes_may_not_be_installed() -> None:
    """Then the script says so in its own words, with status 127."""
    with Stage(login=None) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        assert command.read_all().startswith(f"{begin_marker(NONCE)}missing:")
        assert command.status() == 127


def test_the_landing_can_be_looked_at_by_itself() -> None:
    """The credential is absent before the login, and has an owner after it."""
    with Stage(Answer.APPROVE) as stage, connected(stage) as transport:
        before = Command(transport, LANDING_LINE, pty=False)
        absent = f"hermes-tunnel:{NONCE}:landed:absent:/home/demo/.hermes/auth.json\n"
        assert (before.read_all(), before.status()) == (absent, 0)
        stage.hermes.store("token")
        after = Command(transport, LANDING_LINE, pty=False)
        answer, _, path = after.read_all().strip().rpartition(":")
        assert answer.startswith(f"hermes-tunnel:{NONCE}:landed:demo:600:")
        assert path == "/home/demo/.hermes/auth.json"


def test_a_preferred_port_is_replaced_if_it_is_taken() -> None:
    """If it is taken on the other machine, every line names the new one."""
    with (
        Stage(login=lambda hermes: loopback_login(hermes, port=56121)) as stage,
        connected(stage) as transport,
    ):
        first, second = Command(transport, LOGIN_LINE), None
        assert redirect_port(first.url()) == 56121
        second = Command(transport, LOGIN_LINE)
        port = redirect_port(second.url())
        assert port != 56121
        assert f"Waiting for callback on http://127.0.0.1:{port}/callback" in second.read_until(
            "Remote session"
        )


def test_a_second_request_replaces_the_first() -> None:
    """Two attempts have two URLs, which differ in port and state, and the second one logs in."""
    stage = Stage(Answer.APPROVE, login=lambda hermes: loopback_login(hermes, attempts=2))
    with stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        first = command.url()
        command.output = command.read_until("start again.").partition("start again.")[2].encode()
        second = command.url()
        assert redirect_port(first) != redirect_port(second)
        assert parse_qs(urlsplit(first).query)["state"] != parse_qs(urlsplit(second).query)["state"]
        with pytest.raises(paramiko.ChannelException):
            callback(transport, redirect_port(first), "/callback")
        with forwarded(transport, redirect_port(second)):
            stage.person.open(second)
            assert stage.person.wait().status == 200
        command.read_all()
        assert command.status() == 0


@pytest.mark.parametrize("form", ["address", "code#state", "code"])
def test_a_line_that_is_typed_is_taken_for_the_code(form: str) -> None:
    """The address that the browser ended on, or the code in it, can be pasted instead."""
    with Stage(Answer.APPROVE) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        answer = approved(command.url())
        pasted = {
            "address": f"http://127.0.0.1:1/callback?{urlencode(answer)}",
            "code#state": f"{answer['code']}#{answer['state']}",
            "code": answer["code"],
        }[form]
        command.channel.sendall(f"\n{pasted}\n".encode())
        output = command.read_all()
        assert command.status() == 0
        assert answer["code"] not in output  # the script has switched the echo off


@pytest.mark.parametrize("answer", list(Answer))
def test_a_device_login(answer: Answer) -> None:
    """The command prints a page and a code, and polls until the person has answered."""
    with Stage(answer, login=device_login) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        output = command.read_until("Waiting for approval")
        url = next(word for word in output.split() if "user_code=" in word)
        assert f"enter code: {url.rpartition('=')[2]}\r\n" in output
        stage.person.open(url)
        assert stage.person.wait().status == 200
        output = command.read_all()
        assert command.status() == (0 if answer is Answer.APPROVE else 1)
        assert ("Saved xai-oauth OAuth credentials" in output) == (answer is Answer.APPROVE)


def test_spotify() -> None:
    """The URL comes without a waiting line, and the callback has a path of its own."""
    with Stage(Answer.APPROVE, login=spotify_login) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        answer = urlencode(approved(url))
        assert callback(transport, redirect_port(url), f"/callback?{answer}") == 404
        assert callback(transport, redirect_port(url), f"/spotify/callback?{answer}") == 200
        output = command.read_all()
        assert "Waiting for callback" not in output
        assert "Spotify login successful!\r\n  Auth state: /home/demo/.hermes/auth.json" in output


@pytest.mark.parametrize(
    ("target", "said"),
    [("/callback", "✓ Authenticated"), ("/favicon.ico", "✗ Authentication failed")],
)
def test_an_mcp_login_serves_one_request_and_always_succeeds(target: str, said: str) -> None:
    """A favicon spends the only request; the status is 0 all the same."""
    with Stage(Answer.APPROVE, login=mcp_login) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        query = f"?{urlencode(approved(url))}" if target == "/callback" else ""
        assert callback(transport, redirect_port(url), target + query) == 200
        assert said in command.read_all()
        assert command.status() == 0


def test_a_question_before_the_login_and_noise_before_everything() -> None:
    """The variations can be combined; the end of the input cancels the question."""

    def login(hermes: Hermes) -> ServerCommand:
        return asks_first("Spotify Client ID: ", loopback_login(hermes))

    def around(command: ServerCommand) -> ServerCommand:
        return prints_first(b"\x1b]0;motd\x07Welcome https://evil.example/?redirect_uri=x\n", command)

    with Stage(login=login, around=around) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        before, _, after = command.read_until("Client ID: ").partition(begin_marker(NONCE))
        assert before.startswith("\x1b]0;motd\x07Welcome")
        assert after.endswith("\r\nSpotify Client ID: ")
        command.channel.shutdown_write()
        assert command.read_all().endswith("setup cancelled.\r\n")
        assert command.status() == 1


@pytest.mark.parametrize(("given", "said"), [("right", "Open this URL"), ("wrong", "Sorry, try again.")])
def test_sudo_asks_with_the_prompt_it_is_given(given: str, said: str) -> None:
    """The prompt comes from the command line, and typing is not echoed."""
    line = Call(as_user="svc").login_line(provider("xai-oauth"), NONCE)
    around: Callable[[ServerCommand], ServerCommand] = lambda command: behind_sudo("right", command)  # noqa: E731
    with Stage(around=around) as stage, connected(stage) as transport:
        command = Command(transport, line)
        assert command.read_until(sudo_prompt(NONCE)) == sudo_prompt(NONCE)
        command.channel.sendall(f"{given}\n".encode())
        output = command.read_until(said)
        assert given not in output.partition(said)[0]


def test_a_relay_delivers_where_forwarding_is_refused() -> None:
    """One request on the input of a second command reaches the listener that its Host names."""

    def around(command: ServerCommand) -> ServerCommand:
        return lambda process: relay(process) if process.line == "relay" else command(process)

    stage = Stage(Answer.APPROVE, around=around)
    relay = relays(stage.loopback)
    with stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        head = f"GET /callback?{urlencode(approved(url))} HTTP/1.1\r\nHost: 127.0.0.1:{redirect_port(url)}"
        second = Command(transport, "relay", pty=False)
        second.channel.sendall(f"{head}\r\nConnection: close\r\n\r\n".encode())
        second.channel.shutdown_write()
        assert second.read_all().startswith("HTTP/1.1 200 ")
        command.read_all()
        assert command.status() == 0
