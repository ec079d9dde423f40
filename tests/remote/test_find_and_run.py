"""The scripts under real shells: Hermes is found, called with the words as they are, and announced."""

from __future__ import annotations

import getpass
import os
import stat
import string
from pathlib import Path

import pytest

from hermes_tunnel.errors import UsageFailure
from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.command import script_line
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.remote.landing import read_landing
from tests.ports.holding import posix
from tests.remote.shells import LOGIN_SHELLS, SH, SUDO, Account

pytestmark = posix

NONCE = "0123456789abcdef"
SYSTEM_PLACES = ["/usr/local/bin/hermes", "/opt/hermes/hermes", "/opt/hermes/bin/hermes"]
WORDS = ["--no-browser", "--client-id", "a=b", "k:v@h%41+1,2", "/tmp/a_b.c", "-", "@x", "+x", ",x", ":x", "0"]
XAI = provider("xai-oauth")


@pytest.fixture(params=LOGIN_SHELLS, ids=" ".join)
def account(tmp_path: Path, request: pytest.FixtureRequest) -> Account:
    """An account with each of the shells."""
    return Account(tmp_path, request.param)


def begins(account: Account, hermes: Path, home: str = "") -> str:
    """The begin marker's whole line."""
    return f"{begin_marker(NONCE)}begin:{getpass.getuser()}:{home or account.home / '.hermes'}:{hermes}"


@pytest.mark.parametrize(
    "place", ["system", ".local/bin", ".hermes/hermes-agent/venv/bin", ".hermes/hermes-agent/.venv/bin"]
)
def test_found(account: Account, place: str) -> None:
    """Hermes is found on the PATH and where its installers put it; its status is the command's."""
    hermes = account.install(place)
    status, lines = account.run(Call().login_line(XAI, NONCE))
    words = [f"[{word}]" for word in ("auth", "add", "xai-oauth", "--no-browser")]
    terminal = "unbuffered 1, terminal /dev/tty"
    assert lines == [begins(account, hermes), f"ran {hermes}", *words, terminal]
    assert status == 7


def test_path_option(account: Account) -> None:
    """A given path is taken, though another Hermes is on the PATH."""
    account.install("system")
    hermes = account.install("else-where/v1.0+x")
    _, lines = account.run(Call(path=str(hermes)).login_line(XAI, NONCE))
    assert lines[:2] == [begins(account, hermes), f"ran {hermes}"]


@pytest.mark.skipif(any(map(os.path.exists, SYSTEM_PLACES)), reason="this machine has a Hermes")
def test_not_found(account: Account) -> None:
    """Without Hermes the marker says where it was looked for; a folder or a plain file is none."""
    (account.home / ".local/bin/hermes").mkdir(parents=True)
    account.install(".hermes/hermes-agent/venv/bin").chmod(0o644)
    status, lines = account.run(Call().login_line(XAI, NONCE))
    (line,) = lines
    assert line.startswith(f"{begin_marker(NONCE)}missing:PATH, ~/.local/bin, ")
    assert status == 127


@pytest.mark.parametrize("what", ["nothing", "a folder"])
def test_path_option_is_wrong(account: Account, what: str) -> None:
    """A given path where no program is, is named."""
    path = account.home / "hermes"
    if what == "a folder":
        path.mkdir()
    status, lines = account.run(Call(path=str(path)).login_line(XAI, NONCE))
    assert (status, lines) == (127, [f"{begin_marker(NONCE)}missing:{path}"])


def test_words_are_unchanged(account: Account) -> None:
    """Every word that is let through reaches Hermes as it is."""
    account.install("system")
    _, lines = account.run(Call(profile="work").login_line(XAI, NONCE, WORDS))
    assert lines[2:-1] == [f"[{word}]" for word in ("--profile", "work", *XAI.words, *WORDS)]


@pytest.mark.parametrize("name", SH)
def test_any_sh(tmp_path: Path, name: str) -> None:
    """The script runs under whatever is called ``sh`` there."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.environment = {"HERMES_HOME": "/srv/hermes", "SSH_TTY": "/dev/pts/9"}
    hermes = account.install(".local/bin")
    status, lines = account.run(Call().login_line(XAI, NONCE))
    assert lines[:2] == [begins(account, hermes, "/srv/hermes"), f"ran {hermes}"]
    assert lines[-1] == "unbuffered 1, terminal /dev/pts/9"
    assert status == 7


def test_as_user(account: Account) -> None:
    """Another account's Hermes is run by sudo, which asks in our own words."""
    account.install("system", SUDO, "sudo")
    hermes = account.install("system")
    _, lines = account.run(Call(as_user="hermes").login_line(XAI, NONCE))
    assert lines[:2] == [f"sudo -p {sudo_prompt(NONCE)} -H -u hermes", begins(account, hermes)]
    _, lines = account.run(Call(as_user="hermes").landing_line(XAI, NONCE))
    assert lines == ["sudo -n -H -u hermes"]


@pytest.mark.parametrize("profile", ["", "work"])
@pytest.mark.parametrize("hermes_home", ["", "own"])
def test_landing(account: Account, profile: str, hermes_home: str) -> None:
    """The credential's path, owner and mode are told; it is not read, and nothing is told where it is not."""
    below = hermes_home or ".hermes"
    credential = account.home / below / (f"profiles/{profile}" if profile else "") / "auth.json"
    if hermes_home:
        account.environment["HERMES_HOME"] = str(account.home / hermes_home)
    line = Call(profile=profile).landing_line(XAI, NONCE)
    assert account.run(line) == (1, [])
    credential.parent.mkdir(parents=True)
    credential.write_text("SECRET")
    credential.chmod(0o600)
    status, lines = account.run(line)
    landing = read_landing("\n".join(lines), NONCE)
    assert status == 0
    assert landing is not None
    assert (landing.path, landing.owner, landing.mode) == (str(credential), getpass.getuser(), "600")
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600
    assert 0 <= landing.age < 60
    assert "SECRET" not in "".join(lines)


REFUSED = [
    "",
    "=ls",
    "%self",
    "a b",
    "a\n",
    "\n",
    "ä",
    "a\0",
    *(f"a{char}" for char in string.punctuation if char not in "._/:@%+=,-"),
]


@pytest.mark.parametrize("word", REFUSED)
def test_word_that_some_shell_acts_on(word: str) -> None:
    """A word that some shell would not pass on as it is, is refused, and quoted in the refusal."""
    with pytest.raises(UsageFailure, match="cannot be passed to the remote machine's shell unchanged"):
        Call().login_line(XAI, NONCE, [word])
    with pytest.raises(UsageFailure):
        script_line("true", [], before=[word])
