"""The relay's script in real shells: it sends the request where it should, and ends with its input."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.rebuilding import rebuilt, rebuilt_form
from hermes_tunnel.remote.call import Call, begin_marker
from tests.ports.holding import posix
from tests.remote.shells import LOGIN_SHELLS, SH, installed

pytestmark = [pytest.mark.slow, posix]

NONCE = "0123456789abcdef"
PROGRAMS = ["python3", "curl", "nc", "nc.traditional", "ncat", "busybox"]
"""What may relay; all but two of them are called nc there."""
REQUEST = rebuilt("/callback", "code=a%2B'(b)$&state=c", Redirect("127.0.0.1", 50000, "/callback"))
FORM = rebuilt_form([("code", "a+'(b)$\\"), ("state", "c\r\n" * 500)], Redirect("127.0.0.1", 50000, "/"))
SECONDS = 10


@contextmanager
def delivering(
    tmp_path: Path, shell: list[str], port: int, *, program: str = "nc", sh: str = "dash"
) -> Iterator[subprocess.Popen[bytes]]:
    """The script, ready for the request, with one program that can relay it."""
    tools = {"sh": sh, program if program in ("python3", "curl") else "nc": program}
    for name, wanted in tools.items():
        (tmp_path / name).symlink_to(installed(wanted))
    line = Call().relay_line(port, ("127.0.0.1", "::1"), NONCE)
    with subprocess.Popen(
        [installed(shell[0]), *shell[1:], "-c", line],
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == f"{begin_marker(NONCE)}relay\n".encode()
            yield process
        finally:
            process.stdin.close()
            process.kill()


@contextmanager
def asked(
    process: subprocess.Popen[bytes], listener: socket.socket, request: bytes = REQUEST
) -> Iterator[tuple[socket.socket, bytes]]:
    """Give it the request; the connection that it makes, and what it requests there."""
    assert process.stdin is not None
    process.stdin.write(request)
    process.stdin.flush()
    listener.settimeout(SECONDS)
    client, _ = listener.accept()
    with client:
        client.settimeout(SECONDS)
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(4096)
            assert data
            head += data
        yield client, head


CASES = [
    *((shell, "nc", "dash") for shell in LOGIN_SHELLS),
    *((["bash"], program, sh) for program in PROGRAMS for sh in SH),
]


@pytest.mark.parametrize(("shell", "program", "sh"), CASES, ids=str)
def test_it_goes_there_and_comes_back(tmp_path: Path, shell: list[str], program: str, sh: str) -> None:
    """So it does in any login shell, under any ``sh``, and by any of the programs that relay."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        delivering(tmp_path, shell, listener.getsockname()[1], program=program, sh=sh) as process,
    ):
        with asked(process, listener) as (client, head):
            assert head.startswith(REQUEST[: REQUEST.index(b" HTTP")])
            assert b"\r\nHost: 127.0.0.1:50000\r\n" in head
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\nthanks")
        assert process.stdout is not None
        assert process.stdout.read() == b"HTTP/1.0 200 OK\r\n\r\nthanks"
        assert process.wait(SECONDS) == 0


@pytest.mark.parametrize(("shell", "program", "sh"), CASES, ids=str)
def test_it_ends_with_its_input(tmp_path: Path, shell: list[str], program: str, sh: str) -> None:
    """Once the connection is gone, a listener that never answers keeps nothing running on that machine."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        delivering(tmp_path, shell, listener.getsockname()[1], program=program, sh=sh) as process,
        asked(process, listener) as (client, _),
    ):
        assert process.stdin is not None
        process.stdin.close()
        assert client.recv(1) == b""
        process.wait(SECONDS)


@pytest.mark.parametrize("sh", SH)
@pytest.mark.parametrize("program", PROGRAMS)
def test_nobody_listens(tmp_path: Path, program: str, sh: str) -> None:
    """If nobody listens on any of the addresses, the script has an exit status for it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with delivering(tmp_path, ["bash"], port, program=program, sh=sh) as process:
            assert process.stdin is not None
            process.stdin.write(REQUEST)
            process.stdin.flush()
            assert process.wait(SECONDS) == 7


def test_an_input_that_ends_early_is_no_request(tmp_path: Path) -> None:
    """If the connection is lost before the whole request is there, nothing is connected to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        with delivering(tmp_path, ["bash"], listener.getsockname()[1]) as process:
            assert process.stdin is not None
            process.stdin.write(REQUEST[:-2])
            process.stdin.close()
            assert process.wait(SECONDS) == 1
        with pytest.raises(BlockingIOError):
            listener.accept()


@pytest.mark.parametrize("sh", SH)
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_form_goes_there_whole(tmp_path: Path, program: str, sh: str) -> None:
    """A posted answer arrives byte for byte, by any of the programs that relay."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        delivering(tmp_path, ["bash"], listener.getsockname()[1], program=program, sh=sh) as process,
    ):
        with asked(process, listener, FORM + b"\n") as (client, received):
            head, _, form = received.partition(b"\r\n\r\n")
            sent, _, body = FORM.partition(b"\r\n\r\n")
            assert head.startswith(b"POST / HTTP/1.")
            assert sorted(line for line in sent.split(b"\r\n") if line.startswith(b"Content")) == sorted(
                line for line in head.split(b"\r\n") if line.startswith(b"Content")
            )
            while len(form) < len(body):
                data = client.recv(4096)
                assert data
                form += data
            assert form == body
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\nthanks")
        assert process.stdout is not None
        assert process.stdout.read() == b"HTTP/1.0 200 OK\r\n\r\nthanks"
        assert process.wait(SECONDS) == 0
