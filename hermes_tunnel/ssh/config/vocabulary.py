"""Every keyword of ssh_config(5), and what becomes of it here; ``docs/ssh-config.md`` is made from this."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Fate(NamedTuple):
    """What becomes of some keywords, with a blank between them, and how or why, in Markdown."""

    keywords: str
    words: str


HOW_HONOURED = (
    Fate(
        "Host Match Include Tag IgnoreUnknown RefuseConnection",
        "by `ssh` itself, in its answer. A `Match exec` has no terminal, but may wait five minutes for a "
        "page or a touch; see [below](#what-is-waited-for)",
    ),
    Fate(
        "CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots "
        "CanonicalizePermittedCNAMEs",
        "by `ssh` itself, in its answer",
    ),
    Fate("Hostname Port User", "for every hop; `-p`, `-l` and `USER@HOST:PORT` win over `-o`"),
    Fate(
        "ProxyJump",
        "the last entry is the hop just before, the first hop keeps its own; cycles and more than 8 hops "
        "are errors",
    ),
    Fate(
        "ProxyCommand ProxyUseFdpass",
        "by the shell, for the first hop; its standard error is shown as long as it runs. `ProxyUseFdpass` "
        "does not work on Windows",
    ),
    Fate(
        "AddressFamily BindAddress BindInterface ConnectTimeout ConnectionAttempts",
        "for the hop that is dialled; see [below](#what-is-waited-for)",
    ),
    Fate(
        "TCPKeepAlive",
        "for the hop that is dialled; as often as ServerAlive, which cannot ask before you are authenticated",
    ),
    Fate(
        "ServerAliveInterval ServerAliveCountMax",
        "for every hop; by default every 5 seconds, three times. Interval 0, ssh's default, counts as not "
        "set",
    ),
    Fate(
        "UserKnownHostsFile GlobalKnownHostsFile HostKeyAlias HashKnownHosts StrictHostKeyChecking "
        "NoHostAuthenticationForLocalhost CheckHostIP",
        "as ssh, but a changed key is never accepted, and an address is not added beside the name",
    ),
    Fate(
        "HostKeyAlgorithms",
        "key types that we know for the host are asked for first, even if ssh would keep the list's order: "
        "a known key is no worse",
    ),
    Fate("RequiredRSASize RevokedHostKeys", "as ssh; a binary list of revoked keys is read by `ssh-keygen`"),
    Fate(
        "KexAlgorithms Ciphers MACs",
        "those on the list that paramiko has, in its order; but AES-GCM comes before other ciphers, as "
        "it costs least",
    ),
    Fate(
        "PubkeyAcceptedAlgorithms",
        "as ssh; an RSA key signs with the first on the list that the server takes too",
    ),
    Fate(
        "PreferredAuthentications PubkeyAuthentication PasswordAuthentication KbdInteractiveAuthentication "
        "KbdInteractiveDevices NumberOfPasswordPrompts BatchMode",
        "as ssh",
    ),
    Fate(
        "IdentityFile CertificateFile IdentitiesOnly IdentityAgent",
        "as ssh; a public key file alone names a key in the agent",
    ),
)
"""Done as in ssh, unless the words say otherwise."""
HOW_IN_A_SESSION = (
    Fate("RemoteCommand", "as ssh: in place of the shell, and an error beside a command that you type"),
    Fate("RequestTTY", "as ssh, but `auto` is `yes`; `-t`, `-tt` and `-T` win"),
    Fate("EscapeChar", "as ssh"),
    Fate("SendEnv SetEnv", "as ssh; the server takes what its `AcceptEnv` says"),
)
"""Done as in ssh by ``run``, and by no other verb."""
WHY_REFUSED = (
    Fate(
        "GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials GSSAPIKexAlgorithms "
        "GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns",
        "paramiko has no Kerberos",
    ),
    Fate(
        "HostbasedAuthentication HostbasedAcceptedAlgorithms EnableSSHKeysign",
        "needs a setuid helper of OpenSSH",
    ),
    Fate(
        "CASignatureAlgorithms",
        "host certificates are not supported; `known_hosts` must have the plain host key",
    ),
    Fate(
        "KnownHostsCommand",
        "its answer would have to be trusted; put the key into `known_hosts`. If a file has the key, the "
        "login goes on without the command, even if the command would revoke it",
    ),
    Fate("PKCS11Provider SecurityKeyProvider", "load the key into an agent, which is then asked to sign"),
)
"""Not possible here; if it matters, a failure or its hint says so."""
WHY_IGNORED = (
    Fate(
        "LocalCommand PermitLocalCommand SessionType StdinNull ForkAfterAuthentication",
        "the command is the login's, or what you typed; a `run` tells you that a LocalCommand is not run",
    ),
    Fate(
        "ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted XAuthLocation",
        "never forwarded; a `run` tells you so",
    ),
    Fate(
        "LocalForward RemoteForward DynamicForward ClearAllForwardings ExitOnForwardFailure GatewayPorts "
        "PermitRemoteOpen StreamLocalBindMask StreamLocalBindUnlink Tunnel TunnelDevice",
        "the only forward is the callback's; a `run` tells you so",
    ),
    Fate(
        "ControlMaster ControlPath ControlPersist",
        "a login opens its own connection; you may be asked for another one-time code",
    ),
    Fate("AddKeysToAgent UpdateHostKeys VerifyHostKeyDNS", "less to write and to trust"),
    Fate(
        "EnableEscapeCommandline ObscureKeystrokeTiming VisualHostKey FingerprintHash WarnWeakCrypto",
        "there is no such command line; fingerprints are SHA-256",
    ),
    Fate(
        "Compression IPQoS RekeyLimit ChannelTimeout",
        "nothing to gain for a few kilobytes; if the server rekeys, we follow",
    ),
    Fate("LogLevel LogVerbose SyslogFacility VersionAddendum", "`-v` and `-q` are ours"),
)
"""Never acted on: none of these is about reaching a host, proving who is who, or a program's terminal."""


def _names(fates: Iterable[Fate]) -> frozenset[str]:
    return frozenset(name.lower() for fate in fates for name in fate.keywords.split())


HONOURED, OF_A_SESSION = _names(HOW_HONOURED), _names(HOW_IN_A_SESSION)
REFUSED, IGNORED = _names(WHY_REFUSED), _names(WHY_IGNORED)
"""The same keywords alone, in lower case."""


def unheard_of(keywords: Iterable[str]) -> list[str]:
    """The keywords that are newer than this program, in order."""
    return [each for each in keywords if each.lower() not in HONOURED | OF_A_SESSION | REFUSED | IGNORED]
