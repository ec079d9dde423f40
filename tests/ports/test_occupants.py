"""Who holds a local port: real processes that hold real ports, and answers from systems that are not here."""

import errno
import os
import socket
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest

from hermes_tunnel.ports.occupants import BindRefusal, Occupant, describe, occupants, why_not
from hermes_tunnel.ports.programs import Role
from hermes_tunnel.ports.sockets import Socket, from_psutil
from tests.ports.holding import FORKED, LISTENER, Start, as_user, child, ended_connection, linux


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts children that end with the test."""
    with ExitStack() as stack:
        yield lambda code, *argv: stack.enter_context(child(code, *argv))


def living(port: int) -> list[Occupant]:
    """The living occupants of a port that the system just gave us: others may have had it just before."""
    return [one for one in occupants(port) if one.role is not Role.CLOSED]


@pytest.mark.slow
@pytest.mark.parametrize("address", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_listener(start: Start, address: str) -> None:
    """A process that listens where a callback to localhost would arrive is an occupant, and may be ended."""
    process, port = start(LISTENER, address, 0)
    (found,) = living(port)
    assert (found.pid, found.state, found.addresses) == (process.pid, "LISTEN", (address,))
    assert found.listens
    assert found.protected == ""
    assert found.role is Role.OTHER
    assert found.user == psutil.Process().username()
    assert found.name == Path(sys.executable).name


@pytest.mark.slow
@linux
def test_listener_on_another_loopback_address(start: Start) -> None:
    """A listener on 127.0.0.2 keeps nobody from 127.0.0.1."""
    _, port = start(LISTENER, "127.0.0.2", 0)
    assert living(port) == []


@pytest.mark.slow
def test_free_port_costs_no_import_of_psutil(start: Start) -> None:
    """Nobody holds a free port; Linux finds that out without psutil, and no system imports psutil with us."""
    _, loaded = start("""
        import sys, socket
        import hermes_tunnel.ports.occupants, hermes_tunnel.ports.termination
        assert "psutil" not in sys.modules
        with socket.create_server(("127.0.0.1", 0)) as s: port = s.getsockname()[1]
        assert hermes_tunnel.ports.occupants.occupants(port) == []
        print(int("psutil" in sys.modules), flush=True)
        """)
    assert loaded == (0 if sys.platform == "linux" else 1)


@pytest.mark.slow
def test_both_families_are_one_occupant(start: Start) -> None:
    """A process that listens on both families, as ssh -L does, is one occupant with two addresses."""
    process, port = start("""
        import socket, sys
        a = socket.create_server(("127.0.0.1", 0))
        b = socket.create_server(("::1", a.getsockname()[1]), family=socket.AF_INET6)
        print(a.getsockname()[1], flush=True)
        sys.stdin.read()
        """)
    (found,) = occupants(port)
    assert (found.pid, found.addresses) == (process.pid, ("127.0.0.1", "::1"))
    assert describe(found).endswith(", LISTEN on 127.0.0.1, ::1)")


@pytest.mark.slow
def test_two_processes(start: Start) -> None:
    """One process per family makes two occupants; a connection not yet accepted makes none."""
    first, port = start(LISTENER, "127.0.0.1", 0)
    second, _ = start(LISTENER, "::1", port)
    with socket.create_connection(("127.0.0.1", port)):
        assert [found.pid for found in occupants(port)] == sorted([first.pid, second.pid])


@pytest.mark.slow
def test_listeners_first(start: Start) -> None:
    """Listeners come before those whose connections merely use the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        with client, server.accept()[0]:
            port = client.getsockname()[1]
            process, _ = start(LISTENER, "::1", port)
            assert [(it.pid, it.listens) for it in living(port)] == [
                (process.pid, True),
                (os.getpid(), False),
            ]


