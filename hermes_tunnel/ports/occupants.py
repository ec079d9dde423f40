"""Who holds a local port, what it means to a person who wants to log in, and why a bind was refused."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

from hermes_tunnel.ports.programs import Role, base_name, role_of
from hermes_tunnel.ports.sockets import CLOSED, LISTEN, Socket, with_port
from hermes_tunnel.text import plain

if TYPE_CHECKING:
    import psutil

T = TypeVar("T")

EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104  # compared, never bound
"""The addresses of a socket that listens on all interfaces."""
LOCALHOST = frozenset({"127.0.0.1", "::1"}) | EVERYWHERE
"""The addresses on which a socket gets what is meant for localhost, or keeps it from us."""


@dataclass(frozen=True)
class Occupant:
    """A process that holds a port, or one user's sockets whose process we cannot see.

    :param port: the port
    :param state: ``LISTEN``, or the TCP state of a connection that merely uses the port
    :param addresses: as bound, of the sockets in that state
    :param pid: ``None`` if the system hides it from this user
    :param name: base name of the program; never its arguments, which may hold secrets
    :param user: ``None`` if the system does not say
    :param started: in local time
    :param protected: why we must not end it; empty if we may, once the person agrees
    :param own: whether we know it to be this user's process
    """

    port: int
    state: str
    addresses: tuple[str, ...]
    role: Role
    protected: str
    own: bool = False
    pid: int | None = None
    name: str = ""
    user: str | None = None
    started: datetime | None = None
    process: psutil.Process | None = field(default=None, repr=False, compare=False)

    @property
    def listens(self) -> bool:
        """Whether it would get the callback: a browser sent to this port arrives there."""
        return self.state == LISTEN

    @property
    def is_tunnel(self) -> bool:
        """Whether it is plainly there for a login: a tunnel, or Hermes itself."""
        return self.role in (Role.SSH_FORWARD, Role.HERMES_TUNNEL, Role.HERMES)


def occupants(
    port: int,
    *,
    sockets: Callable[[int], Iterable[Socket]] = with_port,
    process: Callable[[int], psutil.Process] | None = None,
    processes: Callable[[], Iterable[psutil.Process]] | None = None,
) -> list[Occupant]:
    """Who keeps us from this port on 127.0.0.1 and ::1: one occupant per process, listeners first.

    A connection that has ended (``Role.CLOSED``) keeps the port only if its process had not set SO_REUSEADDR,
    which nobody can see: only a bind tells. No system lists a socket that is bound but does not listen.

    :param sockets: lists the system's sockets with a port
    :param process: finds a process by its PID; ``psutil.Process`` by default
    :param processes: lists them all; ``psutil.process_iter`` by default
    """
    held: dict[tuple[int | None, str | None, str], list[Socket]] = {}
    for each in sockets(port):
        if each.address in LOCALHOST:
            state = "" if each.pid else each.state
            held.setdefault((each.pid, None if each.pid else each.user, state), []).append(each)
    if not held:
        return []
    import psutil  # takes 40 ms, and is rarely needed

    found = []
    for (pid, user, _), group in held.items():
        state = LISTEN if any(s.state == LISTEN for s in group) else group[0].state
        addresses = tuple(sorted({s.address for s in group if s.state == state}))
        if pid is None:
            publisher = _publisher(port, user, (processes or psutil.process_iter)()) if user else None
            found.append(
                _seen(port, state, addresses, publisher, user)
                if publisher and state == LISTEN
                else _unseen(port, state, addresses, user)
            )
            continue
        try:
            seen = (process or psutil.Process)(pid)
        except psutil.NoSuchProcess:  # ended meanwhile
            continue
        found.append(_seen(port, state, addresses, seen, group[0].user))
    return sorted(found, key=lambda it: (not it.listens, it.state in CLOSED, it.pid or 0))


def keeps_from(occupant: Occupant, addresses: Iterable[str]) -> bool:
    """Whether it has the port on one of these addresses: on the address itself, or on all of its family.

    A socket on ``::`` may serve IPv4 too; no system says.
    """
    return any(
        held in {address, "::", *([] if ":" in address else ["0.0.0.0"])}  # noqa: S104  # compared
        for held in occupant.addresses
        for address in addresses
    )


def why_unavailable(port: int) -> Refusal | None:
    """Why we cannot get the port on 127.0.0.1, found by trying; None if we can."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        return why_not(error, port)
    return None


def _publisher(port: int, user: str | None, processes: Iterable[psutil.Process]) -> psutil.Process | None:
    """The proxy by which Docker publishes this port of a container, if there is one.

    It is root's, so that nobody else may see its sockets; but they may see its command line (proc(5)), in
    which Docker writes the port.
    """
    for each in processes:
        argv = _told(each.cmdline) or [""]
        publishes = base_name(argv[0]) == "docker-proxy" and ("-host-port", str(port)) in pairwise(argv)
        if publishes and _told(each.username) == user:
            return each
    return None


def _unseen(port: int, state: str, addresses: tuple[str, ...], user: str | None) -> Occupant:
    if state in CLOSED and user is None:
        return Occupant(port, state, addresses, Role.CLOSED, "it has ended already")
    protected = "the system does not show its process"
    if user is not None:
        user = plain(user)
        protected = f"it belongs to user {user}, and {protected}"
    return Occupant(port, state, addresses, Role.OTHER, protected, user=user)


