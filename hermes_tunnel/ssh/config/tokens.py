"""What ssh_config(5) calls TOKENS: ``%h`` and the like; also ``~`` and ``${VARIABLE}`` in file names."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.text import quote

_TOKEN = re.compile(r"%(.?)")
_VARIABLE = re.compile(
    r"\$\{([^}]*)(\}?)"
)  # also an unclosed one, which would otherwise be retried at every ${


def home() -> str:
    """The person's home directory; as in ssh, from the password database, not from HOME."""
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            return pwd.getpwuid(os.getuid()).pw_dir
    return str(Path.home())


def local_user() -> str:
    """The person's name on this machine; as in ssh, from the password database, not from LOGNAME."""
    if sys.platform != "win32":
        import pwd

        with suppress(KeyError):
            return pwd.getpwuid(os.getuid()).pw_name
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as problem:
        raise ConfigurationFailure("this account has no name", "name the remote user: USER@HOST") from problem


@dataclass(frozen=True)
class Tokens:
    """The values of one hop's tokens.

    :param original: the host as typed (``%n``)
    :param hostname: after HostName (``%h``)
    :param port: ``%p``
    :param user: the remote user (``%r``)
    :param host_key_alias: ``%k``, if HostKeyAlias is set
    :param jumps: ProxyJump (``%j``)
    """

    original: str
    hostname: str
    port: int
    user: str
    host_key_alias: str | None = None
    jumps: str = ""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def expand(self, text: str, *, letters: str = "%Cdhijklnpru") -> str:
        """The text with its ``%`` tokens replaced.

        :param letters: the tokens that its keyword accepts
        :raises ConfigurationFailure: ssh_config has no such token
        """
        values = {
            "%": "%",
            "d": home(),
            "h": self.hostname,
            "k": self.host_key_alias or self.original,
            "n": self.original,
            "p": str(self.port),
            "r": self.user,
            "j": self.jumps,
        }

        @cache
        def value(letter: str) -> str:
            if not letter or letter not in letters:
                raise ConfigurationFailure(
                    f"ssh_config has an unknown token {quote(f'%{letter}')} in {quote(text)}",
                    "see TOKENS in ssh_config(5)",
                )
            if letter in values:
                return values[letter]
            if letter == "u":
                return local_user()
            if letter == "i":
                return str(os.getuid()) if hasattr(os, "getuid") else ""
            name = socket.gethostname()
            if letter == "l":
                return name
            if letter == "L":
                return name.partition(".")[0]
            return self._connection_hash(name)

        return _TOKEN.sub(lambda token: value(token[1]), text)

    def jump(self, text: str) -> str:
        """The value of ProxyJump or ProxyCommand, with the tokens that these two accept replaced."""
        return self.expand(text, letters="%hnpr")

    def path(self, text: str) -> str:
        """A file name with ``~``, tokens and ``${VARIABLE}`` replaced."""
        expanded = self.expand(text)
        whole = _VARIABLE.sub(
            lambda found: self._variable(found[1], text) if found[2] else found[0], expanded
        )
        return self.tilde(whole) if text.startswith(("~", "__PROGRAMDATA__")) else whole

    def tilde(self, text: str) -> str:
        """A file name with ``~`` replaced, and so the name that Windows' ``ssh -G`` has for its directory."""
        if text == "~" or text.startswith(("~/", "~\\")):
            return home() + text[1:]
        if text.startswith("~"):
            return str(Path(text).expanduser())
        if text.startswith("__PROGRAMDATA__"):
            directory = self.environment.get("PROGRAMDATA", r"C:\ProgramData")
            return directory + text.removeprefix("__PROGRAMDATA__")
        return text

    def _variable(self, name: str, text: str) -> str:
        if name not in self.environment:
            raise ConfigurationFailure(
                f"ssh_config uses the variable {quote(name)} in {quote(text)}, which is not set",
                f"export {name}=...",
            )
        return self.environment[name]

    def _connection_hash(self, local: str) -> str:
        whole = f"{local}{self.hostname}{self.port}{self.user}{self.jumps}"
        return hashlib.sha1(whole.encode(), usedforsecurity=False).hexdigest()
