"""Logins to accounts as people have them, through a real OpenSSH server, with real shells."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cli.program import run
from tests.lab.network import wait_for
from tests.ports.holding import linux, posix
from tests.remote.shells import installed, make_home
from tests.ssh.sshd import ME, Sshd, gives_terminals

pytestmark = [pytest.mark.slow, posix, gives_terminals, pytest.mark.usefixtures("nothing_left")]

HERMES = """#!/bin/sh
d=${HERMES_HOME:-$HOME/.hermes}
[ -f "$d/active_profile" ] && d=$d/profiles/$(cat "$d/active_profile")
[ "$1" = --profile ] && d=$d/profiles/$2
mkdir -p "$d"; echo "$0 $*" >"$d/auth.json"
echo 'Saved xai-oauth OAuth credentials: "me"'
"""
"""Takes over what is there already, so that the login needs no browser."""
FOUND = ".local/bin/hermes"
PROFILES = {
    "bash": ".bash_profile",
    "zsh": ".zprofile",
    "fish": ".config/fish/config.fish",
    "ksh": ".profile",
    "mksh": ".profile",
    "dash": ".profile",
    "tcsh": ".login",
}
"""What each shell reads only if it is a login shell, but for fish, which asks."""
EACH_SHELL = pytest.mark.parametrize("shell", PROFILES)
NOISE = "echo noise; echo noise >&2\n"


def only_if(shell: str, mode: str, line: str) -> str:
    """A start-up file's line for a login shell, or for an interactive one."""
    if shell == "fish":
        return f"if status is-{mode}; {line}; end\n{NOISE}"
    if shell == "tcsh" or mode == "login":
        return f"{NOISE}{line}\n"
    return f"{NOISE}case $- in *i*) {line};; esac\n"


def exported(shell: str, variable: str, value: str) -> str:
    """How a shell puts a variable into the environment."""
    if shell in ("fish", "tcsh"):
        return f"{'set -gx' if shell == 'fish' else 'setenv'} {variable} {value}"
    return f"export {variable}={value}"


@dataclass(frozen=True)
class Ended:
    """How a login ended, and after how many seconds."""

    status: int
    stdout: str
    stderr: str
    seconds: float


@dataclass
class Account:
    """An account with a login shell, behind an sshd of its own."""

    home: Path
    shell: str
    server: Sshd
    key: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Put files below its home; those in a folder called ``bin`` can be run."""
        for name, text in files.items():
            path = self.home / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755 if path.parent.name == "bin" else 0o644)

    def login(self, *options: str, typed: str = "") -> Ended:
        """Log Hermes in there.

        :param typed: what the person has to say
        """
        config = self.home.parent / "config"
        known = self.home.parent / "known"
        known.write_text(self.server.known_hosts_line())
        config.write_text(
            f"Host box\n HostName 127.0.0.1\n Port {self.server.port}\n User {ME}\n IdentityFile {self.key}\n"
            f" IdentitiesOnly yes\n IdentityAgent none\n UserKnownHostsFile {known}\n"
        )
        answers = self.home.parent / "answers"
        answers.write_text(typed)
        began = time.monotonic()
        with answers.open() as stdin:
            done = run("login", "xai-oauth", "box", "-F", str(config), *options, stdin=stdin.fileno())
        return Ended(done.returncode, done.stdout, done.stderr, time.monotonic() - began)


@pytest.fixture
def account_with(tmp_path: Path, sshd: Callable[..., Sshd], key: Path) -> Callable[..., Account]:
    """Makes an account with a login shell, and with files."""

    def make(shell: str, files: Mapping[str, str], *options: str) -> Account:
        home = tmp_path / "home"
        make_home(home)
        path = installed(shell)
        by_shell = [] if shell == "bash" else [f'ForceCommand exec {path} -c "$SSH_ORIGINAL_COMMAND"']
        server = sshd("host", f"SetEnv HOME={home} SHELL={path} TMUX_TMPDIR={home}", *options, *by_shell)
        server.accept(key)
        account = Account(home, shell, server, key)
        account.write(files)
        return account

    return make


@EACH_SHELL
@pytest.mark.parametrize("mode", ["login", "interactive"])
def test_the_home_that_the_persons_own_shell_has(
    account_with: Callable[..., Account], shell: str, mode: str
) -> None:
    """The login is made where that shell's Hermes reads, and this is said."""
    line = only_if(shell, mode, exported(shell, "HERMES_HOME", "$HOME/own"))
    account = account_with(shell, {FOUND: HERMES, PROFILES[shell]: line})
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert f"credential in {account.home}/own/auth.json" in ended.stdout
    assert (
        f"Your own shell there has HERMES_HOME={account.home}/own, so the login is made there."
        in ended.stderr
    )
    assert "noise" not in ended.stderr


