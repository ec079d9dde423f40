"""A callback that is relayed by a command, over OpenSSH's sshd, with each program that may be there."""

from __future__ import annotations

import select
import shutil
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from hermes_tunnel.oauth.answer import Answer
from hermes_tunnel.oauth.authorization import Redirect
from hermes_tunnel.oauth.rebuilding import rebuilt
from hermes_tunnel.oauth.states import NoDelivery, Undelivered
from hermes_tunnel.remote.call import Call, begin_marker
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.way_back import channel
from hermes_tunnel.way_back.relay import relay
from tests.ssh.hops import hop, to
from tests.ssh.sshd import Sshd

pytestmark = pytest.mark.usefixtures("nothing_left")

NONCE = "0123456789abcdef"
QUERY = "code=S3CRET%2F%27%28x%29&state=a.b~c-d_e%25"
RELAYS = ("python3", "curl", "nc")
WAYS = pytest.mark.parametrize("way", ["channel", *RELAYS])
SECONDS = 20.0


TAKEN = b"HTTP/1.0 200 OK\r\n\r\ngot it"


def takes(client: socket.socket) -> None:
    """Answers as the callback's listeners do."""
    client.sendall(TAKEN)


class Listener:
    """Serves one request, as the callback's listeners do, and keeps it.

    :param behave: what it does when it has the request
    """

    def __init__(self, address: str = "127.0.0.1", behave: Callable[[socket.socket], None] = takes) -> None:
        self.request = b""
        self.cut_off = False
        """Whether it was cut off before it had sent everything."""
        self._behave = behave
        self._arguments = ""
        self._socket = socket.create_server(
            (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        try:
            client, _ = self._socket.accept()
        except OSError:
            return
        with client:
            while b"\r\n\r\n" not in self.request and (data := client.recv(4096)):
                self.request += data
            self._arguments = told()
            try:
                self._behave(client)
            except OSError:
                self.cut_off = True

    @property
    def seen_meanwhile(self) -> str:
        """What all processes showed of themselves while the request was being served."""
        return self._arguments

    def close(self) -> None:
        """Stop listening."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()


def told() -> str:
    """The command lines and environments of all processes that this one may see."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            with suppress(OSError):
                found.append((process / file).read_text(errors="replace"))
    return "\n".join(found)


@contextmanager
def listening(
    address: str = "127.0.0.1", behave: Callable[[socket.socket], None] = takes
) -> Iterator[Listener]:
    """A listener."""
    listener = Listener(address, behave)
    try:
        yield listener
    finally:
        listener.close()


def request(port: int) -> bytes:
    """The callback."""
    return rebuilt("/spotify/callback", QUERY, Redirect("127.0.0.1", port, "/spotify/callback"))


def tried(connection: Connection, port: int, *hosts: str, seconds: float = SECONDS) -> Answer | Undelivered:
    """What comes of a relay."""
    line = Call().relay_line(port, hosts or ("127.0.0.1",), NONCE)
    return relay(connection, line, begin_marker(NONCE), request(port), seconds=seconds)


def relayed(connection: Connection, port: int, *hosts: str) -> Answer:
    """The answer that comes by a relay."""
    answer = tried(connection, port, *hosts)
    assert isinstance(answer, Answer)
    return answer


def channelled(
    connection: Connection, port: int, *hosts: str, seconds: float = SECONDS
) -> Answer | Undelivered:
    """What comes of a channel."""
    there = hosts or ("127.0.0.1",)
    return channel.deliver(connection, there, port, request(port), seconds=seconds)


@pytest.fixture
def servers() -> list[Sshd]:
    """The servers of ``connected``."""
    return []


@pytest.fixture
def connected(
    sshd: Callable[..., Sshd], key: Path, known: Callable[..., Path], tmp_path: Path, servers: list[Sshd]
) -> Iterator[Callable[..., Connection]]:
    """Connects to an sshd whose sessions find only these programs."""
    opened: list[Connection] = []

    def connect_to(*programs: str, options: tuple[str, ...] = ()) -> Connection:
        path = tmp_path / "bin"
        path.mkdir()
        for program in ("sh", *programs):
            found = shutil.which(program, path="/usr/bin:/bin:/usr/local/bin")
            if found is None:
                pytest.skip(f"{program} is needed")
            (path / program).symlink_to(found)
        (tmp_path / ".bashrc").write_text("echo noise from a start-up file\n")
        server = sshd("host", *options, f"SetEnv PATH={path} HOME={tmp_path}")
        server.accept(key)
        servers.append(server)
        opened.append(to(hop(server.port, known(server), key)))
        return opened[-1]

    yield connect_to
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("program", RELAYS)
def test_each_program_relays_the_request(connected: Callable[..., Connection], program: str) -> None:
    """Request and answer arrive byte for byte; no command line shows the code meanwhile."""
    with listening() as listener:
        answer = relayed(connected(program), listener.port)
        assert answer.status == 200
        assert answer.size >= len(TAKEN)
        head = listener.request.decode()
        assert head.startswith(f"GET /spotify/callback?{QUERY} HTTP/1.")
        assert f"\r\nHost: 127.0.0.1:{listener.port}\r\n" in head
        assert head.endswith("\r\n\r\n")
        if Path("/proc/self/cmdline").exists():
            assert str(listener.port) in listener.seen_meanwhile
            assert "S3CRET" not in listener.seen_meanwhile


@pytest.mark.parametrize("program", RELAYS)
def test_the_other_family_is_tried_where_nobody_listens(
    connected: Callable[..., Connection], program: str
) -> None:
    """A redirect to localhost may be served on ::1 alone; trying 127.0.0.1 does not spend the request."""
    connection = connected(program)
    with listening("::1") as listener:
        assert relayed(connection, listener.port, "127.0.0.1", "::1").status == 200
        assert QUERY in listener.request.decode()


@pytest.mark.parametrize("program", RELAYS)
def test_nobody_listens(connected: Callable[..., Connection], program: str) -> None:
    """It is reported as such, and not as a relay that could not run."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        failed = tried(connected(program), free.getsockname()[1])
    assert failed == Undelivered(NoDelivery.NOBODY_LISTENS, "connect failed")


def closes(_: socket.socket) -> None:
    """Says nothing."""


def resets(client: socket.socket) -> None:
    """Resets the connection."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def babbles(client: socket.socket) -> None:
    """Answers with something that is not HTTP."""
    client.sendall(b"Thanks!")


def stays(client: socket.socket) -> None:
    """Keeps the connection after the answer, as if more might come."""
    client.sendall(TAKEN)
    client.recv(1)


def drips(client: socket.socket) -> None:
    """Sends an endless answer, bit by bit."""
    client.sendall(TAKEN)
    while not select.select([client], (), (), 0.01)[0]:
        client.sendall(b".")


def floods(client: socket.socket) -> None:
    """Sends an endless answer at full speed."""
    client.sendall(TAKEN)
    while True:
        client.sendall(bytes(65536))


def hesitates(client: socket.socket) -> None:
    """Sends an interim answer before the answer."""
    client.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")


@WAYS
@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (closes, None),
        (resets, None),
        (babbles, None),
        (stays, 200),
        (drips, 200),
        (floods, 200),
        (hesitates, 400),
    ],
)
def test_whatever_a_listener_answers(
    connected: Callable[..., Connection],
    way: str,
    behave: Callable[[socket.socket], None],
    status: int | None,
) -> None:
    """It has the request, so it is never reported as absent; an endless answer is given up."""
    connection = connected(*({way} - {"channel"}))
    with listening(behave=behave) as listener:
        began = time.monotonic()
        by = channelled if way == "channel" else tried
        answer = by(connection, listener.port, seconds=2)
        assert isinstance(answer, Answer)
        assert answer.status == status
        assert time.monotonic() - began < 8
    assert QUERY in listener.request.decode()


