"""What listens on the remote machine's loopback: we ask the system, and connect to nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from hermes_tunnel.errors import RemoteCommandFailure, UsageFailure
from hermes_tunnel.oauth.authorization import FIRST_PORT, LAST_PORT
from hermes_tunnel.question import Question
from hermes_tunnel.remote.call import begin_marker
from hermes_tunnel.remote.command import output_of
from hermes_tunnel.remote.hermes import known_callback
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.text import plain

_LOOPBACK = r"(?:127\.0\.0\.1|\[::1\]|::1|\[::ffff:127\.0\.0\.1\])"
_SS = re.compile(rf'LISTEN\s+\d+\s+\d+\s+{_LOOPBACK}(?:%\w+)?:(\d{{1,5}})\s+\S+(?:\s+users:\(\("([^"]+)".*)?')
_PROC = re.compile(r"\s*\d+: (?:0100007F|0{24}01000000|0{16}FFFF00000100007F):([0-9A-F]{4}) \S+ 0A .*")
_NETSTAT = re.compile(rf"tcp\S*\s+\d+\s+\d+\s+{_LOOPBACK}\.(\d{{1,5}})\s+\S+\s+LISTEN.*")
_LIKELY = re.compile(r"hermes.*|python[\d.]*|uv|node", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Listener:
    """A TCP listener on loopback; ``program`` is empty if the system does not say."""

    port: int
    program: str = ""

    def __str__(self) -> str:
        return f"{self.port} ({plain(self.program)})" if self.program else str(self.port)

    @property
    def likely(self) -> bool:
        """Whether it may be a login's: on a port that a login is known to use, or of a likely program."""
        return bool(known_callback(self.port)[0] or _LIKELY.fullmatch(self.program))


def listeners(connection: Connection, line: str, nonce: str) -> list[Listener]:
    """What listens there, by running the ``listeners_line``.

    :raises RemoteCommandFailure: we could not find out
    """
    answer = output_of(connection, line)
    _, begun, table = (answer or "").partition(f"{begin_marker(nonce)}listeners")
    if not begun:
        raise RemoteCommandFailure(
            "we could not see what listens on the remote machine",
            "name the port that Hermes waits on: hermes-tunnel forward HOST PORT",
        )
    return read_listeners(table)


def read_listeners(table: str) -> list[Listener]:
    """The listeners in the output of ss(8), proc(5) or netstat(1), by port, each once."""
    found: dict[int, Listener] = {}
    for line in table.splitlines():
        if match := _SS.fullmatch(line.strip()):
            port, program = int(match[1]), match[2] or ""
        elif match := _PROC.fullmatch(line):
            port, program = int(match[1], 16), ""
        elif match := _NETSTAT.fullmatch(line.strip()):
            port, program = int(match[1]), ""
        else:
            continue
        if FIRST_PORT <= port <= LAST_PORT and not found.get(port, Listener(port)).program:
            found[port] = Listener(port, program)
    return sorted(found.values())


def choose(found: Iterable[Listener], where: str) -> int | Question:
    """The port of the waiting login, if only one is likely; otherwise, the question which one it is.

    :raises RemoteCommandFailure: nothing listens there
    """
    found = list(found)
    if not found:
        raise RemoteCommandFailure(
            f"nothing is listening on the loopback of {where}",
            "start the login there first, and leave it waiting; is Hermes in a container (--container NAME)?",
        )
    likely = [one for one in found if one.likely]
    if len(likely) == 1:
        return likely[0].port
    listening = f"Listening on the loopback of {where}: {_named(found)}."
    return Question("Which port is the login's? (Enter: stop here)", above=(listening,))


def chosen(answer: str | None, found: Iterable[Listener], where: str) -> int:
    """The port that the person named.

    :raises UsageFailure: they named none of those that listen there
    """
    found = list(found)
    port = {str(one.port): one.port for one in found}.get((answer or "").strip())
    if port is not None:
        return port
    raise UsageFailure(
        f"it is not clear which port of {where} is the login's: {_named(found)}",
        'name it: hermes-tunnel forward HOST PORT; it is in the URL, or after "Waiting for callback on"',
    )


def _named(found: list[Listener]) -> str:
    return ", ".join(map(str, [one for one in found if one.likely] or found))