@EACH_SHELL
def test_where_only_the_persons_own_shell_finds_hermes(
    account_with: Callable[..., Account], shell: str
) -> None:
    """Its PATH counts if nothing else does, and Hermes gets it."""
    line = only_if(shell, "login", exported(shell, "PATH", "$HOME/tools/bin:/usr/bin:/bin"))
    hermes = HERMES + 'helper >"$d/helped"\n'
    helper = "#!/bin/sh\necho helped\n"
    account = account_with(
        shell, {"tools/bin/hermes": hermes, "tools/bin/helper": helper, PROFILES[shell]: line}
    )
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert (
        (account.home / ".hermes/auth.json").read_text().startswith(f"{account.home}/tools/bin/hermes auth")
    )
    assert (account.home / ".hermes/helped").read_text() == "helped\n"


@EACH_SHELL
def test_a_name_that_is_no_program(account_with: Callable[..., Account], shell: str) -> None:
    """An alias is told in the shell's own words, with the container that it leads into."""
    is_ = " " if shell in ("fish", "tcsh") else "="
    line = only_if(shell, "interactive", f"alias hermes{is_}'docker exec -it -u 1000 box hermes'")
    ended = account_with(shell, {PROFILES[shell]: line}).login()
    assert ended.status == 8
    assert "error: hermes is not a program on the remote machine, but an alias or a function " in ended.stderr
    assert "docker exec -it -u 1000 box hermes" in ended.stderr
    assert "use --container box;" in ended.stderr
    assert "noise" not in ended.stderr


@EACH_SHELL
def test_nothing_finds_hermes(account_with: Callable[..., Account], shell: str) -> None:
    """The places end with the login shell's, and the hint names a container."""
    ended = account_with(shell, {PROFILES[shell]: NOISE}).login()
    assert ended.status == 8
    assert "error: hermes was not found on the remote machine; looked in PATH, ~/.local/bin, " in ended.stderr
    assert ", the PATH of its login shell\n" in ended.stderr
    assert "--container NAME" in ended.stderr


ALIASES = {
    "bash": (".bashrc", "case $- in *i*) alias hermes='hermes -p work';; esac"),
    "zsh": (".zshrc", "alias hermes='hermes -p work'"),
    "fish": (".config/fish/functions/hermes.fish", "function hermes; command hermes -p work $argv; end"),
    "tcsh": (".tcshrc", "alias hermes 'hermes -p work'"),
}


@pytest.mark.parametrize("shell", ALIASES)
def test_a_program_that_is_something_else_to_the_persons_own_shell(
    account_with: Callable[..., Account], shell: str
) -> None:
    """The program runs, and what the person would have got is told."""
    name, line = ALIASES[shell]
    files = {FOUND: HERMES, name: f"{line}\n", ".bash_profile": ". ~/.bashrc\n"}
    ended = account_with(shell, files).login()
    assert ended.status == 0, ended.stderr
    assert "This login runs hermes itself, not what that is to your own shell there: hermes" in ended.stderr
    assert "hermes -p work" in ended.stderr


def test_a_function_that_leads_elsewhere(account_with: Callable[..., Account]) -> None:
    """A function is no program either."""
    function = 'hermes() { ssh far hermes "$@"; }\n'
    ended = account_with("bash", {".bash_profile": function}).login()
    assert ended.status == 8
    assert "hermes is a function" in ended.stderr
    assert "ssh far hermes" in ended.stderr
    assert "--container NAME" in ended.stderr


@pytest.mark.parametrize("mentions", [False, True])
def test_the_login_shell_is_asked_only_if_need_be(
    account_with: Callable[..., Account], mentions: bool
) -> None:
    """The shell starts a second time only if one of its files mentions the home."""
    line = f"{NOISE}echo asked >>~/asked\n" + ("# no HERMES_HOME here\n" if mentions else "")
    account = account_with("bash", {FOUND: HERMES, ".bash_profile": line})
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert f"{account.home}/.hermes/auth.json" in ended.stdout
    asked = account.home / "asked"
    assert (asked.read_text() if asked.exists() else "") == ("asked\n" if mentions else "")
    assert "Your own shell" not in ended.stderr


