"""How each hop of a target is to be reached, as ssh_config and the command line say.

Of what ssh_config can hold, this program honours the fields of ``HopConfiguration`` and nothing else: no
LocalCommand, no forwards, no agent or X11 forwarding, no shared connection is ever acted upon.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from hermes_tunnel.errors import ConfigurationFailure, Failure
from hermes_tunnel.ssh import keywords
from hermes_tunnel.ssh.keywords import Keywords, Options, find_ssh
from hermes_tunnel.ssh.target import Hop, Target, parse_jumps
from hermes_tunnel.ssh.tokens import Tokens, local_user
from hermes_tunnel.text import quote

__all__ = ["HopConfiguration", "Options", "resolve"]

_MOST_HOPS = 8
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
    number_of_password_prompts: int = 3
    batch_mode: bool = False
    user_known_hosts_files: tuple[str, ...] = ()
    global_known_hosts_files: tuple[str, ...] = ()
    strict_host_key_checking: str = "ask"
    hash_known_hosts: bool = False
    host_key_alias: str | None = None
    host_key_algorithms: tuple[str, ...] = ()
    kex_algorithms: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    pubkey_accepted_algorithms: tuple[str, ...] = ()
    proxy_command: str | None = None
    address_family: str = "any"
    bind_address: str | None = None
    connect_timeout: float = 15.0
    server_alive_interval: float = 5.0
    server_alive_count_max: int = 3

    @property
    def label(self) -> str:
        """``user@host`` as the person knows it."""
        return f"{self.user}@{self.alias}"

    @property
    def address(self) -> str:
        """``host:port`` as it is dialled."""
        return f"[{self.hostname}]:{self.port}" if ":" in self.hostname else f"{self.hostname}:{self.port}"


def resolve(target: Target, options: Options, *, program: str | None = None) -> tuple[HopConfiguration, ...]:
    """The hops of the way to a target, first hop first, destination last.

    As ssh does it, a ProxyJump's last entry is the direct predecessor, a hop that is given earlier hops
    uses them, and the first hop honours its own ProxyJump or ProxyCommand. Of the options a jump host
    gets the configuration file alone.

    :param program: the ssh program to ask; found where it is None; without one the files are read here
    :raises ConfigurationFailure: ssh_config is wrong, or the chain is endless
    """
    return tuple(_chain(target.destination, target.jumps, options, program or find_ssh(), ()))


def _chain(
    hop: Hop, jumps: tuple[Hop, ...] | None, options: Options, program: str | None, behind: tuple[Hop, ...]
) -> list[HopConfiguration]:
    way = " -> ".join(str(each) for each in (*behind, hop))
    if hop in behind:
        raise ConfigurationFailure(
            f"the jump hosts go round in a circle: {way}", "look at ProxyJump in ssh_config"
        )
    if len(behind) > _MOST_HOPS:
        raise ConfigurationFailure(
            f"more than {_MOST_HOPS} jump hosts: {way}", "look at ProxyJump in ssh_config"
        )
    said = keywords.read(hop, options, program)
    configuration = _honoured(hop, said, options)
    if jumps is None:
        own = _one(said, "proxyjump")
        try:
            jumps = parse_jumps(own) if own and configuration.proxy_command is None else None
        except Failure as problem:
            raise ConfigurationFailure(f"ProxyJump for {hop}: {problem.message}", problem.hint) from problem
    if jumps is None:
        return [configuration]
    # A way that is given, be it none at all, makes ssh pass over ProxyCommand.
    configuration = replace(configuration, proxy_command=None)
    if not jumps:
        return [configuration]
    before = _chain(jumps[-1], jumps[:-1] or None, options.for_a_jump_host(), program, (*behind, hop))
    return [*before, configuration]


def _honoured(hop: Hop, said: Keywords, options: Options) -> HopConfiguration:
    hostname = _one(said, "hostname") or hop.host
    user = _one(said, "user") or local_user()
    port = _number(said, "port", 22)
    alias = _one(said, "hostkeyalias") or None
    tokens = Tokens(hop.host, hostname, port, user, alias, _one(said, "proxyjump"))
    proxy_command = _unless_none(_one(said, "proxycommand"))
    if _unless_none(_one(said, "knownhostscommand")):
        raise ConfigurationFailure(
            f"KnownHostsCommand is set for {quote(hop.host)}, which hermes-tunnel does not run",
            "put the host's key into known_hosts, and add -o KnownHostsCommand=none",
        )
    methods = [
        method
        for method in (_one(said, "preferredauthentications") or _DEFAULT_METHODS).split(",")
        if _flag(said, _SWITCHES.get(method, ""), default=True)
    ]
    identities = tuple(
        tokens.path(name) for name in said.get("identityfile", _DEFAULT_KEYS) if name != "none"
    )
    for name in map(tokens.path, options.identity_files):
        if not (Path(name).exists() or Path(name + ".pub").exists()):
            raise ConfigurationFailure(f"the identity file {quote(name)} does not exist", "see -i")
    return HopConfiguration(
        alias=hop.host,
        hostname=hostname,
        user=user,
        port=port,
        identity_files=identities,
        certificate_files=tuple(
            tokens.path(name) for name in said.get("certificatefile", ()) if name != "none"
        ),
        identities_only=_flag(said, "identitiesonly"),
        identity_agent=_agent(_one(said, "identityagent"), tokens),
        preferred_authentications=tuple(methods),
        number_of_password_prompts=_number(said, "numberofpasswordprompts", 3),
        batch_mode=_flag(said, "batchmode"),
        user_known_hosts_files=_files(_one(said, "userknownhostsfile") or _DEFAULT_KNOWN_HOSTS, tokens),
        global_known_hosts_files=_files(
            _one(said, "globalknownhostsfile") or _DEFAULT_GLOBAL_KNOWN_HOSTS, tokens
        ),
        strict_host_key_checking=_strictness(_one(said, "stricthostkeychecking").lower()),
        hash_known_hosts=_flag(said, "hashknownhosts"),
        host_key_alias=alias,
        host_key_algorithms=_list(said, "hostkeyalgorithms"),
        kex_algorithms=_list(said, "kexalgorithms"),
        ciphers=_list(said, "ciphers"),
        macs=_list(said, "macs"),
        pubkey_accepted_algorithms=_list(said, "pubkeyacceptedalgorithms"),
        proxy_command=None if proxy_command is None else tokens.expand(proxy_command),
        address_family=_one(said, "addressfamily").lower() or "any",
        bind_address=_one(said, "bindaddress") or None,
        connect_timeout=_number(said, "connecttimeout", 0) or 15,
        server_alive_interval=_number(said, "serveraliveinterval", 0) or 5,
        server_alive_count_max=_number(said, "serveralivecountmax", 3) or 3,
    )


_SWITCHES = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}
_ON = ("yes", "true")


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
        value = "${" + value[1:] + "}"
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
