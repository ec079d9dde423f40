"""Who the person is, as OpenSSH's sshd asks with PAM behind it: passwords, codes, expiry, certificates."""

from __future__ import annotations

import subprocess

import pytest

from tests.lab.accounts import PASSWORD
from tests.lab.lab import Lab
from tests.lab.pam import CODE, PORT, asking
from tests.lab.sshd import make_key
from tests.lab.terminal import Terminal
from tests.lab.tunnel import on_terminal, run

LOGIN = ("login", "xai-oauth", "-p", str(PORT))
PROMPTS = {"password": "Password: ", "code": "One-time password .*: "}
ANSWERS = {"password": PASSWORD, "code": CODE}
SSHD = {"PasswordAuthentication": "yes", "AuthenticationMethods": "password"}


def answer(tunnel: Terminal, prompt: str, text: str) -> None:
    """Wait for a prompt, and type what nobody may see."""
    tunnel.expect(prompt)
    assert not tunnel.echoes
    tunnel.send(f"{text}\n")


def arrives(tunnel: Terminal, where: str) -> None:
    """The person is let in. They have no Hermes, so the login ends soon."""
    tunnel.expect(rf"Connected to {where}\r?$")
    assert tunnel.wait() == 8


def test_a_password(lab: Lab) -> None:
    """After a wrong one we ask again; what was typed is nowhere to be seen."""
    with lab.sshd("hermes", PORT, **SSHD), on_terminal(lab, *LOGIN, "boss") as tunnel:
        for password in ("not this one", PASSWORD):
            answer(tunnel, r"\(boss@boss\) Password: ", password)
        arrives(tunnel, "boss@boss")
    assert PASSWORD not in tunnel.output
    assert "not this one" not in tunnel.output


def test_a_password_that_is_wrong_three_times(lab: Lab) -> None:
    """After NumberOfPasswordPrompts it is over: 6."""
    with lab.sshd("hermes", PORT, **SSHD), on_terminal(lab, *LOGIN, "boss") as tunnel:
        for _ in range(3):
            answer(tunnel, r"\(boss@boss\) Password: ", "not this one")
        assert tunnel.wait() == 6
    assert "error: boss@boss accepted none of: password (it takes password)" in tunnel.output
    assert "not this one" not in tunnel.output


@pytest.mark.parametrize(
    ("methods", "asked"),
    [
        ("keyboard-interactive", ["password"]),
        ("keyboard-interactive", ["password", "code"]),
        ("publickey,keyboard-interactive", ["code"]),
    ],
)
def test_what_pam_asks(lab: Lab, methods: str, asked: list[str]) -> None:
    """A password, a password and a one-time code, or a code after a key; after a wrong one we ask again."""
    with (
        asking(lab, "hermes", *asked, AuthenticationMethods=methods, MaxAuthTries="2") as sshd,
        on_terminal(lab, *LOGIN, "boss") as tunnel,
    ):
        for last in ("000000", ANSWERS[asked[-1]]):
            for each in asked[:-1]:
                answer(tunnel, rf"\(boss@boss\) {PROMPTS[each]}", ANSWERS[each])
            answer(tunnel, rf"\(boss@boss\) {PROMPTS[asked[-1]]}", last)
        arrives(tunnel, "boss@boss")
    assert not any(secret in tunnel.output for secret in ANSWERS.values())
    assert ("Partial publickey for boss" in sshd.printed) == ("publickey" in methods)


def test_one_code_is_enough(lab: Lab) -> None:
    """A code works only once, so one connection serves for command, callback and credential."""
    lab.identity("POST", "/reset")
    lab.fresh_home("h018")
    with (
        asking(lab, "hermes", "code", AuthenticationMethods="keyboard-interactive"),
        on_terminal(lab, *LOGIN, "h018") as tunnel,
    ):
        answer(tunnel, r"\(h018@h018\) One-time password .*: ", CODE)
        tunnel.expect(r"Logged in to xAI on h018@h018(?:\x1b\[0m)?\s+Credential: .*auth.json", deadline=40)
        assert tunnel.wait() == 0


