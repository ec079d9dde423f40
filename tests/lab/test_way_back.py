"""The callback gets home, even if a server forbids it, a port is taken, a page shows a code, a net drops."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.lab.lab import Lab
from tests.lab.terminal import Terminal
from tests.lab.tunnel import PROGRAM, left_nothing, on_terminal, run

MCP = "mcp_servers:\n  lab: {url: https://mcp.lab.test/mcp, auth: oauth}\n"
LOGINS = {
    "xai": ["xai-oauth", "h018"],
    "spotify": ["spotify", "h019", "--", "--client-id", "lab"],
    "mcp": ["mcp:lab", "h019", "--allow-host", "mcp.lab.test"],
}
FORBIDDEN: dict[str, dict[str, str]] = {
    "AllowTcpForwarding": {"AllowTcpForwarding": "no"},
    "PermitOpen": {"PermitOpen": "127.0.0.1:1"},
}
URL = r"^ *https://\S+redirect_uri=\S+"


@pytest.fixture(autouse=True)
def fresh(lab: Lab) -> None:
    """Every test starts with providers and accounts that know nothing but an MCP server."""
    lab.identity("POST", "/reset")
    for user in ("h014", "h018", "h019"):
        lab.fresh_home(user)
    lab.remote("h019", f"mkdir -p .hermes && printf %s '{MCP}' > .hermes/config.yaml")


def words(login: str, *options: str) -> list[str]:
    """The words of a login, with our options before Hermes' own."""
    provider, user, *more = LOGINS[login]
    return ["login", provider, user, *options, *more]


@pytest.mark.parametrize("login", LOGINS)
@pytest.mark.parametrize("setting", FORBIDDEN)
def test_a_server_that_forbids_forwarding_is_no_obstacle(lab: Lab, login: str, setting: str) -> None:
    """A command there relays the callback, with nothing to configure; the browser sees the usual page."""
    with lab.sshd("hermes", 2222, **FORBIDDEN[setting]):
        done = run(lab, *words(login, "-p", "2222", "--json"))
    assert done.status == 0, done.stderr
    assert (done.event("callback")["outcome"], done.event("callback")["way"]) == ("delivered", "relay")
    assert lab.page().title == "Back to your terminal"


@pytest.mark.parametrize(("login", "status"), [("xai", 0), ("mcp", 0), ("spotify", 7)])
def test_neither_a_channel_nor_a_second_session(lab: Lab, login: str, status: int) -> None:
    """The command's own prompt is then the last way, if it has one; otherwise 7, naming both settings."""
    with lab.sshd("hermes", 2222, AllowTcpForwarding="no", MaxSessions="1"):
        done = run(lab, *words(login, "-p", "2222", "--json"))
    assert done.status == status, done.stderr
    if status:
        assert "AllowTcpForwarding" in done.stderr
        assert "MaxSessions" in done.stderr
        assert lab.page().title == "Almost"
    else:
        assert done.event("callback")["way"] == "prompt"
        assert lab.page().title == "Back to your terminal"


def test_the_relay_is_never_used_where_it_is_not_wanted(lab: Lab) -> None:
    """--relay never: 7. --relay always: even if a channel would do."""
    with lab.sshd("hermes", 2222, AllowTcpForwarding="no"):
        done = run(lab, *words("xai", "-p", "2222", "--relay", "never"))
    assert done.status == 7
    assert "AllowTcpForwarding" in done.stderr
    assert lab.page().title == "Almost"
    done = run(lab, *words("xai", "--relay", "always", "--json"))
    assert (done.status, done.event("callback")["way"]) == (0, "relay")


@pytest.mark.parametrize("login", ["spotify", "mcp"])
def test_idle_connections_do_no_harm(lab: Lab, login: str) -> None:
    """Both serve in a single thread, MCP only one request: six idle browser connections never get there."""
    with on_terminal(lab, *words(login, "--no-browser")) as tunnel:
        url = tunnel.expect(URL).group().strip()
        tunnel.expect("Waiting for your browser")
        port = int(re.findall(r"127\.0\.0\.1%3A(\d+)", url)[0])
        idle = [lab.network.laptop.connect("127.0.0.1", port) for _ in range(6)]
        assert lab.browse(url).title == "Back to your terminal"
        tunnel.expect("Logged in to .* on h019@h019", deadline=30)
        assert tunnel.wait() == 0
        for connection in idle:
            connection.close()


