"""Recordings of the programs of programs.py: what each writes to a terminal, over a real ``ssh -tt``.

`python -m tests.lab.record_programs [--into tests/recordings/programs] [NAME...]` as root, where NAME is
`codex`, `gh` and so on (logins.py). tests/recordings/README.md says more.
"""

from __future__ import annotations

import argparse
import base64
import json
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby, product
from pathlib import Path

from tests.lab import programs
from tests.lab.lab import CHECKOUT, Lab
from tests.lab.logins import LOGINS, Done, Login, log_in

INTO = CHECKOUT / "tests" / "recordings" / "programs"


@dataclass(frozen=True)
class Screen:
    """The person's terminal."""

    columns: int
    rows: int
    kind: str

    @property
    def name(self) -> str:
        """As in the names of the recordings."""
        return f"{self.columns}x{self.rows}"


SCREENS = (Screen(80, 24, "xterm-256color"), Screen(4000, 50, "dumb"))
PEOPLE = {
    "approved": "approved",
    "denied": "denied",
    "port-taken": "approved; the port was taken on the program's machine",
}


def scenarios(what: str, names: list[str]) -> list[list[Login]]:
    """The logins that are recorded with a person of this kind, together those of one account."""
    wanted = [
        login
        for login in LOGINS
        if (not names or login.name in names) and (what != "port-taken" or login.port)
    ]
    return [list(logins) for _, logins in groupby(wanted, lambda login: login.user)]


def record(lab: Lab, logins: Sequence[Login], what: str, into: Path) -> None:
    """Play logins of one account on each screen, in a new home directory each, and write the recordings."""
    for login, screen in product(logins, SCREENS):
        lab.fresh_home(login.user)
        with ExitStack() as until_done:
            if what == "port-taken":
                occupied = partial(socket.create_server, ("127.0.0.1", login.port))
                until_done.enter_context(lab.network.hermes.call(occupied))
            terminal = until_done.enter_context(
                lab.terminal(
                    ["ssh", "-tt", "-q", login.user, *login.command],
                    columns=screen.columns,
                    rows=screen.rows,
                    env={**lab.environment, "TERM": screen.kind},
                )
            )
            # On the program's own machine: a way back is none of this.
            visit = partial(lab.visit, lab.network.hermes)
            done = log_in(terminal, login, visit, approved=what != "denied")
            name = f"{login.name}-{programs.version(login.program)}-{what}-{screen.name}"
            lines = [header(login, what, screen, done)]
            lines += [{"at": at, "data": base64.b64encode(data).decode()} for at, data in terminal.chunks]
        (into / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        sys.stdout.write(f"{name}: {done.status}\n")
        sys.stdout.flush()


def header(login: Login, what: str, screen: Screen, done: Done) -> dict[str, object]:
    """The first line of a recording."""
    return {
        "program": login.name,
        "release": programs.version(login.program),
        "command": list(login.command),
        "terminal": {"columns": screen.columns, "rows": screen.rows, "TERM": screen.kind},
        "person": PEOPLE[what],
        "page": done.page,
        "code": done.code,
        "exit_status": done.status,
    }


def main() -> None:
    """Play the logins: everybody who approves, then everybody who denies, side by side."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.record_programs", description=__doc__)
    parser.add_argument("--into", type=Path, default=INTO)
    parser.add_argument("names", nargs="*", help="of logins; all if none is given")
    options = parser.parse_args()
    options.into.mkdir(exist_ok=True)
    programs.install({login.program for login in LOGINS if not options.names or login.name in options.names})
    with Lab() as lab:
        for what in PEOPLE:
            lab.identity("POST", "/decision", {"decision": "deny" if what == "denied" else "redirect"})
            with ThreadPoolExecutor(max_workers=2) as several:
                played = [
                    several.submit(record, lab, logins, what, options.into)
                    for logins in scenarios(what, options.names)
                ]
                for each in played:
                    if error := each.exception():
                        sys.stdout.write(f"{error}\n")


if __name__ == "__main__":
    main()
