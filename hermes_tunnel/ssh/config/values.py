"""The values of one hop's ssh_config keywords, in this program's types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from hermes_tunnel.ssh.config.hop import HopConfiguration, NotDone
from hermes_tunnel.ssh.config.keywords import Keywords, Options
from hermes_tunnel.ssh.config.session import session
from hermes_tunnel.ssh.config.target import Hop
from hermes_tunnel.ssh.config.tokens import Tokens, local_user
from hermes_tunnel.ssh.config.vocabulary import unheard_of
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
# ssh takes at most this many files; among more words, no file whose name has blanks is looked for.
_MOST_WORDS = 32
# The ServerAliveInterval that Debian's ssh prints if BatchMode is on and nobody set one: five minutes.
_OF_DEBIAN = 300


def honoured(
    hop: Hop,
    said: Keywords,
    options: Options,
    *,
    asked: bool,
    typed: Sequence[str],
    newer: Sequence[str] = (),
) -> HopConfiguration:
    """The configuration of a hop.

    :param said: what ssh_config says of it
    :param asked: whether ssh said so, and so has already replaced the tokens in some of the file names
    :param typed: the whole way to the destination, as words for ssh
    :param newer: keywords that are set and newer than this program
    :raises ConfigurationFailure: it has a token or a variable that does not exist
    """
    hostname = _one(said, "hostname") or hop.host
    user = _one(said, "user") or local_user()
    port = _number(said, "port", 22)
    alias = _one(said, "hostkeyalias").lower() or None
    tokens = Tokens(hop.host, hostname, port, user, alias, _one(said, "proxyjump"))
    path = tokens.tilde if asked else tokens.path
    proxy_command = _unless_none(_one(said, "proxycommand"))
    remote_command = _unless_none(_one(said, "remotecommand"))
    if remote_command is not None and not asked:  # ssh has replaced its tokens
        remote_command = tokens.expand(remote_command)
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
    interval = _number(said, "serveraliveinterval", 0)
    if _flag(said, "batchmode") and interval == _OF_DEBIAN:
        interval = 0
    return HopConfiguration(
        alias=hop.host,
        hostname=hostname,
        user=user,
        port=port,
        identity_files=tuple(map(tokens.path, filter(_unless_none, said.get("identityfile", _DEFAULT_KEYS)))),
        certificate_files=tuple(map(tokens.path, filter(_unless_none, said.get("certificatefile", ())))),
        identities_only=_flag(said, "identitiesonly"),
        identity_agent=_agent(_one(said, "identityagent"), tokens.environment, path),
        preferred_authentications=tuple(methods),
        kbd_interactive_devices=_one(said, "kbdinteractivedevices"),
        number_of_password_prompts=_number(said, "numberofpasswordprompts", 3),
        batch_mode=_flag(said, "batchmode"),
        user_known_hosts_files=_files(_one(said, "userknownhostsfile") or _DEFAULT_KNOWN_HOSTS, path),
        global_known_hosts_files=_files(
            _one(said, "globalknownhostsfile") or _DEFAULT_GLOBAL_KNOWN_HOSTS, tokens.tilde
        ),
        revoked_host_keys=None if revoked is None else tokens.tilde(revoked),
        strict_host_key_checking=_strictness(_one(said, "stricthostkeychecking").lower()),
        no_host_authentication_for_localhost=_flag(said, "nohostauthenticationforlocalhost"),
        check_host_ip=_flag(said, "checkhostip"),
        hash_known_hosts=_flag(said, "hashknownhosts"),
        host_key_alias=alias,
        known_hosts_command=_unless_none(_one(said, "knownhostscommand")) is not None,
        host_key_algorithms=_list(said, "hostkeyalgorithms"),
        kex_algorithms=_list(said, "kexalgorithms"),
        ciphers=_list(said, "ciphers"),
        macs=_list(said, "macs"),
        pubkey_accepted_algorithms=_list(said, "pubkeyacceptedalgorithms"),
        required_rsa_size=_number(said, "requiredrsasize", 1024),
        proxy_command=None if proxy_command is None else tokens.jump(proxy_command),
        proxy_use_fdpass=_flag(said, "proxyusefdpass"),
        address_family=_one(said, "addressfamily").lower() or "any",
        bind_address=_one(said, "bindaddress") or None,
        bind_interface=_unless_none(_one(said, "bindinterface")),
        connect_timeout=_number(said, "connecttimeout", 0) or None,
        connection_attempts=max(1, _number(said, "connectionattempts", 1)),
        tcp_keep_alive=_flag(said, "tcpkeepalive", default=True),
        server_alive_interval=interval or 5,
        server_alive_count_max=_number(said, "serveralivecountmax", 3) or 3,
        not_done=_not_done(said),
        warnings=(
            *missing,
            *(
                f"Warning: {plain(keyword)} is set for {quote(hop.host)}; hermes-tunnel has not heard of it."
                for keyword in newer
            ),
        ),
        details=tuple(
            f"This ssh knows {plain(keyword)}, which is not set; hermes-tunnel has not heard of it."
            for keyword in unheard_of(said)
            if keyword not in newer
        ),
        session=session(said, remote_command, tokens.environment),
        typed=tuple(typed),
    )


def _not_done(said: Keywords) -> tuple[NotDone, ...]:
    found = []
    if provider := _unless_none(_one(said, "pkcs11provider")):
        fact = "PKCS11Provider is set, which hermes-tunnel does not load"
        found.append(NotDone("publickey", fact, f"have the agent load it: ssh-add -s {plain(provider)}"))
    if _flag(said, "gssapiauthentication"):
        found.append(NotDone("gssapi-with-mic", "GSSAPIAuthentication is on, which hermes-tunnel cannot do"))
    if _flag(said, "hostbasedauthentication"):
        found.append(NotDone("hostbased", "HostbasedAuthentication is on, which hermes-tunnel cannot do"))
    return tuple(found)


def _one(said: Keywords, keyword: str) -> str:
    return next(iter(said.get(keyword, ())), "") or ""


def _flag(said: Keywords, keyword: str, *, default: bool = False) -> bool:
    value = _one(said, keyword).lower()
    # PubkeyAuthentication may also be "unbound" or "host-bound", which mean yes.
    return value not in ("no", "false") if default else value in _ON


def _number(said: Keywords, keyword: str, default: int) -> int:
    value = _one(said, keyword)
    return int(value) if value.isdecimal() else default


def _list(said: Keywords, keyword: str) -> tuple[str, ...]:
    value = _one(said, keyword)
    # "+x", "-x" and "^x" change a default; ssh prints the result, and without ssh the transport applies it.
    return tuple(value.split(",")) if value else ()


def _unless_none(value: str) -> str | None:
    return None if value.lower() in ("", "none") else value


def _strictness(value: str) -> str:
    if value in _ON:
        return "yes"
    if value in ("no", "false", "off"):
        return "no"
    return value if value == "accept-new" else "ask"


def _agent(value: str, environment: Mapping[str, str], path: Callable[[str], str]) -> str | None:
    if value in ("", "SSH_AUTH_SOCK"):
        return None
    if value.lower() == "none":
        return ""
    if value.startswith("$") and not value.startswith("${"):
        # Unlike ${VARIABLE}, this form names no agent if the variable is not set.
        return environment.get(value[1:], "")
    return path(value)


def _files(value: str, path: Callable[[str], str]) -> tuple[str, ...]:
    """File names joined by blanks; ``ssh -G`` drops the quotes of those that contain blanks."""
    words = value.split(" ")
    longest = len(words) if len(words) <= _MOST_WORDS else 1
    names: list[str] = []
    while words:
        if words[0].lower() == "none" and not names:
            return ()
        ends = range(min(len(words), longest), 1, -1)
        taken = next((end for end in ends if Path(path(" ".join(words[:end]))).exists()), 1)
        if words[0]:
            names.append(path(" ".join(words[:taken])))
        del words[:taken]
    return tuple(names)
