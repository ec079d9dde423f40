"""What may be opened: the table of hostile URLs and redirects, and what is allowed."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.errors import Unsafe, UsageFailure
from hermes_tunnel.oauth.authorization import (
    LONGEST_URL,
    Mode,
    Policy,
    Redirect,
    assess_authorization,
    assess_verification,
    issuer_of,
    issuer_of_page,
)
from hermes_tunnel.remote.hermes import KNOWN, provider, with_origin

LOOPBACK = "http://127.0.0.1:56121/callback"
POLICIES = [*[one.policy for one in KNOWN.values()], provider("mcp:lab").policy]


def url(page: str = "https://auth.x.ai/authorize", redirect: str = LOOPBACK, more: str = "&state=s") -> str:
    """An authorization URL."""
    return f"{page}?client_id=c&redirect_uri={quote(redirect, safe='')}{more}"


HOSTILE_PAGES = {
    "file:///etc/passwd": "not https",
    "javascript:alert(1)//": "not https",
    "data:text/html,x": "not https",
    "http://auth.x.ai/authorize": "not https",
    "ssh://auth.x.ai/authorize": "not https",
    "//auth.x.ai/authorize": "not https",
    "https:auth.x.ai/authorize": "not a DNS name",
    "https:///authorize": "not a DNS name",
    "https://auth.x.ai@evil.test/authorize": "user name before the host",
    "https://user:pass@auth.x.ai/authorize": "user name before the host",
    "https://@auth.x.ai/authorize": "user name before the host",
    "https://auth.x.ai\\@evil.test/authorize": "characters that no URL has",
    "https://auth.x.ai\\.evil.test/": "characters that no URL has",
    "https://evil.test\x09/": "characters that no URL has",
    "https://auth.x.ai /": "characters that no URL has",
    "https://\u0430uth.x.ai/authorize": "characters that no URL has",
    "https://xn--uth-5cd.x.ai/authorize": "letters that can look like others",
    "https://%61uth.x.ai/authorize": "not a DNS name",
    "https://127.0.0.1/authorize": "not a DNS name",
    "https://2130706433/authorize": "not a DNS name",
    "https://0x7f.1/authorize": "not a DNS name",
    "https://[::1]/authorize": "not a DNS name",
    "https://[::1/authorize": "not a well-formed URL",
    "https://localhost/authorize": "not a DNS name",
    "https://auth..x.ai/authorize": "not a DNS name",
    "https://-auth.x.ai/authorize": "not a DNS name",
    "https://auth_x.ai/authorize": "not a DNS name",
    "https://auth.x.ai:8443/authorize": "port 8443",
    "https://auth.x.ai:80/authorize": "port 80",
    "https://auth.x.ai:0/authorize": "port 0",
    "https://auth.x.ai:99999/authorize": "not a well-formed URL",
    "https://auth.x.ai:a/authorize": "not a well-formed URL",
    "https://auth.x.ai/" + "a" * LONGEST_URL: "longer than",
}
HOSTILE_REDIRECTS = {
    "http://127.0.0.1/callback": "port 80",
    "http://127.0.0.1:0/callback": "port 0",
    "http://127.0.0.1:22/callback": "port 22",
    "http://localhost:80/callback": "port 80",
    "http://[::1]:1023/callback": "port 1023",
    "http://127.0.0.1:70000/callback": "not a well-formed URL",
    "http://127.0.0.1:-1/callback": "not a well-formed URL",
    "https://127.0.0.1:56121/callback": "not a plain http address",
    "ftp://localhost:56121/callback": "not a plain http address",
    "http://a@127.0.0.1:56121/callback": "not a plain http address",
    "http://127.0.0.1:56121/callback?next=x": "not a plain http address",
    "http://127.0.0.1:56121/callback#x": "not a plain http address",
    "http://127.0.0.1:56121/call back": "characters that no URL has",
    "http://127.0.0.1:56121/a\r\nHost: b": "characters that no URL has",
    "http://local\thost:56121/callback": "characters that no URL has",
    "http://127.0.0.1:56121/a%0d%0ab": "unusual path",
    "http://127.0.0.1:56121/a;b": "unusual path",
    "http://127.0.0.1:56121@evil.test/cb": "neither an address of this machine nor",
    "http://127.0.0.1.evil.test:56121/cb": "neither an address of this machine nor",
    "http://127.1:56121/callback": "neither an address of this machine nor",
    "http://0.0.0.0:56121/callback": "neither an address of this machine nor",
    "http://192.168.1.1:56121/callback": "neither an address of this machine nor",
    "http://[::ffff:127.0.0.1]:56121/cb": "neither an address of this machine nor",
    "https://user@evil.test/cb": "neither an address of this machine nor",
    "https://10.0.0.1/cb": "neither an address of this machine nor",
    "http://evil.test/cb": "neither an address of this machine nor",
    "myapp://callback": "neither an address of this machine nor",
    "urn:ietf:wg:oauth:2.0:oob": "neither an address of this machine nor",
    "callback": "neither an address of this machine nor",
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("page", "why"), HOSTILE_PAGES.items(), ids=lambda text: text[:40])
def test_hostile_page(page: str, why: str, policy: Policy) -> None:
    """A page that no issuer could have is refused for every provider, with the reason."""
    with pytest.raises(Unsafe, match=why):
        assess_authorization(url(page), policy)
    with pytest.raises(Unsafe, match=why):
        assess_verification(page, "ABCD-EFGH", policy)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("redirect", "why"), HOSTILE_REDIRECTS.items())
def test_hostile_redirect(redirect: str, why: str, policy: Policy) -> None:
    """A redirect that no login from a command line uses is refused for every provider."""
    with pytest.raises(Unsafe, match=why):
        assess_authorization(url(redirect=redirect), policy)


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (f"redirect_uri={LOOPBACK}", "no state"),
        (f"redirect_uri={LOOPBACK}&state=", "no state"),
        (f"redirect_uri={LOOPBACK}&state=a&state=b", "more than one state"),
        (f"redirect_uri={LOOPBACK}&state=a&state=a", "more than one state"),
        (f"redirect_uri={LOOPBACK}&state=a&%73tate=b", "more than one state"),
        ("state=a", "no redirect_uri"),
        ("state=a&redirect_uri=", "no redirect_uri"),
        (f"state=a&redirect_uri={LOOPBACK}&redirect_uri={LOOPBACK}", "more than one redirect_uri"),
        (f"state=a&redirect_uri={LOOPBACK}" + "&a=b" * 64, "too many fields"),
    ],
)
def test_query(query: str, why: str) -> None:
    """Exactly one ``redirect_uri`` and exactly one ``state``, neither empty."""
    with pytest.raises(Unsafe, match=why):
        assess_authorization(f"https://auth.x.ai/a?client_id=c&{query}", KNOWN["xai-oauth"].policy)


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        (LOOPBACK, Redirect("127.0.0.1", 56121, "/callback")),
        ("http://localhost:1024/a/b-c_d.e~f", Redirect("localhost", 1024, "/a/b-c_d.e~f")),
        ("http://LOCALHOST:65535", Redirect("localhost", 65535, "/")),
        ("http://[::1]:56121/cb", Redirect("::1", 56121, "/cb")),
    ],
)
def test_loopback(redirect: str, expected: Redirect) -> None:
    """A redirect to one of the three names of this machine is a loopback login (RFC 8252)."""
    authorization = assess_authorization(url(redirect=redirect), KNOWN["xai-oauth"].policy)
    assert (authorization.mode, authorization.redirect) == (Mode.LOOPBACK, expected)
    assert authorization.state == "s"


def test_other_redirect() -> None:
    """A redirect elsewhere: to the provider it means paste; for MCP it is asked about; else it is refused."""
    elsewhere = url(redirect="https://evil.test/cb")
    for known in KNOWN.values():
        with pytest.raises(Unsafe, match=r"send its answer to 'evil\.test'"):
            assess_authorization(elsewhere, known.policy)
    external = assess_authorization(elsewhere, provider("mcp:lab").policy)
    assert (external.mode, external.redirect_host) == (Mode.EXTERNAL, "evil.test")
    own = url("https://claude.ai/oauth", "https://console.anthropic.com/oauth/code/callback")
    assert assess_authorization(own, KNOWN["anthropic"].policy).mode is Mode.PASTE


OPENROUTER = "https://openrouter.ai/auth?callback_url=https%3A%2F%2Fa.b%2Fcode&code_challenge=c"


def test_a_request_that_names_nobody() -> None:
    """A code_challenge without a client and a redirect is a paste, if the page is a safe one."""
    policy = provider("openrouter").policy
    authorization = assess_authorization(OPENROUTER, policy)
    assert (authorization.mode, authorization.issuer) == (Mode.PASTE, "openrouter.ai")
    assert authorization.names_nobody
    assert not policy.knows("openrouter.ai")
    own = url("https://claude.ai/oauth", "https://console.anthropic.com/oauth/code/callback")
    assert not assess_authorization(own, KNOWN["anthropic"].policy).names_nobody
    for unsafe in ("http://openrouter.ai", "https://a@openrouter.ai", "https://xn--penrouter-jjd.ai"):
        with pytest.raises(Unsafe):
            assess_authorization(OPENROUTER.replace("https://openrouter.ai", unsafe), policy)
    with pytest.raises(Unsafe, match="no state"):
        assess_authorization(f"{OPENROUTER}&redirect_uri={LOOPBACK}", policy)
    assert issuer_of_page("https://Page.Example./a", policy) == "page.example"


@pytest.mark.parametrize(
    ("page", "issuer"),
    [
        ("https://auth.x.ai/a", "auth.x.ai"),
        ("https://AUTH.X.AI:443/a", "auth.x.ai"),
        ("https://auth.x.ai./a", "auth.x.ai"),
        ("HTTPS://auth.x.ai/a", "auth.x.ai"),
        ("https://auth.x.ai.evil.test/a", "auth.x.ai.evil.test"),
        ("https://evil.test/auth.x.ai", "evil.test"),
    ],
)
def test_issuer(page: str, issuer: str) -> None:
    """The issuer is the host; only the provider's own opens without a question."""
    policy = KNOWN["xai-oauth"].policy
    assert assess_authorization(url(page), policy).issuer == issuer
    assert policy.knows(issuer) is (issuer == "auth.x.ai")
    assert not provider("mcp:lab").policy.knows(issuer)


