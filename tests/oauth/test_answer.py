"""The answer of the command's listener, whole and byte by byte: its status, and where it ends."""

from __future__ import annotations

import time

import pytest

from hermes_tunnel.oauth.answer import Answer

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EARLY = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"


def heard(*pieces: bytes) -> Answer:
    """An answer that came in these pieces."""
    answer = Answer()
    for piece in pieces:
        answer.receive(piece)
    return answer


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (OK + b"\r\n", 200),
        (b"HTTP/1.0 200\nServer: x\n\n", 200),
        (b"HTTP/1.1 400\r\n", 400),
        (b"HTTP/1.1 204", 204),
        (b"HTTP/1.1 2000 OK", None),
        (EARLY + b"HTTP/1.1 400 No\r\n", 400),
        (EARLY, None),
        (b"HTTP/2 200", None),
        (b"SSH-2.0-OpenSSH", None),
        (b"x" * 100_000 + b"\r\n" + OK + b"\r\n", None),
        (b"", None),
    ],
)
def test_its_status(said: bytes, status: int | None) -> None:
    """Only the status is used, if there is one; the end of the connection may cut it short."""
    for answer in (heard(said, b""), heard(*(bytes([one]) for one in said), b"")):
        assert answer.status == status
        assert answer.ended
        assert answer.size == len(said)


@pytest.mark.parametrize(
    ("said", "location"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: /success?id_token=A.b\r\n\r\n", "/success?id_token=A.b"),
        (b"HTTP/1.1 302 Found\r\nLOCATION:\t/Success \r\nServer: x\r\n\r\n", "/Success"),
        (b"HTTP/1.1 103 Early\r\nLocation: /early\r\n\r\nHTTP/1.1 302 Found\r\n\r\n", ""),
        (b"HTTP/1.1 302 Found\r\nX-Location: /other\r\n\r\nLocation: /body", ""),
        (b"HTTP/1.1 302 Found\nLocation: /\xe9\n\n", "/\u00e9"),
        (OK + b"\r\n", ""),
    ],
)
def test_where_it_leads(said: bytes, location: str) -> None:
    """Its ``Location``, as it stands; a body has none, nor an interim answer."""
    for answer in (heard(said, b""), heard(*(bytes([one]) for one in said), b"")):
        assert answer.location == location
        assert "success" not in repr(answer)


WITH_ITS_END = [
    OK + b"Content-Length: 5\r\n\r\nhello",
    OK + b"content-length:0\n\n",
    OK + b"Content-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi",
    EARLY + OK + b"Content-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\n\r\n",
    CHUNKED + b"5\r\nhello\r\nA ;x=y\r\n0123\r\n6789\r\n0\r\n\r\n",
    CHUNKED + b"0\r\nExpires: never\r\n\r\n",
    OK + b"Content-Length: 3\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n1\r\n\n\r\n000\r\n\r\n",
]


@pytest.mark.parametrize("said", WITH_ITS_END)
def test_its_end(said: bytes) -> None:
    """An answer that gives its length ends there, even if the connection stays (RFC 9112 section 6.3)."""
    answer = Answer()
    for one in said:
        assert not answer.ended
        answer.receive(bytes([one]))
    assert answer.ended
    assert heard(said).ended
    assert heard(said + b"more").ended


@pytest.mark.parametrize(
    "said",
    [
        OK + b"\r\nhello",
        OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        OK + b"Content-Length: -5\r\n\r\nhello",
        OK + b"Content-Length: five\r\n\r\nhello",
        OK + b"Transfer-Encoding: chunked, gzip\r\nContent-Length: 5\r\n\r\nhello",
        CHUNKED + b"hello\r\n0\r\n\r\n",
        CHUNKED + b"1\r\n2\r\n" + b"F" * 16 + b"\r\n",
        CHUNKED + b"5\r\nhell",
        b"hello\r\n\r\n0\r\n\r\n",
        OK + b"X: " + b"y" * 200_000,
    ],
)
def test_it_ends_with_the_connection(said: bytes) -> None:
    """An answer that gives no length, or one that means nothing, ends with the connection."""
    answers = heard(said), heard(*(bytes([one]) for one in said))
    for answer in answers:
        assert not answer.ended
        answer.receive(b"")
        assert answer.ended


@pytest.mark.slow
@pytest.mark.parametrize(
    "said",
    [
        CHUNKED + b"1\r\nx\r\n" * 300_000,
        OK + b"x:\r\n" * 500_000,
        OK + b"\r\n" + bytes(2_000_000),
        EARLY * 30_000,
    ],
    ids=["chunks", "headers", "body", "early"],
)
def test_its_length_is_its_time(said: bytes) -> None:
    """Two megabytes of anything, at once or in pieces, are read in a moment."""
    began = time.process_time()
    heard(said)
    heard(*(said[at : at + 7] for at in range(0, len(said), 7)))
    assert time.process_time() - began < 10
