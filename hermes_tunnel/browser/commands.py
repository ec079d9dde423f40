"""Which commands may open the person's browser, in the order in which they are tried.

``--browser`` and ``$BROWSER`` have one grammar, that of Python's ``webbrowser`` and of ``xdg-open``: command
lines with quotes, in which ``%s`` is the address (otherwise it comes last), and between them the separator
of PATH.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from hermes_tunnel.browser.machine import Machine, base_name
from hermes_tunnel.browser.names import (
    GRAPHICAL,
    KNOWN,
    NOTHING,
    READ_BROWSER,
    SHELLS,
    TEXT,
    WINDOWS_SHELLS,
)
from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.text import quote

_TERMINALS = ("x-terminal-emulator", "xterm")


@dataclass(frozen=True)
class Command:
    """One way to open a browser.

    :param name: what the person, or the system, calls it
    :param words: the command line, with ``%s`` for the address; no shell reads it
    :param problem: why it is not run, in words; empty if it is
    """

    name: str
    words: tuple[str, ...] = ()
    problem: str = ""

    @property
    def opens_nothing(self) -> bool:
        """Whether the person named it so that nothing opens."""
        return base_name(self.name) in NOTHING

    def arguments(self, url: str, machine: Machine) -> list[str]:
        """The words with the address in its place."""
        if machine.is_wsl:
            url = url.replace("$", "%24")  # wslview puts it between the double quotes of PowerShell
        return [word.replace("%s", url) for word in self.words]

    def environment(self, machine: Machine) -> dict[str, str]:
        """Its variables: a launcher looks for browsers that have a window, and not for itself."""
        changed = {"BROWSER": ":".join(GRAPHICAL)} if base_name(self.words[0]) in READ_BROWSER else {}
        return {**machine.environment, **changed}


def check_command(text: str, machine: Machine | None = None) -> None:
    """:raises UsageFailure: ``text`` names no command"""
    machine = machine or Machine()
    try:
        named = [_words(line, machine) for line in _lines(text, machine)]
    except ValueError as error:
        named, text = [], f"{text}: {error}"
    if not named:
        raise UsageFailure(
            f"{quote(text)} is not a command", "give the browser's command line, such as --browser firefox"
        )


def commands(text: str | None, machine: Machine) -> Iterator[Command]:
    """The commands to try, one after the other: the person's own or, if they have none, the system's.

    :param text: the person's own; None: those of ``$BROWSER``
    """
    lines = _lines(machine.environment.get("BROWSER", "") if text is None else text, machine)
    for line in lines:
        try:
            yield _named(_words(line, machine), machine)
        except ValueError as error:
            yield Command(line, problem=f"it is not a command ({error})")
    if not lines:
        yield from _of_system(machine)


def _lines(text: str, machine: Machine) -> list[str]:
    """The command lines in a text, as a separator in quotes is part of a word."""
    separator, quotes = (";", '"') if machine.is_windows else (":", "\"'")
    found, start, inside = [], 0, ""
    for at, character in enumerate(text):
        if character in quotes and inside in ("", character):
            inside = "" if inside else character
        elif character == separator and not inside:
            found.append(text[start:at])
            start = at + 1
    return [line.strip() for line in (*found, text[start:]) if line.strip()]


def _words(line: str, machine: Machine) -> list[str]:
    """The words of a command line; on Windows a backslash is part of a path.

    The path of a program needs no quotes, and a last ``&`` says only what we do anyway.

    :raises ValueError: there are none, or a quote is not closed
    """
    if machine.find(line):
        return [line]
    words = shlex.split(line, posix=not machine.is_windows)
    words = [word.strip('"') for word in words] if machine.is_windows else words
    words = words[:-1] if words[-1:] == ["&"] else words
    if not words or not words[0]:
        raise ValueError("there is no program in it")
    return words


def _named(words: list[str], machine: Machine) -> Command:
    """What a command line of the person's own means on this machine."""
    name = words[0]
    if machine.is_windows or machine.is_wsl:
        words = _without_start(words)
        if not words:
            return _WINDOWS
    found = machine.find(words[0])
    words = words if any("%s" in word for word in words) else [*words, "%s"]
    if _is_text(found or words[0]):
        terminal = next(filter(machine.find, _TERMINALS), None) if machine.has_display else None
        if terminal is None:
            return Command(name, problem="it is a text browser, and this terminal is taken")
        return Command(name, (terminal, "-e", *words))
    if _reads_commands(words, found or words[0], machine):
        return Command(name, problem="it would take the address for a part of its commands")
    if found is None and not any(slash in words[0] for slash in "/\\"):
        words = _otherwise(words, machine)
    return Command(name, tuple(words))


def _without_start(words: list[str]) -> list[str]:
    """The command behind ``start`` of cmd.exe, which is not needed; none if that is the system's browser."""
    if base_name(words[0]) == "cmd" and words[1:2] in (["/c"], ["/C"]):
        if words[2:3] != ["start"]:
            return words
        words = words[2:]
    if words[0].lower() != "start":
        return words
    words = words[1:]
    while words and (words[0] in ("", '""', "%s") or words[0][0] == "/"):  # a title, options
        words = words[1:]
    return words


def _reads_commands(words: list[str], found: str, machine: Machine) -> bool:
    """Whether a program would read commands in the address, which a remote machine wrote."""
    base = base_name(found)
    if base in SHELLS:  # sh -c SCRIPT, sh -lc SCRIPT
        pairs = pairwise(words[1:])
        return any(option[:1] == "-" and option[-1:] == "c" and "%s" in script for option, script in pairs)
    return base in WINDOWS_SHELLS or (machine.is_windows and base.endswith((".bat", ".cmd")))


def _otherwise(words: list[str], machine: Machine) -> list[str]:
    """How else a browser is started that has no program of that name here."""
    name, *others = words
    application, names = next((one for one in KNOWN.items() if name.lower() in one[1]), (name, ()))
    if machine.platform != "darwin":
        return [next(filter(machine.find, names), name), *others]
    if others == ["%s"]:
        return ["open", "-a", application, "%s"]
    return ["open", "-n", "-a", application, "--args", *others]


def _is_text(program: str) -> bool:
    """Whether it is a text browser, perhaps behind a link, as one of Debian's alternatives is."""
    return base_name(program) in TEXT or base_name(os.path.realpath(program)) in TEXT


# What `start` has Windows do with an address, but without cmd.exe, which would read it first.
_WINDOWS = Command("rundll32.exe", ("rundll32.exe", "url.dll,FileProtocolHandler", "%s"))
_WSL = (Command("wslview", ("wslview", "%s")), _WINDOWS)


def _of_system(machine: Machine) -> Iterator[Command]:
    """What opens an address in a window on this system."""
    if machine.is_windows:
        yield _WINDOWS
    elif machine.platform == "darwin":
        yield Command("open", ("open", "%s"))
    else:
        graphical = (Command(name, (name, "%s")) for name in ("xdg-open", *GRAPHICAL))
        for one in (*(_WSL if machine.is_wsl else ()), *(graphical if machine.has_display else ())):
            path = machine.find(one.name)
            if path and not _is_text(path):
                yield one