@linux
def test_a_login_shell_that_never_answers(account_with: Callable[..., Account]) -> None:
    """It has five seconds; then it is ended, and the login goes on with what is known."""
    line = "export HERMES_HOME=$HOME/own\nsleep 77 & echo $! >>~/pids\nsleep 78\n"
    account = account_with("bash", {FOUND: HERMES, ".bash_profile": line})
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert f"{account.home}/.hermes/auth.json" in ended.stdout
    assert ended.seconds < 12
    (pid,) = map(int, (account.home / "pids").read_text().split())
    wait_for(pid, 5)


def test_the_profile_in_use(account_with: Callable[..., Account]) -> None:
    """Hermes' own choice of a profile decides where the credential is looked for."""
    profile = {FOUND: HERMES, ".hermes/active_profile": "work\n", ".hermes/profiles/work/config.yaml": ""}
    account = account_with("bash", profile)
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert f"{account.home}/.hermes/profiles/work/auth.json" in ended.stdout


def test_a_home_that_is_a_profiles(account_with: Callable[..., Account]) -> None:
    """A profile that was asked for is beside it, not in it."""
    hermes = HERMES.replace("d=$d/profiles/$2", "d=${d%/*}/$2")
    files = {FOUND: hermes, ".profile": "export HERMES_HOME=$HOME/.hermes/profiles/home\n"}
    account = account_with("bash", files)
    ended = account.login("--profile", "work")
    assert ended.status == 0, ended.stderr
    assert f"{account.home}/.hermes/profiles/work/auth.json" in ended.stdout
    assert f"{account.home}/.hermes/profiles/home/auth.json" in account.login().stdout


