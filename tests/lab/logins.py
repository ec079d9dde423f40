"""How a person logs in with each of the programs of programs.py, through whatever terminal they have."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from tests.lab.terminal import Terminal

INTERRUPT = "\x03"  # Ctrl-C

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\].*?(?:\x07|\x1b\\)|[0-Z^-~])")  # ECMA-48

_SETTLED = 0.3
"""Seconds that a person takes to do what they have read."""

Visit = Callable[[str], str]
"""Opens a page, does there what the providers were told, and returns the code that the last page shows."""


@dataclass(frozen=True)
class Login:
    """One way to log in with one program.

    ``asked`` are the questions before the page is known, and what is typed at each; ``page`` matches the
    address, ``code`` what has to be typed there (its group 1), if anything; with ``confirm``, the page comes
    only after Enter there. ``ready`` is the last line before the program waits. ``prompt`` is where the code
    that the page shows is pasted. ``accepted`` and ``refused`` are what the program says in the end; if it
    goes on after that, the person types ``interrupt`` (``serves``, ``retries``). ``denied`` is its exit
    status if the person says no. ``port`` is where it listens, ``next_port`` where it does if that is taken.
    ``stored`` is a file in the home directory that then has the credential, ``credential`` matches it there.
    """

    name: str
    command: tuple[str, ...]
    page: str
    accepted: str
    stored: str
    credential: str
    asked: tuple[tuple[str, str], ...] = ()
    code: str = ""
    confirm: str = ""
    refused: str = ""
    ready: str = ""
    prompt: str = ""
    serves: bool = False
    retries: bool = False
    interrupt: str = INTERRUPT
    denied: int = 1
    port: int = 0
    next_port: str = ""

    @property
    def program(self) -> str:
        """The program's name in programs.py, and its account's, after ``of-``."""
        return self.command[0]

    @property
    def user(self) -> str:
        """Whose account on the Hermes host it is."""
        return f"of-{self.program}"


LOGINS = (
    Login(
        "codex",
        ("codex", "login"),
        page=r"https://auth\.openai\.com/oauth/authorize\?\S+",
        accepted="Successfully logged in",
        port=1455,
        next_port="1457",
        stored=".codex/auth.json",
        credential=r'"refresh_token": *"[^"]{10}',
    ),
    Login(
        "codex-device",
        ("codex", "login", "--device-auth"),
        page=r"https://auth\.openai\.com/codex/device",
        code=r"^\s*([A-Z]{4}-[A-Z]{4})\s*$",
        accepted="Successfully logged in",
        stored=".codex/auth.json",
        credential=r'"refresh_token": *"[^"]{10}',
    ),
    Login(
        "mcp-remote",
        ("mcp-remote", "https://mcp.lab.test/mcp"),
        page=r"https://mcp\.lab\.test/authorize\?\S+",
        ready="Waiting for authorization",  # if the answer comes before, it does not end with it
        accepted="Proxy established successfully",
        serves=True,
        port=15284,
        next_port=r"1528\d",
        stored=".mcp-auth/*/*_tokens.json",
        credential=r'"refresh_token": *"[^"]{10}',
    ),
    Login(
        "firebase",
        ("firebase", "login"),
        asked=((r"Firebase features\?\s+\(Y/n\)", "n\r"), (r"information\?\s+\(Y/n\)", "n\r")),
        page=r"https://accounts\.google\.com/o/oauth2/auth\?\S+",
        accepted="Success! Logged in as",
        refused="Enter authorization code:",
        retries=True,
        denied=2,
        port=9005,
        next_port="9006",
        stored=".config/configstore/firebase-tools.json",
        credential=r'"refresh_token": *"[^"]{10}',
    ),
    Login(
        "gh",
        ("gh", "auth", "login", "-h", "github.com", "-p", "ssh", "-w"),
        asked=((r"Generate a new SSH key.*\(Y/n\)", "n\r"),),
        code=r"one-time code: (\w{4}-\w{4})",
        confirm="Press Enter",
        page=r"https://github\.com/login/device\b",
        accepted="Logged in as",
        stored=".config/gh/hosts.yml",
        credential=r"oauth_token: gho_",
    ),
    Login(
        "globus",
        ("globus", "login"),
        page=r"https://auth\.globus\.org/v2/oauth2/authorize\?\S+",
        prompt="Enter the resulting Authorization Code here",
        accepted="You have successfully logged in",
        stored=".globus/cli/storage.db",
        credential=r"refresh_token",
    ),
    Login(
        "claude",
        ("claude", "auth", "login"),
        page=r"https://claude\.com/cai/oauth/authorize\?\S+",
        prompt="Paste code here if prompted >",
        accepted="Login successful",
        refused="Login failed",
        stored=".claude/.credentials.json",
        credential=r'"refreshToken": *"[^"]{10}',
    ),
    Login(
        "netlify",
        ("netlify", "login"),
        page=r"https://app\.netlify\.com/authorize\?\S+",
        accepted="You are now logged into your Netlify account",
        retries=True,
        denied=130,
        stored=".config/netlify/config.json",
        credential=r'"token": *"nfp_',
    ),
    Login(
        "qwen",
        ("qwen", "auth", "qwen-oauth"),
        page=r"https://chat\.qwen\.ai/authorize\?\S+",
        accepted="Successfully authenticated",
        retries=True,
        interrupt="\x1c",  # Ctrl-\: it ignores Ctrl-C
        denied=131,
        stored=".qwen/oauth_creds.json",
        credential=r'"refresh_token": *"[^"]{10}',
    ),
)


@dataclass(frozen=True)
class Done:
    """What became of a login: the page that was opened, the code that was typed there, the exit status."""

    page: str
    code: str
    status: int


def log_in(terminal: Terminal, login: Login, visit: Visit, *, approved: bool = True) -> Done:
    """Be the person at ``terminal``, where the program has just been started, to its end.

    :param approved: whether the person says yes; the providers were told already
    AssertionError, with all the output, if the program does not say what it should.
    """
    reader = _Reader(terminal)
    for question, answer in login.asked:
        reader.expect(question)
        terminal.rest(_SETTLED)
        terminal.send(answer)
    code = ""
    if login.confirm:
        code = reader.expect(login.code)[1]
        reader.expect(login.confirm)
        terminal.rest(_SETTLED)
        terminal.send("\r")
    page = reader.expect(login.page)[0]
    if login.code and not code:
        code = reader.expect(login.code)[1]
    for last in filter(None, (login.ready, login.prompt)):
        reader.expect(last)
    terminal.rest(_SETTLED)
    shown = visit(page + (f"?user_code={code}" if code else ""))
    if login.prompt:
        terminal.send(f"{shown if approved else 'nonsense#' + state(page)}\r")
    if approved:
        reader.expect(login.accepted)
        if login.serves:
            terminal.rest(_SETTLED)
            terminal.send(login.interrupt)
    else:
        if login.refused:
            reader.expect(login.refused)
        if login.retries:
            terminal.rest(1)
            terminal.send(login.interrupt)
    return Done(page, code, terminal.wait(30))


def state(page: str) -> str:
    """The state in an authorization request (RFC 6749, section 4.1.1)."""
    return dict(parse_qsl(urlsplit(page).query)).get("state", "")


class _Reader:
    """Reads words where the terminal shows them, whatever their colours."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._mark = 0

    def expect(self, pattern: str, deadline: float = 60) -> re.Match[str]:
        """As Terminal.expect, without escape sequences."""
        until = time.monotonic() + deadline
        while True:
            text = _ESCAPES.sub("", self._terminal.output)
            if match := re.compile(pattern, re.MULTILINE).search(text, self._mark):
                self._mark = match.end()
                return match
            if not self._terminal.read(until):
                raise AssertionError(f"no {pattern!r} in the output:\n{self._terminal.output!r}")
