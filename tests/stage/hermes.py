"""A Hermes that answers all of our scripts, even where it is not installed."""

from __future__ import annotations

import shlex
from contextlib import suppress
from dataclasses import dataclass

from hermes_tunnel.demo import hermes, loopback
from hermes_tunnel.demo.hermes import look, not_found, scripted
from tests.stage.device import Client
from tests.stage.remote_process import Command, RemoteProcess
from tests.stage.variations import relays


class Loopback(loopback.Loopback):
    """The loopback of the other machine, which gives away the port ``preferred`` first."""

    preferred = 0

    def bind_at(self, port: int, real: int) -> None:
        """Give a listener in this process that very port there."""
        with self._lock:
            self._real[port] = real

    def _free(self) -> int:
        if self.preferred and self.preferred not in self._real:
            return self.preferred
        return super()._free()


@dataclass
class Hermes(hermes.Hermes):
    """An installed Hermes that can log in a device, and whose listener can prefer a port."""

    client: Client
    loopback: Loopback


@dataclass(frozen=True)
class Request:
    """What one of our command lines asks for.

    :param what: ``terminal`` or ``pipe`` for a login on one; ``look`` where a credential landed; ``relay`` a
        request to a port; which ``shell`` the account has
    :param words: the other words after the nonce
    """

    nonce: str
    what: str
    words: tuple[str, ...]


def requested(line: str) -> Request | None:
    """The request in ``[sudo ...] sh -c '<script>' hermes-tunnel <nonce> <word>...``; None for other lines.

    The words are those of the scripts in ``hermes_tunnel.remote``.
    """
    with suppress(ValueError, IndexError):
        words = shlex.split(line)
        start = words.index("sh")
        if words[start + 1] == "-c" and words[start + 3] == "hermes-tunnel":
            script, (nonce, *rest) = words[start + 2], words[start + 4 :]
            what = "relay" if "relay;" in script else "shell" if ":shell:" in script else rest.pop(0)
            return Request(nonce, what, tuple(rest))
    return None


def installed(hermes: Hermes, login: Command | None) -> Command:
    """What the server runs: what our scripts would do there, and inside it the login.

    :param login: Hermes' login command; None if no Hermes is installed
    """

    def command(process: RemoteProcess) -> int:
        request = requested(process.line)
        if request is None:
            return not_found(process)
        if request.what == "relay":
            process.print(f"hermes-tunnel:{request.nonce}:relay")
            return relays(hermes.loopback)(process)
        if request.what == "shell":
            process.print(f"hermes-tunnel:{request.nonce}:shell:/bin/bash")
            return 0
        file = request.words[-2]
        if request.what == "look":
            look(hermes, process, request.nonce, file)
            return 0
        process.echo = False  # the script's `stty -echo`
        process.lifeline = request.what == "pipe"
        if login is None:
            process.print(f"hermes-tunnel:{request.nonce}:missing:hermes:PATH:~/.local/bin")
            return 127
        return scripted(hermes, process, request.nonce, file, lambda: login(process))

    return command