@pytest.mark.parametrize(
    "page",
    [
        "http://127.0.0.1:4000",
        "http://127.0.0.1:40000",
        "http://localhost:4001",
        "https://127.0.0.1:4001",
        "http://127.0.0.1:4001@evil.test",
        "http://a@127.0.0.1:4001",
        "http://127.0.0.1:4001.evil.test",
        "http://127.0.0.1:04001",
        "http://127.0.0.2:4001",
    ],
)
def test_demo_origin(page: str) -> None:
    """The demo's server is accepted only by a provider that was given its exact origin."""
    given_origin = with_origin(KNOWN["xai-oauth"], "http://127.0.0.1:4001").policy
    assert (
        assess_authorization(url("http://127.0.0.1:4001/a"), given_origin).issuer == "http://127.0.0.1:4001"
    )
    with pytest.raises(Unsafe):
        assess_authorization(url(f"{page}/a"), given_origin)
    for policy in POLICIES:
        assert policy.origin is None
        with pytest.raises(Unsafe):
            assess_authorization(url("http://127.0.0.1:4001/a"), policy)


def test_origins() -> None:
    """The pages that may fetch the callback are https pages of the issuers, or the demo's own."""
    policy = KNOWN["xai-oauth"].policy
    own = frozenset({"https://auth.x.ai", "https://accounts.x.ai"})
    assert policy.origins(assess_authorization(url(), policy)) == own
    demo = with_origin(KNOWN["xai-oauth"], "http://127.0.0.1:4001").policy
    assert demo.origins(assess_authorization(url("http://127.0.0.1:4001/a"), demo)) == own | {
        "http://127.0.0.1:4001"
    }


