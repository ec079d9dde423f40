"""The scripts in real shells: Hermes is found, announced, and called with its words unchanged."""

from __future__ import annotations

import getpass
import os
import re
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from hermes_tunnel.remote.call import Call, begin_marker, sudo_prompt
from hermes_tunnel.remote.hermes import in_profile, provider
from tests.lab.network import wait_for
from tests.ports.holding import linux
from tests.remote.shells import LOGIN_SHELLS, SH, SUDO, Account, installed

if sys.platform == "win32":
    pytest.skip("runs scripts of sh", allow_module_level=True)

pytestmark = pytest.mark.slow

NONCE = "0123456789abcdef"
SYSTEM_PLACES = ["/usr/local/bin/hermes", "/opt/hermes/hermes", "/opt/hermes/bin/hermes"]
XAI = provider("xai-oauth")


@pytest.fixture(params=LOGIN_SHELLS, ids=" ".join)
def account(tmp_path: Path, request: pytest.FixtureRequest) -> Account:
    """An account with each of the shells."""
    return Account(tmp_path, request.param)


def begins(account: Account, hermes: Path, home: str = "") -> str:
    """The whole line of the begin marker."""
    return f"{begin_marker(NONCE)}begin:{getpass.getuser()}:{home or account.home / '.hermes'}:{hermes}"


def absent(account: Account, home: str = "") -> str:
    """What is reported of a credential that is not there."""
    return f"{begin_marker(NONCE)}landed:absent:{home or account.home / '.hermes'}/auth.json"


@pytest.mark.parametrize(
    "place", ["system", ".local/bin", ".hermes/hermes-agent/venv/bin", ".hermes/hermes-agent/.venv/bin"]
)
def test_found(account: Account, place: str) -> None:
    """Hermes is found on the PATH and where its installers put it; its status becomes the command's."""
    hermes = account.install(place)
    status, lines = account.run(Call().login_line(XAI, NONCE))
    words = [f"[{word}]" for word in ("auth", "add", "xai-oauth", "--no-browser")]
    terminal = "unbuffered 1, terminal /dev/tty"
    look = absent(account)
    assert lines == [begins(account, hermes), look, f"ran {hermes}", *words, terminal, look]
    assert status == 7


def test_path_option(account: Account) -> None:
    """A given path is used, even if another Hermes is on the PATH."""
    account.install("system")
    hermes = account.install("else-where/v1.0+x")
    _, lines = account.run(Call(path=str(hermes)).login_line(XAI, NONCE))
    assert lines[:3] == [begins(account, hermes), absent(account), f"ran {hermes}"]


@pytest.mark.skipif(any(map(os.path.exists, SYSTEM_PLACES)), reason="this machine has a Hermes")
def test_not_found(account: Account) -> None:
    """Without Hermes the marker says where we looked; a folder or a plain file does not count."""
    (account.home / ".local/bin/hermes").mkdir(parents=True)
    account.install(".hermes/hermes-agent/venv/bin").chmod(0o644)
    status, lines = account.run(Call().login_line(XAI, NONCE))
    (line,) = lines
    assert line.startswith(f"{begin_marker(NONCE)}missing:hermes:PATH:~/.local/bin:")
    assert status == 127


@pytest.mark.parametrize("what", ["nothing", "a folder"])
def test_path_option_is_wrong(account: Account, what: str) -> None:
    """A given path without a program is named."""
    path = account.home / "hermes"
    if what == "a folder":
        path.mkdir()
    status, lines = account.run(Call(path=str(path)).login_line(XAI, NONCE))
    assert (status, lines) == (127, [f"{begin_marker(NONCE)}missing:hermes:{path}"])


