"""Processes that hold a port, for the tests of who holds one."""

import os
import socket
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import hermes_tunnel

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
posix = pytest.mark.skipif(os.name != "posix", reason="needs fork and signals")

LISTENER = """
    import os, socket, sys
    s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET)
    if os.name == "posix": s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((sys.argv[1], int(sys.argv[2])))
    s.listen()
    print(s.getsockname()[1], flush=True)
    sys.stdin.read()
"""
"""Listens on an address and a port (0: any)."""

FORKED = """
    import os, socket, sys
    s = socket.create_server(("127.0.0.1", 0))
    ready, tell = os.pipe()
    if os.fork() == 0:
        os.write(tell, b"1")
        sys.stdin.read()
        os._exit(0)
    os.read(ready, 1)
    print(s.getsockname()[1], flush=True)
    sys.stdin.read()
"""
"""Listens, and so does its child, on the same socket."""

Start = Callable[..., tuple["subprocess.Popen[str]", int]]


def as_user(code: str, uid: int) -> str:
    """The same program without root's privileges."""
    # The library first: it may lie where only root reads.
    return f"import os, socket\nos.setgroups([]); os.setgid({uid}); os.setuid({uid})\n" + textwrap.dedent(
        code
    )


@contextmanager
def child(code: str, *argv: object) -> Iterator[tuple["subprocess.Popen[str]", int]]:
    """A process that runs `code` and prints a number when it is ready; it is gone afterwards."""
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, argv)]
    environment = {**os.environ, "PYTHONPATH": str(Path(hermes_tunnel.__file__).parents[1])}
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        try:
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def ended_connection() -> int:
    """A port that the system keeps for a connection that has ended (TIME_WAIT)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = socket.create_connection(server.getsockname())
        port: int = client.getsockname()[1]
        accepted, _ = server.accept()
        client.close()
        assert accepted.recv(1) == b""
        accepted.close()
    return port