@pytest.mark.slow
def test_ephemeral_port_of_a_client(start: Start) -> None:
    """A connection from the port is an occupant, listed with its state, but we do not end it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        process, port = start(
            """
            import socket, sys
            s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            print(s.getsockname()[1], flush=True)
            sys.stdin.read()
            """,
            server.getsockname()[1],
        )
        (found,) = living(port)
        assert (found.pid, found.state, found.listens) == (process.pid, "ESTABLISHED", False)
        assert "does not listen" in found.protected
        assert describe(found).endswith(", ESTABLISHED on 127.0.0.1)")


@linux
def test_closed_connection_is_nobodys() -> None:
    """TIME_WAIT belongs to no process: nobody is accused, not even root."""
    (found,) = occupants(ended_connection())
    assert (found.role, found.state, found.pid, found.user) == (Role.CLOSED, "TIME_WAIT", None, None)
    assert found.protected
    assert describe(found).startswith("a connection that has ended")


@pytest.mark.slow
@linux
def test_forked_sharer(start: Start) -> None:
    """A listener shared with a forked child has two occupants, although psutil names only one."""
    process, port = start(FORKED)
    (sharer,) = psutil.Process(process.pid).children()
    try:
        assert [found.pid for found in occupants(port)] == sorted([process.pid, sharer.pid])
    finally:
        sharer.kill()


def test_this_process() -> None:
    """We are named as ourselves, and never ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        (found,) = occupants(server.getsockname()[1])
    assert (found.role, found.pid) == (Role.ITSELF, os.getpid())
    assert found.protected == "it is this very process"


@pytest.mark.slow
def test_ancestor(start: Start) -> None:
    """The shell or terminal that we were started from is never ended."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        _, verdict = start(
            """
            import sys
            from hermes_tunnel.ports.occupants import Role, occupants
            (found,) = occupants(int(sys.argv[1]))
            print(int(found.role is Role.ANCESTOR and bool(found.protected)), flush=True)
            """,
            server.getsockname()[1],
        )
    assert verdict == 1


AS_NOBODY = """
    import os, psutil, sys
    from hermes_tunnel.ports.occupants import describe, occupants
    occupants(int(sys.argv[1]))  # imports what a person without privileges may not read
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    (found,) = occupants(int(sys.argv[1]))
    print(0)
    print(found.pid)
    print(describe(found))
    print(found.protected, flush=True)
"""


@pytest.mark.slow
@linux
@pytest.mark.root
def test_another_users_listener_without_privileges(start: Start) -> None:
    """Without privileges we cannot see another user's process, only its user; we do not end it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        finder, _ = start(AS_NOBODY, server.getsockname()[1])
        assert finder.stdout is not None
        assert finder.stdout.read().splitlines() == [
            "None",
            "a process (PID not shown by the system, user root)",
            "it belongs to user root, and the system does not show its process",
        ]


@pytest.mark.slow
@linux
@pytest.mark.root
@pytest.mark.parametrize("publishes", [True, False])
def test_the_proxy_of_docker_is_known_by_its_command_line(start: Start, publishes: bool) -> None:
    """It is root's, so that its sockets are not shown; another port's is another proxy."""
    code = """
        import os, socket, sys
        s = socket.create_server(("0.0.0.0", 0))
        os.set_inheritable(s.fileno(), True)
        port = s.getsockname()[1]
        print(port, flush=True)
        named = str(port + int(sys.argv[2]))
        script = "import sys; sys.stdin.read()"
        os.execv(sys.executable, ["docker-proxy", "-c", script, "-proto", "tcp", "-host-port", named])
        """
    process, port = start(code, "", 0 if publishes else 1)
    while psutil.Process(process.pid).cmdline()[:1] != ["docker-proxy"]:
        time.sleep(0.01)
    finder, _ = start(AS_NOBODY, port)
    assert finder.stdout is not None
    pid, words, protected = finder.stdout.read().splitlines()
    assert pid == (str(process.pid) if publishes else "None")
    known = f"docker-proxy (PID {process.pid}, user root, since "
    assert words.startswith(known if publishes else "a process (PID not shown by the system, user root")
    assert ("the published port of a container, LISTEN on 0.0.0.0" in words) == publishes
    assert protected.startswith("it belongs to user root")


