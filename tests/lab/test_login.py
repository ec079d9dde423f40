"""The main job, against real Hermes over a real sshd, with a real browser."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest

from tests.lab.lab import Lab
from tests.lab.tunnel import left_nothing, listeners, on_terminal, run

MCP = "mcp_servers:\n  lab: {url: https://mcp.lab.test/mcp, auth: oauth}\n"
ALLOW_LAB = ("--allow-host", "mcp.lab.test")
LOOPBACK_RELEASES = ("h014", "h018")


@pytest.fixture(autouse=True)
def fresh(lab: Lab) -> None:
    """Every test starts with providers and accounts that know nothing."""
    lab.identity("POST", "/reset")
    for user in ("h014", "h018", "h019", "svc", "fishy"):
        lab.fresh_home(user)


def decide(lab: Lab, decision: str) -> None:
    """What the person does at the provider from now on."""
    lab.identity("POST", "/decision", {"decision": decision})


def configure_mcp(lab: Lab) -> None:
    """Let Hermes 0.19.0 know the MCP server ``lab``."""
    lab.remote("h019", f"mkdir -p .hermes && printf %s '{MCP}' > .hermes/config.yaml")


@pytest.mark.parametrize("user", LOOPBACK_RELEASES)
@pytest.mark.parametrize("decision", ["redirect", "fetch"])
def test_a_loopback_login(lab: Lab, user: str, decision: str) -> None:
    """Up to 0.18.0 the browser comes back to this machine, by navigating or by fetching."""
    decide(lab, decision)
    done = run(lab, "login", "xai-oauth", user)
    assert done.status == 0, done.stderr
    assert "Hermes is finishing the login" in done.stderr
    assert re.fullmatch(
        rf"xai-oauth: logged in on {user}@{user}; credential in \S+/auth.json \(owner {user}, mode 600\)\n",
        done.stdout,
    )
    page = lab.page()
    if decision == "redirect":
        assert page.title == "Back to your terminal"
    assert "logged in" in lab.remote(user, "hermes auth status xai-oauth")


@pytest.mark.parametrize("way", [["inner-h018"], ["h014@inner", "--jump", "jump"]])
def test_a_jump_host_carries_the_callback(lab: Lab, way: list[str]) -> None:
    """With ProxyJump in ssh_config or with --jump, it reaches a host that only the jump host reaches."""
    done = run(lab, "login", "xai-oauth", *way, "--json")
    assert done.status == 0, done.stderr
    assert done.event("connected")["via"] == ["jumper@jump"]
    assert done.event("forwarding")["port"] == 56121


def test_the_callback_port_is_never_on_a_jump_host(lab: Lab) -> None:
    """It is open on the laptop and on the Hermes host only, each on its own loopback."""
    with on_terminal(lab, "login", "xai-oauth", "inner-h018", "--no-browser") as tunnel:
        tunnel.expect("Waiting for your browser")
        assert len(listeners(lab)) == 1
        assert "127.0.0.1:56121" in listeners(lab)[0]
        with pytest.raises(ConnectionRefusedError):
            lab.network.jump.connect("127.0.0.1", 56121)


def test_the_forward_moves_with_the_port(lab: Lab) -> None:
    """If 56121 is taken there, Hermes takes another port, and so does the local forward."""
    with lab.network.hermes.call(lambda: socket.create_server(("127.0.0.1", 56121))):
        done = run(lab, "login", "xai-oauth", "h018", "--json")
    assert done.status == 0, done.stderr
    port = done.event("forwarding")["port"]
    assert port not in (0, 56121)
    assert f"127.0.0.1%3A{port}%2Fcallback" in done.event("authorization")["url"]


@pytest.mark.parametrize("provider", ["xai-oauth", "nous", "minimax-oauth"])
def test_a_device_login_needs_no_tunnel(lab: Lab, provider: str) -> None:
    """The verification page opens here, the code is shown, nothing is forwarded, and we say so."""
    done = run(lab, "login", provider, "h019")
    assert done.status == 0, done.stderr
    assert "This login needs no tunnel" in done.stderr
    assert re.search(r"^Your code, if the page asks: [A-Z]{4}-[A-Z]{4}$", done.stderr, re.MULTILINE)
    assert "The tunnel is open" not in done.stderr


def test_a_device_login_whose_code_is_typed(lab: Lab) -> None:
    """Codex's page has no code in its address: the person types the one shown."""
    with on_terminal(lab, "login", "openai-codex", "h019", "--no-browser") as tunnel:
        url = tunnel.expect(r"^https://auth\.openai\.com/\S+").group()
        code = tunnel.expect(r"Enter this code on the page: ([A-Z-]+)")[1]
        tunnel.expect("Waiting for your approval, 1[45]:")
        lab.browse(f"{url.strip()}?user_code={code}")
        tunnel.expect("Logged in to OpenAI Codex on h019@h019")
        assert tunnel.wait() == 0