def waits(client: socket.socket) -> None:
    """Does something else for a while, as long as the client is there."""
    if select.select([client], (), (), 2.5)[0]:
        raise ConnectionAbortedError


def is_long(client: socket.socket) -> None:
    """Sends an answer of 10 MB."""
    client.sendall(TAKEN)
    for _ in range(10):
        client.sendall(bytes(1_000_000))


def ponders(client: socket.socket) -> None:
    """Takes its time before the answer and in the middle of it, as if it redeemed the code."""
    waits(client)
    client.sendall(TAKEN)
    waits(client)
    client.sendall(b", thank you")


@WAYS
@pytest.mark.parametrize("behave", [is_long, ponders])
def test_an_answer_is_read_to_its_end(
    connected: Callable[..., Connection], way: str, behave: Callable[[socket.socket], None]
) -> None:
    """However big and slow it is: a listener that is cut off may fail after taking the code."""
    connection = connected(*({way} - {"channel"}))
    with listening(behave=behave) as listener:
        by = channelled if way == "channel" else tried
        answer = by(connection, listener.port)
        assert isinstance(answer, Answer)
        assert answer.status == 200
        assert answer.ended
    assert not listener.cut_off


def keeps_it(client: socket.socket) -> None:
    """Says how long its answer is, and keeps the connection for another request."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\ngot it")
    client.recv(1)


def keeps_it_in_chunks(client: socket.socket) -> None:
    """Does the same, with an answer whose length was not known at first."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    client.sendall(head + b"3\r\ngot\r\n3\r\n it\r\n0\r\n\r\n")
    client.recv(1)


