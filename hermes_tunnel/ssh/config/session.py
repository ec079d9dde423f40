"""What ssh_config says of a session in which a program has the person's own terminal."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hermes_tunnel.ssh.config.patterns import in_list

Keywords = Mapping[str, Sequence[str]]

_ON = ("yes", "true")
_NOT_DONE = {
    "forwardagent": "ForwardAgent",
    "forwardx11": "ForwardX11",
    "localforward": "LocalForward",
    "remoteforward": "RemoteForward",
    "dynamicforward": "DynamicForward",
    "tunnel": "Tunnel",
    "localcommand": "LocalCommand",
}
_OFF = ("", "no", "false", "none")


@dataclass(frozen=True)
class SessionConfiguration:
    """The wishes of ssh_config for a session.

    :param remote_command: to run in place of the shell; None for the shell
    :param request_tty: ``auto``, ``no``, ``yes`` or ``force``
    :param escape_char: one character, ``^`` and a letter, or ``none``
    :param environment: variables for the other end, each with its value: those that SetEnv sets, and those of
        ours that SendEnv names
    :param not_done: keywords that are set and have no effect in a session of this program
    """

    remote_command: str | None = None
    request_tty: str = "auto"
    escape_char: str = "~"
    environment: tuple[tuple[str, str], ...] = ()
    not_done: tuple[str, ...] = ()


def session(
    said: Keywords, remote_command: str | None, environment: Mapping[str, str] = os.environ
) -> SessionConfiguration:
    """The wishes for a session.

    :param said: what ssh_config says of the hop
    :param remote_command: RemoteCommand, its tokens replaced
    :param environment: ours
    """
    tty = _one(said, "requesttty").lower()
    return SessionConfiguration(
        remote_command=remote_command,
        request_tty={"true": "yes", "false": "no", "": "auto"}.get(tty, tty),
        escape_char=_one(said, "escapechar") or "~",
        environment=_variables(said, environment),
        not_done=tuple(
            name
            for keyword, name in _NOT_DONE.items()
            if _one(said, keyword).lower() not in _OFF and _counts(said, keyword)
        ),
    )


def _counts(said: Keywords, keyword: str) -> bool:
    """ClearAllForwardings takes the forwards back; a LocalCommand needs a permission."""
    if keyword.endswith("forward"):
        return _one(said, "clearallforwardings").lower() not in _ON
    return keyword != "localcommand" or _one(said, "permitlocalcommand").lower() in _ON


def _variables(said: Keywords, environment: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """As in ssh, the first SetEnv of a name counts, and counts more than SendEnv."""
    own: dict[str, str] = {}
    for each in said.get("setenv", ()):
        name, _, value = each.partition("=")
        own.setdefault(name, value)
    patterns = [word for each in said.get("sendenv", ()) for word in each.split()]
    sent = {name: value for name, value in environment.items() if name not in own and in_list(patterns, name)}
    return (*sent.items(), *own.items())


def _one(said: Keywords, keyword: str) -> str:
    return next(iter(said.get(keyword, ())), "") or ""