HOSTILE = """data:text/html,<title>evil</title>
<img src="http://127.0.0.1:56121/callback?error=access_denied">
<iframe src="http://127.0.0.1:56121/callback?error=access_denied%26state=guessed"></iframe>
<script>for (const how of ["cors", "no-cors"])
fetch("http://127.0.0.1:56121/callback?code=x%26state=guessed", {mode: how}).catch(() => 0)</script>"""


def test_a_web_page_that_guesses_the_port_does_no_harm(lab: Lab) -> None:
    """It may use images, frames and fetches, and know the port and the path, but not the state."""
    with on_terminal(lab, *words("xai", "--no-browser")) as tunnel:
        url = tunnel.expect(URL).group().strip()
        tunnel.expect("Waiting for your browser")
        assert lab.browse(HOSTILE).title == "evil"
        assert lab.browse(url).title == "Back to your terminal"
        tunnel.expect("Logged in to xAI on")
        assert tunnel.wait() == 0


@pytest.mark.parametrize("user", ["h014", "h018"])
def test_a_code_that_the_page_shows_is_pasted(lab: Lab, user: str) -> None:
    """It is pasted hidden, while the login waits; a release without a prompt for it gets it all the same."""
    lab.identity("POST", "/decision", {"decision": "show-code"})
    with on_terminal(lab, "login", "xai-oauth", user, "--no-browser") as tunnel:
        url = tunnel.expect(URL).group().strip()
        tunnel.expect("paste|Paste")
        shown = re.search(r"[\w-]{20,}", lab.browse(url).text)
        assert shown is not None
        tunnel.send("not a code\n")
        tunnel.expect("That is not it: it is neither an address of this machine nor a code")
        tunnel.send(f"{shown.group()}\n")
        tunnel.expect("Logged in to xAI on")
        assert tunnel.wait() == 0
        assert tunnel.output.count(shown.group()) == 0
    left_nothing(lab)


def test_the_answer_to_another_login_is_told(lab: Lab) -> None:
    """If the state is not this login's, the page and the terminal say so, and nothing is delivered."""
    lab.identity("POST", "/decision", {"decision": "wrong-state"})
    done = run(lab, *words("xai", "--timeout", "5", "--json"))
    assert done.status == 10
    assert done.event("callback")["outcome"] == "stray"
    assert "only with the answer to another login" in done.stderr
    assert lab.page().title == "Not this login"