QUESTIONS = {
    "[6n": r"\E[50;4000R",
    "[c": r"\E[?1;0c",
    "[>c": r"\E[>0;0;0c",
    "]10;?\\a": r"\E]10;rgb:ffff/ffff/ffff\a",
    "]11;?\\e\\\\": r"\E]11;rgb:0000/0000/0000\E\\",
}
ASKS = """
[ -t 0 ] || return
stty -icanon -echo
printf '\\e%s' {question!r}
read -rs -n {length} -t 20 answer
stty icanon echo
printf '%q' "$answer" >>~/answer
"""


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_start_up_file_that_asks_the_terminal(account_with: Callable[..., Account], question: str) -> None:
    """It is answered, and goes on; neither the question nor the answer reaches the person."""
    answer = QUESTIONS[question].replace(r"\E", "\x1b").replace(r"\a", "\a").replace("\\\\", "\\")
    text = ASKS.format(question="", length=len(answer)).replace("%s' ''", f"{question}'")
    account = account_with("bash", {FOUND: HERMES, ".bashrc": text})
    ended = account.login()
    assert ended.status == 0, ended.stderr
    assert ended.seconds < 10
    quoted = subprocess.run(
        ["bash", "-c", 'printf %q "$1"', "bash", answer], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    assert (account.home / "answer").read_text() == quoted
    assert "\x1b" not in ended.stderr
    assert "rgb" not in ended.stderr


def test_an_answer_that_no_start_up_file_reads(account_with: Callable[..., Account]) -> None:
    """It is not there when the command asks something."""
    hermes = (
        HERMES.replace("mkdir", 'printf "Your name: "; read -r name; mkdir', 1) + 'echo "<$name>" >~/name\n'
    )
    account = account_with(
        "bash", {FOUND: hermes, ".bashrc": "[ -t 0 ] && printf '\\e[6n\\e[c' && sleep 1\n"}
    )
    ended = account.login(typed="me\n")
    assert ended.status == 0, ended.stderr
    assert (account.home / "name").read_text() == "<me>\n"


DASH_PROMPT = "#" if hasattr(os, "getuid") and os.getuid() == 0 else "$"
INSTEAD = {
    "exec bash": "runs something else in place of the command, and says nothing; exec bash in ~/.bashrc",
    "exec zsh -f": "it took the terminal and waits at '",
    "exec fish": "it took the terminal and waits at '",
    "exec dash": f"it took the terminal and waits at '{DASH_PROMPT}'",
}


@pytest.mark.parametrize("line", INSTEAD)
def test_a_shell_in_place_of_the_command(account_with: Callable[..., Account], line: str) -> None:
    """Within seconds it is said what runs there, and which guard belongs there."""
    installed(line.split()[1])
    ended = account_with("bash", {FOUND: HERMES, ".bashrc": f"echo Welcome to the box; {line}\n"}).login()
    assert ended.status == 8
    assert ended.seconds < 15
    assert "error: a start-up file on the remote machine runs " in ended.stderr
    assert INSTEAD[line] in ended.stderr
    assert "case $- in *i*) exec fish;; esac" in ended.stderr
    assert "status is-interactive" in ended.stderr
    assert "  | Welcome to the box\n" in ended.stderr


def test_a_shell_that_starts_itself_on_a_terminal(account_with: Callable[..., Account]) -> None:
    """Where it does so only there, the login does without a terminal."""
    ended = account_with("bash", {FOUND: HERMES, ".bashrc": "[ -t 0 ] && exec bash\n"}).login()
    assert ended.status == 0, ended.stderr
    assert ended.seconds < 20
    assert "runs without a terminal: a start-up file of " in ended.stderr


def test_a_start_up_file_that_is_slow(account_with: Callable[..., Account]) -> None:
    """It gets its time, though the shell is tried meanwhile."""
    ended = account_with("bash", {FOUND: HERMES, ".bashrc": "sleep 11\n"}).login()
    assert ended.status == 0, ended.stderr
    assert "without a terminal" not in ended.stderr


def test_what_was_said_before_the_end(account_with: Callable[..., Account]) -> None:
    """The last lines are shown, but for the one that the error has."""
    said = "".join(f"echo reason {number};" for number in range(3))
    ended = account_with("bash", {".bashrc": f"{said} exit 3\n"}).login()
    assert ended.status == 8
    assert "  | reason 0\n  | reason 1\nhermes-tunnel: error:" in ended.stderr
    assert "error: the account ran something other than the command: 'reason 2'" in ended.stderr


CMD = [
    "'sh' is not recognized as an internal or external command,",
    "operable program or batch file.",
]
CMD_OF_A_SCRIPT = ["The system cannot find the path specified."]
POWERSHELL_5 = [
    "sh : The term 'sh' is not recognized as the name of a cmdlet, function, script file, or operable",
    "program. Check the spelling of the name, or if a path was included, verify that the path is correct",
    "and try again.",
    "At line:1 char:1",
    "+ sh -c 'n=$1; t=$2 ...",
    "+ ~~",
    "    + CategoryInfo          : ObjectNotFound: (sh:String) [], CommandNotFoundException",
    "    + FullyQualifiedErrorId : CommandNotFoundException",
]
POWERSHELL_7 = [
    "sh: The term 'sh' is not recognized as a name of a cmdlet, function, script file, or executable",
    "program. Check the spelling of the name, or if a path was included, verify that the path is correct",
]
GERMAN = [
    'sh : Die Benennung "sh" wurde nicht als Name eines Cmdlet, einer Funktion, einer Skriptdatei oder eines',
    "ausführbaren Programms erkannt.",
    "    + FullyQualifiedErrorId : CommandNotFoundException",
]


@pytest.mark.parametrize(
    "words", [CMD, CMD_OF_A_SCRIPT, POWERSHELL_5, POWERSHELL_7, GERMAN], ids=lambda words: str(words[0])[:12]
)
def test_a_windows_shell(account_with: Callable[..., Account], words: list[str]) -> None:
    """It is known by what it says of our command line, and named as none that this works with."""
    said = "\n".join(("cat <<'END'", *words, "END", "exit 1", ""))
    ended = account_with("bash", {".bashrc": said}).login()
    assert ended.status == 8
    assert "error: the account's shell there is Windows' cmd.exe or PowerShell, and" in ended.stderr
    assert all(line.strip()[:70] in ended.stderr for line in words)


def test_a_windows_shells_prompt(account_with: Callable[..., Account]) -> None:
    """One that waits is told by its prompt."""
    said = "printf '%s' 'PS C:\\Users\\me>'; exec sleep 60\n"
    ended = account_with("bash", {".bashrc": said}).login()
    assert ended.status == 8
    assert "Windows' cmd.exe or PowerShell" in ended.stderr
