"""The demo: a complete login with nothing but a plain SSH client."""

from __future__ import annotations

import shutil
import stat
import subprocess
import time
from pathlib import Path

import paramiko
import pytest

from hermes_tunnel.demo.authorization_server import Answer, AuthorizationServer
from hermes_tunnel.demo.stage import HOST, JUMP_HOST, USER, Stage, demonstration
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from tests.stage.client import (
    LOGIN_LINE,
    NONCE,
    Command,
    connected,
    dial,
    end,
    forwarded,
    redirect_port,
)
from tests.stage.person import Person

LANDED = f"hermes-tunnel:{NONCE}:landed:"


@pytest.mark.parametrize("answer", list(Answer))
def test_a_person_who_presses_a_button_decides_the_login(answer: Answer) -> None:
    """A command, its authorization URL, a forwarded port, a page and a button make a complete login."""
    with demonstration(None) as stage, connected(stage) as transport:
        command, person = Command(transport, LOGIN_LINE), Person(answer)
        url = command.url()
        with forwarded(transport, redirect_port(url)):
            assert person.open(url)
            visit = person.wait()
            person.close()
        assert visit.status == 200
        assert "received" in visit.text
        output = command.read_all()
        assert output.startswith(
            f"hermes-tunnel:{NONCE}:begin:demo:/home/demo/.hermes:/home/demo/.local/bin/hermes\r\n"
        )
        if answer is Answer.APPROVE:
            assert command.status() == 0
            assert 'Saved xai-oauth OAuth credentials: "demo@hermes-demo"\r\n' in output
            (token,) = stage.authorization.grants.tokens
            assert token not in output
        else:
            assert command.status() == 1
            assert "authorization failed: The person denied access" in output
            assert not stage.authorization.grants.tokens


def test_where_the_key_will_be_is_known_before_it_is_there() -> None:
    """A program that is ended while it sets the stage can still remove the directory."""
    seen: list[list[Path] | None] = []

    class Watched(AuthorizationServer):
        def __enter__(self) -> Watched:
            directory = stage.directory
            seen.append(None if directory is None else list(directory.iterdir()))
            super().__enter__()
            return self

    stage = Stage(Watched({}, None), Person(Answer.APPROVE), {}, "a key")
    with stage:
        assert seen == [[]]
        assert stage.directory == stage.key_file.parent


@pytest.mark.parametrize(("answer", "status"), [(Answer.APPROVE, 0), (Answer.DENY, 1)])
def test_without_a_person_the_server_answers_by_itself(answer: Answer, status: int) -> None:
    """With an answer given beforehand, no page is shown: the browser is redirected at once."""
    with demonstration(answer) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        with forwarded(transport, redirect_port(url)):
            stage.person.open(url)
            command.read_all()
        assert command.status() == status


def test_a_login_reports_the_state_of_the_credential() -> None:
    """The file is absent before the login, and has an owner after it."""
    with demonstration(Answer.APPROVE) as stage, connected(stage) as transport:
        command = Command(transport, Call().login_line(provider("xai-oauth"), NONCE))
        url = command.url()
        with forwarded(transport, redirect_port(url)):
            stage.person.open(url)
            output = command.read_all()
        before, after = (line for line in output.splitlines() if line.startswith(LANDED))
        assert before == f"{LANDED}absent:/home/demo/.hermes/auth.json"
        assert after.startswith(f"{LANDED}demo:600:1,1,")
        assert after.endswith(":/home/demo/.hermes/auth.json")


def test_the_files_are_what_ssh_reads() -> None:
    """OpenSSH's own reader finds address, user, key and known hosts under the stage's host name."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("no ssh on this machine")
    with demonstration(None) as stage:
        said = subprocess.run(
            [ssh, "-G", "-F", stage.config_file, HOST], capture_output=True, text=True, check=True, timeout=10
        )
        lines = said.stdout.splitlines()
        port = f"port {stage.servers[HOST].port}"
        assert {f"user {USER}", "hostname 127.0.0.1", port, f"proxyjump {JUMP_HOST}"} <= {*lines}
        assert f"identityfile {stage.key_file}" in lines
        assert f"userknownhostsfile {stage.known_hosts_file}" in lines
        assert stat.S_IMODE(stage.key_file.stat().st_mode) == 0o600


def test_the_jump_host_leads_to_the_server() -> None:
    """A connection through the jump host's direct-tcpip channel ends at the other host key."""
    with demonstration(None) as stage:
        key = paramiko.Ed25519Key.from_private_key_file(str(stage.key_file))
        jump = dial(stage.servers[JUMP_HOST].port)
        jump.connect(username=USER, pkey=key)
        server = stage.servers[HOST]
        channel = jump.open_channel("direct-tcpip", ("127.0.0.1", server.port), ("127.0.0.1", 0), timeout=5)
        inner = paramiko.Transport(channel)
        inner.connect(hostkey=server.host_key, username=USER, pkey=key)
        assert inner.is_authenticated()
        inner.close()
        end(jump)
        inner.join()


def test_the_stage_is_gone_within_a_second() -> None:
    """It is, even with a login under way, a page half loaded and a person waiting."""
    with demonstration(None) as stage:
        transport = dial(stage.servers[HOST].port)
        key = paramiko.Ed25519Key.from_private_key_file(str(stage.key_file))
        transport.connect(username=USER, pkey=key)
        url = Command(transport, LOGIN_LINE).url()
        with forwarded(transport, redirect_port(url)):
            stage.person.open(url)
        directory = stage.key_file.parent
        started = time.monotonic()
    assert time.monotonic() - started < 1
    assert not directory.exists()
    end(transport)
