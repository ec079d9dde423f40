"""Recordings of real Hermes: what it writes to a terminal, byte for byte, with the time.

`python -m tests.lab.record --releases DIRECTORY --into tests/recordings [NAME...]` as root, where
DIRECTORY/h0.18.0 is a virtual environment with that release. tests/recordings/README.md says more.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.lab.identity import HOSTS
from tests.lab.identity.visitor import Visitor
from tests.lab.scenarios import SCENARIOS, Scenario, of_every_release
from tests.terminal.pseudo_terminal import open_pair, resize, silence

COLUMNS = 4000
QUIET = 0.7
"""Seconds of silence after which the person acts."""
TIMEOUT = 120
STUCK = 3
"""Our exit status if some command did not end, and so has no recording."""
CONTROL_PORT = 8081

# Neutral places: tracebacks show them.
_PLACES = Path("/srv")
_HOME = Path("/home/lab")
_HOSTNAME = "hermes-host"
_MCP_CONFIG = "mcp_servers:\n  lab:\n    url: https://mcp.lab.test/mcp\n    auth: oauth\n"

_ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
_ADDRESS = re.compile(r"https://\S+")
_USER_CODE = re.compile(r"^\s*([A-Z]{4}-[A-Z]{4})\s*$", re.MULTILINE)


@dataclass
class Browser:
    """The person: visits each requested page once, and types what is asked for."""

    visitor: Visitor
    answers: list[tuple[str, str]]
    reached: list[bool] = field(default_factory=list)
    """For each visit, whether the browser got an answer to the end of it."""

    def __post_init__(self) -> None:
        self._visited: set[str] = set()
        self._code = ""

    def act(self, text: str) -> str:
        """Do what `text`, the output so far, asks for; returns what to type, if anything."""
        text = _ESCAPES.sub("", text)
        for address in _ADDRESS.findall(text):
            user_code = _USER_CODE.search(text)
            if address.endswith("/codex/device") and user_code:
                address = f"{address}?user_code={user_code[1]}"  # noqa: PLW2901
            if not re.search(r"[?&](redirect_uri|user_code)=", address) or address in self._visited:
                continue
            self._visited.add(address)
            try:
                self._code = self.visitor.shown_code(address)
            except OSError:  # a browser shows its error page, and Hermes goes on
                self.reached.append(False)
            else:
                self.reached.append(True)
        if self.answers and self.answers[0][0] in text.rstrip().rpartition("\n")[2]:
            return self.answers.pop(0)[1].replace("{code}", self._code) + "\n"
        return ""


def run(argv: Sequence[str], env: dict[str, str], person: Browser) -> tuple[int, list[tuple[float, bytes]]]:
    """Run a command on a terminal of its own; returns its exit status, and what was read from it when."""
    master, slave = open_pair()
    try:
        resize(slave, COLUMNS, rows=50)
        silence(slave)
        started = time.monotonic()
        process = subprocess.Popen(
            ["setsid", "--ctty", *argv], stdin=slave, stdout=slave, stderr=slave, env=env, cwd=_HOME
        )
        os.close(slave)
        slave = -1
        chunks: list[tuple[float, bytes]] = []
        for data in _chunks(master, started + TIMEOUT):
            if data:
                chunks.append((round(time.monotonic() - started, 3), data))
            elif typed := person.act(b"".join(d for _, d in chunks).decode("utf-8", "replace")):
                os.write(master, typed.encode())
        return process.wait(10), chunks
    finally:
        os.close(master)
        if slave != -1:
            os.close(slave)


def _chunks(master: int, until: float) -> Iterator[bytes]:
    """What is read from the terminal to its end, with an empty chunk for each silence."""
    while time.monotonic() < until:
        if not select.select([master], [], [], QUIET)[0]:
            yield b""
            continue
        try:
            yield os.read(master, 65536)
        except OSError:  # EIO: nobody has the terminal open any more (Linux)
            return
    raise TimeoutError("the command does not end")


def record(scenario: Scenario, ca: Path, into: Path) -> None:
    """Play one scenario in a new home and write its recording."""
    subprocess.run(["rm", "-rf", _HOME], check=True)
    (_HOME / ".hermes").mkdir(parents=True)
    (_HOME / ".hermes/config.yaml").write_text(_MCP_CONFIG)
    env = {
        "HOME": str(_HOME),
        "LANG": "C.UTF-8",
        "LOGNAME": "lab",
        "PATH": f"{_PLACES}/hermes-{scenario.release}/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED": "1",
        "SSH_CLIENT": "192.0.2.10 50022 22",
        "SSH_CONNECTION": "192.0.2.10 50022 192.0.2.20 22",
        "SSH_TTY": "/dev/pts/0",
        "SSL_CERT_FILE": str(ca),
        "TERM": "dumb",
        "USER": "lab",
    }
    with socket.socket() as occupant:
        if scenario.taken_port:
            occupant.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            occupant.bind(("127.0.0.1", scenario.taken_port))
            occupant.listen()
        _decide("redirect")
        for before in scenario.before:
            run(before, env, Browser(Visitor(ca), []))
        _decide(scenario.decision)
        person = Browser(Visitor(ca), list(scenario.answers))
        status, chunks = run(scenario.command, env, person)
    header = {
        "release": scenario.release,
        "provider": scenario.provider,
        "command": list(scenario.command),
        "person": scenario.person,
        "reached": person.reached,
        "exit_status": status,
    }
    lines = [header, *({"at": at, "data": base64.b64encode(data).decode()} for at, data in chunks)]
    (into / f"{scenario.name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    sys.stdout.write(f"{scenario.name}: {status}\n")
    sys.stdout.flush()


def _decide(decision: str) -> None:
    body = json.dumps({"decision": decision}).encode()
    urllib.request.urlopen(f"http://127.0.0.1:{CONTROL_PORT}/decision", body).close()


@contextlib.contextmanager
def _providers(directory: Path) -> Iterator[Path]:
    """The providers on this namespace's loopback; the CA to trust."""
    argv = [sys.executable, "-m", "tests.lab.identity", "--directory", str(directory)]
    argv += ["--address", "127.0.0.1", "--control-port", str(CONTROL_PORT)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        stdout: IO[bytes] | None = process.stdout
        if stdout is None or stdout.readline() != b"ready\n":
            raise RuntimeError("the identity providers did not start")
        yield directory / "ca.pem"
    finally:
        process.terminate()
        process.communicate()


def _furnish(releases: Path) -> None:
    """Our own network, host name, /etc/hosts and directories, none of which outlive this process."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["hostname", _HOSTNAME], check=True)
    for place in (_PLACES, _HOME.parent):
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    hosts = _PLACES / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", _HOSTNAME, *HOSTS)))
    _bind(hosts, Path("/etc/hosts"))
    for source in sorted(releases.glob("h[0-9]*")):
        place = _PLACES / f"hermes-{source.name[1:]}"
        place.mkdir()
        config = (source / "pyvenv.cfg").read_text()
        home = re.search(r"^home\s*=\s*(.*)$", config, re.MULTILINE)
        if home is None:
            raise RuntimeError(f"{source} is no virtual environment")
        python = _PLACES / "python"
        if not python.exists():
            python.mkdir()
            _bind(Path(home[1]).parent, python)
        _bind(source, place)
        changed = _PLACES / f"{place.name}.cfg"
        changed.write_text(config.replace(home[0], f"home = {python}/bin"))
        _bind(changed, place / "pyvenv.cfg")
        script = (source / "bin/hermes").read_text()
        changed = _PLACES / f"{place.name}.script"
        changed.write_text(f"#!{place}/bin/python\n" + script.partition("\n")[2])
        changed.chmod(0o755)
        _bind(changed, place / "bin/hermes")


def _bind(source: Path, target: Path) -> None:
    subprocess.run(["mount", "--bind", source, target], check=True)


def main() -> None:
    """Enter namespaces of our own, then play the scenarios."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.record", description=__doc__)
    parser.add_argument("--releases", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--release", help="another one: what is recorded of each")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help="of recordings; all if none is given")
    options = parser.parse_args()
    if not options.inside:
        unshare = ["unshare", "--net", "--mount", "--uts", "--"]
        argv = [*unshare, sys.executable, "-m", "tests.lab.record", *sys.argv[1:], "--inside"]
        os.execvp(argv[0], argv)
    _furnish(options.releases.resolve())
    stuck = False
    with tempfile.TemporaryDirectory() as directory, _providers(Path(directory)) as ca:
        for scenario in of_every_release(options.release) if options.release else SCENARIOS:
            if not options.names or scenario.name in options.names:
                try:
                    record(scenario, ca, options.into)
                except (TimeoutError, subprocess.TimeoutExpired):
                    sys.stdout.write(f"{scenario.name}: did not end within {TIMEOUT} s\n")
                    stuck = True
    sys.exit(STUCK if stuck else 0)


if __name__ == "__main__":
    main()
