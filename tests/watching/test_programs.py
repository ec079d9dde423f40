"""What real programs print when they log in, whole and byte by byte, on terminals of several sizes."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.sightings import Device, Loopback, Page, Sighting, sighting_of
from tests.watching.watched import seen_however_cut

CODEX = (
    "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&scope=openid%20profile%20email"
    "&code_challenge=qZ1yPZVYx4VnTzP2cYwYpvWJ3Yw4xW8nJ1b3o2A5c6E&code_challenge_method=S256"
    "&id_token_add_organizations=true&codex_cli_simplified_flow=true&state=w3Zo-8vQnB_1k&originator=codex_cli_rs"
)
FIREBASE = (
    "https://accounts.google.com/o/oauth2/auth?client_id=563584335869.apps.googleusercontent.com"
    "&scope=email%20openid&response_type=code&state=123456789&redirect_uri=http%3A%2F%2Flocalhost%3A9005"
)
MCP = (
    "https://mcp.example/authorize?response_type=code&client_id=a1b2&code_challenge=x&code_challenge_method=S256"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A20812%2Foauth%2Fcallback&state=3f1c&resource=https%3A%2F%2Fmcp.example%2F"
)
CLAUDE = (
    "https://claude.ai/oauth/authorize?code=true&client_id=9d1c250a&response_type=code"
    "&redirect_uri=https%3A%2F%2Fplatform.claude.com%2Foauth%2Fcode%2Fcallback&scope=user%3Ainference"
    "&code_challenge=x&code_challenge_method=S256&state=h4"
)
NETLIFY = "https://app.netlify.com/authorize?response_type=ticket&ticket=0123456789abcdef0123456789abcdef"
QWEN = (
    "https://chat.qwen.ai/authorize?user_code=ABCD-EFGH&client=qwen-code&and=something-that-makes-it-longer"
)
GLOBUS = (
    "https://auth.globus.org/v2/oauth2/authorize?client_id=95fdeba8&redirect_uri=https%3A%2F%2Fauth.globus.org"
    "%2Fv2%2Fweb%2Fauth-code&scope=openid&state=_default&response_type=code"
)


def _qwen_box(url: str) -> str:
    rows = [f"| {url[at : at + 66]:66} |" for at in range(0, len(url), 66)]
    text = "| Please visit the following URL in your browser to authorize:       |"
    edge, empty = f"+{'-' * 68}+", f"|{' ' * 68}|"
    return "\r\n".join(["", edge, empty, text, empty, *rows, empty, edge, "", ""])


def _lines(*lines: str) -> str:
    return "".join(f"{line}\r\n" for line in lines)


SPINS = "\u280b\u2819\u2839" * 8
PROGRAMS: dict[str, tuple[str, list[str | Sighting]]] = {
    "codex": (
        _lines(
            "Starting local login server on http://localhost:1455.",
            "If your browser did not open, navigate to this URL to authenticate:",
            *("", CODEX, "", "On a remote machine? Use `codex login --device-auth` instead."),
        ),
        [Page("http://localhost:1455"), CODEX],
    ),
    "codex, by a code": (
        _lines(
            *("", "Welcome to Codex [v0.171.0]", "", "Follow these steps to sign in:", ""),
            "1. Open this link in your browser and sign in to your account",
            *("   \x1b[94mhttps://auth.openai.com/codex/device\x1b[0m", ""),
            "2. Enter this one-time code \x1b[90m(expires in 15 minutes)\x1b[0m",
            *("   \x1b[94mABCD-EFGHI\x1b[0m", "", "\x1b[90mNever share this code.\x1b[0m"),
        ),
        [
            Page("https://auth.openai.com/codex/device"),
            Device("https://auth.openai.com/codex/device", "ABCD-EFGHI"),
        ],
    ),
    "mcp-remote": (
        _lines(
            "[4711] Using automatically selected callback port: 20812",
            *("[4711] ", "Please authorize this client by visiting:", MCP, ""),
            "[4711] Browser opened automatically.",
        ),
        [MCP],
    ),
    "firebase": (
        "\x1b[36m\u2714\x1b[39m \x1b[1mAllow Firebase to collect data?\x1b[22m (Y/n)\x1b[38G\x1b[2K\x1b[G"
        + _lines(
            "\x1b[36m\u2714\x1b[39m \x1b[1mAllow Firebase to collect data?\x1b[22m \x1b[36mYes\x1b[39m",
            *("", "Visit this URL on this device to log in:"),
            *(f"\x1b[1m\x1b[4m{FIREBASE}\x1b[24m\x1b[22m", "", "Waiting for authentication..."),
        ),
        [FIREBASE],
    ),
    "gh": (
        _lines(
            *("? Authenticate Git with your GitHub credentials? \x1b[6n(Y/n) Y", ""),
            "! First copy your one-time code: \x1b[0;1;39mABCD-1234\x1b[0m",
            "Press Enter to open github.com in your browser... ",
            "! Failed opening a web browser at https://github.com/login/device",
            '  exec: "xdg-open": executable file not found in $PATH',
        ),
        [Device("", "ABCD-1234"), Device("https://github.com/login/device", "ABCD-1234")],
    ),
    "globus": (
        _lines("Please authenticate with Globus here:", "-" * 36, GLOBUS, "-" * 36, "")
        + "Enter the resulting Authorization Code here: ",
        [GLOBUS],
    ),
    "claude": (
        _lines("Opening browser to sign in...", f"If the browser didn't open, visit: {CLAUDE}", "")
        + "Paste code here if prompted > ",
        [CLAUDE],
    ),
    "netlify": (
        _lines("Logging into your Netlify account...", f"Opening {NETLIFY}")
        + "".join(f"\x1b[?25l\x1b[1G{spin} Waiting for authorization..." for spin in SPINS),
        [NETLIFY],
    ),
    "netlify, redrawn": (
        "".join(f"\x1b[2K\x1b[1A\x1b[2K\x1b[GOpening {NETLIFY}\r\n{spin} Waiting" for spin in SPINS),
        [NETLIFY],
    ),
    "qwen": (_qwen_box(QWEN), [QWEN]),
}


@pytest.mark.parametrize("size", [(80, 24), (132, 43), (100, 12)], ids=str)
@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program: str, size: tuple[int, int]) -> None:
    """The request, page or code is seen once, and nothing else is."""
    output, expected = PROGRAMS[program]
    sightings = [sighting_of(one) if isinstance(one, str) else one for one in expected]
    assert seen_however_cut(output, *size) == sightings


def test_the_requests_are_requests() -> None:
    """Those whose answer comes to the program's machine."""
    for url in (CODEX, FIREBASE, MCP):
        assert isinstance(sighting_of(url), Loopback)
    for url in (CLAUDE, GLOBUS, NETLIFY):
        assert sighting_of(url) == Page(url)