@WAYS
@pytest.mark.parametrize("behave", [keeps_it, keeps_it_in_chunks])
def test_an_answer_is_read_no_further_than_its_end(
    connected: Callable[..., Connection], way: str, behave: Callable[[socket.socket], None]
) -> None:
    """We do not wait for a connection that is kept open for more, and neither does the relay."""
    connection = connected(*({way} - {"channel"}))
    with listening(behave=behave) as listener:
        began = time.monotonic()
        by = channelled if way == "channel" else tried
        answer = by(connection, listener.port)
        assert isinstance(answer, Answer)
        assert answer.status == 200
        assert answer.ended
        assert time.monotonic() - began < SECONDS / 2


@pytest.mark.parametrize("program", RELAYS)
def test_a_relay_ends_with_its_connection(
    connected: Callable[..., Connection], servers: list[Sshd], program: str
) -> None:
    """Even if the listener never answers, nothing stays on the machine, and the request counts as lost."""
    connection = connected(program)
    asked = threading.Event()

    def says_nothing(client: socket.socket) -> None:
        asked.set()
        client.settimeout(10)
        assert client.recv(1) == b""

    with listening(behave=says_nothing) as listener:
        answers: list[Answer | Undelivered] = []
        relaying = threading.Thread(target=lambda: answers.append(tried(connection, listener.port)))
        relaying.start()
        assert asked.wait(10)
        servers[0].close_sessions()
        relaying.join(10)
    (answer,) = answers
    assert isinstance(answer, Undelivered)
    assert answer.reason is NoDelivery.LOST_UNDER_WAY


@pytest.mark.parametrize("broken", [("python3",), ("python3", "curl")])
def test_a_program_that_does_not_work_is_passed_over(
    connected: Callable[..., Connection], tmp_path: Path, broken: tuple[str, ...]
) -> None:
    """If python3 has no version (pyenv) or curl no libraries, the next program relays."""
    connection = connected("curl", "nc")
    for program in broken:
        (tmp_path / "bin" / program).unlink(missing_ok=True)
        (tmp_path / "bin" / program).write_text("#!/bin/sh\necho no such version >&2; exit 127\n")
        (tmp_path / "bin" / program).chmod(0o755)
    with listening() as listener:
        assert relayed(connection, listener.port).status == 200


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "found no python3, curl or nc"),
        (("ForceCommand echo no",), "could not run there"),
        (("MaxSessions 0",), "a second session for the relay was refused"),
    ],
)
def test_a_relay_that_cannot_run(
    connected: Callable[..., Connection], options: tuple[str, ...], words: str
) -> None:
    """With no program for it, a forced command or no session, the refusal says so in words."""
    with listening() as listener:
        failed = tried(connected(options=options), listener.port)
        assert listener.request == b""
    assert isinstance(failed, Undelivered)
    assert failed.reason is NoDelivery.FORBIDDEN
    assert words in failed.words


@pytest.mark.parametrize("options", [("AllowTcpForwarding no",), ("PermitOpen 127.0.0.1:1",)])
def test_a_server_may_forbid_the_channel_and_allow_the_relay(
    connected: Callable[..., Connection], options: tuple[str, ...]
) -> None:
    """With AllowTcpForwarding no, or PermitOpen elsewhere, a command may do what a channel may not."""
    connection = connected("python3", options=options)
    with listening() as listener:
        failed = channelled(connection, listener.port)
        assert isinstance(failed, Undelivered)
        assert failed.reason is NoDelivery.FORBIDDEN
        assert "administratively prohibited" in failed.words
        assert relayed(connection, listener.port).status == 200


def test_a_channel_tries_both_families(connected: Callable[..., Connection]) -> None:
    """It tries both over direct-tcpip, and reports if nobody listens on either."""
    connection = connected()
    with socket.socket() as reserved:
        with listening("::1") as listener:
            port = listener.port
            reserved.bind(("127.0.0.1", port))  # so that no other test listens there
            answer = channelled(connection, port, "127.0.0.1", "::1")
            assert isinstance(answer, Answer)
            assert answer.status == 200
        failed = channelled(connection, port, "127.0.0.1", "::1")
    assert failed == Undelivered(NoDelivery.NOBODY_LISTENS, "connect failed")
