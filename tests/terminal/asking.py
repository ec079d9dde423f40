"""A program that asks, in one of several ways (its argument), and waits to be ended."""

from __future__ import annotations

import hashlib
import sys
import threading

from hermes_tunnel.question import Question
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard


def main(way: str) -> None:
    """Ask, say that it was asked, and wait."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    keyboard = Keyboard(sys.stdin)
    keyboard.heed_stops()
    console = Console(sys.stderr, keyboard)
    if way in ("hidden", "busy", "answered"):
        console.ask(Question("Password:", hidden=True), lambda _: console.say("Answered."))
    elif way == "shown":
        console.ask(Question("Name:"), lambda _: None)
    elif way == "offered":
        console.take_lines(lambda _: None, offered=True)
    elif way == "given up":
        console.ask(Question("Password:", hidden=True), lambda _: None)
        console.stop_asking()
    sys.stderr.write("Ready.\n")
    if way == "busy":  # for minutes, deaf to signals
        hashlib.pbkdf2_hmac("sha256", b"", b"", 10**9)
    threading.Event().wait()


if __name__ == "__main__":
    main(sys.argv[1])
