"""Proving who the person is, with ssh's methods in ssh's order (RFC 4252, RFC 4256)."""

from __future__ import annotations

from contextlib import closing

from hermes_tunnel.deadlines import AUTHENTICATION
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.authentication.publickey import PublicKeys
from hermes_tunnel.ssh.authentication.refusals import Record, hung_up, nothing_left
from hermes_tunnel.ssh.authentication.userauth import (
    Failed,
    PasswordExpired,
    Questions,
    Reply,
    ServerLeft,
    ServerSilent,
    Success,
    UserAuth,
)
from hermes_tunnel.ssh.by_hand import by_ssh
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.ssh.person import Person
from hermes_tunnel.ssh.transport import Transport
from hermes_tunnel.ssh.waiting import Meanwhile
from hermes_tunnel.text import plain

_LONGEST_PROMPT = 400
# Far more than any server needs; a program that answers (SSH_ASKPASS) would never tire of it.
_MOST_ROUNDS, _MOST_EMPTY_ROUNDS, _MOST_CHANGES = 100, 10, 10


def authenticate(
    transport: Transport,
    configuration: HopConfiguration,
    person: Person,
    *,
    seconds: float = AUTHENTICATION.seconds,
) -> str:
    """Authenticate on a transport whose host key has been verified; gives the last method.

    :param person: is asked for a passphrase, a password or a code, and told what is shown and taken
    :param seconds: how long the server may take for a reply
    :raises AuthenticationFailure: the server accepted none of the person's credentials; ``FilesLeft`` if
        another connection with IdentitiesOnly might succeed
    :raises NetworkFailure: the connection was lost, or the server does not reply
    :raises NotWanted: it is no longer wanted
    """
    attempt = _Attempt(transport, configuration, person, seconds)
    with closing(attempt.keys):
        return attempt.run()


class _Attempt:
    """One authentication: what has been tried, and what is left."""

    def __init__(
        self, transport: Transport, configuration: HopConfiguration, person: Person, seconds: float
    ) -> None:
        self._transport = transport
        self._configuration = configuration
        self._label = configuration.label
        self._person = person
        self._seconds = seconds
        self._record = Record(configuration)
        self._refused = False
        self._rounds = 0
        self.keys = PublicKeys(transport, configuration, self._record, person)
        prompts = 0 if configuration.batch_mode else configuration.number_of_password_prompts
        self._left = {"publickey": 1, "keyboard-interactive": prompts, "password": prompts}

    def run(self) -> str:
        """Try everything until the server is satisfied; gives the last method."""
        tries = {
            "publickey": self._publickey,
            "keyboard-interactive": self._questions,
            "password": self._password,
        }
        method = "none"
        try:
            self._service = UserAuth(
                self._transport,
                self._configuration.user,
                self._told_by_the_server,
                self._waiting,
                seconds=self._seconds,
            )
            self._service.request("none")
            reply: Reply | None = self._service.reply()
            while not isinstance(reply, Success):
                if isinstance(reply, Failed):
                    self._record.answered(reply.methods, partial=reply.partial)
                following = self._next_method()
                if following is None:
                    raise nothing_left(self._record)
                method, reply = following, tries[following]()
        except ServerLeft:
            raise hung_up(self._record, self._transport.parting_words) from None
        except ServerSilent:
            called = self._configuration.called
            raise NetworkFailure(
                f"{called} did not answer during authentication within {self._seconds:g} s",
                f"the server may be overloaded; try {by_ssh(self._configuration)}",
            ) from None
        return method

    def _waiting(self) -> Meanwhile:
        return self._person.waiting_for(f"{self._configuration.called} to let you in")

    def _next_method(self) -> str | None:
        preferred = self._configuration.preferred_authentications
        # As in ssh, a server that names none may take any.
        takes = self._record.methods or preferred
        return next((name for name in preferred if name in takes and self._left.get(name, 0) > 0), None)

    def _publickey(self) -> Reply | None:
        reply = self.keys.attempt(self._service)
        if reply is None:
            self._left["publickey"] = 0
        return reply

    def _questions(self) -> Reply | None:
        self._left["keyboard-interactive"] -= 1
        answered = False
        self._record.tried.append("keyboard-interactive")
        self._service.request("keyboard-interactive", "", self._configuration.kbd_interactive_devices)
        reply = first = self._service.reply()
        empty = 0
        while isinstance(reply, Questions):
            empty = 0 if reply.prompts else empty + 1
            self._rounds += 1
            if empty > _MOST_EMPTY_ROUNDS or self._rounds > _MOST_ROUNDS:
                called = self._configuration.called
                raise NetworkFailure(
                    f"{called} keeps asking one question after another (keyboard-interactive)",
                    f"try {by_ssh(self._configuration)}",
                )
            answered = answered or bool(reply.prompts)
            if reply.prompts:
                self._tell_of_a_refusal()
            self._told_by_the_server(f"{reply.name}\n{reply.instruction}")
            answers = []
            for prompt, shown in reply.prompts:
                *above, last = prompt.splitlines() or [""]
                self._told_by_the_server("\n".join(above))
                answer = self._answer(plain(last)[:_LONGEST_PROMPT], hidden=not shown)
                if answer is None:
                    self._service.abandon()
                    self._nobody_for("keyboard-interactive", "asks a question")
                    return None
                answers.append(answer)
            self._service.answer(answers)
            reply = self._service.reply()
        if not isinstance(first, Questions):
            self._left["keyboard-interactive"] = 0
        self._refused = answered and isinstance(reply, Failed) and not reply.partial
        return reply

    def _password(self) -> Reply | None:
        self._left["password"] -= 1
        self._tell_of_a_refusal()
        password = self._answer("Password:")
        if password is None:
            self._nobody_for("password", "asks for a password")
            return None
        self._record.tried.append("password")
        self._service.request("password", False, password)
        reply = self._service.reply()
        for _ in range(_MOST_CHANGES):
            if not isinstance(reply, PasswordExpired):
                break
            passwords = self._changed(reply.prompt)
            if passwords is None:
                self._nobody_for("password", "wants the password changed")
                return None
            self._service.request("password", True, *passwords)
            reply = self._service.reply()
        self._refused = isinstance(reply, Failed) and not reply.partial
        return reply

    def _tell_of_a_refusal(self) -> None:
        """Say why the person is asked again, in ssh's words."""
        if self._refused:
            self._person.tell(f"({self._label}) Permission denied, please try again.")
        self._refused = False

    def _changed(self, words: str) -> tuple[str, str] | None:
        """The old password, and the new one to replace it (RFC 4252 section 8)."""
        self._told_by_the_server(words)
        old = self._answer("Old password:")
        while old is not None:
            new = self._answer("New password:")
            again = None if new is None else self._answer("Retype new password:")
            if new is None or again is None:
                return None
            if new == again:
                return old, new
            self._person.tell(f"({self._label}) The new passwords differ; try again.")
        return None

    def _nobody_for(self, method: str, what: str) -> None:
        """Another method may still work without a person."""
        self._left[method] = 0
        self._record.unanswered = self._record.unanswered or what

    def _answer(self, prompt: str, *, hidden: bool = True) -> str | None:
        return self._person.answer(Question(prompt.rstrip(), hidden, whose=self._label))

    def _told_by_the_server(self, text: str) -> None:
        self._person.quote(self._label, text)
