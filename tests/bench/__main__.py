"""``python -m tests.bench [ROW...]``: measure, and print the table."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.hosts import Hosts
from tests.bench.rows import measure, rows
from tests.bench.stopwatch import TooLong
from tests.bench.table import Result, markdown, plain
from tests.lab.network import obstacle

TURNS, QUICK = 15, 1


def main(arguments: list[str] | None = None) -> None:
    """Measure what is asked for."""
    # Ignored in the background of a script, and so it would be by what we start and end with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--turns", type=int, default=TURNS, help=f"how often each is measured ({TURNS})")
    parser.add_argument("--quick", action="store_true", help="once each: whether the bench works, no more")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")
    parser.add_argument("--list", action="store_true", help="only name the rows")
    parser.add_argument("rows", nargs="*", metavar="ROW", help="such as first: only those that begin so")
    options = parser.parse_args(arguments)
    if reason := obstacle():
        sys.exit(f"scripts/bench: {reason}")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    results: list[Result] = []
    with Hosts() as hosts, _agent(hosts):
        for row in rows(hosts):
            if options.list:
                print(f"{row.name:12} {row.what}")  # noqa: T201
            elif not options.rows or row.name.startswith(tuple(options.rows)):
                print(f"{row.what} ...", file=sys.stderr, flush=True)  # noqa: T201
                try:
                    results += measure(row, hosts, QUICK if options.quick else options.turns)
                except TooLong as problem:
                    print(f"  not measured: {problem}", file=sys.stderr)  # noqa: T201
                    if options.quick:
                        raise
    print(plain(results), end="")  # noqa: T201
    if options.markdown:
        options.markdown.write_text(markdown(results))


@contextmanager
def _agent(hosts: Hosts) -> Iterator[None]:
    """An agent with four keys that no host takes, and then the right one."""
    if sys.platform == "win32":
        raise OSError("the bench needs Linux")
    socket = str(hosts.directory / "agent")
    quiet = subprocess.DEVNULL
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=quiet, stderr=quiet)
    try:
        while not Path(socket).exists():
            os.sched_yield()
        keys = [*hosts.wrong_keys(4), hosts.directory / "key"]
        environment = {"SSH_AUTH_SOCK": socket, "PATH": hosts.environment["PATH"]}
        subprocess.run(["ssh-add", "-q", *map(str, keys)], env=environment, check=True)
        yield
    finally:
        agent.terminate()
        agent.wait()


if __name__ == "__main__":
    main()