@pytest.mark.slow
@linux
@pytest.mark.root
def test_another_users_listener_with_privileges(start: Start) -> None:
    """With privileges we see another user's process, but it is still not ours to end."""
    process, port = start(as_user(LISTENER, 65534), "127.0.0.1", 0)
    (found,) = occupants(port)
    assert (found.pid, found.user) == (process.pid, psutil.Process(process.pid).username())
    assert found.protected == f"it belongs to user {found.user}"


@pytest.mark.slow
@linux
@pytest.mark.root
def test_user_without_a_name(start: Start) -> None:
    """A user for whom the system has no name goes by number."""
    uid = 54321
    _, port = start(as_user(LISTENER, uid), "127.0.0.1", 0)
    finder, _ = start(AS_NOBODY, port)
    assert finder.stdout is not None
    assert f"user {uid}" in finder.stdout.read()


@pytest.mark.slow
@linux
@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("ssh", Role.SSH_FORWARD),
        ("hermes", Role.HERMES),
        ("hermes-tunnel", Role.HERMES_TUNNEL),
        ("codex", Role.CODEX),
        ("sshd", Role.SERVICE),
        ("sshd-session", Role.SERVICE),
        ("cursor", Role.EDITOR),
        ("pycharm.sh", Role.EDITOR),
        ("firefox-esr", Role.BROWSER),
        ("docker-proxy", Role.CONTAINER),
        ("hermesd", Role.OTHER),
    ],
)
def test_role_of_a_script(start: Start, tmp_path: Path, name: str, role: Role) -> None:
    """A script's name tells what it is, and a system service is not ended."""
    script = tmp_path / name
    script.write_text(textwrap.dedent(LISTENER))
    _, port = start(
        "import os, sys; os.execv(sys.executable, sys.argv[1:])", "python3", script, "127.0.0.1", 0
    )
    (found,) = occupants(port)
    assert found.role is role
    assert found.name == "python3"
    assert bool(found.protected) == (role is Role.SERVICE)


@pytest.mark.slow
@linux
def test_arguments_are_not_shown(start: Start) -> None:
    """We show neither arguments nor a title that a process gave itself: they can hold secrets."""
    code = "import os, sys; os.execv(sys.executable, sys.argv[1:])"
    title = "server: /opt/x --token hunter2"
    _, port = start(code, title, "-c", textwrap.dedent(LISTENER), "127.0.0.1", 0, "--password=hunter2")
    (found,) = occupants(port)
    assert "hunter2" not in repr(found) + describe(found)
    assert found.name


@pytest.mark.slow
@linux
def test_escape_sequences_in_a_name(start: Start) -> None:
    """A name that a process gave itself is shown without its escape sequences."""
    code = "import os, sys; os.execv(sys.executable, sys.argv[1:])"
    _, port = start(code, "\x1b]0;owned\x07nice", "-c", textwrap.dedent(LISTENER), "127.0.0.1", 0)
    (found,) = occupants(port)
    assert found.name == "nice"


AT = datetime(2026, 11, 23, 14, 2, tzinfo=timezone.utc)


def test_described_in_one_line() -> None:
    """One line gives name, PID, user, start and role, with the date if it started on another day."""
    found = Occupant(
        5000, "LISTEN", ("127.0.0.1",), Role.SSH_FORWARD, "", pid=4711, name="python3", user="ana", started=AT
    )
    assert describe(found, now=AT) == "python3 (PID 4711, user ana, since 14:02 today, an ssh forward)"
    later = datetime(2026, 11, 24, 1, 0, tzinfo=timezone.utc)
    assert describe(found, now=later) == (
        "python3 (PID 4711, user ana, since 2026-11-23 14:02, an ssh forward)"
    )


# Systems that are not here: we supply their answers, but the processes are real.


