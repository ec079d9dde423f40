"""Whether a server may be talked to: its host key against known_hosts and StrictHostKeyChecking (ssh(1))."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hermes_tunnel.errors import HostKeyFailure
from hermes_tunnel.ssh.hop import HopConfiguration
from hermes_tunnel.ssh.keys import parse_public_line, rsa_bits
from hermes_tunnel.ssh.known_hosts import (
    SSH_PORT,
    Finding,
    KnownHosts,
    Verdict,
    append,
    called,
    describe,
    fingerprint,
    known_name,
)

__all__ = ["KnownHosts", "known_as", "verify"]

_QUESTION = "Are you sure you want to continue connecting (yes/no/[fingerprint])? "
_AGAIN = "Please type 'yes', 'no' or the fingerprint: "


def verify(
    known: KnownHosts,
    hop: HopConfiguration,
    key_type: str,
    blob: bytes,
    *,
    address: str | None = None,
    ask: Callable[[str, bool], str | None],
    tell: Callable[[str], object],
) -> None:
    """Do nothing if a server's key may be trusted, according to StrictHostKeyChecking.

    Unlike with ssh, a changed key is never accepted, whatever StrictHostKeyChecking says.

    :param key_type: such as ``ssh-ed25519``
    :param blob: the key that the server proved to have
    :param address: the server's IP address, if that was dialled; for CheckHostIP
    :param ask: asks the person: the prompt (its last line is the question), and whether the answer is
        hidden; None where nobody answers
    :param tell: tells the person one line
    :raises HostKeyFailure: the key is not the known one, or unknown and not accepted
    """
    _check_in_itself(hop, key_type, blob)
    host, port = known_as(hop)
    finding = known.find(host, port, blob)
    if finding.verdict is Verdict.UNKNOWN:
        _accept(hop, key_type, blob, ask, tell)
        _remember(hop, key_type, blob, tell)
    elif finding.verdict is not Verdict.KNOWN:
        raise _refusal(finding, hop, describe(key_type, blob))
    if address and hop.check_host_ip and not hop.host_key_alias:
        _check_address(known.find(address, hop.port, blob), hop, address, ask=ask, tell=tell)


def _check_address(
    finding: Finding,
    hop: HopConfiguration,
    address: str,
    *,
    ask: Callable[[str, bool], str | None],
    tell: Callable[[str], object],
) -> None:
    """CheckHostIP: the address may be known by another key than the name is."""
    if finding.verdict not in (Verdict.CHANGED, Verdict.REVOKED):
        return
    places = ", ".join(line.place for line in finding.lines)
    failure = HostKeyFailure(
        f"the host key of {hop.label} differs from that of its address {address} in {places}",
        "if the address is the right one, remove its old key: "
        f'ssh-keygen -R "{known_name(address, hop.port)}"',
    )
    if hop.strict_host_key_checking == "ask" and not hop.batch_mode:
        question = "Are you sure you want to continue connecting (yes/no)? "
        answer = ask(f"Warning: {failure.message}.\n{question}", False) or ""
        if answer.strip().lower() != "yes":
            raise failure
    elif hop.strict_host_key_checking in ("ask", "yes"):
        raise failure
    else:
        tell(f"Warning: {failure.message}.")


def _check_in_itself(hop: HopConfiguration, key_type: str, blob: bytes) -> None:
    """RequiredRSASize and RevokedHostKeys, which count before known_hosts."""
    key, bits = describe(key_type, blob), rsa_bits(blob)
    if bits is not None and bits < hop.required_rsa_size:
        raise HostKeyFailure(
            f"the host key of {hop.label} has {bits} bits, which RequiredRSASize forbids: {key}",
            "ask the server's administrator for a new key",
        )
    if hop.revoked_host_keys is None:
        return
    try:
        data = Path(hop.revoked_host_keys).read_bytes()
    except OSError as problem:
        raise HostKeyFailure(
            f"RevokedHostKeys cannot be read, so any key may be revoked: {hop.revoked_host_keys}: "
            f"{problem.strerror}",
            "see RevokedHostKeys in ssh_config(5)",
        ) from problem
    if data.startswith(b"SSHKRL\n\0"):
        raise HostKeyFailure(
            f"RevokedHostKeys is a binary list, which hermes-tunnel cannot read: {hop.revoked_host_keys}",
            f"make it a list of public keys; {hop.by_hand}",
        )
    if any(parse_public_line(line) == blob for line in data.splitlines()):
        raise HostKeyFailure(
            f"the host key of {hop.label} is revoked: {key}, by {hop.revoked_host_keys}",
            "do not connect; ask the server's administrator for the new key",
        )


def known_as(hop: HopConfiguration) -> tuple[str, int]:
    """The name and the port under which a hop is looked up; an alias stands bare, whatever the port."""
    return (hop.host_key_alias, SSH_PORT) if hop.host_key_alias else (hop.hostname, hop.port)


def _accept(
    hop: HopConfiguration,
    key_type: str,
    blob: bytes,
    ask: Callable[[str, bool], str | None],
    tell: Callable[[str], object],
) -> None:
    key = describe(key_type, blob)
    strictness = hop.strict_host_key_checking.lower()
    if strictness == "accept-new":
        return
    if strictness in ("no", "off", "false"):
        tell(f"Warning: the host key of {hop.label} is not known ({key}); StrictHostKeyChecking accepts it.")
        return
    if strictness in ("yes", "true"):
        raise _unknown(hop, key, "and StrictHostKeyChecking is on")
    prompt = (
        f"The authenticity of host '{hop.alias} ({hop.address})' can't be established.\n"
        f"{called(key_type)} key fingerprint is {fingerprint(blob)}.\n{_QUESTION}"
    )
    while not hop.batch_mode:
        answer = ask(prompt, False)
        if answer is None:
            break
        answer = answer.strip()
        if answer.lower() == "yes" or answer == fingerprint(blob):
            return
        if answer.lower() in ("", "no"):
            raise HostKeyFailure(
                f"the host key of {hop.label} was not accepted: {key}",
                "compare the fingerprint with the one that the server's administrator has",
            )
        prompt = _AGAIN
    raise _unknown(hop, key, "and nobody is here to be asked")


def _remember(hop: HopConfiguration, key_type: str, blob: bytes, tell: Callable[[str], object]) -> None:
    host, port = known_as(hop)
    for path in hop.user_known_hosts_files[:1]:
        try:
            append(path, host, port, key_type, blob, hashed=hop.hash_known_hosts)
        except (OSError, ValueError) as problem:
            why = (problem.strerror if isinstance(problem, OSError) else None) or problem
            tell(f"Warning: the host key of {hop.label} could not be added to {path}: {why}.")
        else:
            tell(f"Added '{known_name(host, port)}' ({called(key_type)}) to {path}.")


def _unknown(hop: HopConfiguration, key: str, why: str) -> HostKeyFailure:
    port = "" if hop.port == SSH_PORT else f"-p {hop.port} "
    return HostKeyFailure(
        f"the host key of {hop.label} is not known, {why}: {key}",
        f"connect once on a terminal and compare the fingerprint before you say yes: ssh {port}{hop.label}",
    )


def _refusal(finding: Finding, hop: HopConfiguration, key: str) -> HostKeyFailure:
    name = known_name(*known_as(hop))
    places = ", ".join(line.place for line in finding.lines)
    if finding.verdict is Verdict.REVOKED:
        return HostKeyFailure(
            f"the host key of {hop.label} is revoked: {key}, by {places}",
            "do not connect; ask the server's administrator for the new key",
        )
    if finding.verdict is Verdict.ONLY_AUTHORITY:
        return HostKeyFailure(
            f"host certificates are not supported, and {hop.label} is known by a @cert-authority alone, "
            f"in {places}; its key is {key}",
            f"ask the server's administrator for the fingerprint, then add the key itself, under {name}; "
            + hop.by_hand,
        )
    file = finding.lines[0].place.rpartition(":")[0]
    return HostKeyFailure(
        f"the host key of {hop.label} has CHANGED: the server has {key}, "
        f"but known is {', '.join(map(str, finding.lines))}",
        "somebody may be in between: ask the server's administrator; if the key was replaced, remove the old "
        f'one: ssh-keygen -R "{name}" -f "{file}"',
    )
