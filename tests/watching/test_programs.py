"""What more programs print when they log in, besides those that are recorded: copied from their terminals."""

from __future__ import annotations

import pytest

from hermes_tunnel.oauth.sightings import Device, Loopback, Sighting
from tests.watching.watched import seen_however_cut

BAR, STEP, ASKS = "\x1b[90m\u2502\x1b[39m", "\x1b[34m\u25cf\x1b[39m", "\x1b[36m\u25c6\x1b[39m"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
SPINS = "".join(f"\x1b[35m{mark}\x1b[39m  Waiting\x1b[999D\x1b[J" for mark in "\u25d2\u25d0\u25d3")
BELOW = "\x1b[36m\u2502\x1b[39m  \x1b[7m\x1b[8m_\x1b[28m\x1b[27m\r\n\x1b[36m\u2514\x1b[39m\r\n"

GITHUB = "https://github.com/login/device"
RCLONE = "http://127.0.0.1:53682/auth?state=YnlRvgqkgv8fCUCd_V8OHg"
OPENCODE = (
    "https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri="
    "http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&scope=openid+profile+email+offline_access&code_challenge=rRwZ"
    "&code_challenge_method=S256&id_token_add_organizations=true&state=ivdju29PSeGtdGu-4Ym2VV6h&originator=opencode"
)
CLASP = (
    "https://accounts.google.com/o/oauth2/v2/auth?redirect_uri=http%3A%2F%2Flocalhost%3A37527&access_type=offline"
    "&scope=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fscript.projects&response_type=code&client_id=1072.apps"
)
MSAL = (
    "https://login.microsoftonline.com/organizations/oauth2/v2.0/authorize?client_id=04b07795&response_type=code"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A40347&scope=User.Read&state=v4mJaUCT6a89&response_mode=form_post"
)
SUPABASE = (
    "https://supabase.com/dashboard/cli/login?session_id=36c8acc1-42dd-4565-ad22-7806480a4457"
    "&token_name=cli_me@host_1795797937&public_key=04f8249108f7533f367a3dde39a26ebb296a77c29586d9aaad0c3b406acb"
)
HEROKU = (
    "https://cli-auth.heroku.com/auth/cli/browser/0f5e1e0a-6a58-4c2e-9c1c-8e5c2f7a1b2c?requestor=SFMyNTY.g2g"
)
OCI = (
    "https://login.us-ashburn-1.oraclecloud.com/v1/oauth2/authorize?action=login&client_id=iaas_console"
    "&response_type=token+id_token&nonce=9e23&scope=openid&redirect_uri=http%3A%2F%2Flocalhost%3A8181"
)
PROGRAMS: dict[str, tuple[str, set[tuple[object, ...]]]] = {
    "clasp": (f"`\U0001f511 Authorize clasp by visiting this url: {CLASP}\r\n", {("Loopback", CLASP, 37527)}),
    "convex": (
        "Visit https://auth.convex.dev/activate?user_code=BDWP-HQPK to finish logging in.\r\n"
        "You should see the following code which expires in 15 minutes: BDWP-HQPK\r\n"
        "\x1b[34m?\x1b[39m \x1b[1mOpen the browser?\x1b[22m \x1b[2m(Y/n)\x1b[22m\x1b[27G",
        {("Device", "https://auth.convex.dev/activate?user_code=BDWP-HQPK", "BDWP-HQPK")},
    ),
    "copilot": (
        f"To authenticate, visit {GITHUB} and enter code BDWP-HQPK\r\n"
        "Waiting for authorization...\r\n\x1b]52;p!;QkRXUC1IUVBL;\x07\x1b]52;c;QkRXUC1IUVBL\x07",
        {("Page", GITHUB), ("Device", GITHUB, "BDWP-HQPK")},
    ),
    "heroku": (
        f"heroku: Press any key to open up the browser to login or \x1b[33mq\x1b[39m to exit\r\nx\r\nOpening "
        f"browser to {HEROKU}\r\n\r\n \x1b[33m\u203a\x1b[39m   Warning: If browser does not open, visit:\r\n"
        f"\x1b[92m{HEROKU}\x1b[39m\r\nheroku: Waiting for login...\r\n\x1b[G\x1b[1A\x1b[Jheroku: Waiting",
        {("Page", HEROKU)},
    ),
    "hf": (
        "    Open this URL in your browser:\r\n        https://huggingface.co/activate?user_code=BDWP-HQPK\r\n\r\n"
        "    And enter the code: BDWP-HQPK\r\n\r\n    Waiting for authorization",
        {("Device", "https://huggingface.co/activate?user_code=BDWP-HQPK", "BDWP-HQPK")},
    ),
    "msal": (
        f"you can use browser on host to visit the following link. Auth URI: {MSAL}\r\n",
        {("Loopback", MSAL, 40347)},
    ),
    "npm": (
        "\x1b[1G\x1b[0K\u2838\x1b[1G\x1b[0KLogin at:\r\nhttps://www.npmjs.com/login?next=/login/cli/0f5e1e0a\r\n"
        "\u2838\x1b[1G\x1b[0K\x1b[1G\x1b[0JPress ENTER to open in the browser...\x1b[38G",
        {("Page", "https://www.npmjs.com/login?next=/login/cli/0f5e1e0a")},
    ),
    "oci": (
        f"    Open the following URL in a web browser window to continue:\r\n{OCI}\r\n",
        {("Loopback", OCI, 8181)},
    ),
    "opencode": (
        f"{SHOW}{BAR}\r\n{STEP}  Go to: {OPENCODE}\r\n{BAR}\r\n{STEP}  Complete authorization in your "
        f"browser.\r\n{HIDE}{BAR}\r\n{SPINS}",
        {("Loopback", OPENCODE, 1455)},
    ),
    "opencode, with a code": (
        f"{BAR}\r\n{STEP}  Go to: {GITHUB}\r\n{BAR}\r\n{STEP}  Enter code: BDWP-HQPK\r\n{HIDE}"
        f"{BAR}\r\n{SPINS}",
        {("Page", GITHUB), ("Device", GITHUB, "BDWP-HQPK")},
    ),
    "rclone": (
        "2026/11/27 16:42:30 NOTICE: If your browser doesn't open automatically go to the following link: "
        f"{RCLONE}\r\n2026/11/27 16:42:30 NOTICE: Log in and authorize rclone for access\r\n",
        {("Page", RCLONE)},
    ),
    "shopify": (
        "User verification code: BDWP-HQPK\r\n\U0001f449 Press any key to open the login page on your "
        "browser\r\n\r\nOpened link to start the auth process: \x1b[32mhttps://accounts.shopify.com/activate?user_code=BDWP-HQPK"
        "\x1b[39m\r\n",
        {
            ("Device", "", "BDWP-HQPK"),
            ("Device", "https://accounts.shopify.com/activate?user_code=BDWP-HQPK", "BDWP-HQPK"),
        },
    ),
    "supabase": (
        f"{SHOW}Here is your login link in case browser did not open {SUPABASE}\r\n\r\n{HIDE}{BAR}\r\n"
        f"{ASKS}  Enter your verification code: \r\n{BELOW}",
        {("Page", SUPABASE)},
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("columns", [80, 132])
def test_the_page_is_seen(program: str, columns: int) -> None:
    """With its code or the port of its answer, whole or byte by byte, and nothing else."""
    printed, expected = PROGRAMS[program]
    assert {told(one) for one in seen_however_cut(printed, columns)} == expected


def told(one: Sighting) -> tuple[object, ...]:
    """What was seen, as it stands above."""
    if isinstance(one, Device):
        return "Device", one.verification_uri, one.user_code
    return ("Loopback", one.url, one.redirect.port) if isinstance(one, Loopback) else ("Page", one.url)
