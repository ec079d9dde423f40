"""How the person is authenticated: against OpenSSH's sshd, a real ssh-agent, and a server in this process."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import cMSG_USERAUTH_BANNER

from hermes_tunnel.errors import AuthenticationFailure, Failure, NetworkFailure
from hermes_tunnel.question import Question
from hermes_tunnel.ssh.authentication.methods import authenticate
from hermes_tunnel.ssh.config.hop import HopConfiguration, NotDone
from hermes_tunnel.ssh.key_exchange import handshake
from hermes_tunnel.ssh.public_key import parse_public_line
from hermes_tunnel.ssh.transport import Transport
from tests.ssh.answering import Answering
from tests.ssh.conftest import RecordingAgent
from tests.ssh.server import Account, Server
from tests.ssh.sshd import ME, Sshd, keygen, public, security_key_file

pytestmark = pytest.mark.usefixtures("nothing_left")


def log_in(
    port: int, person: Answering | None = None, *, seconds: float = 30, **configuration: Any
) -> Answering:
    """Authenticate to a server on 127.0.0.1 and hang up; without an agent unless one is given."""
    person = person or Answering()
    given = HopConfiguration("box", "127.0.0.1", ME, port, identity_agent="")
    hop = replace(given, **configuration)
    with socket.create_connection(("127.0.0.1", port)) as sock:
        transport = Transport(sock, hop, ())
        try:
            handshake(transport, hop)
            authenticate(transport, hop, person.person, seconds=seconds)
            assert transport.is_authenticated()
        finally:
            transport.close()
            sock.close()
            transport.join()
    return person


def given_up(port: int, *answers: str, seconds: float = 0.5) -> str:
    """The message when we give up on a server that never finishes."""
    with pytest.raises(NetworkFailure) as failure:
        log_in(port, Answering(*answers), seconds=seconds)
    return failure.value.message


def refused(port: int, person: Answering | None = None, **configuration: Any) -> Failure:
    """The failure of ``log_in``."""
    with pytest.raises(AuthenticationFailure) as failure:
        log_in(port, person, **configuration)
    return failure.value


@contextmanager
def serving(**account: Any) -> Iterator[Server]:
    """A server in this process."""
    server = Server(Account(**account))
    try:
        yield server
    finally:
        server.close()


KINDS: list[tuple[str, Sequence[str]]] = [
    ("ed25519", ()),
    ("rsa", ("-t", "rsa", "-b", "2048")),
    ("ecdsa-521", ("-t", "ecdsa", "-b", "521")),
    ("rsa-pem", ("-t", "rsa", "-b", "2048", "-m", "PEM")),
    ("ecdsa-pem", ("-t", "ecdsa", "-m", "PEM")),
    ("ecdsa-pkcs8", ("-t", "ecdsa", "-b", "384", "-m", "PKCS8")),
    ("my key", ("-t", "rsa", "-b", "2048", "-m", "PEM")),
]
ENCRYPTED = ("ed25519", "ecdsa-pem", "ecdsa-pkcs8")


def test_each_kind_of_key_file_gets_in(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """Keys of every kind get in, from OpenSSH's format, PEM with text above it and PKCS#8, encrypted or not,
    with or without a .pub file.
    """
    server = sshd()
    for name, options in KINDS:
        for passphrase in ("", "correct horse") if name in ENCRYPTED else ("",):
            key = keygen(tmp_path / f"{name}{len(passphrase)}", *options, passphrase=passphrase)
            server.accept(key)
            if name == "my key":
                key.write_text(f"Bag Attributes\n    friendlyName: {name}\n{key.read_text()}")
            person = log_in(server.port, Answering(passphrase), identity_files=(str(key),))
            expected = [(f"Enter passphrase for key '{key}' ({ME}@box):", True)] if passphrase else []
            assert person.asked == expected, name
            if passphrase:
                Path(f"{key}.pub").unlink()
                assert (
                    log_in(server.port, Answering(passphrase), identity_files=(str(key),)).asked == expected
                )


def test_a_passphrase_is_asked_three_times_at_most(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """After a wrong passphrase we ask again; the file is named, and the passphrase is shown nowhere."""
    server = sshd()
    key = keygen(tmp_path / "key", passphrase="correct horse")
    server.accept(key)
    log_in(server.port, Answering("wrong", "wrong", "correct horse"), identity_files=(str(key),))
    person = Answering("wrong1", "wrong2", "wrong3", "correct horse")
    failure = refused(server.port, person, identity_files=(str(key),))
    assert len(person.asked) == 3
    assert failure.message == f"{ME}@box would take {key}, which is encrypted, and 3 passphrases were wrong"
    assert "wrong1" not in failure.message + failure.hint
    assert failure.hint == f"ssh-add {key}"


@pytest.mark.parametrize(("answers", "batch"), [((), False), (("",), False), (("correct horse",), True)])
def test_an_encrypted_key_without_a_passphrase_is_named(
    sshd: Callable[..., Sshd], tmp_path: Path, answers: tuple[str, ...], batch: bool
) -> None:
    """Without a terminal, with an empty passphrase or in BatchMode the failure says which key was meant."""
    server = sshd()
    key = keygen(tmp_path / "key", passphrase="correct horse")
    server.accept(key)
    failure = refused(server.port, Answering(*answers), identity_files=(str(key),), batch_mode=batch)
    why = "BatchMode is on" if batch else "no passphrase was given"
    assert failure.message == f"{ME}@box would take {key}, which is encrypted, and {why}"
    assert failure.hint == f"ssh-add {key}"


def test_no_passphrase_is_asked_for_a_key_that_the_server_does_not_know(
    sshd: Callable[..., Sshd], tmp_path: Path
) -> None:
    """The public half is shown first, so that the person is asked only for a key that helps."""
    server = sshd()
    strange = keygen(tmp_path / "strange", passphrase="correct horse")
    good = keygen(tmp_path / "good")
    server.accept(good)
    assert log_in(server.port, identity_files=(str(strange), str(good))).asked == []


def test_files_that_are_no_usable_key_are_explained(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """PuTTY's format, an empty file, junk, a file that others can read: each is named, and none is fatal."""
    server = sshd()
    good = keygen(tmp_path / "good")
    server.accept(good)
    bad = {
        "ppk": (b"PuTTY-User-Key-File-3: ssh-ed25519\n", "PuTTY's format"),
        "empty": (b"", "empty"),
        "junk": (b"\x00\xff junk", "not a private key"),
        "pem": (b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "damaged"),
    }
    for name, (content, _) in bad.items():
        (tmp_path / name).write_bytes(content)
        (tmp_path / name).chmod(0o600)
    open_key = keygen(tmp_path / "open")
    open_key.chmod(0o644)
    server.accept(open_key)
    files = [str(tmp_path / name) for name in bad]
    reasons = "; ".join(f"{tmp_path / name} is {reason}" for name, (_, reason) in bad.items())
    failure = refused(server.port, identity_files=tuple(files))
    assert failure.message == f"nothing here to show {ME}@box (it takes publickey); {reasons}"
    assert refused(server.port, identity_files=(files[2],)).hint == "name a key with -i FILE"
    strange = keygen(tmp_path / "strange")
    failure = refused(server.port, identity_files=(str(strange), files[1], str(open_key)))
    assert failure.message == (
        f"{ME}@box accepted none of: {strange} (it takes publickey); it would take {open_key}, which "
        f"is readable by others (mode 0644), so ssh would not use it either; {files[1]} is empty"
    )
    assert failure.hint == f"chmod 600 {open_key}"
    log_in(server.port, identity_files=(*files, str(good)))


