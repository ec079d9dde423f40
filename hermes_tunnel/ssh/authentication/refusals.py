"""Why a server did not let the person in, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hermes_tunnel.errors import AuthenticationFailure, Failure, NetworkFailure
from hermes_tunnel.ssh.authentication.askpass import at_terminal
from hermes_tunnel.ssh.by_hand import by_hand, by_ssh, shell_line, ssh_copy_id
from hermes_tunnel.ssh.config.hop import HopConfiguration
from hermes_tunnel.text import plain

# How many wrong keys OpenSSH's servers take before the one they hang up at (MaxAuthTries 6).
_MANY_KEYS = 5
_SWITCHES = {
    "publickey": "PubkeyAuthentication",
    "keyboard-interactive": "KbdInteractiveAuthentication",
    "password": "PasswordAuthentication",
}
_ONLY_SSH_HAS = {"gssapi-with-mic", "gssapi-keyex", "hostbased"}


@dataclass
class Record:
    """How far one authentication has come.

    :param methods: those the server would take next
    :param accepted: the steps already done, by name
    :param tried: keys and methods by name, in order, since the last step; all but the last were refused
    :param keys: the keys among them
    :param would_take: the keys that the server said it would take but that could not sign: name and reason,
        with a hint
    :param files_left: whether the server has not been shown some of the key files
    :param problems: what else could not be used, as facts, each with a hint
    :param unanswered: what the server wanted and nobody answered, if anything
    """

    configuration: HopConfiguration
    methods: tuple[str, ...] = ()
    accepted: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    would_take: list[tuple[str, str]] = field(default_factory=list)
    files_left: bool = False
    problems: list[tuple[str, str]] = field(default_factory=list)
    unanswered: str = ""

    def shows(self, key: str) -> None:
        """Note that a key is shown to the server."""
        self.tried.append(key)
        self.keys.append(key)

    def takes(self) -> None:
        """Note that the server would take the key it was shown."""
        self.tried.pop()
        self.keys.pop()

    def answered(self, methods: tuple[str, ...], *, partial: bool) -> None:
        """Note what the server would take next, and whether the last attempt completed a step."""
        self.methods = methods
        if partial and self.tried:
            self.accepted.append(self.tried[-1])
            self.tried.clear()


class FilesLeft(AuthenticationFailure):
    """The server hung up over the agent's keys, before the key files were shown."""


def nothing_left(record: Record) -> AuthenticationFailure:
    """The server has refused everything there was to show."""
    hop = record.configuration
    methods, tried = plain(",".join(record.methods))[:200], _named(record.tried)
    takes = f" (it takes {methods})" if methods else ""
    not_done = [(each.fact, each.hint) for each in hop.not_done if each.method in record.methods]
    others = [*record.problems, *not_done, *_left_out(record)]
    facts = "".join(f"; {fact}" for fact, _ in others)
    hint = _hint(record, [*record.would_take, *others])
    would_take = " and ".join(what for what, _ in record.would_take)
    if would_take and not record.accepted and not tried and not record.unanswered:
        return AuthenticationFailure(f"{hop.called} would take {would_take}{facts}", hint)
    facts = (f"; it would take {would_take}" if would_take else "") + facts
    if record.unanswered:
        return AuthenticationFailure(f"{hop.called} {record.unanswered}, and nobody answered{facts}", hint)
    if record.accepted:
        then = f"none of: {tried}" if tried else "there was nothing to show it"
        return AuthenticationFailure(
            f"{hop.called} accepted {_named(record.accepted)}, and then {then}{takes}{facts}", hint
        )
    if tried:
        return AuthenticationFailure(f"{hop.called} accepted none of: {tried}{takes}{facts}", hint)
    return AuthenticationFailure(f"nothing here to show {hop.called}{takes}{facts}", hint)


def _left_out(record: Record) -> list[tuple[str, str]]:
    """What the server takes, but ssh_config or an option rules out."""
    had = [each for each in dict.fromkeys(record.methods) if each in _SWITCHES]
    missing = [each for each in had if each not in record.configuration.preferred_authentications]
    if not missing:
        return []
    switches = [_SWITCHES[each] for each in missing]
    change = shell_line(*(word for each in switches for word in ("-o", f"{each}=yes")))
    return [
        (
            f"{', '.join(switches)} or PreferredAuthentications leaves out {', '.join(missing)}",
            f"allow it: {change} -o PreferredAuthentications={','.join(had)}",
        )
    ]


def _hint(record: Record, problems: Sequence[tuple[str, str]]) -> str:
    hop = record.configuration
    if record.unanswered:
        answer = "answer it" if at_terminal() else "run it in a terminal"
        return f"{answer}, or use a key: -i FILE, or ssh-add"
    if record.methods and set(record.methods) <= _ONLY_SSH_HAS:
        return f"hermes-tunnel has neither GSSAPI nor host-based authentication; {by_hand(hop)}"
    hint = next((hint for _, hint in problems if hint), "")
    if not hint and hop.batch_mode:
        hint = "BatchMode is on, so no password was asked for"
    if not hint and "publickey" in record.methods:
        hint = "name a key with -i FILE"
        if record.tried or not problems:  # a file that is not a key cannot be accepted there either
            hint += f", or have one accepted there: {ssh_copy_id(hop)}"
    return hint or f"try {by_ssh(hop)}"


def _named(names: Sequence[str]) -> str:
    return ", ".join(plain(name) for name in dict.fromkeys(names))


def stopped_waiting(hop: HopConfiguration) -> AuthenticationFailure:
    """The server left while the person was asked, most often because of LoginGraceTime (sshd_config(5))."""
    return AuthenticationFailure(
        f"{hop.called} stopped waiting for the answer and closed the connection", "try again, a bit faster"
    )


def hung_up(record: Record, words: str) -> Failure:
    """The server closed the connection before it was satisfied.

    :param words: its parting words, scrubbed
    """
    hop, keys = record.configuration, list(dict.fromkeys(record.keys))
    label = hop.called
    last = record.tried[-1] if record.tried else ""
    if keys and ("too many" in words.lower() or (last in keys and len(keys) >= _MANY_KEYS)):
        failure = AuthenticationFailure(
            f"{label} closed the connection after {len(keys)} keys were tried: "
            + ", ".join(map(plain, keys)),
            "offer the right one only: -o IdentitiesOnly=yes -i FILE, or IdentitiesOnly in ssh_config",
        )
        files_left = record.files_left and not hop.identities_only
        return FilesLeft(failure.message, failure.hint) if files_left else failure
    if words:
        return AuthenticationFailure(f"{label} closed the connection: {words}", f"try {by_ssh(hop)}")
    if last and last not in keys:
        return AuthenticationFailure(
            f"{label} closed the connection without a word after {last} was tried",
            "try again; a wrong answer may be the reason",
        )
    return NetworkFailure(f"{hop.place} closed the connection during authentication", "try again")
