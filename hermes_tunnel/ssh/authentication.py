"""Proving who the person is, with the methods and in the order that ssh has (RFC 4252, RFC 4256)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from hermes_tunnel.errors import AuthenticationFailure
from hermes_tunnel.ssh.agent import AgentProblem
from hermes_tunnel.ssh.hop import HopConfiguration
from hermes_tunnel.ssh.identities import Identities, Identity, collect
from hermes_tunnel.ssh.keys import KeyFile, PassphraseNeeded, UnusableKey, WrongPassphrase
from hermes_tunnel.ssh.refusals import Record, hung_up, nobody_answered, nothing_left
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.userauth import (
    Failed,
    PasswordExpired,
    Questions,
    Reply,
    ServerLeft,
    Success,
    UserAuth,
)
from hermes_tunnel.text import plain

Ask = Callable[[str, bool], str | None]
"""Asks the person: the prompt, whether the answer is hidden; None where nobody answers."""
Tell = Callable[[str], object]
"""Tells the person one line."""

_PASSPHRASE_PROMPTS = 3
# Of wrong keys that are asked about in one flight each counts against MaxAuthTries, which hardened
# servers set to three: two may be wasted beside the right one. Other servers than OpenSSH's are asked
# one at a time; not all of them keep requests apart.
_FLIGHT = 3
_LONGEST_PROMPT = 400


def authenticate(transport: Transport, configuration: HopConfiguration, *, ask: Ask, tell: Tell) -> None:
    """Authenticate on a transport whose host key has been verified.

    :param ask: asks the person for a passphrase, a password or a code
    :param tell: shows the person a line: the server's banner, an agent that waits
    :raises AuthenticationFailure: the server took none of the person's credentials
    :raises NetworkFailure: the connection was lost
    """
    with closing(_Attempt(transport, configuration, ask, tell)) as attempt:
        attempt.run()


class _Attempt:
    """One authentication: what was tried so far, and what is left."""

    def __init__(self, transport: Transport, configuration: HopConfiguration, ask: Ask, tell: Tell) -> None:
        self._transport = transport
        self._configuration = configuration
        self._label = configuration.label
        self._ask = ask
        self._tell = tell
        self._identities: Identities | None = None
        self._accepted: list[Identity] = []
        self._record = Record(configuration)
        prompts = 0 if configuration.batch_mode else configuration.number_of_password_prompts
        self._left = {"publickey": 1, "keyboard-interactive": prompts, "password": prompts}

    def close(self) -> None:
        if self._identities is not None:
            self._identities.close()

    def run(self) -> None:
        tries = {"publickey": self._keys, "keyboard-interactive": self._questions, "password": self._password}
        try:
            self._service = UserAuth(self._transport, self._configuration.user, self._banner)
            self._service.request("none")
            reply = self._service.reply()
            while not isinstance(reply, Success):
                if isinstance(reply, Failed):
                    self._record.methods = reply.methods
                method = next(
                    (
                        name
                        for name in self._configuration.preferred_authentications
                        if name in self._record.methods and self._left.get(name, 0) > 0
                    ),
                    None,
                )
                if method is None:
                    raise nothing_left(self._record)
                reply = tries[method]()
        except ServerLeft:
            raise hung_up(self._record, self._transport.parting_words) from None

    # publickey

    def _keys(self) -> Reply:
        if self._identities is None:
            self._identities = collect(self._configuration, self._tell)
            self._record.problems = self._identities.problems
            if self._sole_plain_file():
                self._accepted, self._identities.offered = self._identities.offered, []
        while self._accepted or self._identities.offered:
            if not self._accepted:
                self._accepted = self._ask_the_server(self._identities.offered)
                continue
            reply = self._sign(self._accepted.pop(0))
            if isinstance(reply, Success) or (isinstance(reply, Failed) and reply.partial):
                return reply
        self._left["publickey"] = 0
        return Failed(self._record.methods, partial=False)

    def _sole_plain_file(self) -> bool:
        """Whether there is one key only, that nobody has to be asked about: then it may sign at once."""
        offered = self._identities.offered if self._identities else []
        if len(offered) != 1 or offered[0].file is None:
            return False
        try:
            offered[0].file.unlock()
        except (PassphraseNeeded, UnusableKey):
            return False
        return True

    def _ask_the_server(self, offered: list[Identity]) -> list[Identity]:
        """Take the next identities off the list, and give those that the server would accept."""
        flight: list[Identity] = []
        most = _FLIGHT if self._transport.remote_version.startswith("SSH-2.0-OpenSSH_") else 1
        # One that cannot be shown before its passphrase is known goes alone.
        while offered and len(flight) < most and (offered[0].blob is not None or not flight):
            flight.append(offered.pop(0))
            if flight[-1].blob is None:
                return flight
        asked = []
        for identity in flight:
            blob = identity.blob or b""
            algorithm = identity.algorithm(blob, self._server_signs())
            self._note(identity)
            allowed = self._configuration.pubkey_accepted_algorithms
            if not allowed or algorithm in allowed:
                self._service.query(algorithm, blob)
                asked.append(identity)
        replies = [self._service.reply() for _ in asked]
        return [
            identity for identity, reply in zip(asked, replies, strict=True) if not isinstance(reply, Failed)
        ]

    def _note(self, identity: Identity) -> None:
        self._record.tried.append(identity.name)
        self._record.keys.append(identity.name)

    def _server_signs(self) -> list[str]:
        said = self._transport.server_extensions.get("server-sig-algs", b"")  # type: ignore[attr-defined]
        return bytes(said).decode(errors="replace").split(",")

    def _sign(self, identity: Identity) -> Reply | None:
        self._note(identity)
        try:
            blob = identity.blob
            if identity.file is not None:
                own = self._unlock(identity.file)
                blob = blob or own
            if blob is None:
                return None
            algorithm = identity.algorithm(blob, self._server_signs())
            data = self._service.to_be_signed(algorithm, blob)
            if identity.file is not None:
                signature = identity.file.sign(data, algorithm)
            elif identity.agent is not None:
                signature = identity.agent.sign(
                    identity.agent_blob,
                    data,
                    algorithm,
                    wanted=self._transport.is_active,
                    waiting=lambda: self._tell(f"approve {identity.name} in your agent, for {self._label}"),
                )
        except UnusableKey as problem:
            self._problem(f"{plain(identity.name)} {problem.reason}", problem.hint)
            return None
        except AgentProblem as problem:
            self._problem(f"the agent did not sign with {identity.name}: {problem}", "ssh-add -l")
            return None
        self._service.request("publickey", True, algorithm, blob, signature)
        return self._service.reply()

    def _unlock(self, file: KeyFile) -> bytes:
        try:
            return file.unlock()
        except PassphraseNeeded:
            pass
        for _ in range(0 if self._configuration.batch_mode else _PASSPHRASE_PROMPTS):
            passphrase = self._answer(f"Enter passphrase for key '{plain(file.path)}': ", hidden=True)
            if passphrase is None:
                raise UnusableKey("is encrypted, and nobody is here to be asked", f"ssh-add {file.path}")
            if not passphrase:
                raise UnusableKey("is encrypted, and no passphrase was given", f"ssh-add {file.path}")
            try:
                return file.unlock(passphrase.encode())
            except WrongPassphrase:
                continue
        raise UnusableKey(
            "is encrypted, and BatchMode is on"
            if self._configuration.batch_mode
            else f"is encrypted, and {_PASSPHRASE_PROMPTS} passphrases were wrong",
            f"ssh-add {file.path}",
        )

    # keyboard-interactive and password

    def _questions(self) -> Reply:
        self._left["keyboard-interactive"] -= 1
        self._record.tried.append("keyboard-interactive")
        self._service.request("keyboard-interactive", "", self._configuration.kbd_interactive_devices)
        reply, asked = self._service.reply(), False
        while isinstance(reply, Questions):
            for line in (*reply.name.splitlines(), *reply.instruction.splitlines()):
                self._told_by_the_server(line)
            answers = []
            for prompt, shown in reply.prompts:
                asked = True
                *above, last = prompt.splitlines() or [""]
                for line in above:
                    self._told_by_the_server(line)
                answer = self._answer(f"({self._label}) {plain(last)[:_LONGEST_PROMPT]}", hidden=not shown)
                if answer is None:
                    raise nobody_answered(self._label, "asks a question")
                answers.append(answer)
            self._service.answer(answers)
            reply = self._service.reply()
        if not asked:
            self._left["keyboard-interactive"] = 0
        return reply

    def _password(self) -> Reply:
        self._left["password"] -= 1
        self._record.tried.append("password")
        password = self._answer(f"{self._label}'s password: ", hidden=True)
        if password is None:
            raise nobody_answered(self._label, "asks for a password")
        self._service.request("password", False, password)
        reply = self._service.reply()
        if isinstance(reply, PasswordExpired):
            raise AuthenticationFailure(
                f"the password of {self._label} has expired", f"change it first: ssh {self._label}"
            )
        return reply

    def _answer(self, prompt: str, *, hidden: bool) -> str | None:
        self._record.asked = True
        return self._ask(prompt, hidden)

    # What the person is told

    def _told_by_the_server(self, line: str) -> None:
        if plain(line).strip():
            self._tell(f"({self._label}) {plain(line)[:_LONGEST_PROMPT]}")

    def _banner(self, text: str) -> None:
        for line in text.splitlines()[:100]:
            self._tell(plain(line)[:_LONGEST_PROMPT])

    def _problem(self, fact: str, hint: str) -> None:
        self._record.problems.append((fact, hint))