def test_what_only_ssh_can_do_is_named_with_its_line(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """A security key's file outside an agent, GSSAPI, PKCS#11: we give the reason and the ssh line."""
    server = sshd()
    key = security_key_file(tmp_path / "id_ed25519_sk")
    server.accept(key)
    failure = refused(server.port, identity_files=(str(key),), typed=("-J", "gate", f"{ME}@box"))
    assert (
        failure.message == f"{ME}@box would take {key}, which is on a security key that only an agent can use"
    )
    assert failure.hint.startswith(f"ssh-add {key}; ssh itself can do this")
    assert failure.hint.endswith(f"ssh -N -L PORT:127.0.0.1:PORT -J gate {ME}@box")
    token = NotDone("publickey", "PKCS11Provider is set, which hermes-tunnel does not load", "ssh-add -s x")
    kerberos = NotDone("gssapi-with-mic", "GSSAPIAuthentication is on")
    failure = refused(server.port, not_done=(token, kerberos))
    assert failure.message.endswith(
        "(it takes publickey); PKCS11Provider is set, which hermes-tunnel does not load"
    )
    assert failure.hint == "ssh-add -s x"
    with serving(steps=["gssapi-with-mic"]) as strange:
        failure = refused(strange.port, not_done=(kerberos,))
    assert failure.message.endswith("(it takes gssapi-with-mic); GSSAPIAuthentication is on")
    assert "ssh -N -L PORT:127.0.0.1:PORT" in failure.hint


def test_a_certificate_gets_in_and_an_expired_one_is_named(sshd: Callable[..., Sshd], tmp_path: Path) -> None:
    """The server is shown the certificate beside a key; an expired one is given as the reason."""
    ca = keygen(tmp_path / "ca")
    server = sshd("host", f"TrustedUserCAKeys {ca}.pub")
    key = keygen(tmp_path / "key")

    def certify(valid: str) -> None:
        command = [
            "ssh-keygen",
            "-q",
            "-s",
            str(ca),
            "-I",
            "me",
            "-n",
            ME,
            "-V",
            valid,
            f"{key}.pub",
        ]
        subprocess.run(command, check=True)

    certify("-1h:+1h")
    log_in(server.port, user=ME, identity_files=(str(key),))
    certify("-2h:-1h")
    failure = refused(server.port, user=ME, identity_files=(str(key),))
    assert f"the certificate {key}-cert.pub expired on " in failure.message


def test_the_agent_signs_only_for_a_key_that_the_server_takes(
    sshd: Callable[..., Sshd], recording_agent: Callable[..., RecordingAgent], tmp_path: Path
) -> None:
    """The server is asked about the keys first; the agent is told for whom, lists them, and signs once."""
    server = sshd()
    keys = [
        keygen(tmp_path / f"k{n}", *kind)
        for n, kind in enumerate([(), (), ("-t", "rsa", "-b", "2048"), ("-t", "ecdsa")])
    ]
    server.accept(keys[2])
    recording = recording_agent(*keys)
    log_in(server.port, identity_agent=recording.path)
    assert recording.requests == [27, 11, 13]


def test_a_public_key_file_selects_a_key_of_the_agent(
    sshd: Callable[..., Sshd], agent: Callable[..., str], tmp_path: Path
) -> None:
    """With IdentitiesOnly, seven wrong agent keys do not get in the way of the one that is named."""
    server = sshd()
    keys = [keygen(tmp_path / f"k{n}") for n in range(8)]
    server.accept(keys[7])
    path = agent(*keys)
    named = tmp_path / "named.pub"
    named.write_text(public(keys[7]))
    log_in(server.port, identity_agent=path, identity_files=(str(named),), identities_only=True)
    log_in(server.port, identity_agent=path, identity_files=(str(named),))


def test_too_many_keys_are_the_reason_that_is_given(
    sshd: Callable[..., Sshd], agent: Callable[..., str], tmp_path: Path
) -> None:
    """If the server hangs up after too many keys, the failure names them, and the hint is IdentitiesOnly."""
    server = sshd()
    path = agent(*(keygen(tmp_path / f"k{n}") for n in range(8)))
    failure = refused(server.port, identity_agent=path)
    assert "agent key 'k0'" in failure.message
    assert "IdentitiesOnly" in failure.hint


def test_as_many_keys_are_tried_as_the_server_takes(
    sshd: Callable[..., Sshd], agent: Callable[..., str], tmp_path: Path
) -> None:
    """Whether MaxAuthTries is 1 or 6, any of that many keys gets in: one after the other, as with ssh."""
    keys = [keygen(tmp_path / f"k{n}") for n in range(6)]
    path = agent(*keys)
    for most in (1, 2, 3, 6):
        server = sshd(f"host{most}", f"MaxAuthTries {most}")
        for key in keys[:most]:
            server.authorized_keys.write_text(public(key))
            log_in(server.port, identity_agent=path)


def test_a_key_and_then_another(sshd: Callable[..., Sshd], agent: Callable[..., str], tmp_path: Path) -> None:
    """One method may bring partial success and then success; the step that succeeded costs no try."""
    server = sshd("host", "MaxAuthTries 2", "AuthenticationMethods publickey,publickey")
    wrong, first, second = (keygen(tmp_path / name) for name in ("wrong", "first", "second"))
    server.accept(first)
    server.accept(second)
    log_in(server.port, identity_agent=agent(wrong, first), identity_files=(str(second),))
    failure = refused(server.port, identity_files=(str(first),))
    assert (
        failure.message
        == f"{ME}@box accepted {first}, and then there was nothing to show it (it takes publickey)"
    )


def test_an_agent_that_cannot_be_asked_is_passed_over(tmp_path: Path) -> None:
    """If nobody serves the socket of IdentityAgent, we say that we pass it over, and the hint names it."""
    with serving(steps=["publickey"]) as server:
        person = Answering()
        failure = refused(server.port, person, identity_agent=str(tmp_path / "nobody"))
    assert person.told == ["Warning: going on without the ssh agent: No such file or directory."]
    assert failure.hint == f"SSH_AUTH_SOCK={tmp_path}/nobody ssh-add -l"


Rounds = Sequence[tuple[str, str, Sequence[tuple[str, bool]], Sequence[str]]]
ONE_TIME: Rounds = (
    ("Two factors", "Look at\nyour phone", [("Password: ", False)], ["secret"]),
    ("", "", [("\x1b]0;title\x07Code: ", True), ("Again:", True)], ["123456", "123456"]),
    ("", "", [], []),
)


def test_keyboard_interactive_may_have_several_rounds() -> None:
    """Each prompt names who asks, is free of escape sequences, and says whether the answer may be seen."""
    with serving(steps=["keyboard-interactive"], rounds=ONE_TIME) as server:
        person = log_in(server.port, Answering("secret", "123456", "123456"))
    assert person.asked == [
        (f"({ME}@box) Password:", True),
        (f"({ME}@box) Code:", False),
        (f"({ME}@box) Again:", False),
    ]
    assert person.told == [f"({ME}@box) Two factors", f"({ME}@box) Look at", f"({ME}@box) your phone"]


def test_a_wrong_code_may_be_given_again() -> None:
    """After a wrong answer we ask again, NumberOfPasswordPrompts times."""
    with serving(steps=["keyboard-interactive"], rounds=ONE_TIME[:1]) as server:
        log_in(server.port, Answering("wrong", "secret"))
        server.account.done = 0
        person = Answering("wrong", "wrong", "wrong", "secret")
        failure = refused(server.port, person)
    assert len(person.asked) == 3
    assert person.told.count(f"({ME}@box) Permission denied, please try again.") == 2
    assert person.told.count(f"({ME}@box) Two factors") == 3
    assert "accepted none of: keyboard-interactive" in failure.message


@pytest.mark.slow
def test_a_key_and_then_a_code(tmp_path: Path) -> None:
    """After partial success comes what the server asks for next."""
    key = keygen(tmp_path / "key")
    blob = parse_public_line(public(key).encode())
    with serving(steps=["publickey", "keyboard-interactive"], keys=[blob], rounds=ONE_TIME[:1]) as server:

        class Stepping(Account):
            def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
                result = super().check_auth_publickey(username, key)
                # Once for the question or the signature: the one key is signed with at once.
                self.done = 1 if result != paramiko.common.AUTH_FAILED else 0
                return result

        server.account.__class__ = Stepping
        person = log_in(server.port, Answering("secret"), identity_files=(str(key),))
    assert [prompt for prompt, _ in person.asked] == [f"({ME}@box) Password:"]


def test_a_password_is_asked_for_again_when_it_is_wrong() -> None:
    """We ask NumberOfPasswordPrompts times, hidden, naming the account; the failure shows no password."""
    with serving() as server:
        person = log_in(server.port, Answering("wrong", "open sesame"))
        assert person.asked == [(f"({ME}@box) Password:", True)] * 2
        assert person.told == [f"({ME}@box) Permission denied, please try again."]
        server.account.done = 0
        person = Answering("wrong-one", "wrong-two")
        failure = refused(server.port, person, number_of_password_prompts=2)
    assert len(person.asked) == 2
    assert "password" in failure.message
    assert "wrong-one" not in failure.message


def test_an_expired_password_is_changed() -> None:
    """As with ssh: the old one, then the new one twice; again if they differ or the server wants another."""
    with serving(expired="Your password has expired.\n\x1b[2JChange it.") as server:
        answers = ["open sesame", "open sesame", "short", "short"]
        answers += ["open sesame", "long enough", "long enuogh", "long enough", "long enough"]
        person = log_in(server.port, Answering(*answers))
        assert server.account.password == "long enough"
        server.account.expired, server.account.done = "It has expired.", 0
        failure = refused(server.port, Answering("long enough", "long enough", "new one"))
    change = ["Old password:", "New password:", "Retype new password:"]
    prompts = ["Password:", *change, *change, *change[1:]]
    assert person.asked == [(f"({ME}@box) {prompt}", True) for prompt in prompts]
    words = ["Your password has expired.", "Change it.", "Too short.", "The new passwords differ; try again."]
    assert person.told == [f"({ME}@box) {line}" for line in words]
    assert failure.message == f"{ME}@box wants the password changed, and nobody answered"


def test_a_server_that_hangs_up_on_a_wrong_answer_is_not_said_to_have_waited() -> None:
    """The failure says only what is known: that it closed the connection, and after what."""
    with serving(hangs_up=True) as server:
        failure = refused(server.port, Answering("wrong"))
    assert failure.message == f"{ME}@box closed the connection without a word after password was tried"


def test_nothing_may_be_asked_for_at_all() -> None:
    """The method none is enough where the server has nothing to ask, even without a key to show."""
    with serving(steps=[]) as server:
        assert log_in(server.port).asked == []
        assert server.account.seen == ["none"]


def test_a_server_that_names_no_method_is_tried_with_all() -> None:
    """As ssh does, we try them all in the order of PreferredAuthentications."""

    class Silent(Account):
        def get_allowed_auths(self, username: str) -> str:
            return ""

    with serving() as server:
        server.account.__class__ = Silent
        log_in(server.port, Answering("open sesame"))
        server.account.done = 0
        failure = refused(server.port, Answering("wrong"), number_of_password_prompts=1)
    assert failure.message == f"{ME}@box accepted none of: keyboard-interactive, password"


def test_a_question_without_a_prompt_may_come_again() -> None:
    """A server that asks on the person's phone sends only text; as with ssh, one refusal is not the end."""
    rounds: Rounds = [("", "Approve it on your phone", [], ["never"])]
    with serving(steps=["keyboard-interactive"], rounds=rounds) as server:
        person = Answering()
        refused(server.port, person)
        assert server.account.seen == ["none", *["keyboard-interactive"] * 3]
    assert person.told == [f"({ME}@box) Approve it on your phone"] * 3


def test_nobody_is_asked_in_batch_mode_or_without_a_terminal() -> None:
    """BatchMode asks nothing; without a terminal, the failure says that nobody answered."""
    with serving() as server:
        person = Answering("open sesame")
        assert "BatchMode" in refused(server.port, person, batch_mode=True).hint
        assert person.asked == []
        failure = refused(server.port, Answering())
    assert failure.message == f"{ME}@box asks for a password, and nobody answered"


def test_preferred_authentications_decide() -> None:
    """A method that is not listed is not tried, even where the server offers it."""
    with serving() as server:
        failure = refused(server.port, Answering("open sesame"), preferred_authentications=("publickey",))
        assert "password" not in server.account.seen
    assert failure.message == (
        f"nothing here to show {ME}@box (it takes password); "
        "PasswordAuthentication or PreferredAuthentications leaves out password"
    )
    options = "-o PasswordAuthentication=yes -o PreferredAuthentications=password"
    assert failure.hint == f"allow it: {options}"


def test_the_banner_is_told_without_its_escape_sequences() -> None:
    """The server's banner is shown line by line, scrubbed."""
    with serving(banner="Welcome\r\n\x1b[2J\x1b]52;c;AAAA\x07to the box\n") as server:
        person = log_in(server.port, Answering("open sesame"))
    assert person.told == [f"({ME}@box) Welcome", f"({ME}@box) to the box"]


class Hanging(Account):
    """Never finishes one method."""

    def __init__(self, method: str, banner: str = "") -> None:
        super().__init__(steps=["password" if method == "none" else method])
        self.transport: paramiko.Transport | None = None
        self.go_on = threading.Event()
        self._method = method
        self._words = banner

    def wait(self, method: str) -> None:
        """Wait for ever if it is this method, sending banners if the transport is known."""
        while method == self._method and not self.go_on.wait(0.05):
            if self.transport is not None:
                message = paramiko.Message()
                message.add_byte(cMSG_USERAUTH_BANNER)
                message.add_string(self._words)
                message.add_string("en")
                self.transport._send_message(message)  # type: ignore[attr-defined]

    def check_auth_none(self, username: str) -> int:
        """The first request."""
        self.wait("none")
        return super().check_auth_none(username)

    def check_auth_password(self, username: str, password: str) -> int:
        """Succeed, unless this is the method to wait for."""
        self.wait("password")
        return super().check_auth_password(username, password)

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        """The question about a key."""
        self.wait("publickey")
        return super().check_auth_publickey(username, key)

    def check_auth_interactive(
        self, username: str, submethods: str
    ) -> int | paramiko.server.InteractiveQuery:
        """The second step."""
        self.wait("keyboard-interactive")
        return super().check_auth_interactive(username, submethods)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["none", "publickey", "password", "keyboard-interactive"])
