"""The command line: one file per verb, and the only place that exits.

Signals are heard before anything else is imported: the imports take longer than a person at Ctrl-C. So this
module and ``signals`` import nothing but what every Python has loaded, and ``signal``.
"""

from __future__ import annotations

import os
import sys

from hermes_tunnel.cli.signals import Signals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit with its status."""
    with Signals() as signals:
        from hermes_tunnel.cli.verbs import run

        status = run(arguments, signals)
        for stream in filter(None, (sys.stdout, sys.stderr)):  # None where it was closed from the start
            try:
                stream.flush()
            except (OSError, ValueError):
                # Whoever read it has gone; without this the interpreter would complain at exit.
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)
