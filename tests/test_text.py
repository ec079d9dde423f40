"""Scrubbing and redaction: nothing that a terminal acts on remains, and nothing secret."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.text import HIDDEN, folded, narrowed, one_line, plain, quote, redact, wrapped


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ASCII, \N{CHECK MARK} and äöü 漢字", "plain ASCII, \N{CHECK MARK} and äöü 漢字"),
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[?1049h\x1b[2J\x1b[Hgone", "gone"),
        ("a\x1b]0;title\x07b", "ab"),
        ("a\x1b]8;;https://evil.test\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        ("a\x1b]52;c;ZXZpbA==\x9cb", "ab"),
        ("a\x1bPdevice control\x1b\\b", "ab"),
        ("a\x1b_APC\x1b\\\x1b^PM\x1b\\\x1bXSOS\x1b\\b", "ab"),
        ("a\x9b31mb\x9d0;title\x07c\x90dcs\x9cd", "abcd"),
        ("a\x1b]0;never ends", "a"),
        ("a\x1b", "a"),
        ("a\x1b[", "a"),
        ("a\x1b[12;", "a"),
        ("a\x1bcb\x1b(0c\x1b#8d", "abcd"),
        ("\x1b\x1b[31mx", "x"),
        ("a\rb\nc\x00d\x07e\x08f\x7fg\x0bh", "abcdefgh"),
        ("a\tb", "a b"),
        ("a\u00a0b\u2003c\u3000d\u2800e", "a b c d e"),
        ("moc.live\u202ehttps", "moc.livehttps"),
        ("\u2066a\u2069\u200bb\u200f\ufeffc\u00ad\u061c", "abc"),
        ("a\u2028b\u2029c\U000e0041\ud800", "abc"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    """Escape sequences, control and invisible characters are gone; everything else stays."""
    assert plain(text) == shown


PIECES = st.one_of(
    st.text(), st.sampled_from(["\x1b", "\x1b[", "\x1b]", "\x9b", "\x07", "\x1b\\", "31m", "\u202e", ";"])
)


@given(st.lists(PIECES).map("".join))
def test_plain_is_complete(text: str) -> None:
    """Whatever comes, no character that a terminal acts on is left, and scrubbing once is enough."""
    shown = plain(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert not set(shown) & set(
        "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff"
    )
    assert plain(shown) == shown


@given(st.text().map(plain), st.integers(1, 100))
def test_what_is_folded_begins_once(text: str, columns: int) -> None:
    """Only the beginning of our sentence stands at the margin; nothing of it is lost."""
    lines = folded(text, columns)
    assert all(line.startswith("  ") for line in lines[1:])
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert folded(text, 0) == [text]


@given(st.text())
def test_one_line(text: str) -> None:
    """Several lines become one that is fit to be shown."""
    assert plain(one_line(text)) == one_line(text)
    assert one_line("\r\n one\r\ntwo\u2028\nthree\x1b[2J ") == " one two three "


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])))
def test_plain_keeps_text(text: str) -> None:
    """Printable text is not touched."""
    assert plain(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "https://a.b/cb?code=S3CRET&state=S3CRET#x",
        "GET /callback?state=S3CRET&code=S3CRET HTTP/1.1",
        "redirect=http%3A%2F%2F127.0.0.1%2Fcb%3Fcode%3DS3CRET",
        "access_token=S3CRET refresh_token=S3CRET id_token=S3CRET",
        "GET /?jwt=S3CRET&x=1 /cb?session_secret=S3CRET&oauth_verifier=S3CRET",
        "CODE=S3CRET, client_secret=S3CRET; code_verifier=S3CRET",
        "code_challenge=shown&nonce=shown&device_code=S3CRET",
        "https://a.b/cb?state=S3CRET&x=1&code=S3CRET, then state=S3CRET",
        "http://127.0.0.1:56121/callback?state=S3CRET&error=access_denied",
        "https://a.b/?next=https%3A%2F%2Fc.d%2Fcb%3Fcode%3DS3CRET&state=S3CRET",
        "https://a.b/activate?token=S3CRET&state=S3CRET",
        "(password=S3CRET) [passphrase=S3CRET] {token=S3CRET}",
        '{"access_token": "S3CRET", "x": 1, "refresh_token":"S3CRET"}',
        "{'code': 'S3CRET', 'state' : 'S3CRET'}",
        '{"code": "a\\"S3CRET"}',
    ],
)
def test_redact(text: str) -> None:
    """Secret parameters are hidden in a query, in one inside another, in JSON and in a Python dict."""
    shown = redact(text)
    assert "S3CRET" not in shown
    assert shown.count(HIDDEN) == text.count("S3CRET")


OPENROUTER = (
    "https://openrouter.ai/auth?callback_url=https%3A%2F%2Fhermes.example%2Fcode"
    "&code_challenge=qCo2MiZpEDcZ5zX3B0Kt_0NzPq0kL4Vx3pE2g6Y0a1c&code_challenge_method=S256"
)


@pytest.mark.parametrize(
    "address",
    [
        OPENROUTER,
        f"{OPENROUTER}&client_id=c&scope=a+b&nonce=n1234567&response_type=code&state=s1234567",
        "HTTPS://login.example/?next=https%3A%2F%2Fidp.example%2Fa%3Fstate%3Ds1234567%26client_id%3Dc#x",
    ],
)
def test_an_address_that_is_there_to_be_opened_is_shown_whole(address: str) -> None:
    """Nothing in it is secret by its nature, and without any part of it the page would not work."""
    for text in (address, f"Open {address}, please.", f"│ {address} │", f"<{address}>"):
        assert redact(text) == text
    assert redact(f"{address} state=S3CRET") == f"{address} state={HIDDEN}"


TRICKY = st.text(st.sampled_from("\\\"' :,{}a\n\u00e9"), max_size=8)


@given(TRICKY, TRICKY, TRICKY, st.sampled_from([json.dumps, repr]), st.integers(0, 3))
def test_redact_a_value_inside_strings(
    before: str, after: str, other: str, written: Callable[[object], str], times: int
) -> None:
    """A value in an object is hidden to its last character, and nothing else is, whatever quotes and
    backslashes it has, also where the object stands in a string, and that in another.
    """
    text = written({"code": f"{before}S3CRET{after}", "x": f"SHOWN{other}"})
    for _ in range(times):
        text = written(text)
    shown = redact(text)
    assert "S3CRET" not in shown
    assert shown.count(HIDDEN) == 1
    assert shown.partition(HIDDEN)[2].startswith(", ")
    assert text.endswith(shown.partition(HIDDEN)[2])


@pytest.mark.parametrize(
    "text",
    [
        '{"code": "S3CRET, and no more',
        '{"code": "\\"S3CRET\\"',
        '{"code": "' + "\\a" * 28 + "S3CRET",
        "{'token' : 'it\\'s S3CRET",
        '"{\\"code\\": \\"S3CRET\\\\\\" S3CRET',
        '"{\\"code\\": \\"S3CRET"',
    ],
)
def test_redact_what_is_not_closed(text: str) -> None:
    """A value that no quote closes is hidden to the end."""
    assert redact(text).endswith(HIDDEN)
    assert "S3CRET" not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://a.b/device?user_code=ABCD-EFGH&client_id=c",
        "exit status 1, code: none",
        "the state of affairs",
        "error_code=5",
        "(or the ``?code=...&state=...`` portion of it)",
        "code=\u2026 and state=...",
        '{"error": "invalid_grant", "scope": "a b"}',
        "",
    ],
)
def test_redact_leaves_the_rest(text: str) -> None:
    """Only secrets are hidden: a user code is meant to be read."""
    assert redact(text) == text


def test_redact_literals() -> None:
    """A known secret is hidden wherever it stands, the longer one first; a very short one is not."""
    assert (
        redact("pw hunter22hunter, hunter too", {"hunter", "hunter22hunter"}) == f"pw {HIDDEN}, {HIDDEN} too"
    )
    assert redact("a b c", {"b"}) == "a b c"


def test_redacting_again_changes_nothing() -> None:
    """What is hidden stays as it is, though every sink hides it once more."""
    once = redact("http://127.0.0.1/?code=S3CRET&state=S3CRET, {'token': 'S3CRET'} Bearer S3CRETS3CRET")
    assert redact(once) == once
    assert "S3CRET" not in once


@given(st.text(max_size=20), st.text(max_size=20))
def test_redact_in_any_surroundings(before: str, after: str) -> None:
    """A code in a query is hidden whatever stands around it."""
    assert "S3CRET1" not in redact(f"{before}?code=S3CRET1&{after}")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "'plain'"),
        ("it's", "'it's'"),
        ("", "''"),
        ("a\x1b[31m\n", r"'a\x1b[31m\n'"),
        ("a\u202eb", r"'a\u202eb'"),
        ("x" * 81, f"'{'x' * 77}...'"),
    ],
)
def test_quote(text: str, shown: str) -> None:
    """What somebody typed is quoted with its control characters escaped, and cut short."""
    assert quote(text) == shown
    assert not re.search(r"[\x00-\x1f\x7f-\x9f]", quote(text))


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "piece", ["\x1b[", "\x1b]", "\x1bP\x1b", "\x9b0;", "code=", "code=.", "code=`.", '"code":"', "\t"]
)
def test_expensive_text(piece: str) -> None:
    """A long line made to be slow to scrub is scrubbed at once."""
    text = piece * (60_000 // len(piece))
    redact(plain(text))
    redact(text)


@pytest.mark.parametrize(
    ("text", "cut", "lines"),
    [
        ("", True, [""]),
        ("fits here!", True, ["fits here!"]),
        ("one two three", True, ["one two", "three"]),
        ("  indented text", True, ["  indented", "text"]),
        ("abcdefghijklm", True, ["abcdefghij", "klm"]),
        ("abcdefghijklm", False, ["abcdefghijklm"]),
        ("see abcdefghijklm there", False, ["see", "abcdefghijklm", "there"]),
        ("              x", True, ["          ", "x"]),
        ("漢字漢字漢字", True, ["漢字漢字漢", "字"]),
        ("e\u0301" * 11, True, ["e\u0301" * 10, "e\u0301"]),
    ],
)
def test_wrapped(text: str, cut: bool, lines: list[str]) -> None:
    """Lines break between words, and inside one only where it may be cut; wide characters count twice."""
    assert [line.rstrip() for line in wrapped(text, 10, cut=cut)] == [line.rstrip() for line in lines]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fits as it is          ", "fits as it is          "),
        (f"╭{'─' * 3998}╮", f"╭{'─' * 28}╮"),
        (f"╭─ Error {'─' * 3990}╮", f"╭─ Error {'─' * 20}╮"),
        (f"│ it failed{' ' * 3988}│", f"│ it failed{' ' * 18}│"),
        (f"{'=' * 1997} middle {'=' * 1996}", f"{'=' * 11} middle {'=' * 11}"),
        (f"│ 漢字{' ' * 3993}│", f"│ 漢字{' ' * 23}│"),
        ("x" * 40, "x" * 40),
        ("___" * 20, "_" * 30),
        (f"{'a' * 40}{'-' * 40}", f"{'a' * 40}-"),
        ("1234567 " * 5, "1234567 " * 5),
    ],
)
def test_narrowed(text: str, shown: str) -> None:
    """In thirty columns: only what is drawn, or blank, gets shorter, evenly, and no shorter than it must."""
    assert narrowed(text, 30) == shown


@given(st.text(alphabet="a -─", max_size=90), st.integers(1, 40))
def test_narrowing_loses_no_word(text: str, columns: int) -> None:
    """Whatever is drawn; what fits stays as it is."""
    shown = narrowed(text, columns)
    assert re.findall(r"\w+", shown) == re.findall(r"\w+", text)
    assert len(shown) >= min(len(text), columns)
    assert len(text) > columns or shown == text


@given(st.text(alphabet="ab 漢\u0301", max_size=60), st.integers(1, 20), st.booleans())
def test_wrapping_loses_nothing_but_spaces(text: str, columns: int, cut: bool) -> None:
    """Nothing else is lost, whatever the text and the width."""
    assert "".join(wrapped(text, columns, cut=cut)).replace(" ", "") == text.replace(" ", "")
