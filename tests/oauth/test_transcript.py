"""Hearing a login command: what counts, and what a hostile or talkative one cannot do."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PageShown,
    Prompt,
    Remark,
    Said,
    Success,
    Withdrawn,
)
from hermes_tunnel.oauth.transcript import Transcript

MARKER = "hermes-tunnel:0123:"
BEGIN = f"{MARKER}begin:lab:/home/lab:/bin/hermes\r\n".encode()
URL = "https://auth.x.ai/a?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A56121%2Fcallback&state=s"
UNSAFE = "javascript:a?client_id=1&redirect_uri=2"
OPENROUTER = "https://openrouter.ai/auth?callback_url=https%3A%2F%2Fa.b%2Fcode&code_challenge=c&code_challenge_method=S256"
NO_REDIRECT = "https://a.b/?client_id=1&response_type=code"


def heard(*chunks: bytes | None, begun: bool = True) -> list[Said]:
    """Everything that some chunks say, without plain lines; None is a silence."""
    transcript = Transcript(MARKER)
    said = transcript.receive(BEGIN)[1:] if begun else []
    for chunk in chunks:
        said += transcript.silence() if chunk is None else transcript.receive(chunk)
    return [one for one in [*said, *transcript.end()] if not isinstance(one, Line)]


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        (URL, AuthorizationRequest(URL)),
        (f"  Open <{URL}>, please.", AuthorizationRequest(URL)),
        (f"\x1b[94m{URL}\x1b[0m", AuthorizationRequest(URL)),
        (UNSAFE, AuthorizationRequest(UNSAFE)),
        (NO_REDIRECT, AuthorizationRequest(NO_REDIRECT)),
        (OPENROUTER, AuthorizationRequest(OPENROUTER)),
        (f"{NO_REDIRECT}\N{SNOWMAN}", AuthorizationRequest(f"{NO_REDIRECT}\N{SNOWMAN}")),
        ("Waiting for callback on http://127.0.0.1:4711/cb", Listening(4711)),
        ("Hermes is waiting for the OAuth callback on http://localhost:4711/cb", Listening(4711)),
        ("  ✗ Authentication failed: no", FailureMark("✗ Authentication failed: no")),
        ('Added xai-oauth OAuth credential #1: "a"', Success()),
        ('Saved nous OAuth device-code credentials: "a"', Success()),
        ('Imported nous OAuth credentials: "a"', Success()),
        ("Spotify login successful!", Success()),
        ("Login successful!", Success()),
        ("✓ MiniMax OAuth login successful.", Success()),
        ("\x1b[32m  ✓ Authenticated — 1 tool(s) available\x1b[0m", Success()),
    ],
)  # fmt: skip
def test_line(line: str, meaning: Said) -> None:
    """A line means what its structure says, coloured or not."""
    assert heard(f"{line}\r\n".encode()) == [meaning]


@pytest.mark.parametrize(
    "line",
    [
        "Docs: https://hermes-agent.nousresearch.com/docs",
        "Redirect URI: http://127.0.0.1:43827/spotify/callback",
        "ssh -N -L 56121:127.0.0.1:56121 lab@host",
        "the login was not successful",
        "I have Added nothing",
        "code: ABCD-EFGH",
        "exit code: 1",
        "",
    ],
)
def test_prose(line: str) -> None:
    """Prose asks for nothing, and a code counts only after a page."""
    assert heard(f"{line}\n".encode()) == []


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (["https://a.b/device?user_code=ABCD-EFGH", "If prompted, enter code: ABCD-EFGH"], "ABCD-EFGH"),
        (["https://a.b/device", "Enter this code:", "", "   \x1b[94mWXYZ-1234\x1b[0m"], "WXYZ-1234"),
        (["https://a.b/device", "code: WXYZ1234"], "WXYZ1234"),
        (["https://a.b/device", "code: AAAA-BBBB-CCCC"], "AAAA-BBBB-CCCC"),
        (["https://a.b/device", "code: A-BC"], None),
        (["https://a.b/device", "code: ABCDEFGHIJKLM"], None),
        (["https://a.b/device", "The code:", "follows", "ABCD-EFGH"], None),
        (["https://a.b/device?user_code=A%20B%20C%20D", "x"], None),
    ],
)
def test_device_authorization(lines: list[str], code: str | None) -> None:
    """A code of 4 to 12 letters and digits, in the page's address or on or after a line that says so."""
    offers = heard("".join(f"{line}\n" for line in lines).encode())
    assert offers == ([] if code is None else [DeviceAuthorization(lines[0], code)])


