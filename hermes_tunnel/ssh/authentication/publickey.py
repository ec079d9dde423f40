"""The method ``publickey`` (RFC 4252 section 7): ask the server about a key before anybody signs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hermes_tunnel.question import Question
from hermes_tunnel.ssh import ahead
from hermes_tunnel.ssh.authentication.agent import AgentProblem
from hermes_tunnel.ssh.authentication.identities import Identities, Identity, collect
from hermes_tunnel.ssh.authentication.keys import (
    KeyFile,
    PassphraseNeeded,
    UnusableKey,
    WrongPassphrase,
    signature_algorithm,
)
from hermes_tunnel.ssh.authentication.refusals import Record
from hermes_tunnel.ssh.authentication.userauth import (
    Failed,
    KeyAccepted,
    Reply,
    Success,
    UserAuth,
)
from hermes_tunnel.ssh.by_hand import by_hand, ssh_add
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.public_key import describe, key_type
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.text import plain

_PASSPHRASE_PROMPTS = 3
# Servers that take more than their server-sig-algs lists.
_UNDERSTATES = re.compile(r"SSH-2\.0-OpenSSH_(6\.[56]|7\.[0-7])")
_RSA_SHA2 = ("rsa-sha2-512", "rsa-sha2-256")


class PublicKeys:
    """The person's keys, tried one after another.

    :param record: is told what was tried
    :param person: is asked for a passphrase, and told what becomes of each key
    """

    def __init__(
        self,
        transport: Transport,
        configuration: HopConfiguration,
        record: Record,
        person: Person,
    ) -> None:
        self._transport = transport
        self._configuration = configuration
        self._record = record
        self._person = person
        self._identities: Identities | None = None
        self._refused: list[Identity] = []

    def close(self) -> None:
        """Disconnect from the agent."""
        if self._identities is not None:
            self._identities.close()

    def attempt(self, service: UserAuth) -> Reply | None:
        """Show the server the next key, one at a time as in ssh: each wrong one counts against MaxAuthTries.

        :returns: what came of it; None if no key is left
        """
        if self._identities is None:
            self._identities = collect(self._configuration, self._transport.proof, self._person)
            self._record.problems = self._identities.problems
            self._identities.offered = [each for each in self._identities.offered if self._usable(each)]
            self._asks_first = not _sole_plain_file(self._identities.offered)
        while self._identities.offered:
            identity = self._identities.offered.pop(0)
            self._record.files_left = any(each.file is not None for each in self._identities.offered)
            reply = self._show(service, identity)
            if isinstance(reply, Failed) and reply.partial:
                # What was refused at this step may be taken at the next.
                self._identities.offered += self._refused
                self._refused = []
            elif reply is not None:
                self._refused.append(identity)
            if reply is not None:
                return reply
        return None

    def _usable(self, identity: Identity) -> bool:
        """Whether there is an algorithm to sign with, as far as one can tell without the passphrase."""
        try:
            if identity.blob is not None:
                self._algorithm(identity.blob)
        except UnusableKey as problem:
            self._record.problems.append((f"{plain(identity.name)} {problem.reason}", problem.hint))
            return False
        return True

    def _show(self, service: UserAuth, identity: Identity) -> Reply | None:
        """Ask whether the server would take a key and, if so, sign; None if the key cannot be used."""
        # A key that cannot be shown without its passphrase signs at once.
        asks_first = self._asks_first and identity.blob is not None
        if asks_first and identity.blob is not None:
            self._record.shows(identity.name)
            service.query(self._algorithm(identity.blob), identity.blob)
            reply = service.reply()
            takes = isinstance(reply, KeyAccepted)
            self._told(identity.name, identity.blob, takes=takes)
            if not takes:
                return reply
            self._record.takes()
        try:
            algorithm, blob, signature = self._signed(service, identity)
        except UnusableKey as problem:
            hint = problem.hint
            if problem.only_here and identity.file is not None:
                hint = f"{self._ssh_add(identity.file)}; {by_hand(self._configuration)}"
            name = plain(identity.name)
            if asks_first:
                self._record.would_take.append((f"{name}, which {problem.reason}", hint))
            else:
                self._record.problems.append((f"{name} {problem.reason}", hint))
            return None
        self._record.shows(identity.name)
        service.request("publickey", True, algorithm, blob, signature)
        ahead.ask(self._transport)
        reply = service.reply()
        if not isinstance(reply, Success):
            ahead.forget(self._transport)
        if not asks_first:
            self._told(identity.name, blob, takes=not isinstance(reply, Failed) or reply.partial)
        return reply

    def _told(self, name: str, blob: bytes, *, takes: bool) -> None:
        verb = "takes" if takes else "does not take"
        self._person.detail(
            f"{self._configuration.label} {verb} {plain(name)}: {describe(key_type(blob), blob)}."
        )

    def _algorithm(self, blob: bytes) -> str:
        """What to sign with.

        :raises UnusableKey: both sides allow no algorithm in common
        """
        kind, allowed = key_type(blob), self._configuration.pubkey_accepted_algorithms
        server_signs = self._server_signs(kind)
        algorithm = signature_algorithm(kind, allowed, server_signs)
        if algorithm is not None:
            return algorithm
        if signature_algorithm(kind, allowed, _RSA_SHA2) is None:
            raise UnusableKey(f"is {kind}, which PubkeyAcceptedAlgorithms does not allow")
        if server_signs is not None and "ssh-rsa" not in server_signs:
            raise UnusableKey(f"is {kind}, of which {self._configuration.called} takes no signature")
        raise UnusableKey(
            f"could sign for {self._configuration.called} with SHA-1 only, which ssh does not do unasked",
            f"add -o PubkeyAcceptedAlgorithms=+{kind}",
        )

    def _server_signs(self, kind: str) -> Sequence[str] | None:
        """What the server says it takes; some OpenSSHs take more or less than they say."""
        said, version = self._transport.server_signature_algorithms, self._transport.remote_version
        if kind == "ssh-rsa":
            is_silent = said is not None and version.startswith("SSH-2.0-OpenSSH_7.4")
            return _RSA_SHA2 if is_silent else said
        return None if _UNDERSTATES.match(version) else said

    def _signed(self, service: UserAuth, identity: Identity) -> tuple[str, bytes, bytes]:
        """What the request holds: the algorithm, the public half, the signature.

        :raises UnusableKey: it cannot sign
        """
        own = self._unlock(identity.file) if identity.file is not None else b""
        blob = identity.blob or own
        algorithm = self._algorithm(blob)
        data = service.to_be_signed(algorithm, blob)
        if identity.file is not None:
            return algorithm, blob, identity.file.sign(data, algorithm)
        return algorithm, blob, self._signed_by_agent(identity, data, algorithm)

    def _signed_by_agent(self, identity: Identity, data: bytes, algorithm: str) -> bytes:
        if identity.agent is None:
            raise UnusableKey("has no private half here")
        try:
            return identity.agent.sign(
                identity.agent_blob,
                data,
                algorithm,
                meanwhile=self._person.go_on,
                slow=lambda: self._asks_the_person(identity),
            )
        except AgentProblem as problem:
            raise UnusableKey(
                f"the agent did not sign with: {problem}", ssh_add(self._configuration, "-l")
            ) from problem

    def _asks_the_person(self, identity: Identity) -> None:
        """The agent waits for a touch, a fingerprint or a yes."""
        self._person.tell(f"Approve {identity.name} in your agent, for {self._configuration.label}.")

    def _unlock(self, file: KeyFile) -> bytes:
        try:
            return file.unlock()
        except PassphraseNeeded:
            pass
        for _ in range(0 if self._configuration.batch_mode else _PASSPHRASE_PROMPTS):
            label = self._configuration.label
            text = f"Enter passphrase for key '{plain(file.path)}' ({label}):"
            passphrase = self._person.answer(Question(text, hidden=True))
            if not passphrase:
                raise UnusableKey("is encrypted, and no passphrase was given", self._ssh_add(file))
            try:
                return file.unlock(passphrase.encode())
            except WrongPassphrase:
                continue
        raise UnusableKey(
            "is encrypted, and BatchMode is on"
            if self._configuration.batch_mode
            else f"is encrypted, and {_PASSPHRASE_PROMPTS} passphrases were wrong",
            self._ssh_add(file),
        )

    def _ssh_add(self, file: KeyFile) -> str:
        return ssh_add(self._configuration, file.path)


def _sole_plain_file(offered: list[Identity]) -> bool:
    """Whether there is only one key, and using it needs no question: then it may sign at once."""
    if len(offered) != 1 or offered[0].file is None:
        return False
    try:
        offered[0].file.unlock()
    except (PassphraseNeeded, UnusableKey):
        return False
    return True