def test_spotify_asks_for_its_client_id_the_first_time(lab: Lab) -> None:
    """The command's own prompt is shown here, and the person answers it once, visibly."""
    with on_terminal(lab, "login", "spotify", "inner-h019") as tunnel:
        tunnel.expect(r"\(h019@inner-h019\) Spotify Client ID: ")
        tunnel.send("my-client-id\n")
        tunnel.expect(r"client_id=my-client-id&\S*127\.0\.0\.1%3A43827%2Fspotify%2Fcallback")
        tunnel.expect("Logged in to Spotify on h019@inner-h019", deadline=40)
        assert tunnel.wait() == 0
    assert lab.page().title == "Back to your terminal"


def test_an_mcp_server(lab: Lab) -> None:
    """Its listener serves one request, an option vouches for the issuer, and the exit status says nothing."""
    configure_mcp(lab)
    done = run(lab, "login", "mcp:lab", "h019", *ALLOW_LAB)
    assert done.status == 0, done.stderr
    assert "Hermes is finishing the login" in done.stderr
    assert re.search(
        r"^mcp:lab: logged in on h019@h019; credential in \S+/mcp-tokens/lab\.json ", done.stdout
    )


def test_an_mcp_server_that_nobody_knows_is_asked_about(lab: Lab) -> None:
    """The issuer has a line of its own; without a terminal the answer is no, and nothing opens."""
    configure_mcp(lab)
    done = run(lab, "login", "mcp:lab", "h019", "--json")
    assert done.status == 11
    assert "--allow-host mcp.lab.test" in done.stderr
    assert not any(event["event"] in ("authorization", "browser") for event in done.events)
    with on_terminal(lab, "login", "mcp:lab", "h019") as tunnel:
        tunnel.expect(r"h019@h019 asks you to sign in at:\s+(?:\x1b\[1m)? *mcp\.lab\.test\b")
        tunnel.expect(r"\[y/N\] ")
        tunnel.send("y\n")
        tunnel.expect("Logged in to the MCP server lab on", deadline=40)
        assert tunnel.wait() == 0


@pytest.mark.parametrize("user", ["h014", "h019"])
def test_a_paste_login(lab: Lab, user: str) -> None:
    """The page shows a code, the prompt is shown here, and the answer goes back unseen."""
    with on_terminal(lab, "login", "anthropic", user, "--no-browser") as tunnel:
        url = tunnel.expect(r"^https://claude\.ai/oauth/authorize\S+").group().strip()
        tunnel.expect(rf"\({user}@{user}\) Authorization code: ")
        shown = re.search(r"\S+#\S+", lab.browse(url).text)
        assert shown is not None
        tunnel.send(f"{shown.group()}\n")
        tunnel.expect("Logged in to Anthropic on")
        assert tunnel.wait() == 0
    code, _, state = shown.group().partition("#")
    assert code not in tunnel.output
    assert tunnel.output.count(state) == 1  # in the authorization URL


def test_credentials_that_are_imported_need_no_browser(lab: Lab) -> None:
    """Hermes offers to import what another account on its machine already has."""
    assert run(lab, "login", "nous", "h019").status == 0
    lab.remote("h019", "rm -f .hermes/auth.json")
    done = run(lab, "login", "nous", "h019", "--json", stdin="y\n")
    assert done.status == 0, done.stderr
    assert done.event("finished")["outcome"] == "imported"
    assert not any(event["event"] == "browser" for event in done.events)


@pytest.mark.parametrize(
    ("provider", "user"), [("xai-oauth", "h018"), ("xai-oauth", "h019"), ("spotify", "h019")]
)
def test_denied(lab: Lab, provider: str, user: str) -> None:
    """The person says no at the provider: 9, a message that says so, and no credential."""
    decide(lab, "deny")
    extra = ["--", "--client-id", "lab"] if provider == "spotify" else []
    done = run(lab, "login", provider, user, *extra)
    assert done.status == 9, done.stderr
    assert re.search(r"hermes-tunnel: error: .*(declined|said no)", done.stderr)
    assert done.stdout == ""


@pytest.mark.parametrize("decision", ["deny", "token-400"])
def test_a_failed_mcp_login_is_seen_though_it_exits_with_0(lab: Lab, decision: str) -> None:
    """Hermes would silently start over and blame the port; we end at the first no."""
    configure_mcp(lab)
    decide(lab, decision)
    done = run(lab, "login", "mcp:lab", "h019", *ALLOW_LAB)
    assert done.status == 9, done.stderr
    assert "already in use" not in done.stderr.split("hermes-tunnel: error:")[1]


def test_a_token_exchange_that_fails_is_not_blamed_on_the_tunnel(lab: Lab) -> None:
    """The message says that the callback was delivered, and that Hermes failed afterwards."""
    decide(lab, "token-400")
    done = run(lab, "login", "xai-oauth", "h018")
    assert done.status == 9
    assert "The browser came back" in done.stderr
    assert "xAI token exchange failed (HTTP 400)" in done.stderr.split("hermes-tunnel: error:")[1]


def test_nobody_signs_in(lab: Lab) -> None:
    """The person's time runs out: 10, and both sides are clean."""
    done = run(lab, "login", "xai-oauth", "h018", "--no-browser", "--timeout", "2")
    assert done.status == 10
    assert "did not come back in time" in done.stderr


