"""The algorithms of a connection (RFC 4253 section 7.1): what this program has of what ssh_config allows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hermes_tunnel.errors import ConfigurationFailure, NetworkFailure
from hermes_tunnel.ssh.by_hand import by_hand
from hermes_tunnel.ssh.config.hop import HopConfiguration, allows
from hermes_tunnel.ssh.paramiko_names import TRANSPORT
from hermes_tunnel.text import plain

# One exchange, two names: paramiko has the older; a server may have only that of RFC 8731.
CURVE25519, CURVE25519_BEFORE = "curve25519-sha256", "curve25519-sha256@libssh.org"
# Names in the list of key exchanges that mean something else (RFC 8308, OpenSSH's PROTOCOL).
_NO_EXCHANGE = ("ext-info-", "kex-strict-")
_NAME = re.compile("[!-+\\--~]{1,64}")  # RFC 4251 section 6


@dataclass(frozen=True)
class Kind:
    """One of the negotiated lists.

    :param name: for people
    :param keyword: ssh_config's
    :param offered: what paramiko calls the server's list
    :param has: everything available here, best first
    """

    name: str
    keyword: str
    offered: str
    has: tuple[str, ...]

    def configured(self, hop: HopConfiguration) -> Sequence[str]:
        """The list of ssh_config; if ssh printed it, it is complete: what ssh itself would offer."""
        return {
            "KexAlgorithms": hop.kex_algorithms,
            "HostKeyAlgorithms": hop.host_key_algorithms,
            "Ciphers": hop.ciphers,
            "MACs": hop.macs,
        }[self.keyword]


_EXCHANGES = tuple(
    name
    for each in TRANSPORT._preferred_kex
    for name in ((CURVE25519, each) if each == CURVE25519_BEFORE else (each,))
)
KEX = Kind("key exchange", "KexAlgorithms", "kex_algo_list", _EXCHANGES)
# Without host certificates, which nothing here can verify.
HOST_KEY = Kind("host key", "HostKeyAlgorithms", "server_key_algo_list", tuple(TRANSPORT._preferred_keys))
CIPHER = Kind("cipher", "Ciphers", "server_encrypt_algo_list", tuple(TRANSPORT._preferred_ciphers))
MAC = Kind("MAC", "MACs", "server_mac_algo_list", tuple(TRANSPORT._preferred_macs))
KINDS = (KEX, HOST_KEY, CIPHER, MAC)


def key_type_of(algorithm: str) -> str:
    """The type of key that a signature algorithm works with (RFC 8332: RSA has several)."""
    return algorithm.replace("rsa-sha2-512", "ssh-rsa").replace("rsa-sha2-256", "ssh-rsa")


def own_algorithms(hop: HopConfiguration, known_types: Iterable[str]) -> dict[Kind, tuple[str, ...]]:
    """What to offer a hop's server.

    :param known_types: the types of its known host keys; asked for first
    :raises ConfigurationFailure: ssh_config allows nothing that is available here
    """
    known, own = set(known_types), {kind: _allowed(kind, hop) for kind in KINDS}
    # One pass instead of a cipher and a MAC: a third less to do for each packet. ssh prefers it since 10.0.
    own[CIPHER] = tuple(sorted(own[CIPHER], key=lambda algorithm: "-gcm@" not in algorithm))
    own[HOST_KEY] = tuple(sorted(own[HOST_KEY], key=lambda algorithm: key_type_of(algorithm) not in known))
    return own


def _allowed(kind: Kind, hop: HopConfiguration) -> tuple[str, ...]:
    configured = kind.configured(hop)
    both = tuple(each for each in configured if each in kind.has) or tuple(
        each for each in kind.has if allows(configured, each)
    )
    if not both:
        raise ConfigurationFailure(
            f"ssh_config's {kind.keyword} allows nothing that hermes-tunnel has: {','.join(configured)}",
            f"add one of these to {kind.keyword}: {','.join(kind.has)}; or {by_hand(hop)}",
        )
    return both


def nothing_in_common(
    hop: HopConfiguration, offered: Mapping[str, Sequence[str]], own: Mapping[Kind, Sequence[str]]
) -> NetworkFailure | None:
    """Why keys could not be exchanged with a server, with both lists; None if that was not the reason.

    :param offered: the server's lists, by paramiko's names
    :param own: what was offered to it
    """
    for kind in KINDS:
        theirs = [each for each in offered.get(kind.offered, ()) if not each.startswith(_NO_EXCHANGE)]
        if theirs and not set(theirs) & set(own[kind]):
            excluded = [each for each in theirs if each in kind.has]
            ours = f"{kind.keyword} allows" if excluded else "hermes-tunnel has"
            return NetworkFailure(
                f"{hop.place} and hermes-tunnel have no {kind.name} algorithm in common: it offers "
                f"{plain(','.join(theirs))[:500]}; {ours} {','.join(own[kind])}",
                f"to allow what both have: -o {kind.keyword}=+{excluded[0]}"
                if excluded
                else _by_ssh(kind, hop, theirs),
            )
    return None


def _by_ssh(kind: Kind, hop: HopConfiguration, theirs: Sequence[str]) -> str:
    """If ssh would not offer it unasked either, it has to be told to."""
    if any(allows(kind.configured(hop), each) for each in theirs) or not _NAME.fullmatch(theirs[0]):
        return by_hand(hop)
    return by_hand(hop, "-o", f"{kind.keyword}=+{theirs[0]}")
