"""The stage: a complete login with nothing but a plain SSH client."""

from __future__ import annotations

import shutil
import stat
import subprocess
import time

import paramiko
import pytest

from hermes_tunnel.demo.authorization_server import Answer
from hermes_tunnel.demo.person import Person
from hermes_tunnel.demo.stage import HOST, JUMP_HOST, USER, Stage
from tests.demo.client import (
    LANDING_LINE,
    LOGIN_LINE,
    NONCE,
    Command,
    connected,
    dial,
    end,
    forwarded,
    redirect_port,
)


def test_a_person_who_approves_on_the_page_logs_hermes_in() -> None:
    """A command, its authorization URL, a forwarded port, a page and a button make a complete login."""
    with Stage() as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        with forwarded(transport, redirect_port(url)):
            assert stage.person.open(url)
            visit = stage.person.wait()
        assert visit.status == 200
        assert "received" in visit.text
        output = command.read_all()
        assert command.status() == 0
        assert (
            f"hermes-tunnel:{NONCE}:begin:demo:/home/demo/.hermes:/home/demo/.local/bin/hermes:/bin/sh\r\n"
            in output
        )
        assert 'Saved xai-oauth OAuth credentials: "demo@hermes-demo"\r\n' in output
        (credential,) = stage.hermes.credentials
        assert credential.access_token in stage.authorization.grants.tokens
        assert credential.access_token not in output + repr(credential)


def test_a_person_who_denies_on_the_page_does_not() -> None:
    """The other button ends the command with status 1, the provider's words, and no credential."""
    with Stage() as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        person = Person(Answer.DENY)
        with forwarded(transport, redirect_port(url)):
            person.open(url)
            assert person.wait().status == 200
        person.close()
        output = command.read_all()
        assert command.status() == 1
        assert "authorization failed: The person denied access" in output
        assert not stage.hermes.credentials


@pytest.mark.parametrize(("answer", "status"), [(Answer.APPROVE, 0), (Answer.DENY, 1)])
def test_without_a_person_the_server_answers_by_itself(answer: Answer, status: int) -> None:
    """With an answer given beforehand no page is shown: the browser is sent on at once."""
    with Stage(answer) as stage, connected(stage) as transport:
        command = Command(transport, LOGIN_LINE)
        url = command.url()
        with forwarded(transport, redirect_port(url)):
            stage.person.open(url)
            stage.person.wait()
        command.read_all()
        assert command.status() == status


def test_the_landing_can_be_looked_at() -> None:
    """It is absent before the login, and somebody's after it."""
    with Stage(Answer.APPROVE) as stage, connected(stage) as transport:
        before = Command(transport, LANDING_LINE, pty=False)
        absent = f"hermes-tunnel:{NONCE}:landed:absent:/home/demo/.hermes/auth.json\n"
        assert (before.read_all(), before.status()) == (absent, 0)
        stage.hermes.store("token")
        after = Command(transport, LANDING_LINE, pty=False)
        answer, _, path = after.read_all().strip().rpartition(":")
        assert answer.startswith(f"hermes-tunnel:{NONCE}:landed:demo:600:")
        assert path == "/home/demo/.hermes/auth.json"


def test_the_files_are_what_ssh_reads() -> None:
    """OpenSSH's own reader finds address, user, key and known hosts under the stage's host name."""
    ssh = shutil.which("ssh")
    if ssh is None:
        pytest.skip("no ssh on this machine")
    with Stage(jump=True) as stage:
        said = subprocess.run(
            [ssh, "-G", "-F", stage.config_file, HOST], capture_output=True, text=True, check=True, timeout=10
        )
        lines = said.stdout.splitlines()
        assert {f"user {USER}", "hostname 127.0.0.1", f"port {stage.port}", f"proxyjump {JUMP_HOST}"} <= {
            *lines
        }
        assert f"identityfile {stage.key_file}" in lines
        assert f"userknownhostsfile {stage.known_hosts_file}" in lines
        assert stat.S_IMODE(stage.key_file.stat().st_mode) == 0o600


def test_the_jump_host_leads_to_the_server() -> None:
    """A connection through the jump host's direct-tcpip channel ends at the other host key."""
    with Stage(jump=True) as stage:
        assert stage.jump_server is not None
        key = paramiko.Ed25519Key.from_private_key_file(str(stage.key_file))
        jump = dial(stage.jump_server.port)
        jump.connect(username=USER, pkey=key)
        channel = jump.open_channel("direct-tcpip", ("127.0.0.1", stage.port), ("127.0.0.1", 0), timeout=5)
        inner = paramiko.Transport(channel)
        inner.connect(hostkey=stage.server.host_key, username=USER, pkey=key)
        assert inner.is_authenticated()
        inner.close()
        end(jump)
        inner.join()


def test_the_stage_is_gone_within_a_second() -> None:
    """With a login under way, a page half loaded and a person waiting, leaving takes less than a second."""
    with Stage() as stage:
        transport = dial(stage.port)
        key = paramiko.Ed25519Key.from_private_key_file(str(stage.key_file))
        transport.connect(username=USER, pkey=key)
        url = Command(transport, LOGIN_LINE).url()
        with forwarded(transport, redirect_port(url)):
            stage.person.open(url)
            stage.person.wait()
        directory = stage.key_file.parent
        started = time.monotonic()
    assert time.monotonic() - started < 1
    assert not directory.exists()
    end(transport)
