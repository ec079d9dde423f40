"""Whom the stand-in SSH server lets in, and what it allows; named as sshd_config(5) names it."""

from __future__ import annotations

from dataclasses import dataclass, field

import paramiko

from hermes_tunnel.demo.loopback import Loopback


@dataclass(frozen=True)
class Account:
    """Who is let in, and by what.

    :param keys: public keys that are accepted
    :param password: for the method ``password``
    :param answers: prompts of ``keyboard-interactive``, each with what has to be answered
    :param all_of: whether every one of these methods is needed, as with AuthenticationMethods
    """

    user: str
    keys: tuple[paramiko.PKey, ...] = ()
    password: str | None = field(default=None, repr=False)
    answers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    all_of: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """The authentication methods on offer (RFC 4252 section 4)."""
        offered = {
            "publickey": bool(self.keys),
            "password": self.password is not None,
            "keyboard-interactive": bool(self.answers),
        }
        return tuple(name for name, on in offered.items() if on)


@dataclass(frozen=True)
class Settings:
    """What the server allows; the default is sshd's.

    :param loopback: the loopback that ``direct-tcpip`` channels reach; without one, that of this
        machine, as a jump host needs it
    """

    permit_tty: bool = True
    allow_tcp_forwarding: bool = True
    max_sessions: int = 10
    banner: str = ""
    loopback: Loopback | None = None
