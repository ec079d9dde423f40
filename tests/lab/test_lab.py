"""The lab itself: a login by hand, with nothing but ssh and a browser, in each release of Hermes.

This is what hermes-tunnel does for a person. If one of these fails, look at the lab first.
"""

from __future__ import annotations

import re
import socket
import subprocess

import pytest

from tests.lab.lab import Lab
from tests.lab.network import ADDRESSES, INNER, wait_for
from tests.lab.tunnel import left_nothing, run

SSH = ["ssh", "-o", "BatchMode=yes", "-tt"]
SPOTIFY = "~/.local/bin/hermes auth spotify --no-browser --client-id lab"

MCP = """
mcp_servers:
  lab: {url: https://mcp.lab.test/mcp, auth: oauth, oauth: {redirect_port: 43999}}
"""


def hermes(argument: str) -> str:
    """A Hermes command as it must be typed if ~/.local/bin is not on the PATH."""
    return f"~/.local/bin/hermes {argument}"


@pytest.fixture(autouse=True)
def fresh(lab: Lab) -> None:
    """Every test starts with providers that know nothing."""
    lab.identity("POST", "/reset")


@pytest.mark.parametrize(
    ("user", "success"),
    [("h014", "Added xai-oauth OAuth credential"), ("h018", "Saved xai-oauth OAuth credentials")],
)
@pytest.mark.parametrize("decision", ["redirect", "fetch"])
def test_a_loopback_login_works_over_a_forwarded_port(
    lab: Lab, user: str, success: str, decision: str
) -> None:
    """Up to 0.18.0 xAI has one: the browser reaches Hermes' listener through ``ssh -L``."""
    lab.fresh_home(user)
    lab.identity("POST", "/decision", {"decision": decision})
    forward = ["-L", "56121:127.0.0.1:56121"]
    with lab.terminal([*SSH, *forward, user, hermes("auth add xai-oauth --no-browser")]) as ssh:
        url = ssh.expect(r"https://auth\.x\.ai/oauth2/authorize\S+").group()
        ssh.expect("Waiting for callback on http://127.0.0.1:56121/callback")
        page = lab.browse(url)
        ssh.expect(success)
        assert ssh.wait() == 0
    assert ("127.0.0.1:56121/callback?" in page.url) == (decision == "redirect"), page
    assert "logged in" in lab.remote(user, "hermes auth status xai-oauth")
    assert lab.hermes_processes() == []


@pytest.mark.parametrize("alias", ["h019", "inner-h019"])
def test_spotify_calls_back_through_the_forward(lab: Lab, alias: str) -> None:
    """Spotify in 0.19.0, directly and by way of the jump host: a fixed port, another path."""
    lab.fresh_home("h019")
    with lab.terminal([*SSH, "-L", "43827:127.0.0.1:43827", alias, SPOTIFY]) as ssh:
        url = ssh.expect(r"https://accounts\.spotify\.com/authorize\S+").group()
        page = lab.browse(url)
        ssh.expect("Spotify login successful!")
        assert ssh.wait() == 0
    assert page.url.startswith("http://127.0.0.1:43827/spotify/callback?")


def test_an_mcp_server_calls_back_through_the_forward(lab: Lab) -> None:
    """Hermes 0.19.0 logs in to an MCP server on a configured port, which plain ssh must know beforehand."""
    lab.fresh_home("h019")
    lab.remote("h019", f"mkdir .hermes && printf %s '{MCP}' > .hermes/config.yaml")
    with lab.terminal([*SSH, "-L", "43999:127.0.0.1:43999", "h019", hermes("mcp login lab")]) as ssh:
        page = lab.browse(ssh.expect(r"https://mcp\.lab\.test/authorize\S+").group())
        ssh.expect("✓ Authenticated — 1 tool")
        assert ssh.wait() == 0
    assert page.url.startswith("http://127.0.0.1:43999/callback?")


def test_xai_is_a_device_login_since_0_18_1(lab: Lab) -> None:
    """In 0.19.0 nothing is forwarded for xAI: the person confirms a code."""
    lab.fresh_home("h019")
    with lab.terminal([*SSH, "h019", hermes("auth add xai-oauth --no-browser")]) as ssh:
        page = lab.browse(ssh.expect(r"https://accounts\.x\.ai/\S+user_code=\S+").group())
        ssh.expect("Added xai-oauth OAuth credential")
        assert ssh.wait() == 0
    assert "connected" in page.text


def test_a_denied_login_ends_without_a_credential(lab: Lab) -> None:
    """The person at the browser decides, and Hermes hears about it."""
    lab.fresh_home("h018")
    lab.identity("POST", "/decision", {"decision": "deny"})
    forward = ["-L", "56121:127.0.0.1:56121"]
    with lab.terminal([*SSH, *forward, "h018", hermes("auth add xai-oauth --no-browser")]) as ssh:
        lab.browse(ssh.expect(r"https://auth\.x\.ai/oauth2/authorize\S+").group())
        ssh.expect("AuthError: xAI authorization failed")
        assert ssh.wait() == 1
    assert "logged out" in lab.remote("h018", "hermes auth status xai-oauth")


def test_a_browser_that_gives_up_says_why(lab: Lab) -> None:
    """Whoever started it hears nothing from it, and would wait in vain for a callback."""
    lab.network.laptop.run([lab.browser, "--deadline", "0", "https://auth.x.ai/"], env=lab.environment)
    with pytest.raises(AssertionError, match=r"(?s)no page was seen: .*did not come to rest in time"):
        lab.page()


