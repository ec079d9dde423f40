"""What a program means to a person who wants to log in, judged by the names on its command line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum


class Role(Enum):
    """What an occupant means to the person."""

    SSH_FORWARD = "an ssh forward"
    HERMES_TUNNEL = "another hermes-tunnel"
    HERMES = "a Hermes on this machine"
    EDITOR = "an editor"
    CODEX = "Codex"
    BROWSER = "a browser"
    CONTAINER = "the published port of a container"
    SERVICE = "a service of this system"
    ITSELF = "this very process"
    ANCESTOR = "a process that started this one"
    CLOSED = "a connection that has ended, whose port the system keeps for a minute"
    OTHER = "another program"


_FORMS = {  # base names of a program, or of the script or module that an interpreter runs
    Role.HERMES_TUNNEL: r"hermes[-_]tunnel([.-].+)?",
    Role.HERMES: r"hermes(-agent)?|hermes_cli([.].+)?",
    Role.SSH_FORWARD: r"(auto)?ssh|plink|putty|dbclient",
    Role.CODEX: r"codex(-.+)?",
    Role.EDITOR: (
        r"(code|cursor|windsurf)([ -].+)?|(vs)?codium|zed|idea(64)?"
        r"|(pycharm|webstorm|goland|clion|rider|rubymine|phpstorm|jetbrains).*"
    ),
    Role.BROWSER: (
        r"((google[ -])?chrome|chromium|firefox|microsoft[ -]edge)([ -].+)?|(brave|vivaldi).*"
        r"|msedge|safari|com\.apple\.webkit\..+|opera|arc"
    ),
    Role.CONTAINER: (
        r"docker-proxy|wslrelay|rootlessport|rootlesskit|slirp4netns|pasta|passt|gvproxy|conmon|limactl"
        r"|(com\.docker\.|vpnkit|orbstack|containerd|podman).*"
    ),
    Role.SERVICE: (
        r"(systemd|sshd).*|init|launchd|svchost|system|services|lsass|wininit|dockerd|controlcenter"
    ),
}
_NAMES = {role: re.compile(form) for role, form in _FORMS.items()}
_EDITOR_SERVER = re.compile(r"[/\\]\.(vscode|cursor|windsurf)-server[/\\]")
_INTERPRETER = re.compile(r"(python|pypy|ruby|perl)[\d.]*w?|node(js)?|bun|deno")


def base_name(path: str) -> str:
    """The last component of a path on any system, without a login shell's hyphen."""
    return path.replace("\\", "/").rpartition("/")[2].removeprefix("-")


def role_of(name: str, argv: Sequence[str]) -> Role:
    """What the program is; ``Role.OTHER`` if it is none we know.

    :param name: the program's name
    :param argv: its command line; empty if the system hides it
    """
    program = argv[0] if argv else ""
    words = [name, *_run_by_interpreter(argv)]
    if any(_EDITOR_SERVER.search(word) for word in [program, *words]):
        return Role.EDITOR
    for word in words:
        base = _plain_name(word)
        for role, names in _NAMES.items():
            if names.fullmatch(base):
                return role
    return Role.OTHER


def _plain_name(path: str) -> str:
    return base_name(path).lower().removesuffix(".exe")


def _run_by_interpreter(argv: Sequence[str]) -> list[str]:
    """The script or module on the command line, if the program is an interpreter."""
    if not argv or not _INTERPRETER.fullmatch(_plain_name(argv[0])):
        return []
    words = iter(argv[1:])
    for word in words:
        if word in {"-W", "-X"}:  # Python's, followed by a value
            next(words, None)
        elif word == "-m":
            return [next(words, "")]
        elif word in {"-c", "-e"}:
            return []
        elif not word.startswith("-"):
            return [word]
    return []