@given(st.text(max_size=16) | st.text("AB1-;\n\x1b\u0410\uff21", min_size=4, max_size=12))
def test_a_user_code_has_only_letters_digits_and_hyphens(text: str) -> None:
    """Of ASCII, so that it may go to a clipboard: pasting it runs nothing, wherever it is pasted."""
    for lines in (["https://a.b/device", f"code: {text}"], [f"https://a.b/device?user_code={quote(text)}"]):
        for offer in heard("".join(f"{line}\n" for line in lines).encode()):
            assert not isinstance(offer, DeviceAuthorization) or re.fullmatch(
                "[A-Za-z0-9-]+", offer.user_code
            )


PAGE = "https://page.example/sign-in"


@pytest.mark.parametrize(
    ("output", "page"),
    [
        (f"Open this:\n\n    {PAGE}\n", PAGE),
        (f"1. {PAGE}\n", PAGE),
        (f"Visit {PAGE} now.\n", PAGE),
        (f"Here: {PAGE}?a=b\n", f"{PAGE}?a=b"),
        (f"\x1b[94m{PAGE}\x1b[0m\nCode: ", PAGE),
        (
            f"Open {PAGE}?code_challenge_method=S256 and paste the code: ",
            f"{PAGE}?code_challenge_method=S256",
        ),
        (f"{PAGE}/old\n{PAGE}\n", PAGE),
        (f"{PAGE}?next=https%3A%2F%2Fauth.x.ai%2Fa%3Fclient_id%3Dc%26redirect_uri%3Dx\nWaiting\n", None),
        (f"Docs: {PAGE}\n", ""),
        (f"Get a key at {PAGE} or {PAGE}/new?a=b\n", ""),
        ("Open http://page.example/?a=b\n", ""),
        (f"{PAGE}\n{URL}\n", ""),
        (f"{URL}\nEnter the code: ", ""),
        (f"{PAGE}\nEnter this code:\nABCD-EFGH\n", ""),
        (f"Open {PAGE}", ""),
    ],
)
def test_a_page_that_is_shown_to_be_opened(output: str, page: str | None) -> None:
    """It has a line to itself, a query, or words that say so; it counts once the command waits, and once."""
    expected = output.partition("\n")[0] if page is None else page
    said = heard(output.encode(), None, None)
    assert [one.url for one in said if isinstance(one, PageShown)] == ([expected] if expected else [])
    assert PageShown(expected) not in heard(output.encode())
    assert not [one for one in heard(output.encode(), None, begun=False) if isinstance(one, PageShown)]


def test_noise_before_the_marker() -> None:
    """Whatever the shell prints before our marker asks for nothing, even on the marker's own line."""
    noise = f"{URL}\n✗ no\nLogin successful!\n\x1b]0;{URL}\x07motd {URL}".encode()
    assert heard(noise + BEGIN, begun=False) == [Begun(("begin", "lab", "/home/lab", "/bin/hermes"))]
    assert heard(noise, begun=False) == []


def test_echoed_command_line() -> None:
    """A shell that echoes what it runs does not thereby print the marker."""
    from hermes_tunnel.remote.call import Call, begin_marker
    from hermes_tunnel.remote.hermes import provider

    line = Call(as_user="hermes").login_line(provider("spotify"), "0123")
    assert begin_marker("0123") not in line


@pytest.mark.parametrize(
    "hidden", ["\x1b]8;;https://evil.test\x07", "\x1b[2J", "\x9b31m", "\u202e", "\u200b", "\x1bc"]
)
def test_escapes(hidden: str) -> None:
    """Escape sequences and invisible characters change nothing, and are not passed on."""
    transcript = Transcript(MARKER)
    transcript.receive(BEGIN)
    said = transcript.receive(f"{hidden}{URL[:30]}{hidden}{URL[30:]}{hidden}\r\n".encode())
    assert said == [Line(URL, told=True), AuthorizationRequest(URL)]


