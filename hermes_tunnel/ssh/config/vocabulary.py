"""Every keyword of ssh_config(5), and what happens to it here; ``docs/ssh-config.md`` has the reasons."""

from __future__ import annotations

from collections.abc import Iterable

HONOURED = frozenset(
    """
    Host Match Include IgnoreUnknown Tag
    CanonicalDomains CanonicalizeFallbackLocal CanonicalizeHostname CanonicalizeMaxDots
    CanonicalizePermittedCNAMEs RefuseConnection
    AddressFamily BatchMode BindAddress BindInterface CertificateFile CheckHostIP Ciphers ConnectTimeout
    ConnectionAttempts
    GlobalKnownHostsFile HashKnownHosts HostKeyAlgorithms HostKeyAlias Hostname IdentitiesOnly IdentityAgent
    IdentityFile KbdInteractiveAuthentication KbdInteractiveDevices KexAlgorithms MACs
    NoHostAuthenticationForLocalhost NumberOfPasswordPrompts PasswordAuthentication Port
    PreferredAuthentications ProxyCommand ProxyJump ProxyUseFdpass PubkeyAcceptedAlgorithms
    PubkeyAuthentication RequiredRSASize RevokedHostKeys ServerAliveCountMax ServerAliveInterval
    StrictHostKeyChecking TCPKeepAlive User UserKnownHostsFile
    """.lower().split()
)
"""Done as in ssh; the first three lines by ssh itself, in the answer of ``ssh -G``."""

OF_A_SESSION = frozenset(["escapechar", "remotecommand", "requesttty", "sendenv", "setenv"])
"""Done as in ssh by ``run``, and by no other verb."""

REFUSED = frozenset(
    """
    CASignatureAlgorithms GSSAPIAuthentication GSSAPIClientIdentity GSSAPIDelegateCredentials
    GSSAPIKexAlgorithms GSSAPIKeyExchange GSSAPIRenewalForcesRekey GSSAPIServerIdentity GSSAPITrustDns
    HostbasedAcceptedAlgorithms HostbasedAuthentication EnableSSHKeysign KnownHostsCommand
    PKCS11Provider SecurityKeyProvider
    """.lower().split()
)
"""Not possible here; if it matters, a failure or its hint says so."""

IGNORED = frozenset(
    """
    AddKeysToAgent ChannelTimeout ClearAllForwardings Compression ControlMaster ControlPath
    ControlPersist DynamicForward EnableEscapeCommandline ExitOnForwardFailure FingerprintHash
    ForkAfterAuthentication ForwardAgent ForwardX11 ForwardX11Timeout ForwardX11Trusted GatewayPorts IPQoS
    LocalCommand LocalForward LogLevel LogVerbose ObscureKeystrokeTiming PermitLocalCommand PermitRemoteOpen
    RekeyLimit RemoteForward SessionType StdinNull
    StreamLocalBindMask StreamLocalBindUnlink SyslogFacility Tunnel TunnelDevice UpdateHostKeys
    VerifyHostKeyDNS VersionAddendum VisualHostKey WarnWeakCrypto XAuthLocation
    """.lower().split()
)
"""Never acted on: none of these is about reaching a host, proving who is who, or a program's terminal."""


def unheard_of(keywords: Iterable[str]) -> list[str]:
    """The keywords that are newer than this program, in order."""
    return [each for each in keywords if each.lower() not in HONOURED | OF_A_SESSION | REFUSED | IGNORED]