def test_refusal_has_no_query() -> None:
    """A refusal names the page, escaped, and leaves out its query."""
    with pytest.raises(Unsafe) as caught:
        assess_authorization(
            url("http://evil.test/\x1b[2J%3Fstate=SECRET", more="&state=SECRET"), POLICIES[0]
        )
    assert "evil.test" in str(caught.value)
    assert "SECRET" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


@given(st.text(max_size=60), st.text(max_size=60))
def test_anything(page: str, redirect: str) -> None:
    """Any request is refused, or for an https page of a DNS name, with a loopback port from 1024."""
    for text in (page, f"https://{page}", f"https://auth.x.ai/{page}"):
        try:
            authorization = assess_authorization(url(text, redirect), provider("mcp:lab").policy)
        except Unsafe:
            continue
        assert authorization.url.lower().startswith("https://")
        assert authorization.redirect is None or authorization.redirect.port >= 1024


@pytest.mark.parametrize("host", ["mcp.example", "MCP.Example", "mcp.example."])
def test_a_host_that_the_person_allows_is_an_issuer(host: str) -> None:
    """However the host is written, it matches the one in a page's address."""
    assert issuer_of(host) == "mcp.example"


@pytest.mark.parametrize(
    "host",
    ["", ".", "a b", "*", "*.mcp.example", "https://mcp.example", "mcp.example:443", "xn--a.example", "::1"],
)
def test_what_no_page_has_for_a_host_cannot_be_allowed(host: str) -> None:
    """It would never match, and nobody would know why."""
    with pytest.raises(UsageFailure, match="no sign-in page can be allowed by that"):
        issuer_of(host)
