"""The gate's judgement of one request head, and the answers."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import (
    LONGEST_HEAD,
    Amiss,
    Deliver,
    Expected,
    Preflight,
    Reject,
    Stray,
    judge,
    judge_beginning,
)
from hermes_tunnel.oauth.pasted import judge_pasted, pasted_address
from hermes_tunnel.oauth.rebuilding import address_of
from hermes_tunnel.oauth.response import page_response, preflight_response, reject_response

STATE = "c3RhdGU_-%7E"  # as it stands in a query
HOST = "127.0.0.1:56121"
OWN, FOREIGN = "https://auth.x.ai", "https://evil.test"
EXPECTED = Expected(Redirect("127.0.0.1", 56121, "/callback"), "c3RhdGU_-~", frozenset({OWN}))
QUERY = f"code=SECRET&state={STATE}"


def head(
    *headers: str,
    line: str = "",
    method: str = "GET",
    target: str = f"/callback?{QUERY}",
    host: str = f"Host: {HOST}",
) -> bytes:
    """A request head; without a ``host`` line if that is empty."""
    lines = [line or f"{method} {target} HTTP/1.1", *([host] if host else []), *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def delivered(query: str = QUERY) -> bytes:
    """The request that goes to the remote."""
    return f"GET /callback?{query} HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()


BROWSER = (
    "User-Agent: Mozilla/5.0",
    "Accept: text/html,*/*;q=0.8",
    "Cookie: session=PRIVATE; other=\xe9\xff",
    "Authorization: Basic PRIVATE",
    "Referer: https://auth.x.ai/consent?PRIVATE",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-Site: cross-site",
    "Upgrade-Insecure-Requests: 1",
    "Connection: keep-alive",
    "X-Empty:",
)

PASSES = {
    "bare": head(),
    "as a browser sends it": head(*BROWSER),
    "HTTP/1.0": head(line=f"GET /callback?{QUERY} HTTP/1.0"),
    "localhost": head(host="Host: localhost:56121"),
    "IPv6": head(host="host:[::1]:56121"),
    "upper case": head(host="HOST: \tLOCALHOST:56121 "),
    "fetched by the provider's page": head(f"Origin: {OWN}", "Sec-Fetch-Mode: cors"),
    "with a body that follows": head() + b"GET / HTTP/1.1\r\n\r\n",
    "with a body that is announced": head("Content-Length: 5") + b"abcde",
    "with a body in chunks": head("Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "in a frame": head("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe", "Sec-Fetch-Site: cross-site"),
    "typed": head("Sec-Fetch-Mode: navigate", "Sec-Fetch-Site: none", "Sec-Fetch-User: ?1"),
    "asked to go on with another protocol": head("Upgrade: h2c, TLS/1.2", "Connection: Upgrade"),
}
STRAY = {
    "another state": head(target="/callback?code=SECRET&state=other"),
    "state and more": head(target=f"/callback?{QUERY}x"),
    "state in other case": head(target=f"/callback?code=a&state={STATE.swapcase()}"),
    "an error of another login": head(target="/callback?error=access_denied&state=other"),
}
NOT_FOUND = {
    "no Host": head(host=""),
    "foreign Host": head(host="Host: evil.test:56121"),
    "rebound name": head(host="Host: 127.0.0.1.evil.test:56121"),
    "Host without port": head(host="Host: 127.0.0.1"),
    "Host with another port": head(host="Host: 127.0.0.1:56122"),
    "two Hosts": head(f"Host: {HOST}"),
    "two Hosts, one foreign": head("Host: evil.test"),
    "another path": head(target=f"/callback/?{QUERY}"),
    "root": head(target=f"/?{QUERY}"),
    "encoded path": head(target=f"/%63allback?{QUERY}"),
    "dots": head(target=f"/a/../callback?{QUERY}"),
    "favicon": head(target="/favicon.ico"),
    "no query": head(target="/callback"),
    "no state": head(target="/callback?code=SECRET"),
    "two states": head(target=f"/callback?{QUERY}&state={STATE}"),
    "state and another": head(target=f"/callback?{QUERY}&state=other"),
    "state in the fragment": head(target=f"/callback#{QUERY}"),
    "HEAD": head(method="HEAD"),
    "POST": head("Content-Length: 0", method="POST"),
    "PUT": head(method="PUT"),
    "lower case method": head(method="get"),
    "OPTIONS without origin": head(method="OPTIONS"),
    "OPTIONS of a foreign page": head(f"Origin: {FOREIGN}", method="OPTIONS"),
    "fetched by a foreign page": head(f"Origin: {FOREIGN}", "Sec-Fetch-Mode: cors"),
    "fetched by a page without name": head("Origin: null"),
    "foreign page that navigates": head(f"Origin: {FOREIGN}", "Sec-Fetch-Mode: navigate"),
    "image of any page": head("Sec-Fetch-Mode: no-cors"),
    "web socket": head("Sec-Fetch-Mode: websocket", "Upgrade: websocket"),
    "fetched by two pages": head(f"Origin: {OWN}", f"Origin: {FOREIGN}", "Sec-Fetch-Mode: cors"),
    "fetched by one page twice": head(f"Origin: {OWN}", f"Origin: {OWN}"),
    "localhost as a rooted name": head(host="Host: localhost.:56121"),
    "another name of the IPv6 address": head(host="Host: [0:0:0:0:0:0:0:1]:56121"),
    "IPv4 in IPv6": head(host="Host: [::ffff:127.0.0.1]:56121"),
    "user in the Host": head(host=f"Host: a@{HOST}"),
    "frame that fetches": head("Sec-Fetch-Mode: same-origin", "Sec-Fetch-Dest: iframe"),
    "code in the path": head(target=f"/callback;code=SECRET?state={STATE}"),
    "two fetch modes": head("Sec-Fetch-Mode: navigate", "Sec-Fetch-Mode: cors"),
}
BAD = {
    "nothing": b"",
    "only a code without a value": head(target=f"/callback?code&state={STATE}"),
    "code twice the same": head(target=f"/callback?code=SECRET&{QUERY}"),
    "no blank line": head()[:-2],
    "absolute form": head(target=f"http://{HOST}/callback?{QUERY}"),
    "authority form": head(line=f"CONNECT {HOST} HTTP/1.1"),
    "asterisk form": head(line="OPTIONS * HTTP/1.1"),
    "HTTP/0.9": head(line=f"GET /callback?{QUERY}"),
    "HTTP/2 with prior knowledge": b"PRI * HTTP/2.0\r\n\r\n",
    "HTTP/2": head(line=f"GET /callback?{QUERY} HTTP/2.0"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "two spaces": head(line=f"GET  /callback?{QUERY} HTTP/1.1"),
    "space in the target": head(target=f"/callback?{QUERY} x"),
    "tab in the request line": head(line=f"GET\t/callback?{QUERY} HTTP/1.1"),
    "leading empty line": b"\r\n" + head(),
    "obs-fold": head("X: a", " b"),
    "obs-fold of Host": head("\tevil.test"),
    "bare LF between headers": head("X: a\nHost: evil.test"),
    "bare LF everywhere": head().replace(b"\r\n", b"\n") + b"\r\n\r\n",
    "bare CR in a value": head("X: a\rHost: evil.test"),
    "NUL in a value": head("X: \x00"),
    "NUL in a name": head("X\x00: a"),
    "space before the colon": head("Host : evil.test"),
    "space before a name": head(" X: a"),
    "no colon": head("nonsense"),
    "no name": head(": a"),
    "bytes in the query": head(target=f"/callback?{QUERY}\xe9"),
    "quote in the query": head(target=f'/callback?{QUERY}"'),
    "no answer": head(target=f"/callback?state={STATE}"),
    "empty code": head(target=f"/callback?code=&state={STATE}"),
    "two codes": head(target=f"/callback?{QUERY}&code=other"),
    "code and error": head(target=f"/callback?{QUERY}&error=access_denied"),
    "too many fields": head(target=f"/callback?{QUERY}{'&a=b' * 40}"),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSES)
def test_passes(name: str) -> None:
    """The callback is rebuilt from path and query: nothing else from the browser gets through."""
    verdict = judge(PASSES[name], EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.request == delivered()
    assert verdict.origin == (OWN if OWN.encode() + b"\r" in PASSES[name] else "")
    assert verdict.error == ""


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("a;b", "a;b"),
        ("a+b%2B%20c", "a+b%2B%20c"),
        ("%C3%A9%00%0D%0A", "%C3%A9%00%0D%0A"),
        ("a" * 4096, "a" * 4096),
        ("%zz%", "%zz%"),
        ("{[a|b]}^`\\", "%7B%5Ba%7Cb%5D%7D%5E%60%5C"),
    ],
)
def test_a_code_may_be_anything(value: str, sent: str) -> None:
    """It goes as it came; characters that browsers send raw, but no URL may have, are percent-encoded."""
    verdict = judge(head(target=f"/callback?code={value}&state={STATE}"), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.request == delivered(f"code={sent}&state={STATE}")


@pytest.mark.parametrize("name", NOT_FOUND)
def test_not_found(name: str) -> None:
    """Anything but the expected callback gets a 404."""
    verdict = judge(NOT_FOUND[name], EXPECTED)
    assert isinstance(verdict, Reject)
    assert verdict.status == 404


@pytest.mark.parametrize("name", STRAY)
def test_stray(name: str) -> None:
    """An answer that is right but for its state belongs to another login: a stray, which is not delivered."""
    assert judge(STRAY[name], EXPECTED) == Stray()


@pytest.mark.parametrize("name", BAD)
def test_bad(name: str) -> None:
    """A request that two parsers could read differently is bad; so is one with neither code nor error."""
    verdict = judge(BAD[name], EXPECTED)
    assert isinstance(verdict, Reject)
    assert verdict.status == 400


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("access_denied", "access_denied"),
        ("server_error&error_description=a+b%0D%0AX", "server_error"),
        ("%1b[2J", "an error without a proper name"),
        ("a" * 65, "an error without a proper name"),
    ],
)
def test_error(error: str, told: str) -> None:
    """A provider's refusal is delivered too, and named if its name is valid (RFC 6749 section 4.1.2.1)."""
    query = f"error={error}&state={STATE}"
    verdict = judge(head(target=f"/callback?{query.replace('[', '%5B')}"), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.error == told
    assert verdict.request == delivered(query.replace("[", "%5B"))


NEWS = {
    Amiss.FETCHED: [
        head(f"Origin: {FOREIGN}", "Sec-Fetch-Mode: cors"),
        head(f"Origin: {FOREIGN}", "Access-Control-Request-Private-Network: true", method="OPTIONS"),
        head("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
        head("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: script", "Sec-Fetch-Site: cross-site"),
    ],
    Amiss.ELSEWHERE: [head(target=f"/callback/?{QUERY}"), head(host="Host: my-laptop:56121")],
    Amiss.OTHER_METHOD: [
        head(method="POST"),
        head(method="HEAD"),
        head(f"Origin: {OWN}", "Sec-Fetch-Mode: navigate", method="POST", target="/callback"),
        head("Origin: null", "Content-Length: 50", method="POST", target="/callback"),
    ],
    Amiss.INCOMPLETE: [
        head(target="/callback"),
        head("Sec-Fetch-Mode: navigate", target="/callback?code=SECRET"),
        head(target=f"/callback?state={STATE}"),
        head(target=f"/callback?{QUERY}&code=other"),
    ],
    Amiss.NAMELESS_DENIAL: [
        head(target="/callback?error=access_denied&error_description=no"),
        head(target="/callback?error=access_denied&state="),
    ],
    Amiss.TOO_LONG: [head(target=f"/callback?{QUERY}&a={'b' * 20_000}")],
}


@pytest.mark.parametrize(("amiss", "heads"), NEWS.items(), ids=str)
def test_what_looks_like_the_answer_and_is_refused_is_news(amiss: Amiss, heads: list[bytes]) -> None:
    """The person hears why the answer that they saw come does not count; it is not delivered."""
    for one in heads:
        verdict = judge(one, EXPECTED)
        assert isinstance(verdict, Reject)
        assert verdict.amiss is amiss
        assert verdict.error == ("access_denied" if amiss is Amiss.NAMELESS_DENIAL else "")


@pytest.mark.parametrize(
    "target",
    ["/favicon.ico", "/", "/callback", "/callback?code=a", f"/callback?state={STATE}", "/?error=x&state=y"],
)
def test_what_browsers_and_scanners_ask_for_is_no_news(target: str) -> None:
    """Without the state of this login, nobody hears of what no person went to."""
    verdict = judge(head("Sec-Fetch-Mode: no-cors", target=target), EXPECTED)
    assert isinstance(verdict, Reject)
    assert verdict.amiss is None


@pytest.mark.parametrize(
    "noise",
    [
        head(target="/favicon.ico"),
        head(target="/"),
        head(target=f"/{'a' * 20_000}"),
        head(target="/callback", host="Host: evil.test:56121"),
        head(method="HEAD", target="/callback"),
        head(method="OPTIONS", target="/callback"),
        head(f"Origin: {FOREIGN}", target="/callback"),
        head(method="POST", target="/", host="Host: evil.test:56121"),
    ],
)
def test_what_a_scanner_asks_for_is_no_news(noise: bytes) -> None:
    """Nor is what an old browser asks for by itself, even if the port is all we know of the callback."""
    for expected in (EXPECTED, Expected(Redirect("127.0.0.1", 56121, ""), "")):
        verdict = judge(noise, expected)
        assert isinstance(verdict, Reject)
        assert verdict.amiss is None


def test_of_an_unfinished_head_two_things_are_news() -> None:
    """TLS by its first byte (RFC 8446 section 5.1), and a head that no browser sends; the rest is noise."""
    tls = judge_beginning(b"\x16\x03\x01")
    long = judge_beginning(b"G" * (LONGEST_HEAD + 1))
    noise = judge_beginning(b"\x00\x01")
    assert tls is not None
    assert long is not None
    assert noise is not None
    assert (tls.amiss, long.amiss, noise.amiss) == (Amiss.TLS, Amiss.TOO_LONG, None)


def test_a_heap_of_cookies_is_no_reason_to_refuse() -> None:
    """Those of every page on localhost come along, and none of them crosses over."""
    verdict = judge(head(f"Cookie: a={'b' * 24_000}"), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.request == delivered()


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_preflight(method: str) -> None:
    """Only an OPTIONS request tells the provider's page that it may fetch, and it gets nothing else."""
    verdict = judge(head(f"Origin: {OWN}", "Access-Control-Request-Method: GET", method=method), EXPECTED)
    assert isinstance(verdict, Preflight if method == "OPTIONS" else Deliver)
    answer = preflight_response(Preflight(OWN))
    assert answer.startswith(b"HTTP/1.1 204 ")
    assert answer.endswith(b"\r\n\r\n")
    assert b"Access-Control-Allow-Origin: https://auth.x.ai\r\n" in answer
    assert b"Access-Control-Allow-Private-Network: true\r\n" in answer


def test_a_gate_that_knows_the_port_alone() -> None:
    """It takes any path, but insists on one state, with one code or one error."""
    weak = Expected(Redirect("127.0.0.1", 56121, ""), "")
    for path in ("/callback", "/spotify/callback", "/", "/a/b.c_~d-e%2F"):
        verdict = judge(head(target=f"{path}?code=a&state=any"), weak)
        assert isinstance(verdict, Deliver)
        assert verdict.request.startswith(f"GET {path}?code=a&state=any HTTP/1.1\r\n".encode())
    for target in (
        "/favicon.ico",
        "/?code=a",
        "/?state=b",
        "/?code=a&state=",
        "/?code=a&state=b&state=c",
        "/<?code=a&state=b",
    ):
        assert isinstance(judge(head(target=target), weak), Reject)
    assert isinstance(judge(head(host="Host: evil.test:56121", target="/?code=a&state=b"), weak), Reject)
    assert isinstance(judge(head("Origin: https://evil.test", target="/?code=a&state=b"), weak), Reject)


ADDRESS = f"http://{HOST}/callback?{QUERY}"
PASTED = {
    "the address": ADDRESS,
    "with blanks around": f"  {ADDRESS}\r\n",
    "localhost": f"http://localhost:56121/callback?{QUERY}",
    "IPv6": f"http://[::1]:56121/callback?{QUERY}",
    "https, as some browsers make of it": ADDRESS.replace("http:", "https:"),
    "without a scheme": ADDRESS.removeprefix("http://"),
    "without a scheme, localhost": f"LOCALHOST:56121/callback?{QUERY}",
    "without all of a scheme": ADDRESS.removeprefix("http:"),
    "in quotes": f' "{ADDRESS}" ',
    "in single quotes": f"'{ADDRESS}'",
    "in brackets, as in a mail": f"<{ADDRESS}>",
    "in brackets and quotes": f'"<{ADDRESS}>"',
    "broken by a mail program": f"http://{HOST}/callback?code=SEC\r\nRET&state={STATE[:4]}\n  {STATE[4:]}",
    "broken in a quoted mail": f"> http://{HOST}/callback?code=SECRET\n> &state={STATE}",
    "in brackets, broken in a quoted mail": f"> > <http://{HOST}/callback?code=SECRET\r\n> > &state={STATE}>",
    "as RFC 3986 would have it in a text": f"<URL:{ADDRESS}>",
    "in typographic quotes": f"\u201c{ADDRESS}\u201d",
    "in German quotes": f"\u201e{ADDRESS}\u201c",
    "in French quotes": f"\xab\xa0{ADDRESS}\xa0\xbb",
    "with what a chat adds unseen": f"\ufeff{ADDRESS}\u200b",
    "the query": QUERY,
    "the query, broken": f"?code=SECRET\n  &state={STATE}",
    "the query with its mark": f"?{QUERY}",
}
NOT_PASTED = {
    "": "neither an address of this machine nor a code",
    "SECRET with blanks": "neither an address of this machine nor a code",
    "abc": "neither an address of this machine nor a code",
    f"https://evil.test:56121/callback?{QUERY}": "not an http address of this machine",
    f"evil.test:56121/callback?{QUERY}": "another machine's address, or only a part of one",
    f"localhost.:56121/callback?{QUERY}": "another machine's address, or only a part of one",
    f"my-laptop/callback?{QUERY}": "another machine's address, or only a part of one",
    f"/callback?{QUERY}": "another machine's address, or only a part of one",
    f"callback?{QUERY}": "another machine's address, or only a part of one",
    f"<a_href={ADDRESS}>": "another machine's address, or only a part of one",
    "auth.x.ai/authorize?client_id=c&redirect_uri=x": "another machine's address, or only a part of one",
    f"http://evil.test:56121/callback?{QUERY}": "not an http address of this machine",
    f"http://127.0.0.1.evil.test:56121/callback?{QUERY}": "not an http address of this machine",
    f"http://127.0.0.1:56121@evil.test/callback?{QUERY}": "not an http address of this machine",
    f"http://a@{HOST}/callback?{QUERY}": "a user name or a fragment",
    f"{ADDRESS}#x": "a user name or a fragment",
    f"http://127.0.0.1:56122/callback?{QUERY}": "it leads to port 56122, not to 56121",
    f"http://127.0.0.1/callback?{QUERY}": "it leads to port 80",
    f"http://127.0.0.1:99999/callback?{QUERY}": "its port is not a port number",
    f"http://{HOST}/other?{QUERY}": "its path is not /callback",
    f"http://{HOST}/callback?code=SECRET": "not one state",
    f"http://{HOST}/callback?state={STATE}": "neither one code nor one error",
    f"{ADDRESS}\x00": "characters that no address has",
    f"{ADDRESS}\N{COMBINING ACUTE ACCENT}": "characters that no address has",
    "javascript://x?code=1&state=2": "not an http address of this machine",
    "x" * 20_000: "far too long",
}


@pytest.mark.parametrize("name", PASTED)
def test_a_pasted_address_is_the_callback(name: str) -> None:
    """The address that a browser shows, or just its query, becomes the same request."""
    assert judge_pasted(PASTED[name], EXPECTED) == judge(head(), EXPECTED)


@pytest.mark.parametrize("text", NOT_PASTED, ids=lambda text: text[:40])
def test_what_is_pasted_and_is_not_the_callback_is_explained(text: str) -> None:
    """The reason is fit for the person to read, and quotes no value from the address."""
    verdict = judge_pasted(text, EXPECTED)
    assert isinstance(verdict, Reject)
    assert NOT_PASTED[text] in verdict.reason
    assert "SECRET" not in verdict.reason


def test_a_code_that_a_page_shows_is_as_good_as_the_callback() -> None:
    """We add the state; one that comes with the code has to be the right one."""
    for text in ("SECRET", " SECRET\n", "SECRET#c3RhdGU_-~"):
        verdict = judge_pasted(text, EXPECTED)
        assert isinstance(verdict, Deliver)
        line = verdict.request.decode().partition(" HTTP/1.1")[0]
        assert parse_qs(line.partition("?")[2]) == {"code": ["SECRET"], "state": [EXPECTED.state]}
    for code in ("4/0Ab:cd", "ab:cd", "!$%&'()*+,-./:;<=>?@[]^_`{|}~", "x\\yz"):  # RFC 6749 appendix A.11
        verdict = judge_pasted(code, EXPECTED)
        assert isinstance(verdict, Deliver)
        query = verdict.request.decode().partition(" HTTP/1.1")[0].partition("?")[2]
        assert parse_qs(query)["code"] == [code]
    assert judge_pasted("SECRET#other", EXPECTED) == Stray()
    assert judge_pasted(f"http://{HOST}/callback?code=SECRET&state=other", EXPECTED) == Stray()
    odd = judge_pasted("a+b/c=", EXPECTED)
    assert isinstance(odd, Deliver)
    assert b"?code=a%2Bb%2Fc%3D&state=" in odd.request
    weak = Expected(Redirect("127.0.0.1", 56121, ""), "")
    assert isinstance(judge_pasted("SECRET", weak), Reject)


def test_an_address_and_its_request_are_one() -> None:
    """A rebuilt request stands for the address that a browser would show, and vice versa."""
    verdict = judge(head(), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert address_of(verdict.request) == ADDRESS
    redirect, query = pasted_address(ADDRESS)
    assert (redirect, query) == (EXPECTED.redirect, QUERY)


@given(
    st.text(max_size=80)
    | st.lists(
        st.sampled_from([ADDRESS, "http://", HOST, "/callback", "?", QUERY, "#", "@", "\x00", "code=1"]),
        max_size=5,
    ).map("".join)
)
def test_any_pasted_text(text: str) -> None:
    """Any paste gets a verdict, and only this login's answer is delivered."""
    verdict = judge_pasted(text, EXPECTED)
    assert isinstance(verdict, Deliver | Reject | Stray)
    if isinstance(verdict, Deliver):
        assert verdict.request.startswith(b"GET /callback?")
        assert parse_qs(verdict.request.decode().split(" ")[1].partition("?")[2])["state"] == [EXPECTED.state]


def test_ipv6_redirect() -> None:
    """A redirect to ::1 is delivered under that name."""
    verdict = judge(
        head(host="Host: [::1]:56121"), Expected(Redirect("::1", 56121, "/callback"), "c3RhdGU_-~")
    )
    assert isinstance(verdict, Deliver)
    assert b"\r\nHost: [::1]:56121\r\n" in verdict.request


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "value", [" " * 16_000, "\t " * 8_000, "a" * 16_000], ids=["blanks", "tabs", "letters"]
)
def test_expensive_heads(value: str) -> None:
    """A head made to be slow to read is judged at once."""
    assert judge(head(f"X:{value}\x00", f"Y:{value}a"), EXPECTED) == Reject(400, "not a request")


def test_no_secret_is_shown() -> None:
    """No repr of an expectation or a verdict, and no rejection, shows a code or a state."""
    heads = (*PASSES.values(), *NOT_FOUND.values(), *BAD.values(), *STRAY.values())
    shown = [repr(judge(one, EXPECTED)) for one in heads]
    assert not any("SECRET" in one or STATE[:8] in one for one in [*shown, repr(EXPECTED)])


def test_responses() -> None:
    """Our answers are not stored or sniffed, end the connection, and name only an origin that fetched."""
    page = page_response(200, "ä".encode(), "default-src 'none'")
    assert page.endswith(b"\r\n\r\n\xc3\xa4")
    assert b"\r\nContent-Length: 2\r\n" in page
    assert b"\r\nContent-Security-Policy: default-src 'none'\r\n" in page
    for answer in (page, reject_response(Reject(404, "x")), reject_response(Reject(408, "y"))):
        assert b"\r\nCache-Control: no-store\r\n" in answer
        assert b"\r\nReferrer-Policy: no-referrer\r\n" in answer
        assert b"\r\nX-Content-Type-Options: nosniff\r\n" in answer
        assert b"\r\nConnection: close\r\n" in answer
        assert b"Access-Control" not in answer
    assert b"\r\nAccess-Control-Allow-Origin: https://a.b\r\n" in page_response(
        200, b"", "", origin="https://a.b"
    )
    assert reject_response(Reject(404, "x")) == reject_response(Reject(404, "y"))


LINES = st.one_of(
    st.sampled_from(
        [one.decode("latin-1") for one in (head(), *NOT_FOUND.values(), *BAD.values(), *STRAY.values())]
    ),
    st.text(st.characters(max_codepoint=255), max_size=40),
    st.sampled_from(
        ["\r\n", "\n", "\r", " ", "\0", "Host: ", HOST, f"Host: {HOST}\r\n", f"?{QUERY}", "\r\n\r\n"]
    ),
)


@given(
    st.one_of(
        st.binary(max_size=200), st.lists(LINES, max_size=6).map(lambda some: "".join(some).encode("latin-1"))
    )
)
def test_any_bytes(data: bytes) -> None:
    """Any request gets a verdict; what is delivered has the right state, and only four lines."""
    verdict = judge(data, EXPECTED)
    assert isinstance(verdict, Deliver | Preflight | Reject | Stray)
    if isinstance(verdict, Deliver):
        line, *headers, empty, end = verdict.request.decode("ascii").split("\r\n")
        method, target, version = line.split(" ")
        assert (method, version, headers, empty, end) == (
            "GET",
            "HTTP/1.1",
            [f"Host: {HOST}", "Connection: close"],
            "",
            "",
        )
        path, _, query = target.partition("?")
        assert path == "/callback"
        assert parse_qs(query)["state"] == [EXPECTED.state]


WITHOUT = Expected(Redirect("127.0.0.1", 56121, "/callback"), "", frozenset({OWN}), without_state=True)


@pytest.mark.parametrize(
    "query",
    [
        "code=SECRET",
        "token=SECRET&email=me%40example.com",
        "access_token=SECRET&token_type=bearer&id_token=SECRET2",
        "jwt=SECRET&username=me",
        "session_secret=SECRET",
        "ticket=ST-SECRET",
        "oauth_token=t&oauth_verifier=SECRET",
        "code=SECRET&state=",
        "code=SECRET&state=anything",
    ],
)
def test_a_login_without_a_state(query: str) -> None:
    """Its answer has one of the parameters that bring such logins to their end; it goes on as it came."""
    verdict = judge(
        head("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", target=f"/callback?{query}"), WITHOUT
    )
    assert isinstance(verdict, Deliver)
    assert verdict.request == delivered(query)
    assert any("SECRET" in one for one in verdict.secrets)
    assert "SECRET" not in repr(verdict)


def test_a_denial_without_a_state() -> None:
    """It ends a login that has none."""
    verdict = judge(head(target="/callback?error=access_denied"), WITHOUT)
    assert isinstance(verdict, Deliver)
    assert verdict.error == "access_denied"


@pytest.mark.parametrize(
    "target",
    [
        "/callback",
        "/callback?",
        "/callback?foo=bar",
        "/callback?state=s",
        "/callback?code=",
        "/callback?code=a&code=b",
        "/callback?token=a&token=b",
        "/callback?error=a&code=b",
        "/callback?CODE=a",
        "/callback#code=a",
        "/callback?q=code%3Da",
        "/other?code=a",
        "/?code=a",
    ],
)
def test_nothing_else_passes_without_a_state(target: str) -> None:
    """Nor at another path."""
    assert isinstance(judge(head(target=target), WITHOUT), Reject)


@pytest.mark.parametrize(
    "headers",
    [
        ["Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"],
        ["Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"],
        ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"],
        ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: embed"],
        ["Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document", "Sec-Fetch-Dest: document"],
        [f"Origin: {OWN}", "Sec-Fetch-Mode: cors"],
        [f"Origin: {OWN}"],
        [f"Origin: {FOREIGN}"],
        ["Origin: null", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
    ],
)
def test_without_a_state_only_a_page_of_its_own_passes(headers: list[str]) -> None:
    """No image, script, frame or fetch of any page, not even the issuer's."""
    verdict = judge(head(*headers, target="/callback?code=SECRET"), WITHOUT)
    assert isinstance(verdict, Reject)
    assert verdict.amiss is Amiss.FETCHED
    assert isinstance(judge(head(f"Origin: {OWN}", method="OPTIONS", target="/callback"), WITHOUT), Reject)
    assert isinstance(judge(head(method="POST", target="/callback?code=SECRET"), WITHOUT), Reject)


def test_a_redirect_without_a_path() -> None:
    """To a browser, http://localhost:9005 is its root."""
    expected = Expected(Redirect("localhost", 9005, "/"), "123456789")
    verdict = judge(head(target="/?code=SECRET&state=123456789", host="Host: localhost:9005"), expected)
    assert isinstance(verdict, Deliver)
    assert verdict.request.startswith(
        b"GET /?code=SECRET&state=123456789 HTTP/1.1\r\nHost: localhost:9005\r\n"
    )
    for noise in ("/favicon.ico", "/robots.txt"):
        rejected = judge(head(target=noise, host="Host: localhost:9005"), expected)
        assert isinstance(rejected, Reject)
        assert rejected.amiss is None
