"""`python -m tests.lab.identity`: the providers, until SIGTERM, or the end of stdin if that is a pipe."""

from __future__ import annotations

import argparse
import os
import signal
import stat
import sys
import threading
from pathlib import Path

from tests.lab.identity import HOSTS
from tests.lab.identity.authority import server_context
from tests.lab.identity.server import Lab, Server


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.identity", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="where ca.pem is written")
    parser.add_argument("--address", required=True, help="the address of both servers")
    parser.add_argument("--control-port", type=int, required=True)
    parser.add_argument("--port", type=int, default=443, help="of the https server")
    options = parser.parse_args()

    lab = Lab()
    context = server_context(options.directory, HOSTS)
    servers = [
        Server((options.address, options.port), lab.respond, context),
        Server((options.address, options.control_port), lab.control),
    ]
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    signal.signal(signal.SIGINT, lambda *_: over.set())

    def wait_for_end_of_stdin() -> None:
        sys.stdin.buffer.read()
        over.set()

    if stat.S_ISFIFO(os.fstat(sys.stdin.fileno()).st_mode):
        threading.Thread(target=wait_for_end_of_stdin, daemon=True).start()
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    over.wait()
    for server in servers:
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    main()
