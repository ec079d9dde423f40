"""The keys that a server may be offered, in ssh's order, each able to sign."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from hermes_tunnel.ssh.agent import Agent, AgentKey, AgentProblem
from hermes_tunnel.ssh.hop import HopConfiguration
from hermes_tunnel.ssh.keys import Certificate, KeyFile, key_type, rsa_bits
from hermes_tunnel.text import plain, quote


@dataclass(frozen=True)
class Identity:
    """A key, or a certificate with its key.

    :param name: for people
    :param blob: what the server is shown; None where only the passphrase can tell
    :param file: the private half, in a file; else ``agent`` has it, under ``agent_blob``
    :param expired: when the certificate expired; empty where there is none, or it is still valid
    """

    name: str
    blob: bytes | None
    file: KeyFile | None = None
    agent: Agent | None = None
    agent_blob: bytes = b""
    expired: str = ""

    def algorithm(self, blob: bytes, server_signs: list[str]) -> str:
        """What the key signs with: its type, or for RSA the best that the server lists (RFC 8332)."""
        kind = key_type(blob)
        if not kind.startswith("ssh-rsa"):
            return kind
        only_256 = "rsa-sha2-256" in server_signs and "rsa-sha2-512" not in server_signs
        return kind.replace("ssh-rsa", "rsa-sha2-256" if only_256 else "rsa-sha2-512")


@dataclass
class Identities:
    """All identities of a hop, and the agent that holds some of them.

    :param problems: what could not be used, as facts, each with a hint
    """

    offered: list[Identity] = field(default_factory=list)
    problems: list[tuple[str, str]] = field(default_factory=list)
    agent: Agent | None = None

    def close(self) -> None:
        """Let the agent go."""
        if self.agent is not None:
            self.agent.close()


def collect(configuration: HopConfiguration, tell: Callable[[str], object]) -> Identities:
    """The identities for a hop: certificates, agent keys that are named, other agent keys, key files.

    :param tell: called with a line where the agent does not answer
    """
    found = Identities()
    files = _files(configuration, found)
    held = _agent_keys(configuration, found, tell)
    by_blob = {key.blob: key for key in held}
    named = [(file, file.public_blob()) for file in files]
    offered = [
        identity
        for certificate in _certificates(configuration, found)
        for identity in _with_certificate(certificate, named, by_blob, found)
    ]
    names = [blob for _, blob in named if blob in by_blob]
    others = [] if configuration.identities_only else [key.blob for key in held if key.blob not in names]
    for blob in [*names, *others]:
        key = by_blob[blob]
        name = f"agent key {quote(plain(key.comment) or key_type(blob))}"
        offered.append(Identity(name, blob, agent=found.agent, agent_blob=blob))
    offered += [
        Identity(file.path, blob, file=file)
        for file, blob in named
        if blob not in by_blob and not file.is_public()
    ]
    seen: set[bytes] = set()
    for identity in offered:
        bits = rsa_bits(identity.blob) if identity.blob else None
        if bits is not None and bits < configuration.required_rsa_size:
            found.problems.append(
                (f"{plain(identity.name)} has {bits} bits, which RequiredRSASize forbids", "")
            )
        elif identity.blob is None or identity.blob not in seen:
            seen.add(identity.blob or b"")
            found.offered.append(identity)
    return found


def _files(configuration: HopConfiguration, found: Identities) -> list[KeyFile]:
    files = []
    for path in configuration.identity_files:
        try:
            files.append(KeyFile(path))
        except FileNotFoundError:
            continue
        except OSError as problem:
            found.problems.append((f"{plain(path)} cannot be read: {problem.strerror}", ""))
    return files


def _agent_keys(
    configuration: HopConfiguration, found: Identities, tell: Callable[[str], object]
) -> list[AgentKey]:
    if configuration.identity_agent == "":
        return []
    try:
        found.agent = Agent(configuration.identity_agent)
        return found.agent.keys()
    except AgentProblem as problem:
        if found.agent is not None or configuration.identity_agent or os.environ.get("SSH_AUTH_SOCK"):
            found.problems.append((f"the ssh agent could not be asked: {problem}", "ssh-add -l"))
        if found.agent is not None or configuration.identity_agent:
            tell(f"going on without the ssh agent: {problem}")
        return []


def _certificates(configuration: HopConfiguration, found: Identities) -> list[Certificate]:
    certificates = []
    beside = [
        f"{name}-cert.pub" for name in configuration.identity_files if Path(f"{name}-cert.pub").exists()
    ]
    for path in dict.fromkeys((*configuration.certificate_files, *beside)):
        try:
            certificates.append(Certificate(path))
        except FileNotFoundError:
            found.problems.append((f"the certificate {plain(path)} does not exist", ""))
        except (OSError, ValueError):
            found.problems.append((f"{plain(path)} is not a certificate that can be used", ""))
    return certificates


def _with_certificate(
    certificate: Certificate,
    named: list[tuple[KeyFile, bytes | None]],
    by_blob: dict[bytes, AgentKey],
    found: Identities,
) -> list[Identity]:
    expired = certificate.expired(datetime.now(timezone.utc))
    if expired:
        found.problems.append(
            (
                f"the certificate {plain(certificate.path)} expired on {expired}",
                "have a new certificate signed",
            )
        )
    name = f"certificate {plain(certificate.path)}"
    for held in (certificate.blob, certificate.public_blob):
        if held in by_blob:
            return [Identity(name, certificate.blob, agent=found.agent, agent_blob=held, expired=expired)]
    return [
        Identity(name, certificate.blob, file=file, expired=expired)
        for file, blob in named
        if blob == certificate.public_blob and not file.is_public()
    ][:1]
