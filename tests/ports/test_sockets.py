"""Which sockets have a port, in the words of systems that are not here, with real processes behind it."""

import shutil
import socket
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.ports.occupants import occupants
from hermes_tunnel.ports.sockets import Socket, from_lsof, from_proc, from_psutil
from tests.ports.holding import LISTENER, child, linux


def denied(*_: object) -> list["psutil._ntuples.sconn"]:
    """What psutil.net_connections tells anybody but root on macOS."""
    raise psutil.AccessDenied


@pytest.mark.slow
def test_macos_own_processes() -> None:
    """If the whole machine's sockets are denied, we look at our own processes one by one."""
    with child(LISTENER, "0.0.0.0", 0) as (process, port):

        def sockets(port: int) -> list[Socket]:
            return from_psutil(port, denied, lambda: [psutil.Process(), psutil.Process(process.pid)])

        (found,) = occupants(port, sockets=sockets)
    assert (found.pid, found.addresses, found.protected) == (process.pid, ("0.0.0.0",), "")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("lsof") is None, reason="needs lsof")
def test_macos_lsof() -> None:
    """If that shows nothing, we ask lsof."""
    with child(LISTENER, "127.0.0.1", 0) as (process, port):
        (found,) = occupants(port, sockets=lambda port: from_psutil(port, denied, list))
    assert (found.pid, found.state, found.addresses) == (process.pid, "LISTEN", ("127.0.0.1",))


def test_macos_without_lsof() -> None:
    """On a machine without lsof no occupant can be seen."""
    assert from_psutil(5000, denied, list, lambda _: "") == []


def test_lsof_output() -> None:
    """A socket in lsof's output counts by its own end; the port at the other end makes no occupant."""
    output = (
        "p812\nLana\nf3\ntIPv4\nn*:5000\nTST=LISTEN\nf4\ntIPv6\nn*:5000\nTST=LISTEN\n"
        "f5\ntIPv6\nn[::1]:5000->[::1]:60001\nTST=ESTABLISHED\n"
        "p900\nLbob\nf7\ntIPv4\nn127.0.0.1:60001->127.0.0.1:5000\nTST=ESTABLISHED\n"
    )
    assert from_lsof(5000, output) == [
        Socket("0.0.0.0", "LISTEN", 812, "ana"),
        Socket("::", "LISTEN", 812, "ana"),
        Socket("::1", "ESTABLISHED", 812, "ana"),
    ]


@pytest.mark.slow
@linux
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"])
def test_proc_and_psutil_agree(address: str) -> None:
    """What we read from /proc ourselves, for sharers and users, is what psutil reads there."""
    with child(LISTENER, address, 0) as (process, port):
        found = [
            # Somebody else's connection on this machine may happen to have the same port.
            [one for one in look(port) if one.state == "LISTEN"]
            for look in (from_proc, from_psutil)
        ]
        assert found == [[Socket(address, "LISTEN", process.pid)]] * 2


@linux
def test_mapped_address() -> None:
    """An IPv6 socket that is bound to a mapped IPv4 address counts as IPv4."""
    with socket.socket(socket.AF_INET6) as s:
        s.bind(("::ffff:127.0.0.1", 0))
        s.listen()
        assert [it.address for it in from_proc(s.getsockname()[1])] == ["127.0.0.1"]


def test_proc_of_a_machine_without_ipv6(tmp_path: Path) -> None:
    """Without IPv6 there is no tcp6 table, and no occupant in it."""
    (tmp_path / "net").mkdir()
    row = (
        "0: 0100007F:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000 54321 0 77 1 0 100 0 0 10 0"
    )
    (tmp_path / "net" / "tcp").write_text(f"  sl  local_address rem_address   st\n{row}\n")
    assert from_proc(5000, tmp_path) == [Socket("127.0.0.1", "LISTEN", None, "54321")]
