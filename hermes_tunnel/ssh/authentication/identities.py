"""The keys to offer a server, in ssh's order, each able to sign."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from hermes_tunnel.ssh.authentication.agent import Agent, AgentKey, AgentProblem
from hermes_tunnel.ssh.authentication.certificates import certified, read_certificate
from hermes_tunnel.ssh.authentication.keys import KeyFile
from hermes_tunnel.ssh.by_hand import ssh_add
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.public_key import key_type, rsa_bits
from hermes_tunnel.text import plain, quote


@dataclass(frozen=True)
class Identity:
    """A key, or a certificate with its key.

    :param name: for people
    :param blob: what to show the server; None if only the passphrase can tell
    :param file: the file with the private half; without one, ``agent`` has it, under ``agent_blob``
    """

    name: str
    blob: bytes | None
    file: KeyFile | None = None
    agent: Agent | None = None
    agent_blob: bytes = b""


@dataclass
class Identities:
    """All identities for a hop, and the agent that holds some of them.

    :param problems: what could not be used, as facts, each with a hint
    """

    offered: list[Identity] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    agent: Agent | None = None

    def close(self) -> None:
        """Disconnect from the agent."""
        if self.agent is not None:
            self.agent.close()


def collect(configuration: HopConfiguration, proof: tuple[bytes, bytes, bytes], person: Person) -> Identities:
    """The identities for a hop, in the order of OpenSSH's ``pubkey_prepare``.

    The certificates of CertificateFile come first; then the agent's keys, those first that ssh_config names;
    then the files, each followed by the certificate beside it. With a CertificateFile, certificates beside
    keys do not count.

    :param proof: the server's, for the agent: ``Transport.proof``
    :param person: is told if the agent does not answer
    """
    found = Identities()
    try:
        _collect(configuration, proof, person, found)
    except BaseException:
        found.close()
        raise
    return found


def _collect(
    configuration: HopConfiguration, proof: tuple[bytes, bytes, bytes], person: Person, found: Identities
) -> None:
    held = {key.blob: key for key in _agent_keys(configuration, proof, found, person)}
    files = _files(configuration, found)
    signers = [file for file in files.values() if not file.is_public()]
    offered = [
        identity
        for path in dict.fromkeys(configuration.certificate_files)
        for identity in _certified(path, signers, held, found)
    ]
    named, listed = set(), []
    for name in configuration.identity_files:
        if name in files:
            named.add(files[name].public_blob())
        if name in files and not files[name].is_public():
            listed.append(Identity(name, files[name].public_blob(), file=files[name]))
        beside = f"{name}-cert.pub"
        if not configuration.certificate_files and Path(beside).exists():
            listed += _certified(beside, signers, held, found)
    named |= {identity.blob for identity in listed}
    others = [] if configuration.identities_only else [blob for blob in held if blob not in named]
    for blob in [*(blob for blob in held if blob in named), *others]:
        name = f"agent key {quote(plain(held[blob].comment) or key_type(blob))}"
        offered.append(Identity(name, blob, agent=found.agent, agent_blob=blob))
    offered += [identity for identity in listed if identity.blob not in held]
    seen: set[bytes] = set()
    for identity in offered:
        if identity.blob is None or identity.blob not in seen:
            seen.add(identity.blob or b"")
            if _is_long_enough(identity, configuration, found):
                found.offered.append(identity)


def _is_long_enough(identity: Identity, configuration: HopConfiguration, found: Identities) -> bool:
    bits = rsa_bits(certified(identity.blob)) if identity.blob else None
    if bits is None or bits >= configuration.required_rsa_size:
        return True
    found.problems.append((f"{plain(identity.name)} has {bits} bits, which RequiredRSASize forbids", ""))
    return False


def _files(configuration: HopConfiguration, found: Identities) -> dict[str, KeyFile]:
    files = {}
    for path in configuration.identity_files:
        try:
            files[path] = KeyFile(path)
        except FileNotFoundError:
            continue
        except OSError as problem:
            found.problems.append((f"{plain(path)} cannot be read: {problem.strerror}", ""))
    return files


def _agent_keys(
    configuration: HopConfiguration,
    proof: tuple[bytes, bytes, bytes],
    found: Identities,
    person: Person,
) -> list[AgentKey]:
    if configuration.identity_agent == "":
        return []
    try:
        found.agent = Agent(configuration.identity_agent, person.check)
        found.agent.bind(*proof)
        return found.agent.keys()
    except AgentProblem as problem:
        if found.agent is not None or configuration.identity_agent or os.environ.get("SSH_AUTH_SOCK"):
            found.problems.append(
                (f"the ssh agent could not be asked: {problem}", ssh_add(configuration, "-l"))
            )
        if found.agent is not None or configuration.identity_agent:
            person.tell(f"Warning: going on without the ssh agent: {problem}.")
        return []


def _certified(
    path: str, signers: list[KeyFile], held: dict[bytes, AgentKey], found: Identities
) -> list[Identity]:
    """The identity of a certificate whose key the agent or one of the files has; otherwise none."""
    try:
        certificate = read_certificate(path)
    except FileNotFoundError:
        found.problems.append((f"the certificate {plain(path)} does not exist", ""))
        return []
    except (OSError, ValueError):
        found.problems.append((f"{plain(path)} is not a certificate that can be used", ""))
        return []
    expired = certificate.expired(datetime.now(timezone.utc))
    if expired:
        found.problems.append(
            (f"the certificate {plain(path)} expired on {expired}", "have a new certificate signed")
        )
    name = f"certificate {plain(path)}"
    for blob in (certificate.blob, certificate.public_blob):
        if blob in held:
            return [Identity(name, certificate.blob, agent=found.agent, agent_blob=blob)]
    for file in signers:
        if file.public_blob() == certificate.public_blob:
            return [Identity(name, certificate.blob, file=file)]
    return []