def test_rewritten_line() -> None:
    """Of a line rewritten by carriage returns, what a terminal would show last counts."""
    assert heard(f"{URL}\r                \rnothing here\r\n".encode()) == []
    assert heard(f" 10%\r 99%\r{URL}\r\n".encode()) == [AuthorizationRequest(URL)]


def test_a_spinner_may_turn_for_long() -> None:
    """A spinner's frames are not one growing line, however they are cut; what follows them is read."""
    transcript = Transcript(MARKER)
    transcript.receive(BEGIN)
    frames = b"\r| Waiting for approval ..." * 10_000
    for at in range(0, len(frames), 7):
        assert transcript.receive(frames[at : at + 7]) == []
    assert AuthorizationRequest(URL) in transcript.receive(f"\r{URL}\r\n".encode())


def test_prompt() -> None:
    """An unfinished line that stays is a prompt, reported once; if it goes on, the prompt is withdrawn."""
    assert heard(b"Token: ", None, None, b'Added a OAuth credential #1: "b"\n') == [
        Prompt("Token:"),
        Withdrawn(),
        Success(),
    ]
    assert heard(b"\r\n   ", None) == []


FISH = b"Welcome to fish\r\n\x1b[?2004h\r\x1b[32mme@box\x1b[0m ~> "


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (FISH, "me@box ~>"),
        (b"me@box:~$ ", "me@box:~$"),
        (b"%      \r \r\rbox# \x1b[?2004h", "box#"),
        ("~ \u276f ".encode(), "~ \u276f"),
        (b"\x1b[?1049h\x1b[22;0;0t\x1b[H\x1b[2J", ""),
        (b"\x1b[?1049h\x1b[1;1Hsession\r\n\x1b[K\r\n", ""),
    ],
)
def test_a_terminal_that_is_taken_before_the_command_begins(output: bytes, text: str) -> None:
    """A shell waits at its prompt, or a program has a screen of its own; each is reported once."""
    assert heard(output, None, None, begun=False)[:1] == [Prompt(text, taken=True)]
    assert [one for one in heard(output, None, None, begun=False) if isinstance(one, Prompt)] == [
        Prompt(text, taken=True)
    ]
    bytewise = [output[at : at + 1] for at in range(len(output))]
    assert heard(*bytewise, None, begun=False)[:1] == [Prompt(text, taken=True)]
    later = heard(output, None, b"\x1b[H12:34\r\n", None, BEGIN, begun=False)[1:]
    assert [one for one in later if one != Withdrawn()] == [
        Begun(("begin", "lab", "/home/lab", "/bin/hermes"))
    ]


@pytest.mark.parametrize(
    "output",
    [
        *(b"\x1b[?25l\x1b[2J\x1b[31m", b"\x1b[0m\r\n", b"Loading 50"),
        *(b"\x1b[>c", b"\x1b[6n", b"\x1b[c\x1b]11;?\x07hello"),
    ],
)
def test_what_takes_no_terminal(output: bytes) -> None:
    """Colours, a cleared screen and what it asks the terminal are a start-up file's own business."""
    assert not any(isinstance(one, Prompt) and one.taken for one in heard(output, None, begun=False))
    assert heard(FISH, None) == [Prompt("me@box ~>")]  # the command's own prompt may look like that


def test_what_the_script_remarks() -> None:
    """What it says of the program is told, and not shown as the program's."""
    told = f"{MARKER}home:HERMES_HOME:/srv/a:b\r\n{MARKER}wrapper:exec docker exec box hermes\r\n".encode()
    assert heard(told) == [
        Remark(("home", "HERMES_HOME", "/srv/a", "b")),
        Remark(("wrapper", "exec docker exec box hermes")),
    ]
    assert heard(f"unfinished {MARKER}wrapper:x\r\n".encode()) == [
        Remark(("wrapper", "x")),
    ]