class Shy(psutil.Process):
    """A process about which the system tells only the PID, as Windows may."""

    def _deny(self) -> str:
        raise psutil.AccessDenied(self.pid)

    name = username = cmdline = create_time = _deny  # type: ignore[assignment]


@pytest.mark.slow
def test_windows_names_denied(start: Start) -> None:
    """If Windows withholds a process's name and user, we show its PID and do not end it."""
    process, port = start(LISTENER, "127.0.0.1", 0)
    (found,) = occupants(port, sockets=lambda port: from_psutil(port, psutil.net_connections), process=Shy)
    assert describe(found) == f"a process (PID {process.pid})"
    assert found.protected == "the system does not show whose it is"


def test_windows_system_process() -> None:
    """What PID 4 holds belongs to Windows itself."""
    (found,) = occupants(
        5000, sockets=lambda _: [Socket("0.0.0.0", "LISTEN", 4)], process=lambda _: Fourth(os.getpid())
    )
    assert (found.role, found.protected) == (Role.SERVICE, "the system needs it")


class Fourth(psutil.Process):
    """A process that says its PID is 4."""

    pid = 4


@pytest.mark.slow
def test_process_that_ends_meanwhile(start: Start) -> None:
    """A process that is gone before we could look at it is not an occupant."""
    process, _ = start(LISTENER, "127.0.0.1", 0)
    process.kill()
    process.wait()
    assert occupants(5000, sockets=lambda _: [Socket("127.0.0.1", "LISTEN", process.pid)]) == []


def refused(address: str, port: int) -> OSError:
    """What the system says to an impossible bind."""
    with socket.socket() as s, pytest.raises(OSError, match=r"(?i)address") as caught:
        s.bind((address, port))
    return caught.value


@pytest.mark.slow
def test_bind_taken(start: Start) -> None:
    """A port that somebody holds is taken, and the hint shows who."""
    _, port = start(LISTENER, "127.0.0.1", 0)
    answer = why_not(refused("127.0.0.1", port), port)
    assert answer.reason is BindRefusal.TAKEN
    assert answer.hint == f"to see who has it: hermes-tunnel port {port}"


def test_bind_without_the_address() -> None:
    """An address that this machine does not have is told apart from a taken port."""
    assert why_not(refused("192.0.2.1", 0), 5000).reason is BindRefusal.NO_ADDRESS


@pytest.mark.slow
@linux
@pytest.mark.root
def test_bind_without_privilege(start: Start) -> None:
    """A port below 1024 is not taken, but forbidden without privileges."""
    _, number = start("""
        import os, socket
        os.setuid(65534)
        try: socket.socket().bind(("127.0.0.1", 81))
        except OSError as error: print(error.errno, flush=True)
        """)
    answer = why_not(OSError(number, os.strerror(number)), 81)
    assert answer.reason is BindRefusal.FORBIDDEN
    assert "below 1024" in answer.hint


@pytest.mark.parametrize(
    ("number", "occupied", "reason"),
    [
        (10048, False, BindRefusal.TAKEN),
        (10013, True, BindRefusal.TAKEN),
        (10013, False, BindRefusal.RESERVED),
        (10049, False, BindRefusal.NO_ADDRESS),
        (errno.EACCES, False, BindRefusal.FORBIDDEN),
        (errno.ENOBUFS, False, BindRefusal.OTHER),
    ],
)
def test_bind_refusals_of_windows(number: int, occupied: bool, reason: BindRefusal) -> None:
    """Windows says 10013 of reserved ports and of exclusively held ones; an occupant tells which it is."""
    assert why_not(OSError(number, "words"), 5000, occupied=occupied).reason is reason


def test_reserved_port_hint() -> None:
    """For a reserved range, the hint gives the command that shows it and the one that frees it."""
    hint = why_not(OSError(10013, "words"), 5000).hint
    assert "netsh int ipv4 show excludedportrange protocol=tcp" in hint
    assert "net stop winnat" in hint
