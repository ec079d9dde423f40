"""Whether to trust a server: its host key against known_hosts and StrictHostKeyChecking (ssh(1))."""

from __future__ import annotations

import base64
import ipaddress
import tempfile
from contextlib import suppress
from pathlib import Path

from hermes_tunnel.errors import AGAIN, HostKeyFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.by_hand import by_hand, by_ssh, shell_line
from hermes_tunnel.ssh.child import run
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.config.keywords import find_ssh
from hermes_tunnel.ssh.hostkeys.known_hosts import SSH_PORT, Finding, KnownHosts, Verdict, append, known_name
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.public_key import called, describe, fingerprint, parse_public_line, rsa_bits
from hermes_tunnel.ssh.waiting import Meanwhile
from hermes_tunnel.text import quote

__all__ = ["KnownHosts", "known_as", "verify"]

_KEYGEN_SECONDS = 10.0
_QUESTION = "Are you sure you want to continue connecting (yes/no/[fingerprint])?"
_COMPARE = "Compare it with what the server's administrator has. Enter means no."
_ONCE_MORE = "Please type 'yes', 'no' or the fingerprint:"


def verify(
    known: KnownHosts,
    hop: HopConfiguration,
    key_type: str,
    blob: bytes,
    *,
    person: Person,
    address: str | None = None,
) -> None:
    """Do nothing if a server's key may be trusted, according to StrictHostKeyChecking.

    Unlike in ssh, a changed key is never accepted, whatever StrictHostKeyChecking says, and KnownHostsCommand
    is not run: only a key that is in a file counts as known, and no other is asked about. As in ssh,
    NoHostAuthenticationForLocalhost skips only known_hosts, and not if HostKeyAlias is set.

    :param key_type: such as ``ssh-ed25519``
    :param blob: the key that the server proved to have
    :param person: is asked about an unknown key
    :param address: the IP address that was dialled, if any
    :raises HostKeyFailure: the key is not the known one, or is unknown and was not accepted
    :raises NotWanted: the connection is no longer wanted
    """
    _check_in_itself(hop, key_type, blob, person.check)
    is_here = address is not None and ipaddress.ip_address(address.partition("%")[0]).is_loopback
    if is_here and hop.no_host_authentication_for_localhost and not hop.host_key_alias:
        return
    host, port = known_as(hop)
    finding = known.find(host, port, blob)
    if finding.verdict is Verdict.UNKNOWN and hop.known_hosts_command:
        raise HostKeyFailure(
            f"the host key of {hop.called} is not known{_by_alias(hop)}, and hermes-tunnel does not run "
            f"KnownHostsCommand, which may know it: {describe(key_type, blob)}",
            f"put it into known_hosts, under {known_name(host, port)}, or be asked about it: "
            f"-o KnownHostsCommand=none; {by_hand(hop)}",
        )
    if finding.verdict is Verdict.UNKNOWN:
        _accept(hop, key_type, blob, person)
        _remember(hop, key_type, blob, person)
    elif finding.verdict is not Verdict.KNOWN:
        raise _refusal(finding, hop, describe(key_type, blob))
    if address and hop.check_host_ip and not is_here:
        _check_address(known.find(address, hop.port, blob), hop, address, person)


def _check_address(finding: Finding, hop: HopConfiguration, address: str, person: Person) -> None:
    """CheckHostIP: the address may be known by a different key than the name."""
    if finding.verdict not in (Verdict.CHANGED, Verdict.REVOKED):
        return
    failure = HostKeyFailure(
        f"the host key of {hop.called} differs from that of its address {address} in {_places(finding)}",
        "if the address is the right one, remove its old key: "
        + _removal(known_name(address, hop.port), finding),
    )
    if hop.strict_host_key_checking == "ask" and not hop.batch_mode:
        question = "Are you sure you want to continue connecting (yes/no)?"
        answer = person.answer(Question(question, above=(f"Warning: {failure.message}.",)))
        if (answer or "").strip().lower() != "yes":
            raise failure
    elif hop.strict_host_key_checking in ("ask", "yes"):
        raise failure
    else:
        person.tell(f"Warning: {failure.message}.")


