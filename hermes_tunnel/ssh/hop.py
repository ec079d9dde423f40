"""What ssh_config and the command line say of one hop, in this program's types.

Of what ssh_config can hold, this program honours the fields of ``HopConfiguration`` and nothing else: no
LocalCommand, no forwards, no agent or X11 forwarding, no shared connection is ever acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hermes_tunnel.errors import ConfigurationFailure
from hermes_tunnel.ssh.keywords import Keywords, Options
from hermes_tunnel.ssh.target import Hop
from hermes_tunnel.ssh.tokens import Tokens, local_user
from hermes_tunnel.ssh.vocabulary import unheard_of
from hermes_tunnel.text import plain, quote

_DEFAULT_KEYS = (
    "~/.ssh/id_rsa",
    "~/.ssh/id_ecdsa",
    "~/.ssh/id_ecdsa_sk",
    "~/.ssh/id_ed25519",
    "~/.ssh/id_ed25519_sk",
)
_DEFAULT_KNOWN_HOSTS = "~/.ssh/known_hosts ~/.ssh/known_hosts2"
_DEFAULT_GLOBAL_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2"
_DEFAULT_METHODS = "publickey,keyboard-interactive,password"
_SWITCHES = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}
_ON = ("yes", "true")


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
    :param warnings: what the person should know of the configuration, a line each
    :param details: what only the curious want to know of it
    """

    alias: str
    hostname: str
    user: str
    port: int = 22
    identity_files: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    preferred_authentications: tuple[str, ...] = tuple(_DEFAULT_METHODS.split(","))
    kbd_interactive_devices: str = ""
    number_of_password_prompts: int = 3
    batch_mode: bool = False
    user_known_hosts_files: tuple[str, ...] = ()
    global_known_hosts_files: tuple[str, ...] = ()
    revoked_host_keys: str | None = None
    strict_host_key_checking: str = "ask"
    no_host_authentication_for_localhost: bool = False
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
    connect_timeout: float = 15.0
    connection_attempts: int = 1
    tcp_keep_alive: bool = True
    server_alive_interval: float = 5.0
    server_alive_count_max: int = 3
    warnings: tuple[str, ...] = ()
    details: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``user@host`` as the person knows it."""
        return f"{self.user}@{self.alias}"

    @property
    def address(self) -> str:
        """``host:port`` as it is dialled."""
        return f"[{self.hostname}]:{self.port}" if ":" in self.hostname else f"{self.hostname}:{self.port}"

    @property
    def by_hand(self) -> str:
        """What to do by ssh itself where it can what this program cannot."""
        port = "" if self.port == 22 else f"-p {self.port} "
        return (
            "ssh itself can do this: forward the login's port with it, in a terminal of its own: "
            f"ssh -N -L PORT:127.0.0.1:PORT {port}{self.label}"
        )


def honoured(hop: Hop, said: Keywords, options: Options) -> HopConfiguration:
    """The configuration of a hop.

    :param said: what ssh_config says of it
    :raises ConfigurationFailure: it says something that ssh would act upon and this program cannot
    """
    hostname = _one(said, "hostname") or hop.host
    user = _one(said, "user") or local_user()
    port = _number(said, "port", 22)
    alias = _one(said, "hostkeyalias") or None
    tokens = Tokens(hop.host, hostname, port, user, alias, _one(said, "proxyjump"))
    proxy_command = _unless_none(_one(said, "proxycommand"))
    _refuse(hop, said)
    methods = [
        method
        for method in (_one(said, "preferredauthentications") or _DEFAULT_METHODS).split(",")
        if _flag(said, _SWITCHES.get(method, ""), default=True)
    ]
    missing = [
        f"Warning: the identity file {quote(name)} does not exist."
        for name in map(tokens.path, options.identity_files)
        if not Path(name).exists()
    ]
    revoked = _unless_none(_one(said, "revokedhostkeys"))
    return HopConfiguration(
        alias=hop.host,
        hostname=hostname,
        user=user,
        port=port,
        identity_files=tuple(map(tokens.path, filter(_unless_none, said.get("identityfile", _DEFAULT_KEYS)))),
        certificate_files=tuple(map(tokens.path, filter(_unless_none, said.get("certificatefile", ())))),
        identities_only=_flag(said, "identitiesonly"),
        identity_agent=_agent(_one(said, "identityagent"), tokens),
        preferred_authentications=tuple(methods),
        kbd_interactive_devices=_one(said, "kbdinteractivedevices"),
        number_of_password_prompts=_number(said, "numberofpasswordprompts", 3),
        batch_mode=_flag(said, "batchmode"),
        user_known_hosts_files=_files(_one(said, "userknownhostsfile") or _DEFAULT_KNOWN_HOSTS, tokens),
        global_known_hosts_files=_files(
            _one(said, "globalknownhostsfile") or _DEFAULT_GLOBAL_KNOWN_HOSTS, tokens
        ),
        revoked_host_keys=None if revoked is None else tokens.path(revoked),
        strict_host_key_checking=_strictness(_one(said, "stricthostkeychecking").lower()),
        no_host_authentication_for_localhost=_flag(said, "nohostauthenticationforlocalhost"),
        hash_known_hosts=_flag(said, "hashknownhosts"),
        host_key_alias=alias,
        host_key_algorithms=_list(said, "hostkeyalgorithms"),
        kex_algorithms=_list(said, "kexalgorithms"),
        ciphers=_list(said, "ciphers"),
        macs=_list(said, "macs"),
        pubkey_accepted_algorithms=_list(said, "pubkeyacceptedalgorithms"),
        required_rsa_size=_number(said, "requiredrsasize", 1024),
        proxy_command=None if proxy_command is None else tokens.expand(proxy_command),
        proxy_use_fdpass=_flag(said, "proxyusefdpass"),
        address_family=_one(said, "addressfamily").lower() or "any",
        bind_address=_one(said, "bindaddress") or None,
        connect_timeout=_number(said, "connecttimeout", 0) or 15,
        connection_attempts=max(1, _number(said, "connectionattempts", 1)),
        tcp_keep_alive=_flag(said, "tcpkeepalive", default=True),
        server_alive_interval=_number(said, "serveraliveinterval", 0) or 5,
        server_alive_count_max=_number(said, "serveralivecountmax", 3) or 3,
        warnings=tuple(missing),
        details=tuple(
            f"This ssh knows {plain(keyword)}, which hermes-tunnel has not heard of; it is ignored."
            for keyword in unheard_of(said)
        ),
    )


def _refuse(hop: Hop, said: Keywords) -> None:
    """What ssh would do and this program cannot is not passed over in silence."""
    if _unless_none(_one(said, "knownhostscommand")):
        raise ConfigurationFailure(
            f"KnownHostsCommand is set for {quote(hop.host)}, which hermes-tunnel does not run",
            "put the host's key into known_hosts, and add -o KnownHostsCommand=none; or forward the login's "
            f"port with ssh itself: ssh -N -L PORT:127.0.0.1:PORT {hop.host}",
        )
    if _one(said, "bindinterface") and not _one(said, "bindaddress"):
        raise ConfigurationFailure(
            f"BindInterface is set for {quote(hop.host)}, which hermes-tunnel cannot do",
            "name that interface's address instead: -o BindAddress=ADDRESS",
        )


def _one(said: Keywords, keyword: str) -> str:
    return next(iter(said.get(keyword, ())), "") or ""


def _flag(said: Keywords, keyword: str, *, default: bool = False) -> bool:
    value = _one(said, keyword).lower()
    # PubkeyAuthentication may also be "unbound" or "host-bound", which is a yes.
    return value not in ("no", "false") if default else value in _ON


def _number(said: Keywords, keyword: str, default: int) -> int:
    value = _one(said, keyword)
    return int(value) if value.isdecimal() else default


def _list(said: Keywords, keyword: str) -> tuple[str, ...]:
    value = _one(said, keyword)
    # "+x", "-x" and "^x" change a default; only ssh, which prints the outcome, knows that default.
    return () if not value or value[0] in "+-^" else tuple(value.split(","))


def _unless_none(value: str) -> str | None:
    return None if value.lower() in ("", "none") else value


def _strictness(value: str) -> str:
    if value in _ON:
        return "yes"
    if value in ("no", "false", "off"):
        return "no"
    return value if value == "accept-new" else "ask"


def _agent(value: str, tokens: Tokens) -> str | None:
    if value in ("", "SSH_AUTH_SOCK"):
        return None
    if value.lower() == "none":
        return ""
    if value.startswith("$") and not value.startswith("${"):
        # Unlike ${VARIABLE}, this form names no agent where the variable is not set.
        return tokens.environment.get(value[1:], "")
    return tokens.path(value)


def _files(value: str, tokens: Tokens) -> tuple[str, ...]:
    """File names joined by blanks; ``ssh -G`` has lost the quotes of those that have blanks themselves."""
    words = value.split(" ")
    names: list[str] = []
    while words:
        if words[0].lower() == "none" and not names:
            return ()
        joined = [n for n in range(len(words), 1, -1) if Path(tokens.path(" ".join(words[:n]))).exists()]
        taken = joined[0] if joined else 1
        if words[0]:
            names.append(tokens.path(" ".join(words[:taken])))
        words = words[taken:]
    return tuple(names)
