"""How a host is reached: the right one, through another, and until one of them is lost."""

from __future__ import annotations

import pytest

from tests.lab.accounts import PASSWORD
from tests.lab.lab import Lab
from tests.lab.network import wait_for
from tests.lab.pam import PORT, asking
from tests.lab.sshd import make_key, sessions
from tests.lab.tunnel import left_nothing, on_terminal, run

LOGIN = ("login", "xai-oauth")
KNOWN = {
    "[hermes]:{port} {other}": "has CHANGED",
    "[hermes]:{port} {key}\n@revoked * {key}": "is revoked",
    "@cert-authority * {key}": "host certificates are not supported",
}


def test_nothing_is_shown_to_a_server_that_is_not_the_known_one(lab: Lab) -> None:
    """The status is 5, and the server sees no attempt to authenticate."""
    directory = lab.directory / "hermes"
    other = make_key(directory / "other_host_key")
    key = (directory / "host_key_ed25519.pub").read_text()
    file = lab.home / "known_otherwise"
    with lab.sshd("hermes", PORT, LogLevel="DEBUG") as sshd:
        for text, words in KNOWN.items():
            file.write_text(text.format(port=PORT, key=key, other=other))
            done = run(lab, *LOGIN, "boss", "-p", str(PORT), "-o", f"UserKnownHostsFile={file}")
            assert done.status == 5, done.stderr
            assert words in done.stderr
        assert "Connected to boss@boss" in run(lab, *LOGIN, "boss", "-p", str(PORT)).stderr
    unknown, _, known = sshd.printed.rpartition("Connection from")
    assert unknown.count("Connection from") == len(KNOWN)
    assert "userauth-request" not in unknown
    assert "userauth-request" in known


def test_each_hop_has_its_own_user_and_its_own_way_to_ask(lab: Lab) -> None:
    """The jump host takes a password through PAM, the host behind it a key; the prompt says who asks."""
    way = ("boss@inner", "--jump", f"jumper@jump:{PORT}")
    with (
        asking(lab, "jump", "password", AuthenticationMethods="keyboard-interactive"),
        on_terminal(lab, *LOGIN, *way) as tunnel,
    ):
        tunnel.expect(r"\(jumper@jump\) Password: ")
        tunnel.send(f"{PASSWORD}\n")
        tunnel.expect(r"Connected to boss@inner through jumper@jump")
        assert tunnel.wait() == 8


def test_the_ssh_of_a_proxy_command_may_ask(lab: Lab) -> None:
    """It has the person's terminal; without one its own words are the reason: 4, and the hint helps."""
    way = ("boss@inner", "-o", f"ProxyCommand=ssh -p {PORT} -W %h:%p jumper@jump")
    with asking(lab, "jump", "password", AuthenticationMethods="keyboard-interactive"):
        with on_terminal(lab, *LOGIN, *way) as tunnel:
            tunnel.expect(r"\(jumper@jump\) Password: ")
            assert not tunnel.echoes
            tunnel.send(f"{PASSWORD}\n")
            tunnel.expect(r"Connected to boss@inner\b")
            assert tunnel.wait() == 8
            assert tunnel.echoes
        done = run(lab, *LOGIN, *way)
    assert done.status == 4
    assert "ProxyCommand said: jumper@jump: Permission denied (keyboard-interactive)." in done.stderr
    assert "-J HOST" in done.stderr


@pytest.mark.parametrize(
    ("host", "user", "called"),
    [("hermes", "h018", "h018@inner-h018"), ("jump", "jumper", "jump host jumper@jump")],
)
def test_a_connection_that_is_lost(lab: Lab, host: str, user: str, called: str) -> None:
    """We immediately name the hop whose sshd is gone, and offer another try: 4."""
    lab.fresh_home("h018")
    with on_terminal(lab, *LOGIN, "inner-h018", "--no-browser") as tunnel:
        tunnel.expect("Waiting for your browser, 2:5")
        for session in sessions(lab.network.hosts[host], user):
            wait_for(session, 5, kill=True)
        tunnel.expect(f"hermes-tunnel: error: the connection to {called} was lost", deadline=3)
        tunnel.expect(r"Run it again\? \(Enter: no\) \[y/N\] ")
        tunnel.send("\n")
        assert tunnel.wait() == 4
    left_nothing(lab)