def _check_in_itself(hop: HopConfiguration, key_type: str, blob: bytes, meanwhile: Meanwhile) -> None:
    """RequiredRSASize and RevokedHostKeys, which come before known_hosts."""
    key, bits = describe(key_type, blob), rsa_bits(blob)
    if bits is not None and bits < hop.required_rsa_size:
        raise HostKeyFailure(
            f"the host key of {hop.called} has {bits} bits, which RequiredRSASize forbids: {key}",
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
    is_binary = data.startswith(b"SSHKRL\n\0")
    if _binary_list_has(hop, key_type, blob, meanwhile) if is_binary else _list_has(data, blob):
        raise HostKeyFailure(
            f"the host key of {hop.called} is revoked: {key}, by {hop.revoked_host_keys}",
            "do not connect; ask the server's administrator for the new key",
        )


def _list_has(data: bytes, blob: bytes) -> bool:
    return any(parse_public_line(line) == blob for line in data.splitlines())


def _binary_list_has(hop: HopConfiguration, key_type: str, blob: bytes, meanwhile: Meanwhile) -> bool:
    """Whether a key revocation list (ssh-keygen(1)) includes a key; OpenSSH's own program reads it."""
    program, file, told = find_ssh("ssh-keygen"), str(hop.revoked_host_keys), None
    with tempfile.TemporaryDirectory() as directory:
        key = Path(directory, "key.pub")
        key.write_bytes(key_type.encode() + b" " + base64.b64encode(blob))
        words = [program or "", "-Q", "-f", file, str(key)]
        # It exits with 0 for good, 1 for revoked, and anything else if it could not tell.
        if program:
            with suppress(TimeoutError):
                told = run(words, meanwhile, seconds=_KEYGEN_SECONDS).returncode
    if told not in (0, 1):
        raise HostKeyFailure(
            f"RevokedHostKeys is a binary list, which ssh-keygen did not read: {file}",
            f"make it a list of public keys; {by_hand(hop)}",
        )
    return told == 1


def known_as(hop: HopConfiguration) -> tuple[str, int]:
    """The name and port that a hop is looked up by; an alias stands bare, whatever the port."""
    return (hop.host_key_alias, SSH_PORT) if hop.host_key_alias else (hop.hostname, hop.port)


def _by_alias(hop: HopConfiguration) -> str:
    """The name that known_hosts has no key for, if it is not the host's own."""
    return f" under its HostKeyAlias {quote(hop.host_key_alias)}" if hop.host_key_alias else ""


def _accept(
    hop: HopConfiguration,
    key_type: str,
    blob: bytes,
    person: Person,
) -> None:
    key, alias = describe(key_type, blob), _by_alias(hop)
    strictness = hop.strict_host_key_checking.lower()
    if not hop.user_known_hosts_files:
        raise HostKeyFailure(
            f"the host key of {hop.called} is not known{alias}, and UserKnownHostsFile is none: {key}",
            "name a file to add it to: -o UserKnownHostsFile=FILE",
        )
    if strictness == "accept-new":
        return
    if strictness in ("no", "off", "false"):
        person.tell(
            f"Warning: the host key of {hop.called} is not known{alias} ({key}); "
            "StrictHostKeyChecking accepts it."
        )
        return
    if strictness in ("yes", "true"):
        raise _unknown(hop, key, "and StrictHostKeyChecking is on", "-o", "StrictHostKeyChecking=ask")
    authenticity = f"The authenticity of host '{hop.alias} ({hop.address})' can't be established."
    shown = f"{called(key_type)} key fingerprint is {fingerprint(blob)}."
    named = (f"Its HostKeyAlias, {quote(hop.host_key_alias)}, is not known.",) if hop.host_key_alias else ()
    question = Question(_QUESTION, above=(authenticity, *named, shown, _COMPARE))
    while not hop.batch_mode:
        answer = person.answer(question)
        if answer is None:
            break
        answer = answer.strip()
        if answer.lower() == "yes" or answer == fingerprint(blob):
            return
        if answer.lower() in ("", "no"):
            raise HostKeyFailure(
                f"the host key of {hop.called} was not accepted: {key}",
                f"when you have compared it, {AGAIN}",
            )
        question = Question(_ONCE_MORE)
    batch = ("-o", "BatchMode=no") if hop.batch_mode else ()
    raise _unknown(hop, key, "and there is nobody to ask", *batch)


def _remember(hop: HopConfiguration, key_type: str, blob: bytes, person: Person) -> None:
    host, port = known_as(hop)
    for path in hop.user_known_hosts_files[:1]:
        try:
            append(path, host, port, key_type, blob, hashed=hop.hash_known_hosts)
        except (OSError, ValueError) as problem:
            why = (problem.strerror if isinstance(problem, OSError) else None) or problem
            person.tell(f"Warning: the host key of {hop.called} could not be added to {path}: {why}.")
        else:
            person.tell(f"Added '{known_name(host, port)}' ({called(key_type)}) to {path}.")


def _unknown(hop: HopConfiguration, key: str, why: str, *options: str) -> HostKeyFailure:
    return HostKeyFailure(
        f"the host key of {hop.called} is not known{_by_alias(hop)}, {why}: {key}",
        "connect once on a terminal and compare the fingerprint before you say yes: " + by_ssh(hop, *options),
    )


def _places(finding: Finding) -> str:
    return ", ".join(line.place for line in finding.lines)


def _removal(name: str, finding: Finding) -> str:
    """What removes a name's keys from the files they were found in."""
    files = dict.fromkeys(line.place.rpartition(":")[0] for line in finding.lines)
    return " && ".join(shell_line("ssh-keygen", "-R", name, "-f", file) for file in files)


def _refusal(finding: Finding, hop: HopConfiguration, key: str) -> HostKeyFailure:
    name = known_name(*known_as(hop))
    places = _places(finding)
    command = (
        "; hermes-tunnel does not run KnownHostsCommand, which may know another"
        if hop.known_hosts_command
        else ""
    )
    if finding.verdict is Verdict.REVOKED:
        return HostKeyFailure(
            f"the host key of {hop.called} is revoked: {key}, by {places}",
            "do not connect; ask the server's administrator for the new key",
        )
    if finding.verdict is Verdict.ONLY_AUTHORITY:
        return HostKeyFailure(
            f"host certificates are not supported, and {hop.called} is known only by a @cert-authority, "
            f"in {places}; its key is {key}{command}",
            f"ask the server's administrator for the fingerprint, then add the key itself, under {name}; "
            + by_hand(hop),
        )
    return HostKeyFailure(
        f"the host key of {hop.called} has CHANGED: the server has {key}, "
        f"but known_hosts has {', '.join(map(str, finding.lines))}{command}",
        "somebody may be intercepting the connection: ask the server's administrator; if the key was "
        f"replaced, remove the old one: {_removal(name, finding)}",
    )