@pytest.mark.parametrize("before", ["", "a last line without an end ", "Token: "])
def test_what_the_script_tells_of_the_credential(before: str) -> None:
    """It is kept, but neither shown nor taken for the command's own words."""
    looks = ("landed:absent:/home/lab/a", "landed:lab:600:1,2,3.4:/home/lab/a")
    told = f"{MARKER}{looks[0]}\r\n{URL}\r\n{before}{MARKER}{looks[1]}\r\n".encode()
    for chunks in ([told], [told[at : at + 1] for at in range(len(told))]):
        transcript = Transcript(MARKER)
        said = [one for chunk in (BEGIN, *chunks) for one in transcript.receive(chunk)]
        assert transcript.looks == list(looks)
        shown = [one.text for one in said if isinstance(one, Line)]
        assert shown == [URL, *([before] if before else [])]


def test_what_the_script_tells_is_no_prompt() -> None:
    """Not even if it stalls."""
    assert heard(f"{MARKER}landed".encode(), None, b":absent:/a\r\n") == []
    assert heard(b"Token: ", None, f"{MARKER}landed:absent:/a\r\n".encode()) == [
        Prompt("Token:"),
        Withdrawn(),
    ]


def test_a_stalled_line_that_goes_on_is_no_prompt() -> None:
    """A line that stalls midway still means what it says as a whole."""
    half = URL.encode()
    assert heard(half[:40], None, half[40:] + b"\n") == [
        Prompt(URL[:40]),
        Withdrawn(),
        AuthorizationRequest(URL),
    ]
    marker = heard(BEGIN[:20], None, BEGIN[20:], begun=False)
    assert marker == [
        Prompt(BEGIN[:20].decode()),
        Withdrawn(),
        Begun(("begin", "lab", "/home/lab", "/bin/hermes")),
    ]


def test_unfinished_line_is_not_read() -> None:
    """Half a URL asks for nothing; at the end of the output the last line counts as it is."""
    transcript = Transcript(MARKER)
    assert transcript.receive(BEGIN + URL.encode())[1:] == []
    assert transcript.end()[1:] == [AuthorizationRequest(URL)]
    assert transcript.end() == []


@pytest.mark.parametrize("flood", [b"a" * 70_000, (b"b" * 1000 + b"\n") * 1100], ids=["line", "output"])
@pytest.mark.parametrize("begun", [True, False])
def test_flood(flood: bytes, begun: bool) -> None:
    """A line of 70 kB, or 1.1 MB in all, is refused, finished or not, before the marker or after."""
    with pytest.raises(Unsafe, match="printed far more than a login does"):
        heard(flood, begun=begun)
    with pytest.raises(Unsafe):
        heard(*(flood[at : at + 4096] for at in range(0, len(flood), 4096)), begun=begun)


@pytest.mark.parametrize(
    "line",
    [b"a" * 60_000, b"a1+." * 15_000, b"code " * 12_000, b"\x1b[" * 30_000, b"\x1b]" * 30_000, b":" * 60_000]
)  # fmt: skip
@pytest.mark.timeout(5)
def test_expensive_lines(line: bytes) -> None:
    """A megabyte of lines made to be slow to read is read within seconds."""
    assert heard(b"https://a.b/\n", *[line + b"\n"] * 10) == []


def test_invalid_utf8() -> None:
    """Bytes that are not UTF-8 spoil neither their own line nor the next."""
    assert heard(b"\xff\xfe\xc3(\n\xe2\x9c\n" + f"{URL}\n".encode()) == [AuthorizationRequest(URL)]


@given(st.binary(max_size=300), st.data())
def test_any_chunking(noise: bytes, data: st.DataObject) -> None:
    """Output means the same however it is cut, and no control character gets through."""
    text = BEGIN + noise + f"\n{URL}\n✗ no\nLogin successful!\n".encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    one, other = Transcript(MARKER), Transcript(MARKER)
    at_once = one.receive(text)
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert [said for piece in pieces for said in other.receive(piece)] == at_once
    assert AuthorizationRequest(URL) in at_once
    lines = [said.text for said in at_once if isinstance(said, Line)]
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for line in lines for char in line)


def test_an_answered_prompt_is_not_said_again() -> None:
    """Before the command begins, too: sudo asks then, with words of ours that tell it from the command."""
    transcript = Transcript("marker:")
    transcript.receive(b"hermes-tunnel:sudo:n:")
    transcript.silence()
    assert transcript.receive(b"\r\nSorry, try again.\r\n")[1:] == [Line(""), Line("Sorry, try again.")]