def test_a_server_that_never_replies_is_given_up(method: str, tmp_path: Path) -> None:
    """Whatever it was asked, we give up, even though the connection itself is alive."""
    account = Hanging(method)
    keys = (str(keygen(tmp_path / "a")), str(keygen(tmp_path / "b")))
    with closing(Server(account)) as server:
        with pytest.raises(NetworkFailure) as failure:
            log_in(server.port, Answering("open sesame"), seconds=0.5, identity_files=keys)
        account.go_on.set()
    assert failure.value.message == f"{ME}@box did not answer during authentication within 0.5 s"


@pytest.mark.slow
def test_a_server_that_only_talks_is_given_up_too() -> None:
    """Banners are not a reply, however many there are; of endless ones, only the first are shown."""
    account = Hanging("none", "wait a moment")

    def make(sock: socket.socket) -> paramiko.Transport:
        account.transport = transport = paramiko.Transport(sock)
        return transport

    person = Answering()
    with closing(Server(account, make=make)) as server:
        with pytest.raises(NetworkFailure, match="did not answer during authentication within 3 s"):
            log_in(server.port, person, seconds=3)
        account.go_on.set()
    assert person.told == [f"({ME}@box) wait a moment"] * 32


@pytest.mark.slow
def test_the_person_s_time_is_not_the_server_s() -> None:
    """A person who types slowly is not mistaken for a server that does not reply."""

    class Slow(Answering):
        def ask(self, question: Question, wanted: Callable[[], bool]) -> str | None:
            threading.Event().wait(1)
            return super().ask(question, wanted)

    with serving() as server:
        assert log_in(server.port, Slow("open sesame"), seconds=0.7).asked