@pytest.mark.parametrize("name", SH)
def test_any_sh(tmp_path: Path, name: str) -> None:
    """The script runs under whatever is called ``sh`` there."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.environment |= {"HERMES_HOME": "/srv/hermes", "SSH_TTY": "/dev/pts/9"}
    hermes = account.install(".local/bin")
    status, lines = account.run(Call().login_line(XAI, NONCE))
    look = absent(account, "/srv/hermes")
    assert lines[:3] == [begins(account, hermes, "/srv/hermes"), look, f"ran {hermes}"]
    assert lines[-2:] == ["unbuffered 1, terminal /dev/pts/9", look]
    assert status == 7


def test_as_user(account: Account) -> None:
    """Another account's Hermes is run by sudo, which asks in our own words."""
    account.install("system", SUDO, "sudo")
    hermes = account.install("system")
    _, lines = account.run(Call(as_user="hermes").login_line(XAI, NONCE))
    assert lines[:2] == [f"sudo -p {sudo_prompt(NONCE)} -H -u hermes", begins(account, hermes)]
    _, lines = account.run(Call(as_user="hermes").landing_line(XAI, NONCE))
    assert lines == ["sudo -n -H -u hermes", absent(account)]
    _, lines = account.run(Call(as_user="hermes").login_line(XAI, NONCE, terminal=False))
    assert lines[0] == f"sudo -S -p {sudo_prompt(NONCE)} -H -u hermes"


def looks(lines: list[str]) -> list[str]:
    """What was reported of the credential."""
    marker = f"{begin_marker(NONCE)}landed:"
    return [after for _, found, after in (line.partition(marker) for line in lines) if found]


@pytest.mark.parametrize("profile", ["", "work"])
@pytest.mark.parametrize("hermes_home", ["", "own"])
def test_the_credential_is_looked_at_before_and_after(
    account: Account, profile: str, hermes_home: str
) -> None:
    """Its path, owner and mode are reported; every write to it shows; it is not read."""
    credential = account.home / (hermes_home or ".hermes")
    if hermes_home:
        account.environment["HERMES_HOME"] = str(credential)
    credential = credential / (f"profiles/{profile}" if profile else "") / "auth.json"
    credential.parent.mkdir(parents=True)
    writes = f"#!/bin/sh\necho SECRET >'{credential}'; chmod 600 '{credential}'\n"
    account.install(".local/bin", writes)
    program = in_profile(XAI, profile) if profile else XAI
    for _ in range(2):  # a second write within the same second is a change, too
        status, lines = account.run(Call().login_line(program, NONCE))
        assert status == 0
        before, after = looks(lines)
        assert before != after
        owner, mode, state, path = after.split(":", 3)
        assert (owner, mode, path) == (getpass.getuser(), "600", str(credential))
        assert re.fullmatch(r"\d+,7,\d+(\.\d+)?", state)
        assert "SECRET" not in "".join(lines)
    assert looks(account.run(Call().landing_line(program, NONCE))[1]) == [after]
    account.install(".local/bin", "#!/bin/sh\n")
    assert looks(account.run(Call().login_line(program, NONCE))[1]) == [after, after]
    assert stat.S_IMODE(credential.stat().st_mode) == 0o600


def test_a_link_is_followed(account: Account) -> None:
    """A credential that is a link is looked at where it leads."""
    account.install(".local/bin", "#!/bin/sh\necho SECRET >>~/.hermes/auth.json\n")
    (account.home / ".hermes").mkdir()
    (account.home / "kept.json").touch()
    (account.home / ".hermes" / "auth.json").symlink_to(account.home / "kept.json")
    before, after = looks(account.run(Call().login_line(XAI, NONCE))[1])
    assert before != after


def test_a_program_whose_credential_is_unknown(account: Account) -> None:
    """Nothing is looked at."""
    account.install(".local/bin")
    status, lines = account.run(Call().login_line(replace(XAI, credential=None), NONCE))
    assert (status, looks(lines)) == (7, [])
    assert account.run(Call().landing_line(replace(XAI, credential=None), NONCE)) == (0, [])


ASKS = r"""#!/bin/sh
echo "asks, $(tty)" >&2
printf "answer: "
read -r answer
printf 'got <%s> %s\n' "$answer" $$
exec sleep 60
"""
DEAF = ASKS.replace("echo", "trap '' INT; echo", 1)
EACH_SH = pytest.mark.parametrize("name", SH)


