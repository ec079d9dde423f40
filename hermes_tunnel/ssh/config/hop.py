"""One machine on the way, ready to connect to.

Of all that ssh_config can hold, this program honours the fields of ``HopConfiguration`` and nothing else:
it never acts on LocalCommand, forwards, agent or X11 forwarding, or shared connections.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hermes_tunnel.ssh.config.patterns import in_list
from hermes_tunnel.ssh.config.session import SessionConfiguration

_METHODS = ("publickey", "keyboard-interactive", "password")


@dataclass(frozen=True)
class NotDone:
    """A way to authenticate that is configured but not possible here; mentioned when the others fail.

    :param method: it matters only if the server takes this one
    :param fact: what is set
    """

    method: str
    fact: str
    hint: str = ""


@dataclass(frozen=True)
class HopConfiguration:
    """One hop, ready to connect to; names are ssh_config's, times are in seconds.

    :param alias: the host as the person typed it
    :param proxy_command: for the first hop only, ready for the shell; None to dial
    :param identity_agent: the agent's socket; None for SSH_AUTH_SOCK, empty for no agent at all
    :param preferred_authentications: the methods to try, in this order
    :param strict_host_key_checking: ``yes``, ``ask``, ``accept-new`` or ``no``
    :param known_hosts_command: whether there is one, which may know more host keys; it is not run
    :param host_key_algorithms: those allowed, in this order; empty for the library's own. The same goes for
        key exchange, ciphers, MACs and what a public key may sign with
    :param connect_timeout: None if it is not set
    :param is_jump_host: whether another hop follows
    :param not_done: ways to authenticate that ssh would have
    :param warnings: what the person should know about the configuration, one line each
    :param details: what only the curious want to know about it
    :param session: what a session with the person's own terminal is to be like; the destination's counts
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
    known_hosts_command: bool = False
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
    connect_timeout: float | None = None
    connection_attempts: int = 1
    tcp_keep_alive: bool = True
    server_alive_interval: float = 5.0
    server_alive_count_max: int = 3
    is_jump_host: bool = False
    not_done: tuple[NotDone, ...] = ()
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    session: SessionConfiguration = field(default_factory=SessionConfiguration)
    way: tuple[str, ...] = field(default=(), compare=False)
    typed: tuple[str, ...] = field(default=(), compare=False)

    @property
    def label(self) -> str:
        """``user@host`` as the person knows it."""
        return f"{self.user}@{self.alias}"

    @property
    def called(self) -> str:
        """What failures call it."""
        return f"jump host {self.label}" if self.is_jump_host else self.label

    @property
    def another_port(self) -> str:
        """How the person gives another port, in the form of a hint: ``-p`` is the last hop's."""
        return f"try -J {self.user}@{self.alias}:PORT" if self.is_jump_host else "try -p PORT"

    @property
    def place(self) -> str:
        """Where it is, in the words of a failure to reach it."""
        return f"{self.called} ({self.address})" if self.is_jump_host else self.address

    @property
    def address(self) -> str:
        """``host:port``, as dialled."""
        return f"[{self.hostname}]:{self.port}" if ":" in self.hostname else f"{self.hostname}:{self.port}"


def allows(configured: Sequence[str], algorithm: str) -> bool:
    """Whether a list of algorithms from ssh_config includes one.

    :param configured: empty for the default, which has everything available here; if the files were read
        without ssh, its first entry may begin with ``+``, ``-`` or ``^``, which change the default
    """
    if not configured or configured[0][0] in "+^":
        return True
    if configured[0][0] == "-":
        return not in_list(",".join(configured)[1:].split(","), algorithm)
    return algorithm in configured