def _seen(
    port: int, state: str, addresses: tuple[str, ...], process: psutil.Process, user: str | None
) -> Occupant:
    import psutil

    me, pid = psutil.Process(), process.pid
    user = _told(process.username) or user
    created = _told(process.create_time)
    started = None if created is None else datetime.fromtimestamp(created).astimezone()
    argv = _told(process.cmdline) or []
    # The first word may be a title the process gave itself, arguments and all.
    name = base_name(argv[0]) if argv else ""
    if not name or any(map(str.isspace, name)):
        name = _told(process.name) or ""
    role = role_of(name, argv)
    if role is Role.SSH_FORWARD and state != LISTEN:
        role = Role.OTHER
    if pid == me.pid:
        role, protected = Role.ITSELF, "it is this very process"
    elif pid in {0, 1, 4}:  # the kernel (0 and 4 on Windows) and the first process of all
        role, protected = Role.SERVICE, "the system needs it"
    elif pid in {parent.pid for parent in me.parents()}:
        role, protected = Role.ANCESTOR, "this process was started from it"
    elif user is None:
        protected = "the system does not show whose it is"
    elif user != me.username():
        protected = f"it belongs to user {plain(user)}"
    elif role is Role.SERVICE:
        protected = "the system needs it"
    elif state != LISTEN:
        protected = "it does not listen; its connection only uses the port, and frees it when it ends"
    else:
        protected = ""
    own = user is not None and user == me.username()
    user = None if user is None else plain(user)
    return Occupant(port, state, addresses, role, protected, own, pid, plain(name), user, started, process)


def _told(fact: Callable[[], T]) -> T | None:
    """A fact about a process, or ``None`` if the system hides it."""
    import psutil

    try:
        return fact()
    except (psutil.Error, OSError):
        return None


def describe(occupant: Occupant, *, now: datetime | None = None) -> str:
    """Words for the person, in any sentence: ``ssh (PID 4711, user ana, since 14:02 today, an ssh forward)``.

    A state other than LISTEN, or an address other than 127.0.0.1, comes last.

    :param now: decides which day is today; the current time by default
    """
    where = f"{occupant.state} on {', '.join(occupant.addresses)}"
    if occupant.role is Role.CLOSED:
        return f"{occupant.role.value} ({where})"
    facts = ["PID not shown by the system" if occupant.pid is None else f"PID {occupant.pid}"]
    if occupant.user is not None:
        facts.append(f"user {occupant.user}")
    if occupant.started is not None:
        today = occupant.started.date() == (now or datetime.now().astimezone()).date()
        facts.append(
            f"since {occupant.started:%H:%M} today" if today else f"since {occupant.started:%F %H:%M}"
        )
    if occupant.role is not Role.OTHER:
        facts.append(occupant.role.value)
    if (occupant.state, occupant.addresses) != (LISTEN, ("127.0.0.1",)):
        facts.append(where)
    return f"{occupant.name or 'a process'} ({', '.join(facts)})"


class BindRefusal(Enum):
    """Why the system denies us a port."""

    TAKEN = "taken"
    RESERVED = "reserved"  # by Windows, for Hyper-V, WSL or WinNAT
    FORBIDDEN = "forbidden"  # by privilege or policy
    NO_ADDRESS = "no address"  # this machine has no ::1
    OTHER = "other"


@dataclass(frozen=True)
class Refusal:
    """A refused bind in words: a fact and the next thing to do, in the form of ``errors.Failure``."""

    reason: BindRefusal
    message: str
    hint: str


def why_not(error: OSError, port: int, *, occupied: bool = False) -> Refusal:
    """What a refused ``bind`` means.

    :param error: as the socket raised it
    :param occupied: whether we know of an occupant. Windows reports 10013 both for a port that it reserves
        and for one that someone holds exclusively.
    """
    number = getattr(error, "winerror", None) or error.errno
    if number in {errno.EADDRINUSE, 10048} or (number == 10013 and occupied):
        return Refusal(
            BindRefusal.TAKEN, f"local port {port} is taken", f"to see who has it: hermes-tunnel port {port}"
        )
    if number == 10013:
        return Refusal(
            BindRefusal.RESERVED,
            f"Windows keeps local port {port} for itself, though nobody listens on it",
            "netsh int ipv4 show excludedportrange protocol=tcp shows the reserved ranges; as administrator,"
            " net stop winnat frees them, and net start winnat brings WinNAT back after the login",
        )
    if number in {errno.EACCES, errno.EPERM}:
        below = port < 1024
        return Refusal(
            BindRefusal.FORBIDDEN,
            f"the system does not let this user listen on local port {port}",
            "ports below 1024 need privileges" if below else "a policy of this machine forbids the port",
        )
    if number in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, 10049, 10047}:
        return Refusal(
            BindRefusal.NO_ADDRESS, f"this machine does not have the address for local port {port}", ""
        )
    words = os.strerror(error.errno) if error.errno else str(error)
    return Refusal(BindRefusal.OTHER, f"local port {port} is not available: {words}", "")
