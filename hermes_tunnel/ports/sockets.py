"""Which TCP sockets of this machine have a port: what ss(8), netstat and lsof(8) know, asked of the system.

Each system shows an unprivileged user something different, so each has its own function: Linux shows every
socket and its user, but only your own processes; macOS shows only your own sockets; Windows shows every
socket and its process, but may hide the name.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psutil

LISTEN = "LISTEN"
# RFC 9293 section 3.3.2; no process has the socket any more, only the system keeps it.
CLOSED = frozenset({"FIN_WAIT1", "FIN_WAIT2", "CLOSING", "LAST_ACK", "TIME_WAIT"})
_STATES = {  # Linux, include/net/tcp_states.h; the names are psutil's
    "01": "ESTABLISHED",
    "02": "SYN_SENT",
    "03": "SYN_RECV",
    "04": "FIN_WAIT1",
    "05": "FIN_WAIT2",
    "06": "TIME_WAIT",
    "07": "CLOSE",
    "08": "CLOSE_WAIT",
    "09": "LAST_ACK",
    "0A": LISTEN,
    "0B": "CLOSING",
    "0C": "SYN_RECV",
}
_PROC = Path("/proc")


@dataclass(frozen=True)
class Socket:
    """One socket, as one process holds it.

    :param address: as bound; an IPv4-mapped IPv6 address is written as IPv4
    :param state: the TCP state, as in RFC 9293
    :param pid: who holds it; ``None`` if the system does not say, or nobody does
    :param user: whose it is, if the system says that but not the process
    """

    address: str
    state: str
    pid: int | None
    user: str | None = None


def with_port(port: int) -> list[Socket]:
    """Every TCP socket of this machine whose local port is this one, on any address."""
    return from_proc(port) if Path(_PROC, "net/tcp").exists() else from_psutil(port)


def from_proc(port: int, proc: Path = _PROC) -> list[Socket]:
    """On Linux (proc(5)): sockets with user and inode, and the inodes that each process has open.

    A forked child shares its parent's socket; each process that holds it gets its own ``Socket``.
    """
    rows = []
    for table in ("tcp", "tcp6"):
        file = proc / "net" / table
        for line in file.read_text("ascii").splitlines()[1:] if file.exists() else ():
            _, local, _, state, _, _, _, uid, _, inode, *_ = line.split()
            address, number = local.split(":")
            if int(number, 16) == port:
                rows.append((_address(address), _STATES[state], int(uid), inode))
    holders = _holders(proc, {inode for *_, inode in rows}) if rows else {}
    found = []
    for address, state, owner, inode in rows:
        if inode == "0":  # no process has it (yet), and its user is unknown
            if state in CLOSED:  # otherwise it waits for the listener, which is in the list, to accept it
                found.append(Socket(address, state, None))
        elif pids := holders.get(inode):
            found += [Socket(address, state, pid) for pid in pids]
        else:
            found.append(Socket(address, state, None, _user(owner)))
    return found


def _address(text: str) -> str:
    """An address in /proc/net/tcp: 32-bit words, each a number in the machine's byte order."""
    packed = b"".join(struct.pack("=I", int(text[at : at + 8], 16)) for at in range(0, len(text), 8))
    family = socket.AF_INET if len(packed) == 4 else socket.AF_INET6
    return socket.inet_ntop(family, packed).removeprefix("::ffff:")


def _holders(proc: Path, inodes: set[str]) -> dict[str, list[int]]:
    links = {f"socket:[{inode}]": inode for inode in inodes}
    holders: dict[str, list[int]] = {}
    for pid in sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()):
        held = set()
        try:
            for descriptor in (proc / str(pid) / "fd").iterdir():
                try:
                    held.add(links.get(str(descriptor.readlink())))
                except OSError:  # closed in the meantime
                    continue
        except OSError:  # another user's, or gone
            continue
        for inode in held - {None}:
            holders.setdefault(str(inode), []).append(pid)
    return holders


def _user(uid: int) -> str:
    if sys.platform == "win32":
        return str(uid)
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def from_psutil(
    port: int,
    connections: Callable[[str], Iterable[psutil._ntuples.sconn]] | None = None,
    processes: Callable[[], Iterable[psutil.Process]] | None = None,
    lsof: Callable[[int], str] | None = None,
) -> list[Socket]:
    """On macOS and Windows; macOS shows the whole machine only to root.

    :param connections: ``psutil.net_connections`` by default; and so on
    """
    import psutil  # takes 40 ms, and is rarely needed

    try:
        return [
            Socket(row.laddr.ip.removeprefix("::ffff:"), row.status, row.pid or None)
            for row in (connections or psutil.net_connections)("tcp")
            if row.laddr and row.laddr.port == port
        ]
    except psutil.AccessDenied:
        pass
    found = []
    for process in (processes or psutil.process_iter)():
        try:
            rows = process.net_connections("tcp")
        except psutil.Error:  # another user's, or gone
            continue
        found += [
            Socket(row.laddr.ip.removeprefix("::ffff:"), row.status, process.pid)
            for row in rows
            if tuple(row.laddr)[1:] == (port,)  # empty if the socket has no address yet
        ]
    return found or from_lsof(port, (lsof or _lsof)(port))


def _lsof(port: int) -> str:
    import shutil
    import subprocess

    program = shutil.which("lsof")
    if program is None:
        return ""
    asked = [program, "-nP", f"-iTCP:{port}", "-F", "pLtnT"]
    try:
        return subprocess.run(
            asked, capture_output=True, text=True, errors="replace", timeout=5, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):  # no answer is as good as no lsof
        return ""


def from_lsof(port: int, output: str) -> list[Socket]:
    """What ``lsof -nP -iTCP:PORT -F pLtnT`` printed: one field per line, its letter first."""
    found = []
    fields: dict[str, str] = {}
    for line in output.splitlines():
        fields[line[:1]] = line[1:]
        if not line.startswith("TST="):  # the last useful field of a socket
            continue
        address, _, number = fields["n"].partition("->")[0].rpartition(":")
        if number == str(port):
            any_address = "::" if fields["t"] == "IPv6" else "0.0.0.0"  # noqa: S104  # a word, no bind
            address = any_address if address == "*" else address.strip("[]").removeprefix("::ffff:")
            found.append(Socket(address, line[4:], int(fields["p"]), fields.get("L")))
    return found