@linux
@EACH_SH
def test_ctrl_c_ends_it_and_the_credential_is_still_looked_at(tmp_path: Path, name: str) -> None:
    """The shell outlives the program by a look, and ends by the same signal."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.install(".local/bin", ASKS)
    with account.on_terminal(Call().login_line(XAI, NONCE)) as terminal:
        terminal.expect("answer: ")
        terminal.send("this\n")
        terminal.expect("got <this>")
        terminal.send("\x03")
        terminal.expect("landed:absent:")
        assert terminal.wait() == -signal.SIGINT
    assert terminal.output.count("this") == 1  # it is not echoed


@linux
@EACH_SH
@pytest.mark.parametrize("program", [ASKS, DEAF], ids=["asks", "deaf"])
def test_a_terminal_that_is_hung_up_ends_it(tmp_path: Path, name: str, program: str) -> None:
    """So it does when the connection is lost, even if the program ignores Ctrl-C."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.install(".local/bin", program)
    with account.on_terminal(Call().login_line(XAI, NONCE)) as terminal:
        terminal.expect("answer: ")
        terminal.send("this\n")
        pid = int(terminal.expect(r"got <this> (\d+)")[1])
        if program == DEAF:
            terminal.send("\x03")
    wait_for(pid, 10)


@linux
@EACH_SH
def test_a_signal_to_all_ends_it(tmp_path: Path, name: str) -> None:
    """As sshd does, it is sent to the whole process group (RFC 4254 section 6.9)."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.install(".local/bin", DEAF)
    with account.on_terminal(Call().login_line(XAI, NONCE)) as terminal:
        terminal.expect("answer: ")
        terminal.send("this\n")
        pid = int(terminal.expect(r"got <this> (\d+)")[1])
        os.killpg(terminal.process.pid, signal.SIGTERM)
        assert terminal.wait() == -signal.SIGTERM
    wait_for(pid, 10)


@pytest.mark.parametrize("status", [0, 1, 3, 127, 128, 200, 255])
def test_its_exit_status_is_ours(tmp_path: Path, status: int) -> None:
    """So is one that looks like a signal's."""
    account = Account(tmp_path, ["bash"])
    account.install(".local/bin", f"#!/bin/sh\nexit {status}\n")
    assert account.run(Call().login_line(XAI, NONCE))[0] == status


@EACH_SH
def test_without_a_terminal(tmp_path: Path, name: str) -> None:
    """Both outputs arrive in order, input arrives unchanged, and the status is the program's."""
    account = Account(tmp_path, ["bash"], sh=name)
    hermes = account.install(".local/bin", ASKS.replace("exec sleep 60", "exit 7"))
    with account.on_pipes(Call().login_line(XAI, NONCE, terminal=False)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(b"  a\\b \xff \n")
        process.stdin.flush()
        lines = process.stdout.read().splitlines()
        assert process.wait(10) == 7
        assert process.stderr.read() == b""
    look = absent(account).encode()
    assert lines[:3] == [begins(account, hermes).encode(), look, b"asks, not a tty"]
    assert lines[3].startswith(rb"answer: got <a\b" + b" \xff>")
    assert lines[4:] == [look]


@linux
@EACH_SH
@pytest.mark.parametrize("end", ["input", "signal"])
def test_without_a_terminal_it_ends_with_its_input(tmp_path: Path, name: str, end: str) -> None:
    """The lifeline: when the connection is gone, so are the program and whatever ran beside it."""
    account = Account(tmp_path, ["bash"], sh=name)
    account.install(".local/bin", ASKS)
    with account.on_pipes(Call().login_line(XAI, NONCE, terminal=False)) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"this\n")
        process.stdin.flush()
        output = b""
        while not (found := re.search(rb"got <this> (\d+)\n", output)):
            output += os.read(process.stdout.fileno(), 4096)
        if end == "signal":
            os.killpg(process.pid, signal.SIGTERM)
        process.stdin.close()
        rest = process.stdout.read()
        assert process.wait(10) in ((-signal.SIGTERM,) if name != "ksh" else (-signal.SIGTERM, 1))
    wait_for(int(found[1]), 10)
    assert b":landed:absent:" in rest


def test_a_connection_that_is_gone_before_it_begins(account: Account) -> None:
    """The program's input has ended before it starts, so it ends at once."""
    account.install(".local/bin", ASKS)
    with account.on_pipes(Call().login_line(XAI, NONCE, terminal=False)) as process:
        process.communicate(timeout=10)