def test_a_run_that_does_not_end_is_told_with_what_it_said(lab: Lab) -> None:
    """We end it, so that later tests have the port."""
    with pytest.raises(AssertionError, match="Waiting for your browser"):
        run(lab, "login", "xai-oauth", "h018", "--no-browser", deadline=15)
    left_nothing(lab)


def test_the_browser_trusts_the_authority_of_the_lab_and_no_other(lab: Lab) -> None:
    """The providers' certificates are really checked."""
    assert lab.browse("https://auth.x.ai/").title == "Not found"
    assert "ERR_CERT_COMMON_NAME_INVALID" in lab.browse(f"https://{ADDRESSES['providers']}/").text


def test_each_host_has_a_loopback_of_its_own(lab: Lab) -> None:
    """The same port can be taken on the laptop and on the Hermes host at the same time."""
    for host in (lab.network.laptop, lab.network.hermes):
        host.call(lambda: socket.create_server(("127.0.0.1", 56121))).close()
    with lab.network.laptop.call(lambda: socket.create_server(("127.0.0.1", 56121))):
        with pytest.raises(ConnectionRefusedError):
            lab.network.hermes.connect("127.0.0.1", 56121)
        with pytest.raises(OSError, match="in use"):
            lab.network.laptop.call(lambda: socket.create_server(("127.0.0.1", 56121)))


def test_inner_is_reached_by_the_jump_host_only(lab: Lab) -> None:
    """The private link is private."""
    with lab.network.jump.connect(INNER, 22) as connection:
        assert connection.recv(4) == b"SSH-"
    with pytest.raises(OSError, match="unreachable"):
        lab.network.laptop.connect(INNER, 22)


def test_an_unplugged_host_is_silent(lab: Lab) -> None:
    """A lost network refuses nothing: it just does not answer."""
    lab.network.unplug("laptop")
    try:
        with pytest.raises(TimeoutError):
            lab.network.laptop.connect(ADDRESSES["hermes"], 22, timeout=1)
    finally:
        lab.network.plug("laptop")
    lab.network.laptop.connect(ADDRESSES["hermes"], 22, timeout=10).close()


@pytest.mark.parametrize(
    ("alias", "command", "found"),
    [
        ("h018", "command -v hermes", False),
        ("h018", "bash -lc 'command -v hermes'", True),
        ("fishy", "command -v hermes", True),
        ("boss", "sudo -n -H -u svc ~svc/.local/bin/hermes --version", True),
        ("boss2", "sudo -n -H -u svc ~svc/.local/bin/hermes --version", False),
        ("svc", "true", False),
    ],
)
def test_hermes_is_where_its_installer_puts_it(lab: Lab, alias: str, command: str, found: bool) -> None:
    """It is on the PATH of a login shell and of fish, and of no other; sudo finds it for those who may."""
    ssh = lab.laptop([*SSH[:-1], alias, command], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output, errors = ssh.communicate(timeout=30)
    assert (ssh.returncode == 0) == found, output + errors


def test_temporary_files_stay_in_the_lab(lab: Lab) -> None:
    """Some programs leave them behind, as podman does for an account without a runtime directory."""
    lab.remote("dock", "podman container exists none; true")
    assert (lab.directory / "hermes" / "tmp" / "podman-run-2025").is_dir()


def test_sudo_asks_boss2_for_a_password(lab: Lab) -> None:
    """A test can answer on a terminal as a person would."""
    with lab.terminal([*SSH, "boss2", "sudo -H -u svc ~svc/.local/bin/hermes --version"]) as ssh:
        ssh.expect(r"password for boss2: ")
        ssh.send("correct horse\n")
        ssh.expect(r"Hermes Agent v0\.18\.0")
        assert ssh.wait() == 0


@pytest.mark.parametrize(
    ("settings", "methods"),
    [
        ({"PasswordAuthentication": "yes"}, "password"),
        ({"KbdInteractiveAuthentication": "yes", "UsePAM": "yes"}, "keyboard-interactive"),
    ],
)
def test_an_sshd_may_ask_for_a_password(lab: Lab, settings: dict[str, str], methods: str) -> None:
    """An sshd with any settings can run beside the ordinary one, and the laptop knows its key."""
    ask = ["-p", "2222", "-o", f"PreferredAuthentications={methods}"]
    with lab.sshd("hermes", 2222, **settings), lab.terminal(["ssh", *ask, "h018", "id", "-un"]) as ssh:
        ssh.expect(r"[Pp]assword: ")
        ssh.send("correct horse\n")
        ssh.expect(r"^h018")
        assert ssh.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        lab.network.laptop.connect(ADDRESSES["hermes"], 2222)


def test_an_sshd_may_forbid_forwarding(lab: Lab) -> None:
    """``AllowTcpForwarding no`` is what a relay is for."""
    with lab.sshd("hermes", 2222, AllowTcpForwarding="no"):
        argv = ["ssh", "-p", "2222", "-W", "127.0.0.1:22", "h018"]
        ssh = lab.laptop(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        output, _ = ssh.communicate(timeout=30)
    assert ssh.returncode != 0
    assert re.search("administratively prohibited", output)


def test_hermes_ends_when_its_terminal_is_closed(lab: Lab) -> None:
    """Hermes' processes are seen while they run, and nobody else's are."""
    with lab.terminal([*SSH, "h018", hermes("auth add xai-oauth --no-browser")]) as ssh:
        ssh.expect("Waiting for callback")
        (process,) = lab.hermes_processes()
    wait_for(process, 10)
    assert lab.hermes_processes() == []
