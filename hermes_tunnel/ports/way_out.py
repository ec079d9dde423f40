"""What a person can do about a port whose occupant is not ours to end."""

from __future__ import annotations

import re
import sys

from hermes_tunnel.ports.occupants import EVERYWHERE, Occupant
from hermes_tunnel.ports.programs import Role

_AGAIN = "run it again when it has ended"
_OF_PODMAN = re.compile(r"rootlessport|conmon|gvproxy|pasta|passt|slirp4netns|podman.*")


def way_out(occupant: Occupant, *, platform: str = sys.platform) -> str:
    """How its port becomes free, in the form of a hint.

    :param platform: as in ``sys.platform``
    """
    port, pid, user = occupant.port, occupant.pid, occupant.user
    if not occupant.listens:
        return _AGAIN
    if occupant.role is Role.CONTAINER:
        return _of_a_container(occupant.name.lower().removesuffix(".exe"), port)
    if pid is None:
        shows = f"{_who(port, platform)} shows what it is"
        if EVERYWHERE.isdisjoint(occupant.addresses):
            return f"{shows}; {_AGAIN}"
        return f"if it is a container's, {_of_a_container('', port)}; if not, {shows}"
    if occupant.own or user is None or occupant.role is Role.SERVICE:
        return _AGAIN
    ends = f"taskkill /PID {pid}, as administrator" if platform == "win32" else f"sudo kill {pid}"
    return f"user {user} can end it, or you by {ends}; then run it again"


def _of_a_container(program: str, port: int) -> str:
    """Stopping that container alone: what serves it may serve others too."""
    if program == "wslrelay":
        return f"wsl sudo ss -ltnp 'sport = :{port}' shows the program in WSL that it serves; {_AGAIN}"
    if _OF_PODMAN.fullmatch(program):
        return "podman ps names the container, and podman stop NAME frees the port"
    return f"docker ps --filter publish={port} names the container, and docker stop NAME frees the port"


def _who(port: int, platform: str) -> str:
    """The command that shows a privileged user who listens."""
    if platform == "darwin":
        return f"sudo lsof -nP -iTCP:{port} -sTCP:LISTEN"
    if platform == "win32":
        return "netstat -abno -p tcp, as administrator,"
    return f"sudo ss -ltnp 'sport = :{port}'"