def test_nothing_is_asked_of_who_has_no_password(lab: Lab) -> None:
    """If PermitEmptyPasswords allows it, the method none is enough, if a key is not; and nothing is asked."""
    settings = {"PasswordAuthentication": "yes", "PermitEmptyPasswords": "yes", "AuthorizedKeysFile": "none"}
    with lab.sshd("hermes", PORT, **settings) as sshd:
        done = run(lab, *LOGIN, "free@hermes")
    assert done.status == 8, done.stderr
    assert "Connected to free@hermes" in done.stderr
    assert "Accepted none for free" in sshd.printed


def test_an_expired_password(lab: Lab) -> None:
    """The person is let in but gets passwd(1) instead of the command: 8, soon, however they got in."""
    by_password = ("late@hermes", "-o", "PubkeyAuthentication=no")
    settings = {"UsePAM": "yes", "PasswordAuthentication": "yes"}
    with lab.sshd("hermes", PORT, **settings), on_terminal(lab, *LOGIN, *by_password) as tunnel:
        answer(tunnel, r"\(late@hermes\) Password: ", PASSWORD)
        done = run(lab, *LOGIN, "late@hermes", deadline=10)
        assert tunnel.wait() == done.status == 8
    for said in (tunnel.output, done.stderr):
        assert "the remote machine asked 'Current password:'" in said
        assert "hint: connect with ssh and settle it there; an expired password has to be changed" in said


def test_a_certificate_of_a_role(lab: Lab) -> None:
    """A certificate need not name the account if AuthorizedPrincipalsFile lists its principal; else 6."""
    directory = lab.directory / "hermes"
    for name in ("user_ca", "certified"):
        make_key(directory / name)
    (directory / "principals").write_text("operator\n")
    settings = {
        "AuthorizedKeysFile": "none",
        "TrustedUserCAKeys": f"{directory}/user_ca.pub",
        "AuthorizedPrincipalsFile": f"{directory}/principals",
    }
    with lab.sshd("hermes", PORT, **settings):
        for principal, status in (("operator", 8), ("boss", 6)):
            command = ["ssh-keygen", "-q", "-s", f"{directory}/user_ca", "-I", "lab", "-n", principal]
            subprocess.run([*command, f"{directory}/certified.pub"], check=True)
            done = run(lab, *LOGIN, "boss", "-i", f"{directory}/certified")
            assert done.status == status, done.stderr
            assert ("Connected to boss@boss" in done.stderr) == (status == 8)


def test_who_thinks_too_long(lab: Lab) -> None:
    """LoginGraceTime passes at the prompt: 6, with the server's patience as the reason."""
    with (
        lab.sshd("hermes", PORT, LoginGraceTime="1", **SSHD),
        on_terminal(lab, *LOGIN, "boss") as tunnel,
    ):
        tunnel.expect(r"\(boss@boss\) Password: ")
        assert tunnel.wait() == 6
        assert tunnel.echoes
    assert "error: boss@boss stopped waiting for the answer" in tunnel.output


def test_options_choose_the_method(lab: Lab) -> None:
    """-o PreferredAuthentications=password asks although there is a key; -o BatchMode=yes never asks: 6."""
    with lab.sshd("hermes", PORT, PasswordAuthentication="yes") as sshd:
        with on_terminal(lab, *LOGIN, "boss", "-o", "PreferredAuthentications=password") as tunnel:
            answer(tunnel, r"\(boss@boss\) Password: ", PASSWORD)
            arrives(tunnel, "boss@boss")
        batch = ("-o", "BatchMode=yes", "-o", "IdentityFile=none")
        with on_terminal(lab, *LOGIN, "boss", *batch) as tunnel:
            tunnel.expect("hint: BatchMode is on, so no password was asked for")
            assert tunnel.wait() == 6
    assert "publickey" not in sshd.printed
