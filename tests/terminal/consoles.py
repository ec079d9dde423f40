"""Consoles for a test: on a terminal, and with nobody at them."""

from __future__ import annotations

import io

from hermes_tunnel import events
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.terminal.pseudo_terminal import Terminal

HOSTILE = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x1b]0;title\x1b\\\x9b31m\u202e\x07\rhello\x08"
URL = "https://auth.x.ai/authorize?client_id=c&state=s" + "&scope=" + "a" * 300
EVENTS = [
    events.Connected(HOSTILE, (HOSTILE,)),
    events.CommandStarted(HOSTILE),
    events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"),
    events.AuthorizationAsked("device", URL, HOSTILE, HOSTILE),
    events.AuthorizationAsked("paste", URL, "", HOSTILE, again=True),
    events.Forwarding(56121, ("127.0.0.1", "::1"), 56121),
    events.Browser(True),
    events.Browser(False),
    events.Callback("delivered"),
    events.Callback("denied", HOSTILE),
    events.Callback("undeliverable"),
    events.Prompt(HOSTILE, secret=True),
    events.RemoteLine(HOSTILE),
    events.RemoteLine("  "),
    events.CommandEnded(-1),
    events.Notice(HOSTILE),
    events.Notice("details", detail=True),
    events.Finished(0, "logged_in", 0),
]


def on(pty: Terminal, *, color: bool = False, verbosity: int = 0) -> Console:
    """A console on that terminal."""
    return Console(pty.writer, Keyboard(pty.reader), color=color, verbosity=verbosity)


def without_terminal(verbosity: int = 0) -> tuple[Console, io.StringIO]:
    """A console without anybody at it."""
    stream = io.StringIO()
    return Console(stream, Keyboard(None), verbosity=verbosity), stream