class Endless(Account):
    """Follows every round of questions with another."""

    def __init__(self, *prompts: tuple[str, bool]) -> None:
        super().__init__(steps=["keyboard-interactive"])
        self._prompts = prompts
        self.asked = 0

    def check_auth_interactive(self, username: str, submethods: str) -> paramiko.server.InteractiveQuery:
        """The first round."""
        self.asked += 1
        return paramiko.server.InteractiveQuery("", "", *self._prompts)

    def check_auth_interactive_response(self, responses: list[str]) -> paramiko.server.InteractiveQuery:
        """The next round."""
        return self.check_auth_interactive("", "")


def test_rounds_without_an_end() -> None:
    """We give up after ten rounds without a prompt, or a hundred with one: only a program answers those."""
    words = f"{ME}@box keeps asking one question after another (keyboard-interactive)"
    with closing(Server(empty := Endless())) as server:
        assert given_up(server.port) == words
    with closing(Server(endless := Endless(("Code: ", False)))) as server:
        assert given_up(server.port, *["1"] * 200, seconds=30) == words
    assert (empty.asked, endless.asked) == (11, 101)


def test_a_password_that_is_never_good_enough() -> None:
    """A program that answers for the person is not asked for ever."""
    with serving(expired="Change it.") as server:
        answers = ["open sesame", *["open sesame", "short", "short"] * 50]
        failure = refused(server.port, Answering(*answers), number_of_password_prompts=1)
    assert failure.message.startswith(f"{ME}@box accepted none of: password")