def remarks(lines: list[str]) -> list[str]:
    """What was said of the program and its home."""
    marker = begin_marker(NONCE)
    told = [after for _, found, after in (line.partition(marker) for line in lines) if found]
    return [one for one in told if not one.startswith(("begin:", "landed:"))]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('exec docker exec -it box hermes "$@"', 'exec docker exec -it box hermes "$@"'),
        ("  podman exec -it box hermes; # so", "podman exec -it box hermes; # so"),
        ('set -e\n\nssh far -- hermes "$@"\necho', 'ssh far -- hermes "$@"'),
        ("# docker exec -it box hermes", ""),
        ('exec /srv/ssh/hermes "$@"', ""),
        ("from hermes_cli.main import main\n" * 5, ""),
        (50 * "true\n" + "docker exec box hermes", ""),
    ],
)
@EACH_SH
def test_a_script_that_hands_over(tmp_path: Path, name: str, text: str, said: str) -> None:
    """To a container or another machine: it is said by which line, and it runs."""
    account = Account(tmp_path, ["bash"], sh=name)
    hermes = account.install(".local/bin", f"#!/bin/sh\n{text}")
    _, lines = account.run(Call().login_line(XAI, NONCE))
    assert lines[0] == begins(account, hermes)
    assert remarks(lines) == ([f"wrapper:{said}"] if said else [])


@EACH_SH
def test_any_sh_asks_the_login_shell(tmp_path: Path, name: str) -> None:
    """The home and the PATH that only a person's shell has are found under any ``sh``."""
    account = Account(tmp_path, ["bash"], sh=name)
    hermes = account.install("own/bin")
    profile = "echo noise\nexport HERMES_HOME=~/there PATH=~/own/bin:$PATH\necho noise without an end\\c\n"
    (account.home / ".bash_profile").write_text(profile)
    _, lines = account.run(Call().login_line(XAI, NONCE))
    there = f"{account.home}/there"
    assert lines[0] == begins(account, hermes, there)
    assert remarks(lines) == [f"home:HERMES_HOME:{there}"]
    assert looks(lines) == [f"absent:{there}/auth.json"] * 2
    _, lines = account.run(Call().landing_line(XAI, NONCE))
    assert looks(lines) == [f"absent:{there}/auth.json"]


def test_without_setsid(tmp_path: Path) -> None:
    """As on macOS: Perl can give the shell a session of its own as well; without both it is not asked."""
    account = Account(tmp_path, ["bash"], sh="dash")
    (account.home / ".bash_profile").write_text("export HERMES_HOME=~/there PATH=~/own/bin:$PATH\n")
    hermes = account.install("own/bin")
    for program in ("cat", "cut", "env", "grep", "id", "perl", "sed", "sleep", "stat", "stty", "tail", "tr"):
        (account.bin / program).symlink_to(installed(program))
    account.environment["PATH"] = str(account.bin)
    line = Call().login_line(XAI, NONCE)
    assert account.run(line)[1][0] == begins(account, hermes, f"{account.home}/there")
    (account.bin / "perl").unlink()
    status, (told,) = account.run(line)
    assert status == 127
    assert told.startswith(f"{begin_marker(NONCE)}missing:hermes:PATH:~/.local/bin:")


@linux
def test_a_terminal_stays_the_commands(tmp_path: Path) -> None:
    """An interactive shell that is asked does not take it away."""
    account = Account(tmp_path, ["bash"])
    (account.home / ".bash_profile").write_text("set -m; export HERMES_HOME=~/there; stty echo </dev/tty\n")
    account.install(".local/bin", ASKS)
    with account.on_terminal(Call().login_line(XAI, NONCE)) as terminal:
        terminal.expect("home:HERMES_HOME:")
        terminal.expect("answer: ")
        terminal.send("this\n")
        terminal.expect("got <this>")
        terminal.send("\x03")
        assert terminal.wait() == -signal.SIGINT
    assert terminal.output.count("this") == 1  # it is not echoed


@pytest.mark.parametrize("shell", ["/usr/sbin/nologin", "/bin/false", "/no/shell", ""])
def test_an_account_without_a_shell(tmp_path: Path, shell: str) -> None:
    """A service's account, which sudo runs Hermes for, is asked in vain, and at once."""
    account = Account(tmp_path, ["bash"], environment={"SHELL": shell})
    began = time.monotonic()
    status, (line,) = account.run(Call().login_line(XAI, NONCE))
    assert line.startswith(f"{begin_marker(NONCE)}missing:hermes:PATH:~/.local/bin:")
    assert status == 127
    assert time.monotonic() - began < 4
