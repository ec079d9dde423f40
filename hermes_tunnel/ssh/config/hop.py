"""One machine on the way, ready to be connected to.

Of what ssh_config can hold, this program honours the fields of ``HopConfiguration`` and nothing else: no
LocalCommand, no forwards, no agent or X11 forwarding, no shared connection is ever acted upon.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from hermes_tunnel.ssh.config.patterns import in_list

_METHODS = ("publickey", "keyboard-interactive", "password")


@dataclass(frozen=True)
class NotDone:
    """A way to authenticate that is configured and not to be had here; said where the others do not do.

    :param method: the server has to take it for that to matter
    :param fact: what is set
    """

    method: str
    fact: str
    hint: str = ""


@dataclass(frozen=True)
class HopConfiguration:
    """One hop, ready to be connected to; the names are ssh_config's, times are seconds.

    :param alias: the host as the person typed it
    :param proxy_command: for the first hop only, ready for the shell; None to dial
    :param identity_agent: the agent's socket; None for SSH_AUTH_SOCK, empty for no agent at all
    :param preferred_authentications: the methods that may be tried, in this order
    :param strict_host_key_checking: ``yes``, ``ask``, ``accept-new`` or ``no``
    :param host_key_algorithms: those allowed, in this order; empty for the library's own. So too the
        key exchange, the ciphers, the MACs and what a public key may sign with
    :param not_done: ways to authenticate that ssh would have
    :param warnings: what the person should know of the configuration, a line each
    :param details: what only the curious want to know of it
    :param way: the way to this hop as words for ssh
    :param typed: the whole way to the destination as words for ssh
    """

    alias: str
    hostname: str
    user: str
    port: int = 22
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    preferred_authentications: tuple[str, ...] = _METHODS
    kbd_interactive_devices: str = ""
    number_of_password_prompts: int = 3
    batch_mode: bool = False
    user_known_hosts_files: tuple[str, ...] = ()
    global_known_hosts_files: tuple[str, ...] = ()
    revoked_host_keys: str | None = None
    strict_host_key_checking: str = "ask"
    no_host_authentication_for_localhost: bool = False
    check_host_ip: bool = False
    hash_known_hosts: bool = False
    host_key_alias: str | None = None
    host_key_algorithms: tuple[str, ...] = ()
    kex_algorithms: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    pubkey_accepted_algorithms: tuple[str, ...] = ()
    required_rsa_size: int = 1024
    proxy_command: str | None = None
    proxy_use_fdpass: bool = False
    address_family: str = "any"
    bind_address: str | None = None
    bind_interface: str | None = None
    connect_timeout: float = 15.0
    connection_attempts: int = 1
    tcp_keep_alive: bool = True
    server_alive_interval: float = 5.0
    server_alive_count_max: int = 3
    not_done: tuple[NotDone, ...] = ()
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    way: tuple[str, ...] = field(default=(), compare=False)
    typed: tuple[str, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """``user@host`` as the person knows it."""
        return f"{self.user}@{self.alias}"

    @property
    def address(self) -> str:
        """``host:port`` as it is dialled."""
        return f"[{self.hostname}]:{self.port}" if ":" in self.hostname else f"{self.hostname}:{self.port}"

    def by_ssh(self, *options: str) -> str:
        """The line of ssh that connects to this hop, ready for a shell; ``options`` win over its others."""
        return shell_line("ssh", *options, *self._way())

    @property
    def by_hand(self) -> str:
        """What to do by ssh itself where it can what this program cannot."""
        return self.by_hand_with()

    def by_hand_with(self, *options: str) -> str:
        """The same, where ssh has to be told something for it; ``options`` win over its others."""
        return by_hand((*options, *(self.typed or self._way())))

    @property
    def ssh_copy_id(self) -> str:
        """The command that has a key accepted there; ssh-copy-id(1) lacks some of ssh's options."""
        words: list[str] = []
        *options, host = self._way()
        rest = iter(options)
        for option in rest:
            if option in ("-4", "-6"):
                words += ["-o", f"AddressFamily={'inet' if option == '-4' else 'inet6'}"]
                continue
            value = next(rest)
            if option == "-J":
                words += ["-o", f"ProxyJump={value}"]
            elif option == "-l":
                host = f"{value}@{host}"
            elif option != "-i" or option not in words:
                words += [option, value]
        return shell_line("ssh-copy-id", *words, host)

    def ssh_add(self, *words: str) -> str:
        """The command that speaks to the agent that is asked here."""
        agent = f"SSH_AUTH_SOCK={shlex.quote(self.identity_agent)} " if self.identity_agent else ""
        return agent + shell_line("ssh-add", *words)

    def _way(self) -> tuple[str, ...]:
        port = () if self.port == 22 else ("-p", str(self.port))
        return self.way or (*port, self.label)


def allows(configured: Sequence[str], algorithm: str) -> bool:
    """Whether a list of algorithms of ssh_config has one.

    :param configured: empty for the default, which has all that are had here; where the files were read
        without ssh, its first entry may begin with ``+``, ``-`` or ``^``, which change the default
    """
    if not configured or configured[0][0] in "+^":
        return True
    if configured[0][0] == "-":
        return not in_list(",".join(configured)[1:].split(","), algorithm)
    return algorithm in configured


def by_hand(words: Sequence[str]) -> str:
    """The line of ssh that forwards a login's port, as a hint.

    :param words: the way to the destination, as ssh takes it
    """
    return (
        "ssh itself can do this: forward the login's port with it, in a terminal of its own: "
        + shell_line("ssh", "-N", "-L", "PORT:127.0.0.1:PORT", *words)
    )


def shell_line(*words: str) -> str:
    """Words as a line that means them, typed into a shell of this system."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
