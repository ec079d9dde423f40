"""How long programs take, from outside: until they start to talk, say something, come to a port, end."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any

from tests.bench.hosts import PORT, REQUEST, Hosts

_LONGEST = 60.0
_QUIET: Any = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
_LISTEN = "0A"  # of the state column in /proc/net/tcp (proc(5))


class TooLong(Exception):
    """A program did not do what was to be measured."""


def say(process: subprocess.Popen[bytes], mark: bytes) -> bytes:
    """Wait until a program has said something on its standard output; gives all that it said."""
    assert process.stdout is not None
    said, until = b"", time.monotonic() + _LONGEST
    while mark not in said:
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
        data = os.read(process.stdout.fileno(), 65536) if ready else b""
        if not data:
            raise TooLong(f"{process.args!r} said {said[-500:]!r}")
        said += data
    return said


@contextmanager
def running(hosts: Hosts, argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A program on the laptop, which is ended as a person would, by Ctrl-C."""
    process = hosts.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program, and wait until it has."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()


def until_said(hosts: Hosts, argv: list[str], mark: bytes) -> float:
    """Milliseconds from a program's start until it has said something."""
    begin = time.monotonic()
    with running(hosts, argv) as process:
        say(process, mark)
        return 1000 * (time.monotonic() - begin)


def until_exit(argv: list[str], *, hosts: Hosts | None = None) -> float:
    """Milliseconds that a program runs, on the laptop or, without hosts, on this machine."""
    begin = time.monotonic()
    if hosts is not None:
        process = hosts.popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    else:
        process = subprocess.Popen(argv, **_QUIET, stdout=subprocess.DEVNULL)
    process.wait(_LONGEST)
    return 1000 * (time.monotonic() - begin)


def until_dialled(argv: Callable[[int], list[str]], environment: dict[str, str]) -> float:
    """Milliseconds from a program's start until it has connected to a port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(_LONGEST)
        command = argv(server.getsockname()[1])
        begin = time.monotonic()
        process = subprocess.Popen(command, env=environment, **_QUIET, stdout=subprocess.DEVNULL)
        try:
            client, _ = server.accept()
            took = 1000 * (time.monotonic() - begin)
            client.close()
        finally:
            end(process)
    return took


def peak_memory(hosts: Hosts, argv: list[str], mark: bytes | None) -> float:
    """MiB of memory at the most, until it has said something and is ended; without that, until it ends."""
    if sys.platform == "win32":
        raise OSError("the bench needs Linux")
    process = hosts.popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if mark is not None:
        say(process, mark)
        process.send_signal(signal.SIGINT)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    assert process.stdout is not None
    process.stdout.close()
    return usage.ru_maxrss / 1024


def wait_for_listener(hosts: Hosts, *, there: bool = True) -> float:
    """Wait until the laptop listens on the callback's port, or does no more; gives that moment."""
    return hosts.laptop.call(lambda: _wait_for_listener(there=there))


def _wait_for_listener(*, there: bool) -> float:
    sockets, until = Path("/proc/thread-self/net/tcp"), time.monotonic() + _LONGEST
    while time.monotonic() < until:
        rows = (line.split() for line in sockets.read_text().splitlines()[1:])
        found = any(row[1].endswith(f":{PORT:04X}") and row[3] == _LISTEN for row in rows)
        if found is there:
            return time.monotonic()
        time.sleep(0.0002)
    raise TooLong("the listener")


def callback(hosts: Hosts, *, others: int = 0) -> tuple[float, float]:
    """Bring the callback as a browser does; milliseconds until the listener has it, and until it is answered.

    :param others: connections that come at the same time and ask for something else
    """
    while not hosts.heard.empty():
        hosts.heard.get_nowait()
    return hosts.laptop.call(lambda: _callback(hosts, others))


def _callback(hosts: Hosts, others: int) -> tuple[float, float]:
    strangers = [socket.create_connection(("127.0.0.1", PORT), _LONGEST) for _ in range(others)]
    try:
        with socket.socket() as browser:
            browser.settimeout(_LONGEST)
            for one in strangers[: others // 2]:
                one.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            begin = time.monotonic()
            browser.connect(("127.0.0.1", PORT))
            browser.sendall(REQUEST.encode())
            for one in strangers[others // 2 :]:
                one.sendall(b"GET /favicon.ico HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
            answer = browser.recv(65536)
            answered = time.monotonic()
            if b" 200 " not in answer.partition(b"\r\n")[0]:
                raise TooLong(f"the callback was answered with {answer[:200]!r}")
        try:
            heard = hosts.heard.get(timeout=_LONGEST)
        except Empty:
            raise TooLong("the callback did not come there") from None
        return 1000 * (heard - begin), 1000 * (answered - begin)
    finally:
        for one in strangers:
            one.close()
