"""How a login fails if its command does not start, in words: each a fact and the next thing to do.

Something else was there, or ran in its place. What it said is all that we know of it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from string import ascii_letters, digits

from hermes_tunnel import deadlines
from hermes_tunnel.errors import Failure, NeverBegan, NobodyAnswered, RemoteCommandFailure
from hermes_tunnel.oauth.said import Prompt
from hermes_tunnel.text import quote

_STARTUP_FILES = "~/.bashrc, ~/.zshenv or ~/.config/fish/config.fish"
_GUARD = (
    f"look for exec in {_STARTUP_FILES} there, and let it run only in interactive shells: "
    "case $- in *i*) exec fish;; esac in bash and zsh, status is-interactive; and exec bash in fish"
)
# What cmd.exe and PowerShell say of a command line for sh, the latter's names of errors in any language, and
# how their prompts begin.
_WINDOWS = re.compile(
    r"is not recognized as (?:an internal or external command|(?:the|a) name of a cmdlet)"
    r"|operable program or batch file|The system cannot find the (?:path|file) specified"
    r"|was unexpected at this time|The syntax of the command is incorrect|The command line is too long\."
    r"|\bFullyQualifiedErrorId\b|Microsoft Windows \[Version"
    r"|^(?:PS )?[A-Za-z]:\\[^<>:\"|?*]*>"
)
_ENGINES = ("docker", "podman", "nerdctl")
_WITH_A_VALUE = frozenset(
    ("-u", "--user", "-e", "--env", "--env-file", "-w", "--workdir", "--detach-keys", "--preserve-fds")
)
_OF_A_NAME = frozenset(ascii_letters + digits + "_.-")


def program_missing(name: str, places: str) -> Failure:
    """The program was not found."""
    return RemoteCommandFailure(
        f"{name} was not found on the remote machine; looked in {places}",
        f"install it there, or say where it is: --hermes-path /path/to/{name}, or --container NAME if it "
        "runs in a container there",
    )


def no_program(name: str, words: str) -> Failure:
    """The name means something to the account's shell, but is no program.

    :param words: the shell's own for what it means
    """
    return RemoteCommandFailure(
        f"{name} is not a program on the remote machine, but an alias or a function of the account's shell",
        f"if that leads into a container there, use --container {container_in(words) or 'NAME'}; if to "
        "another machine, log in on that one; otherwise say where the program is: --hermes-path "
        f"/path/to/{name}",
        (words.strip(),),
    )


def container_in(words: str) -> str:
    """The container that a command line with ``docker exec`` or the like enters; empty if there is none."""
    rest = words.replace("'", " ").replace('"', " ").replace("`", " ").split()
    engine = next((at for at, word in enumerate(rest) if word.rpartition("/")[2] in _ENGINES), len(rest))
    try:
        del rest[: rest.index("exec", engine) + 1]
    except ValueError:
        return ""
    after = iter(rest)
    for word in after:
        if word in _WITH_A_VALUE:
            next(after, "")
        elif not word.startswith("-"):
            return word if _OF_A_NAME.issuperset(word) else ""
    return ""


def container_missing(reason: str) -> Failure:
    """The container does not exist, is not running, or may not be entered."""
    return RemoteCommandFailure(
        f"the container cannot be entered: {reason}",
        "is its name right, and is it running? may this account use docker or podman? see docker ps there",
    )


def sudo_refused(words: str) -> Failure:
    """We could not become the other account."""
    return RemoteCommandFailure(
        f"sudo did not switch to the other account: {words}",
        "is its name right, and may this account become it? see sudo -l there",
    )


def something_else_ran(status: int, words: str, lines: Sequence[str] = ()) -> Failure:
    """The account ran something other than our command."""
    if on_windows(lines):
        return windows_shell(lines)
    return NeverBegan(
        "the account ran something other than the command: "
        + (quote(words) if words else f"it exited with {status} and said nothing"),
        "the account may have no shell, or a forced command, or a start-up file that becomes something else "
        f"(exec in {_STARTUP_FILES}); try --as-user, or another account",
        lines,
    )


def never_began(asked: Prompt | None, lines: Sequence[str] = (), *, doubted: bool = False) -> Failure:
    """The command did not start in time.

    :param asked: what the remote machine asked meanwhile
    :param lines: what it said before
    :param doubted: whether another command ran there meanwhile, without a terminal
    """
    if on_windows((*lines, asked.text if asked is not None else "")):
        return windows_shell(lines)
    if asked is not None and asked.taken and asked.text:
        return NeverBegan(
            "a start-up file on the remote machine runs a shell or another program in place of the command: "
            f"it took the terminal and waits at {quote(asked.text)}",
            _GUARD,
            lines,
        )
    if asked is not None and asked.taken:
        return NeverBegan(
            "a start-up file on the remote machine runs another program, which took the terminal",
            _GUARD,
            lines,
        )
    if asked is not None:
        return RemoteCommandFailure(
            f"before the command could start, the remote machine asked {quote(asked.text)}",
            "connect with ssh and settle it there; an expired password has to be changed first",
            lines,
        )
    if doubted:
        return replaced(lines)
    return NobodyAnswered(
        f"the remote shell did not start the command within {deadlines.BEGIN.seconds:.0f} s",
        "connect with ssh and see what its start-up files do",
        lines,
    )


def replaced(lines: Sequence[str] = ()) -> Failure:
    """A start-up file becomes something that never comes to the command, and does not say so."""
    return NeverBegan(
        "a start-up file on the remote machine runs something else in place of the command, and says "
        "nothing; exec bash in ~/.bashrc does so for ever",
        _GUARD,
        lines,
    )


def on_windows(lines: Sequence[str]) -> bool:
    """Whether they are what a Windows shell, cmd.exe or PowerShell, says of a command line for ``sh``."""
    return any(_WINDOWS.search(line) for line in lines)


def windows_shell(lines: Sequence[str]) -> Failure:
    """No shell there understands our command lines."""
    return RemoteCommandFailure(
        "the account's shell there is Windows' cmd.exe or PowerShell, and hermes-tunnel needs a Unix shell",
        "if Hermes runs in WSL on that machine, connect to an SSH server in WSL",
        lines,
    )