@contextmanager
def occupant(lab: Lab, *before: str) -> Iterator[subprocess.Popen[str]]:
    """A process on the laptop that listens on the port of xAI's callback, and says nothing to anybody."""
    program = (
        "import socket, sys, threading; s = socket.create_server(('127.0.0.1', 56121))\n"
        "def serve():\n    while True: s.accept()[0].close()\n"
        "threading.Thread(target=serve, daemon=True).start()\n"
        "print('held', flush=True); sys.stdin.read()"
    )
    argv = [*before, "/usr/bin/python3", "-c", program]
    process = lab.laptop(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.communicate()


def test_the_address_is_pasted_where_the_port_is_taken(lab: Lab) -> None:
    """If it is one's own occupant, named and agreed to, the person pastes the address that failed."""
    options = ["--no-browser", "--on-busy-port", "paste"]
    with occupant(lab) as holder, on_terminal(lab, "login", "xai-oauth", "h018", *options) as tunnel:
        tunnel.expect(rf"\(PID {holder.pid}, user root.*the browser will bring the answer there first")
        tunnel.expect(r"\[y/N\] ")
        tunnel.send("y\n")
        url = tunnel.expect(URL).group().strip()
        tunnel.expect("Paste the address of that page here")
        ended_on = lab.browse(url).url
        assert ended_on.startswith("http://127.0.0.1:56121/callback?code=")
        tunnel.send(f"{ended_on}\n")
        tunnel.expect("Logged in to xAI on", deadline=30)
        assert tunnel.wait() == 0
        assert re.findall("code=([^&]+)", ended_on)[0] not in tunnel.output
        assert holder.poll() is None


def test_a_port_of_somebody_else_is_no_place_for_a_code(lab: Lab) -> None:
    """Another user's process would receive it: 7, and no page opens."""
    with occupant(lab, "setpriv", "--reuid=65534", "--clear-groups"):
        done = run_beside(lab, "login", "xai-oauth", "h018", "--on-busy-port", "paste", "--yes", "--json")
    assert done.returncode == 7
    assert "which would get the answer that the browser brings" in done.stderr
    assert '"browser"' not in done.stdout


def run_beside(lab: Lab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it while something else listens."""
    process = lab.laptop(
        [PROGRAM, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess([], process.returncode, stdout, stderr)


@contextmanager
def waiting(lab: Lab, user: str, command: str) -> Iterator[tuple[Terminal, str]]:
    """A login that somebody started there, in another terminal, and its URL."""
    with lab.terminal(["ssh", "-tt", user, f"~/.local/bin/hermes {command}"]) as terminal:
        yield terminal, terminal.expect(URL).group().strip()


XAI, SPOTIFY = "auth add xai-oauth --no-browser", "auth spotify --no-browser --client-id lab"


@pytest.mark.parametrize(
    ("user", "command", "done"),
    [
        ("h018", XAI, "Saved xai-oauth"),
        ("h019", SPOTIFY, "Spotify login successful"),
        ("h019", "mcp login lab", "Authenticated"),
    ],
)
def test_a_login_that_already_waits_there(lab: Lab, user: str, command: str, done: str) -> None:
    """We ask for its URL and open the tunnel alone; it ends at the callback, and Hermes says the rest."""
    with waiting(lab, user, command) as (hermes, url), on_terminal(lab, "forward", user) as tunnel:
        tunnel.expect(r"\(Enter: look for what waits\): ")
        tunnel.send(f"{url}\n")
        tunnel.expect(r"Waiting for your browser\.")
        assert "Only the port is known" not in tunnel.output
        assert lab.browse(url).title == "Back to your terminal"
        tunnel.expect(f"delivered to port [0-9]+ on {user}@{user}")
        assert tunnel.wait() == 0
        hermes.expect(done)
    left_nothing(lab)


def test_a_port_is_enough(lab: Lab) -> None:
    """The port's known path is used, and we say that this is weaker."""
    with waiting(lab, "h018", XAI) as (hermes, url), on_terminal(lab, "forward", "h018", "56121") as tunnel:
        tunnel.expect("Only the port is known")
        tunnel.expect("Waiting for your browser")
        assert lab.browse(url).title == "Back to your terminal"
        assert tunnel.wait() == 0
        hermes.expect("Saved xai-oauth")


def test_the_tunnel_comes_back_by_itself(lab: Lab) -> None:
    """Its connection is killed there; the browser that then comes is held until the next one is up."""
    with waiting(lab, "h018", XAI) as (hermes, url), on_terminal(lab, "forward", "h018") as tunnel:
        tunnel.expect("look for what waits")
        tunnel.send("\n")
        tunnel.expect("Waiting for your browser")
        lab.end_last_session("hermes")
        assert lab.browse(url).title == "Back to your terminal"
        tunnel.expect("delivered to port 56121")
        assert tunnel.wait() == 0
        assert tunnel.output.count("Connected to h018@h018") == 2
        hermes.expect("Saved xai-oauth")


@pytest.mark.parametrize("setting", [{}, {"AllowTcpForwarding": "no"}])
def test_the_address_of_a_page_that_did_not_open_is_pasted(lab: Lab, setting: dict[str, str]) -> None:
    """Nobody had a tunnel, so the page could not open; its address still gets there."""
    with lab.sshd("hermes", 2222, **setting), waiting(lab, "h018", XAI) as (hermes, url):
        address = lab.browse(url).url
        assert address.startswith("http://127.0.0.1:56121/callback?")
        done = run(lab, "paste", "h018", "-p", "2222", stdin=f"{address}\n", left=False)
        assert done.status == 0, done.stderr
        assert done.stdout.startswith("paste: delivered to port 56121 on h018@h018;")
        assert re.findall("code=([^&]+)", address)[0] not in done.stdout + done.stderr
        hermes.expect("Saved xai-oauth")


def test_a_pasted_address_is_asked_for_unseen(lab: Lab) -> None:
    """On a terminal it is asked for hidden."""
    with waiting(lab, "h018", XAI) as (hermes, url), on_terminal(lab, "paste", "h018") as tunnel:
        address = lab.browse(url).url
        tunnel.expect(r"\(it stays hidden\):")
        tunnel.send(f"{address}\n")
        assert tunnel.wait() == 0
        assert re.findall("code=([^&]+)", address)[0] not in tunnel.output
        hermes.expect("Saved xai-oauth")