@pytest.mark.parametrize("user", ["h018", "fishy", "boss"])
def test_extra_words_reach_hermes_and_nothing_else(lab: Lab, user: str) -> None:
    """Words after -- arrive, and are shown, as typed, whatever they contain, through any shell and sudo."""
    label = "$(id) it's `my`\n label\\ !! 日本 *; exit 3 #\n\n"
    ours = ["--as-user", "svc"] if user == "boss" else []
    words = ["login", "xai-oauth", user, "--no-browser", "-v", *ours, "--", "--label", label]
    with on_terminal(lab, *words) as tunnel:
        tunnel.expect(r"xai-oauth\s+--no-browser\s+--label\s+\$'\$\(id\)\s+it\\'s\s+`my`\\n\s+label\\\\\s")
        tunnel.expect("Waiting for your browser")
        (hermes,) = lab.hermes_processes()
        argv = Path(f"/proc/{hermes}/cmdline").read_text().split("\0")
        assert argv[-3:] == ["--label", label, ""]
        tunnel.send("\x03")
        assert tunnel.wait() == 130
    left_nothing(lab)


def test_a_fish_account(lab: Lab) -> None:
    """Any login shell understands what we send, fish too."""
    assert run(lab, "login", "xai-oauth", "fishy").status == 0


def test_another_account_by_sudo(lab: Lab) -> None:
    """It may even have nologin as its shell; the credential is that account's, and the result names it."""
    done = run(lab, "login", "xai-oauth", "boss", "--as-user", "svc")
    assert done.status == 0, done.stderr
    assert done.stdout.startswith("xai-oauth: logged in on svc@boss; credential in ")
    assert done.stdout.endswith("(owner svc, mode 600)\n")


def test_sudo_asks_for_its_password_here(lab: Lab) -> None:
    """It asks with our own prompt, hidden; after a wrong one we ask again."""
    with on_terminal(lab, "login", "xai-oauth", "boss2", "--as-user", "svc") as tunnel:
        for password in ("wrong", "correct horse"):
            tunnel.expect(r"\(boss2@boss2\) sudo's password: ")
            tunnel.send(f"{password}\n")
            if password == "wrong":
                tunnel.expect(r"\| Sorry, try again\.")
        tunnel.expect(r"Logged in to xAI on svc@boss2\S*\s+Credential:\s+\S+\s+\(owner\s+svc,", deadline=40)
        assert tunnel.wait() == 0
    assert "correct horse" not in tunnel.output
    assert tunnel.output.count("sudo's password") == 2


def test_an_account_that_sudo_refuses(lab: Lab) -> None:
    """The failure gives sudo's reason: no such user, or wrong passwords."""
    done = run(lab, "login", "xai-oauth", "boss", "--as-user", "nosuchuser")
    assert done.status == 8
    assert "did not switch to the other account: sudo: unknown user nosuchuser" in done.stderr
    with on_terminal(lab, "login", "xai-oauth", "boss2", "--as-user", "svc") as tunnel:
        for _ in range(3):
            tunnel.expect(r"\(boss2@boss2\) sudo's password: ")
            tunnel.send("wrong\n")
        tunnel.expect("did not switch to the other account: sudo: 3 incorrect password attempts")
        assert tunnel.wait() == 8


def test_an_account_without_a_shell_is_told_from_a_failed_login(lab: Lab) -> None:
    """The failure quotes what the account ran instead."""
    done = run(lab, "login", "xai-oauth", "svc")
    assert done.status == 8
    assert "This account is currently not available" in done.stderr


def test_hermes_that_is_not_there(lab: Lab) -> None:
    """The failure names the places we looked in, and the option that helps."""
    done = run(lab, "login", "xai-oauth", "boss")
    assert done.status == 8
    assert "~/.local/bin" in done.stderr
    assert "--hermes-path" in done.stderr


def test_hermes_by_its_path(lab: Lab) -> None:
    """If it is in no usual place, the person says where it is."""
    lab.remote("h018", "mkdir -p tools && mv .local/bin/hermes tools/hermes")
    home = lab.remote("h018", "printf %s $HOME")
    assert run(lab, "login", "xai-oauth", "h018").status == 8
    assert run(lab, "login", "xai-oauth", "h018", "--hermes-path", f"{home}/tools/hermes").status == 0


def test_a_profile(lab: Lab) -> None:
    """The credential lands in the profile, which is where we look for it."""
    lab.remote("h018", "hermes profile create work")
    done = run(lab, "login", "xai-oauth", "h018", "--profile", "work")
    assert done.status == 0, done.stderr
    assert "/profiles/work/auth.json (owner h018" in done.stdout


def test_a_provider_that_this_release_does_not_know(lab: Lab) -> None:
    """Hermes' own words are the error."""
    done = run(lab, "login", "nonsense", "h018")
    assert done.status == 9
    assert "Unknown provider: nonsense" in done.stderr.split("hermes-tunnel: error:")[1]
