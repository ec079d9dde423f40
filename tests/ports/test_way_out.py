"""What a person is told to do about an occupant that is not ours to end."""

from __future__ import annotations

import pytest

from hermes_tunnel.ports.occupants import Occupant
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.way_out import way_out

DOCKER = "docker ps --filter publish=56121 names the container, and docker stop NAME frees the port"
AGAIN = "run it again when it has ended"
SS = "sudo ss -ltnp 'sport = :56121' shows"


def told(
    name: str = "",
    role: Role = Role.OTHER,
    *,
    state: str = "LISTEN",
    address: str = "0.0.0.0",
    own: bool = False,
    user: str | None = "root",
    platform: str = "linux",
) -> str:
    """What is told of an occupant; one without a name is not shown by the system."""
    pid = 812 if name else None
    occupant = Occupant(56121, state, (address,), role, "x", own=own, pid=pid, name=name, user=user)
    return way_out(occupant, platform=platform)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("docker-proxy", DOCKER),
        ("com.docker.backend.exe", DOCKER),
        ("rootlesskit", DOCKER),
        ("rootlessport", "podman ps names the container, and podman stop NAME frees the port"),
        ("conmon", "podman ps names the container, and podman stop NAME frees the port"),
        ("wslrelay.exe", f"wsl {SS} the program in WSL that it serves; {AGAIN}"),
    ],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_container(name: str, expected: str, own: bool) -> None:
    """Its engine finds it by its port, and stops it alone."""
    assert told(name, Role.CONTAINER, own=own) == expected


@pytest.mark.parametrize("address", ["0.0.0.0", "::"])
def test_a_listener_that_is_not_shown(address: str) -> None:
    """On all interfaces it is often a container's."""
    assert told(address=address) == f"if it is a container's, {DOCKER}; if not, {SS} what it is"


@pytest.mark.parametrize(
    ("platform", "shows"),
    [
        ("linux", SS),
        ("darwin", "sudo lsof -nP -iTCP:56121 -sTCP:LISTEN shows"),
        ("win32", "netstat -abno -p tcp, as administrator, shows"),
    ],
)
def test_a_listener_of_this_machine_alone_that_is_not_shown(platform: str, shows: str) -> None:
    """No container's: who may see it is asked."""
    assert told(address="127.0.0.1", platform=platform) == f"{shows} what it is; {AGAIN}"


def test_a_program_of_another_user() -> None:
    """Theirs to end, or the administrator's."""
    assert told("nginx") == "user root can end it, or you by sudo kill 812; then run it again"
    ends = "taskkill /PID 812, as administrator"
    assert told("nginx", platform="win32") == f"user root can end it, or you by {ends}; then run it again"


def test_what_nobody_should_end() -> None:
    """A service of the system, a process that started this one, what only uses the port."""
    assert told("systemd", Role.SERVICE) == AGAIN
    assert told("bash", Role.ANCESTOR, own=True) == AGAIN
    assert told("nginx", user=None) == AGAIN
    assert told(state="ESTABLISHED") == AGAIN
    assert told("docker-proxy", Role.CONTAINER, state="ESTABLISHED") == AGAIN
