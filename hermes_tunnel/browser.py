"""Opening the person's browser without letting it touch their terminal.

A short-lived child process opens it: whatever a browser prints goes nowhere, one that does not return
delays nobody, a text browser cannot take over the terminal, and a browser that stays open is nobody's
child. The child gets the URL on its standard input.
"""

from __future__ import annotations

import shlex
import subprocess
import sys

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.text import quote

_SECONDS = 10.0
_OPENER = """
import os, subprocess, sys, threading, webbrowser
url, words = sys.stdin.read(), sys.argv[1:]
quiet = dict(stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
if words:
    command = [word.replace("%s", url) for word in words]
    if "%s" not in " ".join(words):
        command.append(url)
    try:
        status = subprocess.Popen(command, start_new_session=True, **quiet).wait(0.5)
    except subprocess.TimeoutExpired:
        status = 0
    except OSError as error:
        status = error.strerror
    if status:
        print(status if isinstance(status, str) else f"it ended with status {status}", flush=True)
    os._exit(1 if status else 0)
done = []
def open_page():
    try:
        done.append(webbrowser.open(url))
    except Exception:
        done.append(False)
thread = threading.Thread(target=open_page, daemon=True)
thread.start()
thread.join(3)
os._exit(0 if done != [False] else 1)
"""
_TEXT_BROWSERS = {"w3m", "lynx", "links", "elinks", "browsh", "www-browser"}


class NotStarted(Exception):
    """The person's own browser command could not be started, or failed at once."""


def check_command(command: str) -> None:
    """:raises UsageFailure: ``command`` is not a command line"""
    try:
        words = _words(command)
    except ValueError as error:
        words, command = [], f"{command}: {error}"
    if not words:
        raise UsageFailure(
            f"{quote(command)} is not a command", "give the browser's command line, such as --browser firefox"
        )


def open_browser(url: str, command: str | None = None) -> bool:
    """Open an https page (or the demo's own) that has already been judged.

    :param command: the person's own command line; the URL replaces ``%s`` or comes last.
        None: the system's browser, or ``$BROWSER``.
    :return: whether a browser was started
    :raises NotStarted: ``command`` could not be started; says why, in words
    """
    words = _words(command) if command else []
    if not words and not _graphical():
        return False
    try:
        opener = subprocess.run(
            [sys.executable, "-I", "-c", _OPENER, *words],
            input=url.encode(),
            # The system's own browser would hold our pipe open for as long as it runs.
            stdout=subprocess.PIPE if words else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    if words and opener.returncode != 0:
        reason = opener.stdout.decode("utf-8", "replace").strip() or "it failed"
        raise NotStarted(f"{quote(words[0])} could not be started: {reason}")
    return opener.returncode == 0


def _words(command: str, *, windows: bool = sys.platform == "win32") -> list[str]:
    """The words of a command line; on Windows a backslash is part of a path."""
    words = shlex.split(command, posix=not windows)
    return [word.strip('"') for word in words] if windows else words


def _graphical() -> bool:
    """Whether the browser that would open has a window."""
    import webbrowser

    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return False
    return getattr(found, "basename", getattr(found, "name", "")) not in _TEXT_BROWSERS
