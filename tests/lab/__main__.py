"""``python -m tests.lab [COMMAND...]``: the lab, and a shell or a command on its laptop."""

from __future__ import annotations

import argparse
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

from tests.lab import axe, hermes, programs
from tests.lab.lab import Lab, obstacle

INVITATION = """\
This is the laptop of the lab. Hermes 0.14.0, 0.18.0 and 0.19.0 are at h014, h018 and h019; other programs
are at of-codex, of-gh, and so on (tests/lab/programs.py).

    ssh h018                                      look around; inner-h018 goes by a jump host
    hermes-tunnel login xai-oauth h018            log in, with a Chromium that nobody sees
    hermes-tunnel login spotify inner-h019        the same through the jump host
    hermes-tunnel run of-codex -- codex login     another program

The lab is taken down when you leave this shell.
"""


def main() -> None:
    """Start the lab, run the command (a shell without one), take the lab down."""
    parser = argparse.ArgumentParser(prog="scripts/lab", description=__doc__)
    parser.add_argument(
        "--install", action="store_true", help="only install Hermes, the other programs and axe-core"
    )
    parser.add_argument("--heavy", action="store_true", help="also those that take long to install")
    parser.add_argument("command", nargs="*", help="runs on the laptop instead of a shell")
    options = parser.parse_args()
    if (reason := obstacle()) or sys.platform != "linux":
        sys.exit(f"scripts/lab: {reason}")
    if options.install:
        with ThreadPoolExecutor() as beside:
            wanted = programs.NAMES if options.heavy else programs.LIGHT
            others = [beside.submit(programs.install, wanted), beside.submit(axe.install)]
            hermes.install()
            for other in others:
                other.result()
        return
    for hangup in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(hangup, lambda number, _: sys.exit(128 + number))
    with Lab() as lab:
        if not options.command:
            print(INVITATION)  # noqa: T201
        prompt = {"PS1": r"laptop:\w\$ "}
        process = lab.laptop(
            options.command or ["bash", "--noprofile", "--norc"], env=lab.environment | prompt
        )
        while True:
            try:
                status = process.wait()
                break
            except KeyboardInterrupt:  # Ctrl-C is for the command; the lab stays until that ends
                continue
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
