"""The answer that a browser posts: which head may pass, which form, and what crosses over of it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.callback import LONGEST_FORM, Amiss, Deliver, Expected, Form, Reject, Stray, judge
from hermes_tunnel.oauth.form_post import FIELDS, judge_form

ISSUER, FOREIGN = "https://login.example.com", "https://evil.test"
REDIRECT = Redirect("127.0.0.1", 56121, "/callback")
EXPECTED = Expected(REDIRECT, "STATE", frozenset({ISSUER}), form_post=True)
FORM = "application/x-www-form-urlencoded"
RIGHT = {"Origin": ISSUER, "Content-Type": FORM, "Content-Length": "30"}
NAVIGATION = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


def head(changes: dict[str, str | None] | None = None, *more: str, line: str = "POST /callback") -> bytes:
    """The head of a form; None leaves a header out."""
    headers: dict[str, str | None] = {"Host": "127.0.0.1:56121", **RIGHT, **(changes or {})}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{line} HTTP/1.1", *lines, *more, "", ""]).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        dict(NAVIGATION),
        {"Content-Type": f"{FORM.upper()} ; charset=UTF-8"},
        {"Content-Length": str(LONGEST_FORM)},
        {"Origin": "null", **NAVIGATION, "Sec-Fetch-Site": "cross-site"},
    ],
    ids=["old browser", "navigation", "charset", "longest", "as Chromium sends it from an https page"],
)
def test_a_form_of_the_issuer_is_read(changes: dict[str, str | None]) -> None:
    """Its page sends it, or a page that the browser does not name where a person is taken."""
    length = int(changes.get("Content-Length") or 30)
    assert judge(head(changes), EXPECTED) == Form(length)


@pytest.mark.parametrize(
    ("changes", "amiss"),
    [
        ({"Origin": FOREIGN}, Amiss.FETCHED),
        ({"Origin": None}, Amiss.FETCHED),
        ({"Origin": "null"}, Amiss.FETCHED),
        ({"Origin": "null", "Sec-Fetch-Mode": "navigate"}, Amiss.FETCHED),
        ({"Origin": "null", **NAVIGATION, "Sec-Fetch-Dest": "iframe"}, Amiss.FETCHED),
        ({"Origin": f"{ISSUER}.evil.test"}, Amiss.FETCHED),
        ({**NAVIGATION, "Sec-Fetch-Dest": "iframe"}, Amiss.FETCHED),
        ({"Sec-Fetch-Mode": "cors"}, Amiss.FETCHED),
        ({"Content-Type": "text/plain"}, Amiss.OTHER_METHOD),
        ({"Content-Type": "multipart/form-data; boundary=a"}, Amiss.OTHER_METHOD),
        ({"Content-Type": None}, Amiss.OTHER_METHOD),
        ({"Content-Length": None}, Amiss.OTHER_METHOD),
        ({"Content-Length": "-1"}, Amiss.OTHER_METHOD),
        ({"Content-Length": "+5"}, Amiss.OTHER_METHOD),
        ({"Content-Length": "5, 5"}, Amiss.OTHER_METHOD),
        ({"Content-Length": None, "Transfer-Encoding": "chunked"}, Amiss.OTHER_METHOD),
        ({"Transfer-Encoding": "chunked"}, Amiss.OTHER_METHOD),
        ({"Content-Length": str(LONGEST_FORM + 1)}, Amiss.TOO_LONG),
        ({"Content-Length": "9" * 30}, Amiss.OTHER_METHOD),
        ({"Host": "evil.test:56121"}, None),
    ],
)
def test_any_other_form_is_refused_before_it_is_read(
    changes: dict[str, str | None], amiss: Amiss | None
) -> None:
    """Of another page, in a frame, by a script, of another kind, of an unknown length, or too long."""
    verdict = judge(head(changes), EXPECTED)
    assert isinstance(verdict, Reject)
    assert verdict.amiss is amiss


@pytest.mark.parametrize("twice", ["Content-Length: 30", f"Content-Type: {FORM}", f"Origin: {ISSUER}"])
def test_a_header_that_comes_twice_is_refused(twice: str) -> None:
    """Two parsers could take either."""
    assert isinstance(judge(head({}, twice), EXPECTED), Reject)


def test_a_form_is_read_only_where_the_request_asked_for_one() -> None:
    """Else, and without a state, no form is an answer."""
    for expected in (
        Expected(REDIRECT, "STATE", frozenset({ISSUER})),
        Expected(REDIRECT, "", frozenset({ISSUER}), True, True),
    ):
        verdict = judge(head(), expected)
        assert isinstance(verdict, Reject)
        assert verdict.amiss is Amiss.OTHER_METHOD
    assert isinstance(judge(head(line="POST /other"), EXPECTED), Reject)
    assert isinstance(judge(head(line="PUT /callback"), EXPECTED), Reject)


def test_an_answer_in_the_address_is_taken_all_the_same() -> None:
    """Some issuers send an error that way."""
    query = "error=access_denied&state=STATE"
    verdict = judge(f"GET /callback?{query} HTTP/1.1\r\nHost: 127.0.0.1:56121\r\n\r\n".encode(), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.error == "access_denied"


def form(**fields: str) -> bytes:
    """A form with the right state."""
    return urlencode({"state": "STATE", **fields}).encode()


def test_only_the_fields_of_the_standards_cross_over() -> None:
    """Rebuilt from them, in a fixed order, with the length that it has."""
    sent = {name: f"{name} \u00e9\u20ac&=+\r\n" for name in FIELDS if name not in ("error", "state")}
    verdict = judge_form(form(**sent, cookie="PRIVATE", client_info="PRIVATE"), EXPECTED)
    assert isinstance(verdict, Deliver)
    request, _, body = verdict.request.partition(b"\r\n\r\n")
    assert request.split(b"\r\n") == [
        b"POST /callback HTTP/1.1",
        b"Host: 127.0.0.1:56121",
        b"Connection: close",
        f"Content-Type: {FORM}".encode(),
        f"Content-Length: {len(body)}".encode(),
    ]
    assert parse_qs(body.decode("ascii")) == {
        **{name: [value] for name, value in sent.items()},
        "state": ["STATE"],
    }
    assert [one.partition(" ")[0] for one in verdict.secrets] == ["code", "access_token", "id_token"]
    assert "code" not in repr(verdict)


def test_a_form_in_any_encoding_goes_as_it_came() -> None:
    """It is for the program to know which."""
    verdict = judge_form(b"code=%E9%ff&state=STATE", EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.request.endswith(b"\r\n\r\ncode=%E9%FF&state=STATE")


@pytest.mark.parametrize(
    ("body", "amiss"),
    [
        (b"", Amiss.INCOMPLETE),
        (b"code=SECRET", Amiss.INCOMPLETE),
        (b"state=STATE", Amiss.INCOMPLETE),
        (b"code=&state=STATE", Amiss.INCOMPLETE),
        (b"code=SECRET&error=access_denied&state=STATE", Amiss.INCOMPLETE),
        (b"error=access_denied", Amiss.NAMELESS_DENIAL),
        (b"code=SECRET&state=STATE&state=STATE", Amiss.INCOMPLETE),
        (b"code=SECRET&code=SECRET&state=STATE", Amiss.INCOMPLETE),
        (b"code=SECRET&state=STATE&iss=a&iss=b", Amiss.INCOMPLETE),
        (b"code=SECRET\xe9&state=STATE", Amiss.INCOMPLETE),
        (b"code=SECRET&state=STATE" + b"&a=b" * 100, Amiss.INCOMPLETE),
        (b'{"code": "SECRET", "state": "STATE"}', Amiss.INCOMPLETE),
    ],
)
def test_what_is_not_the_answer_is_refused(body: bytes, amiss: Amiss | None) -> None:
    """A field twice, no answer or two, no state, bytes that no browser sends."""
    verdict = judge_form(body, EXPECTED)
    assert isinstance(verdict, Reject)
    assert verdict.amiss is amiss
    assert "SECRET" not in repr(verdict)


def test_the_state_has_to_match() -> None:
    """The answer to another login is a stray; an error with the right state is the answer."""
    assert judge_form(b"code=SECRET&state=other", EXPECTED) == Stray()
    verdict = judge_form(form(error="access_denied", error_description="no"), EXPECTED)
    assert isinstance(verdict, Deliver)
    assert verdict.error == "access_denied"
    assert verdict.secrets == ()


@given(
    st.one_of(
        st.binary(max_size=100),
        st.lists(
            st.sampled_from(["code=a&", "state=STATE&", "error=b&", "id_token=c", "%00", "&", "=", ";"])
        ).map(lambda some: "".join(some).encode()),
    )
)
def test_any_form(body: bytes) -> None:
    """Any form gets a verdict; what is delivered has the right state."""
    verdict = judge_form(body, EXPECTED)
    assert isinstance(verdict, Deliver | Reject | Stray)
    if isinstance(verdict, Deliver):
        assert parse_qs(verdict.request.partition(b"\r\n\r\n")[2].decode("ascii"))["state"] == ["STATE"]
