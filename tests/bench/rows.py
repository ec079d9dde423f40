"""What is measured: each row of the table, and in which turns."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from hermes_tunnel.oauth.transcript import Transcript
from tests.bench import stopwatch
from tests.bench.hosts import LINES, URL, Hosts
from tests.bench.peers import FORWARD, INSTALLED, MARK, OURS, PYTHON, Peers
from tests.bench.table import Result

Take: TypeAlias = Callable[[], float]
_WAITS = b'"authorization"'
_NONE = [PYTHON, "-c", "pass"]
_PARAMIKO = [PYTHON, "-c", "import paramiko"]
_FAR = "10.214.1.2"
_FORWARD = ("-L", FORWARD)


@dataclass(frozen=True)
class Row:
    """Something that is measured for us and for the others, in turns.

    :param bounds: by whom we are compared with; None: only shown
    :param round_trip: milliseconds, on each of the wires with a delay
    """

    what: str
    ours: Take
    theirs: Mapping[str, Take]
    bounds: Mapping[str, float | None]
    round_trip: int = 0
    unit: str = "ms"
    at_least: bool = False
    name: str = field(default="")


def measure(row: Row, hosts: Hosts, turns: int) -> Iterator[Result]:
    """Measure a row: everybody once in each turn, so that a busy machine is busy for all."""
    hosts.wires.delay(row.round_trip)
    row.ours()  # the files are in the cache now, for whoever comes first
    ours: list[float] = []
    theirs: dict[str, list[float]] = {name: [] for name in row.theirs}
    for turn in range(turns):
        takes = [(ours, row.ours), *((theirs[name], take) for name, take in row.theirs.items())]
        for values, take in takes if turn % 2 else reversed(takes):
            values.append(take())
    for name, bound in row.bounds.items():
        yield Result(row.what, name, bound, ours, theirs.get(name, ()), row.unit, row.at_least)


def rows(hosts: Hosts) -> list[Row]:
    """All rows, in the order of the table."""
    peers = Peers(hosts)
    return [
        *_starts(hosts, peers),
        *_first_outputs(hosts, peers),
        *_callbacks(hosts, peers),
        *_ends(hosts, peers),
        *_verbs(),
        *_amounts(hosts, peers),
        *_pages(hosts, peers),
    ]


def _starts(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    def argv(port: int) -> list[str]:
        return peers.login("openai-codex", "127.0.0.1", "-p", str(port))

    yield Row(
        "start to the first TCP packet",
        lambda: stopwatch.until_dialled(argv, hosts.environment),
        {"python -c 'import paramiko'": lambda: stopwatch.until_exit(_PARAMIKO)},
        {"python -c 'import paramiko'": 0.8},
        name="packet",
    )


def _first_outputs(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    def until(argv: list[str], mark: bytes = MARK) -> Take:
        return lambda: stopwatch.until_said(hosts, argv, mark)

    others = {"sshtunnel": until(peers.sshtunnel(_FAR))}
    if INSTALLED.exists():
        others["asyncssh"] = until(peers.asyncssh(_FAR))
    ours = peers.login("openai-codex", "far")
    yield Row(
        "start to the remote's first output, 100 ms",
        until(ours),
        {"ssh -tt -L": until(peers.ssh("far", *_FORWARD)), **others},
        {"ssh -tt -L": 0.65, **dict.fromkeys(others)},
        100,
        name="first",
    )
    yield Row(
        "the same without delay",
        until(peers.login("openai-codex", "near")),
        {"ssh, curve25519": until(peers.ssh("near", "-o", "KexAlgorithms=curve25519-sha256"))},
        {"ssh, curve25519": 1.6},
        name="first-0",
    )
    for count, host, jumps in ((1, "behind1", "jump1"), (2, "behind2", "jump1,jump2")):
        yield Row(
            f"the same through {count} jump host{'s' * (count - 1)}, 50 ms a link",
            until(peers.login("openai-codex", host, "-J", jumps)),
            # As a jump host is reached with the same file, it is in ProxyJump's -F too.
            {"ssh -J": until(peers.ssh(host, "-J", jumps))},
            {"ssh -J": 0.6},
            50,
            name=f"jump-{count}",
        )
    agent = str(hosts.directory / "agent")
    with_agent = ("-o", f"IdentityAgent={agent}")
    yield Row(
        "the same, four wrong agent keys first, 50 ms",
        until(peers.login("openai-codex", "far", *with_agent)),
        {"ssh": until(peers.ssh("far", *with_agent))},
        {"ssh": 1.0},
        50,
        name="agent",
    )


def _callbacks(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    def by(argv: list[str], mark: bytes | None, *, others: int = 0, answer: bool = False) -> Take:
        def take() -> float:
            with stopwatch.running(hosts, argv) as process:
                if mark is None:
                    stopwatch.wait_for_listener(hosts)
                else:
                    stopwatch.say(process, mark)
                delivered, answered = stopwatch.callback(hosts, others=others)
                return answered if answer else delivered

        return take

    address = URL.encode()
    for round_trip, alone, same in ((0, 0.1, 2.5), (50, 0.4, 1.1)):
        host = "far" if round_trip else "near"
        terminal = peers.ssh(host, *_FORWARD, command=f"{hosts.hermes} auth spotify login")
        bounds = {"ssh -N -L": alone, "ssh -t -L": same}
        for what, name, answer in (
            ("to the listener there", "there", False),
            ("and its answer", "back", True),
        ):
            yield Row(
                f"the callback, {what}, {round_trip} ms",
                by(peers.login("spotify", host), _WAITS, answer=answer),
                {
                    "ssh -N -L": by(peers.ssh_forward(host), None, answer=answer),
                    "ssh -t -L": by(terminal, address, answer=answer),
                },
                bounds,
                round_trip,
                name=f"{name}-{round_trip}",
            )
    login = peers.login("spotify", "far")
    yield Row(
        "the callback's answer, with 99 other connections at once, 50 ms",
        by(login, _WAITS, others=99, answer=True),
        {"alone": by(login, _WAITS, answer=True)},
        {"alone": 1.2},
        50,
        name="crowd",
    )


def _ends(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    login = peers.login("spotify", "far")

    def until_exit() -> float:
        with stopwatch.running(hosts, login) as process:
            stopwatch.say(process, _WAITS)
            stopwatch.callback(hosts)
            begin = time.monotonic()
            hosts.go()
            said = stopwatch.say(process, b'"finished"')
            process.wait(30)
            if b'"exit_status": 0' not in said or b"auth.json" not in said:
                raise stopwatch.TooLong(f"the login ended with {said!r}")
            return 1000 * (time.monotonic() - begin)

    yield Row(
        "last output to exit, with the look for the credential, 50 ms",
        until_exit,
        {"a new ssh that looks": lambda: stopwatch.until_exit(peers.ssh_look("far"), hosts=hosts)},
        {"a new ssh that looks": 0.5},
        50,
        name="exit",
    )

    def until_gone(argv: list[str], mark: bytes) -> Take:
        def take() -> float:
            with stopwatch.running(hosts, argv) as process:
                stopwatch.say(process, mark)
                stopwatch.wait_for_listener(hosts)
                begin = time.monotonic()
                process.send_signal(2)
                return 1000 * (stopwatch.wait_for_listener(hosts, there=False) - begin)

        return take

    command = f"{hosts.hermes} auth spotify login"
    yield Row(
        "stop to listener gone, 50 ms",
        until_gone(login, _WAITS),
        {"ssh": until_gone(peers.ssh("far", *_FORWARD, command=command), URL.encode())},
        {"ssh": 1.3},
        50,
        name="stop",
    )


def _verbs() -> Iterator[Row]:
    completion = {
        "_HERMES_TUNNEL_COMPLETE": "bash_complete",
        "COMP_WORDS": "hermes-tunnel p",
        "COMP_CWORD": "1",
    }
    words = {
        "--help": ([OURS, "--help"], 5.0),
        "--version": ([OURS, "--version"], 5.0),
        "port": ([OURS, "port", "1"], 8.0),
        "completion": (["env", *(f"{key}={value}" for key, value in completion.items()), OURS], 5.0),
    }
    for what, (argv, bound) in words.items():
        yield Row(
            what,
            lambda argv=argv: stopwatch.until_exit(argv),  # type: ignore[misc]
            {"python -c pass": lambda: stopwatch.until_exit(_NONE)},
            {"python -c pass": bound},
            name=what.removeprefix("--"),
        )


def _amounts(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    yield Row(
        "peak memory of a login",
        lambda: stopwatch.peak_memory(hosts, peers.login("openai-codex", "near"), MARK),
        {"import paramiko": lambda: stopwatch.peak_memory(hosts, _PARAMIKO, None)},
        {"import paramiko": 1.25},
        unit="MiB",
        name="memory",
    )

    def flooded(argv: list[str], last: bytes) -> Take:
        def take() -> float:
            with stopwatch.running(hosts, argv) as process:
                said = stopwatch.say(process, MARK)
                begin = time.monotonic()
                if last not in said:
                    stopwatch.say(process, last)
                return 1000 * (time.monotonic() - begin)

        return take

    def piped() -> float:
        line = " ".join(f"'{word}'" for word in peers.ssh("near", command=f"{peers.device} flood"))
        with stopwatch.running(hosts, ["sh", "-c", f"{line} | cat; echo; echo all of it"]) as process:
            stopwatch.say(process, MARK)
            begin = time.monotonic()
            stopwatch.say(process, b"all of it")
            return 1000 * (time.monotonic() - begin)

    yield Row(
        f"{LINES} KiB of lines, read and shown",
        flooded(peers.login("openai-codex", "near", extra=("flood",)), b'"finished"'),
        {"ssh | cat": piped},
        {"ssh | cat": 1.25},
        name="flood",
    )
    yield Row(
        "transcript.receive, 64 KiB chunks dense in escapes",
        _received,
        {},
        {"": 20.0},
        unit="MB/s",
        at_least=True,
        name="escapes",
    )


def _received() -> float:
    """MB of output a second that the reader of a login's output takes."""
    line = b"\x1b[94m\x1b[1m" + b"\x1b[0mab\x1b[32m\xe2\x9c\x93 " * 6 + b"\x1b[0m\x1b[K\r\n"
    chunk = (line * (65536 // len(line) + 1))[:65536]
    transcript, count = Transcript("hermes-tunnel:bench:"), 14
    transcript.receive(b"hermes-tunnel:bench:begin:me:/home/me:/usr/bin/hermes\r\n")
    begin = time.process_time()
    for _ in range(count):
        transcript.receive(chunk)
    return count * len(chunk) / 1e6 / (time.process_time() - begin)


def _pages(hosts: Hosts, peers: Peers) -> Iterator[Row]:
    """Enter to the browser's page: by hand there are two terminals, one after the other."""
    if sys.platform == "win32":
        raise OSError("the bench needs Linux")
    opened = hosts.directory / "opened"
    browser = hosts.directory / "browser"
    browser.write_text(f"#!/bin/sh\necho opened >{opened}\n")
    browser.chmod(0o755)
    os.mkfifo(opened)

    def ours(host: str) -> Take:
        login = [word for word in peers.login("spotify", host) if word != "--no-browser"]

        def take() -> float:
            begin = time.monotonic()
            with stopwatch.running(hosts, [*login, "--browser", str(browser)]):
                opened.read_text()
                return 1000 * (time.monotonic() - begin)

        return take

    def by_hand(host: str) -> Take:
        def take() -> float:
            begin = time.monotonic()
            first = peers.ssh(host, command=f"{hosts.hermes} auth spotify login")
            with stopwatch.running(hosts, first) as terminal:
                stopwatch.say(terminal, URL.encode())
                with stopwatch.running(hosts, peers.ssh_forward(host)):
                    stopwatch.wait_for_listener(hosts)
                    starter = subprocess.Popen([str(browser)])
                    opened.read_text()
                    starter.wait()
                    return 1000 * (time.monotonic() - begin)

        return take

    for round_trip, host in ((0, "near"), (50, "far"), (100, "far")):
        yield Row(
            f"Enter to the browser's page, {round_trip} ms",
            ours(host),
            {"two terminals, by a script": by_hand(host)},
            {"two terminals, by a script": None},
            round_trip,
            name=f"page-{round_trip}",
        )
