"""What goes wrong around a login: ports, policies, networks, signals. No ending leaves anything behind."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.accounts import PASSWORD
from tests.lab.lab import Lab
from tests.lab.network import wait_for
from tests.lab.pam import PORT, asking
from tests.lab.tunnel import PROGRAM, left_nothing, listeners, on_terminal, run

if sys.platform != "linux":
    pytest.skip("the lab needs Linux", allow_module_level=True)

WAITING = "Waiting for your browser, 2:5"


@pytest.fixture(autouse=True)
def fresh(lab: Lab) -> None:
    """Every test starts with providers and an account that know nothing."""
    lab.identity("POST", "/reset")
    lab.fresh_home("h018")


@contextmanager
def held_port(lab: Lab) -> Iterator[subprocess.Popen[str]]:
    """A process on the laptop that holds the port of xAI's callback."""
    program = (
        "import socket, sys; s = socket.create_server(('127.0.0.1', 56121));"
        "print('held', flush=True); sys.stdin.read()"
    )
    process = lab.laptop(["python3", "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.communicate()


def test_a_taken_port_names_its_occupant(lab: Lab) -> None:
    """The status is 7, with PID and program, and no page opens; ``port`` says the same."""
    with held_port(lab) as holder:
        process = lab.laptop(
            [PROGRAM, "login", "xai-oauth", "h018", "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stdout, stderr = process.communicate(timeout=60)
        assert process.returncode == 7
        assert f"(PID {holder.pid}, user root" in stderr
        assert '"browser"' not in stdout
        port = lab.laptop([PROGRAM, "port", "56121"], stdout=subprocess.PIPE, text=True)
        assert f"(PID {holder.pid}, user root" in port.communicate(timeout=20)[0]
        assert port.returncode == 7
    left_nothing(lab)


@pytest.mark.parametrize("options", [["--on-busy-port", "kill"], []])
def test_the_occupant_is_ended_after_a_yes(lab: Lab, options: list[str]) -> None:
    """The question names it; after a yes the login goes on."""
    with held_port(lab) as holder, on_terminal(lab, "login", "xai-oauth", "h018", *options) as tunnel:
        tunnel.expect(rf"taken by python3\S* \(PID {holder.pid}, user root.*\s+\S*End it\? .*\[y/N\] ")
        tunnel.send("y\n")
        tunnel.expect("Logged in to xAI on", deadline=40)
        assert tunnel.wait() == 0
        assert holder.wait(5) == -signal.SIGTERM


def test_a_no_leaves_the_occupant_alone(lab: Lab) -> None:
    """Anything but a yes is a no: 7."""
    with held_port(lab) as holder, on_terminal(lab, "login", "xai-oauth", "h018") as tunnel:
        tunnel.expect(r"\[y/N\] ")
        tunnel.send("\n")
        assert tunnel.wait() == 7
        assert holder.poll() is None


def test_a_server_that_gives_no_session(lab: Lab) -> None:
    """The status is 8, and the failure names the setting."""
    with lab.sshd("hermes", 2222, MaxSessions="0"):
        done = run(lab, "login", "xai-oauth", "h018", "-p", "2222")
    assert done.status == 8
    assert "MaxSessions" in done.stderr


@pytest.mark.parametrize("user", ["h014", "h018", "h019", "fishy"])
@pytest.mark.parametrize("sessions", ["10", "1"])
def test_a_server_that_gives_no_terminal(lab: Lab, user: str, sessions: str) -> None:
    """The command runs without one, whatever kind of login it is, even if only one session is allowed."""
    lab.fresh_home(user)
    with lab.sshd("hermes", 2222, PermitTTY="no", MaxSessions=sessions):
        done = run(lab, "login", "xai-oauth", user, "-p", "2222")
    assert done.status == 0, done.stderr
    assert f"auth.json (owner {user}, mode 600)" in done.stdout
    assert "without a terminal: the server gives it none" in done.stderr


def test_without_a_terminal_sudo_is_answered(lab: Lab) -> None:
    """Its password and the answers to the command go to standard input there, one after the other."""
    lab.fresh_home("svc")
    way = ("login", "spotify", "boss2", "-p", "2222", "--as-user", "svc")
    with lab.sshd("hermes", 2222, PermitTTY="no"), on_terminal(lab, *way) as tunnel:
        tunnel.expect(r"\(boss2@boss2\) sudo's password: ")
        tunnel.send(f"{PASSWORD}\n")
        tunnel.expect(r"\(boss2@boss2\) Spotify Client ID: ")
        tunnel.send("my client-id\n")
        tunnel.expect(
            r"Logged in to Spotify on svc@boss2\S*\s+Credential:\s+\S+\s+\(owner\s+svc,", deadline=40
        )
        assert tunnel.wait() == 0
    assert PASSWORD not in tunnel.output
    left_nothing(lab)


def test_without_a_terminal_a_login_that_insists_on_one(lab: Lab) -> None:
    """The status is 8, with its own words and the setting to change, or the start-up file that took it."""
    lab.fresh_home("h019")
    mcp = "mcp_servers:\n  lab: {url: https://mcp.lab.test/mcp, auth: oauth}\n"
    lab.remote("h019", f"mkdir -p .hermes && printf %s '{mcp}' > .hermes/config.yaml")
    words = ("login", "mcp:lab", "h019", "--allow-host", "mcp.lab.test")
    with lab.sshd("hermes", 2222, PermitTTY="no"):
        done = run(lab, *words, "-p", "2222")
    assert done.status == 8, done.stderr
    assert "non-interactive environment" in done.stderr
    assert "PermitTTY yes" in done.stderr
    lab.remote("h019", "sed -i '1i [ -t 0 ] && exec sh' .bashrc")
    done = run(lab, *words)
    assert done.status == 8, done.stderr
    assert "look for exec in ~/.bashrc there" in done.stderr
    lab.fresh_home("h019")


@pytest.mark.parametrize(
    ("user", "file", "line"),
    [
        ("h018", ".bashrc", "[ -t 0 ] && exec fish"),
        ("h018", ".bashrc", "[ -t 0 ] && exec false"),
        ("fishy", ".config/fish/config.fish", "isatty stdin; and exec bash"),
    ],
)
def test_a_start_up_file_that_takes_the_terminal(lab: Lab, user: str, file: str, line: str) -> None:
    """The login runs without one, and we say whose doing that is."""
    lab.fresh_home(user)
    lab.remote(user, f"sed -i '1i {line}' {file}")
    done = run(lab, "login", "xai-oauth", user)
    assert done.status == 0, done.stderr
    assert "without a terminal: a start-up file of /" in done.stderr
    lab.fresh_home(user)


def test_a_start_up_file_that_fails_without_a_terminal(lab: Lab) -> None:
    """We need no second session to see the credential: it would have no terminal."""
    lab.remote("h018", "sed -i '1i set -e; stty sane; set +e' .bashrc")
    done = run(lab, "login", "xai-oauth", "h018")
    assert done.status == 0, done.stderr
    assert "auth.json (owner h018, mode 600)" in done.stdout


def test_one_session_is_enough(lab: Lab) -> None:
    """With MaxSessions 1 the command has the only session; the callback does not need one."""
    with lab.sshd("hermes", 2222, MaxSessions="1"):
        done = run(lab, "login", "xai-oauth", "h018", "-p", "2222")
    assert done.status == 0, done.stderr


def test_an_unknown_host_key(lab: Lab) -> None:
    """Without a terminal it is refused; on one we ask, and write exactly one line."""
    known_hosts = lab.home / ".ssh" / "known_hosts"
    before = known_hosts.read_bytes()
    known_hosts.write_bytes(b"# a comment that stays\n")
    try:
        assert run(lab, "login", "xai-oauth", "h018").status == 5
        assert known_hosts.read_bytes() == b"# a comment that stays\n"
        with on_terminal(lab, "login", "xai-oauth", "h018") as tunnel:
            tunnel.expect(r"SHA256:\S{43}")
            tunnel.expect(r"\(yes/no/\[fingerprint\]\)\? ")
            tunnel.send("yes\n")
            tunnel.expect("Logged in to xAI on", deadline=40)
            assert tunnel.wait() == 0
        comment, *lines = known_hosts.read_bytes().splitlines(keepends=True)
        assert comment == b"# a comment that stays\n"
        assert len(lines) == 1
    finally:
        known_hosts.write_bytes(before)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_it_in_good_order(lab: Lab, number: signal.Signals, status: int) -> None:
    """While we wait for the browser: listener, remote command and connection end, then comes the status."""
    with on_terminal(lab, "login", "xai-oauth", "h018", "--no-browser") as tunnel:
        tunnel.expect(WAITING)
        if number is signal.SIGINT:
            tunnel.send("\x03")
        else:
            tunnel.process.send_signal(number)
        assert tunnel.wait(5) == status
    left_nothing(lab)


@pytest.mark.parametrize("account", [("h018",), ("boss", "--as-user", "svc")], ids=["direct", "sudo"])
@pytest.mark.parametrize("permit", ["yes", "no"])
def test_not_even_sigkill_leaves_an_orphan(lab: Lab, account: tuple[str, ...], permit: str) -> None:
    """Once the connection is gone the terminal there hangs up; where there is none, the lifeline ends."""
    words = ("login", "xai-oauth", *account, "--no-browser", "-p", "2222")
    with lab.sshd("hermes", 2222, PermitTTY=permit):
        with on_terminal(lab, *words) as tunnel:
            tunnel.expect(WAITING)
            (hermes,) = lab.hermes_processes()
            tunnel.process.kill()
            wait_for(hermes, 5)
        left_nothing(lab)
        shells = lab.running(lab.network.hermes, "sh", "cat", "sudo")
        for shell in shells:
            wait_for(shell, 5)


def test_a_silent_network_is_noticed(lab: Lab) -> None:
    """After three unanswered probes, five seconds apart, the end is 4, and we offer another try."""
    with on_terminal(lab, "login", "xai-oauth", "h018", "--no-browser") as tunnel:
        tunnel.expect(WAITING)
        lab.network.unplug("laptop")
        try:
            began = time.monotonic()
            tunnel.expect(r"hermes-tunnel: error: .*has not answered for 15 s", deadline=25)
            assert time.monotonic() - began < 22
            tunnel.expect(r"Run it again\? \(Enter: no\) \[y/N\] ")
        finally:
            lab.network.plug("laptop")
        tunnel.send("n\n")
        assert tunnel.wait() == 4
    assert listeners(lab) == []
    # That Hermes cannot know: its server has no ClientAliveInterval. It would wait until its own time is up.
    for orphan in lab.hermes_processes():
        wait_for(orphan, 5, kill=True)


def test_a_silent_network_is_noticed_while_a_password_is_asked_for(lab: Lab) -> None:
    """Even before the person is in, when ServerAlive cannot probe yet: 4, after as many seconds."""
    way = ("login", "xai-oauth", "boss", "-p", str(PORT))
    with (
        asking(lab, "hermes", "password", AuthenticationMethods="keyboard-interactive"),
        on_terminal(lab, *way) as tunnel,
    ):
        tunnel.expect(r"\(boss@boss\) Password: ")
        lab.network.unplug("laptop")
        try:
            began = time.monotonic()
            tunnel.send(f"{PASSWORD}\n")
            tunnel.expect("hermes-tunnel: error: boss@boss has not answered for 15 s", deadline=22)
            assert time.monotonic() - began < 22
        finally:
            lab.network.plug("laptop")
        assert tunnel.wait() == 4


def test_a_timeout_on_a_terminal_offers_another_try(lab: Lab) -> None:
    """The second run is a whole login."""
    with on_terminal(lab, "login", "xai-oauth", "h018", "--no-browser", "--timeout", "2") as tunnel:
        tunnel.expect(r"Run it again\? \(Enter: no\) \[y/N\] ")
        tunnel.send("y\n")
        url = tunnel.expect(r"^https://auth\.x\.ai/oauth2/authorize\S+").group()
        tunnel.expect(r"Run it again\? \(Enter: no\) \[y/N\] ")
        tunnel.send("\n")
        assert tunnel.wait() == 10
    assert url
    left_nothing(lab)


def test_an_idle_browser_connection_delays_nobody(lab: Lab) -> None:
    """0.14.0 serves in a single thread: a connection that a browser opens ahead of need never gets there."""
    lab.fresh_home("h014")
    with on_terminal(lab, "login", "xai-oauth", "h014", "--no-browser") as tunnel:
        url = tunnel.expect(r"^https://auth\.x\.ai/oauth2/authorize\S+").group().strip()
        tunnel.expect(WAITING)
        idle = [lab.network.laptop.connect("127.0.0.1", 56121) for _ in range(6)]
        assert lab.browse(url).title == "Back to your terminal"
        tunnel.expect("Logged in to xAI on")
        assert tunnel.wait() == 0
        for connection in idle:
            connection.close()
