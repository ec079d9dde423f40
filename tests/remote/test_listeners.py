"""What listens on the remote machine, as three systems report it, and which of it is the login."""

from __future__ import annotations

import socket

import pytest

from hermes_tunnel.errors import RemoteCommandFailure, UsageFailure
from hermes_tunnel.question import Question
from hermes_tunnel.remote.call import Call, begin_marker
from hermes_tunnel.remote.listeners import Listener, choose, chosen, read_listeners
from tests.ports.holding import posix
from tests.remote.shells import Account

SS = """\
LISTEN 0      5          127.0.0.1:56121      0.0.0.0:*    users:(("hermes",pid=41,fd=6))
LISTEN 0      128        127.0.0.1:631        0.0.0.0:*
LISTEN 0      128          0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=1,fd=3))
LISTEN 0      128            [::1]:8080          [::]:*    users:(("node",pid=2,fd=3),("node",pid=3,fd=3))
LISTEN 0      128    127.0.0.53%lo:5353       0.0.0.0:*
LISTEN 0      128     10.213.0.30:7000       0.0.0.0:*
"""
PROC = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:DB39 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 12345 1 0
   1: 0100007F:DB39 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 12346 1 0
   2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12347 1 0
   3: 0100007F:0277 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12348 1 0
   0: 00000000000000000000000001000000:1F90 00000000000000000000000000000000:0000 0A 00000000:00000000 00 0
"""
NETSTAT = """\
Active Internet connections (including servers)
Proto Recv-Q Send-Q  Local Address          Foreign Address        (state)
tcp4       0      0  127.0.0.1.56121        *.*                    LISTEN
tcp6       0      0  ::1.8080               *.*                    LISTEN
tcp4       0      0  *.22                   *.*                    LISTEN
tcp4       0      0  127.0.0.1.50000        127.0.0.1.56121        ESTABLISHED
"""
HERMES, OTHER, CUPS = Listener(56121, "hermes"), Listener(8080, "rpc"), Listener(6000, "X")


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (SS, [Listener(8080, "node"), HERMES]),
        (PROC, [Listener(8080), Listener(56121)]),
        (NETSTAT, [Listener(8080), Listener(56121)]),
        ("", []),
        ("motd\n\x1b[2J\n" + SS, [Listener(8080, "node"), HERMES]),
        (
            SS.replace("631", "9" * 5000) + NETSTAT.replace("22 ", "1" * 5000),
            [Listener(8080, "node"), HERMES],
        ),
    ],
)
def test_what_each_system_says(table: str, expected: list[Listener]) -> None:
    """Listeners on loopback, on ports that a login could use, with the program if the system names it."""
    assert read_listeners(table) == expected


@pytest.mark.slow
@posix
def test_what_this_machine_says(tmp_path: object) -> None:
    """The real script in a real shell lists a listener of this very process, without touching it."""
    account = Account(tmp_path, ["bash"])  # type: ignore[arg-type]
    nonce = "0123456789abcdef"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        status, lines = account.run(Call().listeners_line(nonce))
        listener.settimeout(0.05)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert status == 0
    assert lines[0] == f"{begin_marker(nonce)}listeners"
    assert port in [one.port for one in read_listeners("\n".join(lines[1:]))]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([HERMES, OTHER, CUPS], 56121),
        ([Listener(43827), OTHER], 43827),
        ([Listener(35001, "python3.11"), OTHER], 35001),
    ],
)
def test_the_only_likely_one_is_the_login_s(found: list[Listener], expected: int) -> None:
    """It is known by a program like Hermes, or by a port that one of its providers uses."""
    assert choose(found, "me@box") == expected


@pytest.mark.parametrize("found", [[HERMES, Listener(43827)], [OTHER, CUPS]])
def test_the_person_is_asked_where_it_is_not_clear(found: list[Listener]) -> None:
    """The question says what we know about each, and only one of them is an answer."""
    question = choose(found, "me@box")
    assert isinstance(question, Question)
    assert question.above[0].startswith("Listening on the loopback of me@box: ")
    assert chosen(f" {found[1].port}\n", found, "me@box") == found[1].port
    for answer in (None, "", "1", "x", "9" * 5000):
        with pytest.raises(UsageFailure, match="not clear which port of me@box"):
            chosen(answer, found, "me@box")


def test_nothing_waits() -> None:
    """There is an error for that."""
    with pytest.raises(RemoteCommandFailure, match="nothing is listening on the loopback of me@box"):
        choose([], "me@box")
