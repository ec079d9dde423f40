"""``run``, as a program of its own, against a real sshd: what ssh -t does, and how it ends."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.cli.program import ARGV
from tests.ssh.sshd import ME, PROGRAM, Sshd, gives_terminals, keygen
from tests.stage.remote_process import RemoteProcess
from tests.stage.stage import HOST, Stage
from tests.terminal.pseudo_terminal import resize, until

if sys.platform == "win32" or shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.lab.terminal import Terminal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="there is no sshd on this machine"),
    gives_terminals,
]
SECONDS = 30
MENU = r"""
import os, sys, termios, tty
before, chosen = termios.tcgetattr(0), 0
tty.setcbreak(0)
while True:
    rows = [f"{'> ' if n == chosen else '  '}{name}" for n, name in enumerate(("red", "green", "blue"))]
    sys.stdout.write("\r\n".join(rows) + "\x1b[2A\r"); sys.stdout.flush()
    key = os.read(0, 8)
    if key in b"\r\n": break
    chosen = (chosen + {b"\x1b[A": -1, b"\x1b[B": 1, b"\x1bOA": -1, b"\x1bOB": 1}.get(key, 0)) % 3
termios.tcsetattr(0, termios.TCSADRAIN, before)
print("\x1b[3Bchose", ("red", "green", "blue")[chosen])
"""


class There:
    """An account on a server, and how to run something there."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        # A home without start-up files: those of whoever runs the tests may be slow.
        (directory / "home").mkdir()
        self.server = Sshd(
            directory / "sshd", "AcceptEnv LC_* RUN_*", f"SetEnv HOME={directory / 'home'} ENV= BASH_ENV="
        )
        key = keygen(directory / "key")
        self.server.accept(key)
        (directory / "known_hosts").write_text(self.server.known_hosts_line())
        self.config = (
            f"HostName 127.0.0.1\nPort {self.server.port}\nUser {ME}\nIdentityFile {key}\n"
            f"IdentitiesOnly yes\nIdentityAgent none\nUserKnownHostsFile {directory / 'known_hosts'}\n"
        )

    def close(self) -> None:
        """End the server."""
        self.server.close()

    def argv(self, *words: str, config: str = "") -> list[str]:
        """The program with its words; ``--`` and what follows are the command."""
        file = self.directory / "config"
        file.write_text(f"Host box\n{config}\n{self.config}")
        return [*ARGV, "run", "box", "-F", str(file), *words]

    def run(
        self, *words: str, config: str = "", given: bytes = b"", **popen: Any
    ) -> subprocess.CompletedProcess[bytes]:
        """Run it on pipes."""
        argv = self.argv(*words, config=config)
        return subprocess.run(argv, input=given, capture_output=True, timeout=SECONDS, check=False, **popen)

    def on_terminal(self, *words: str, config: str = "", **variables: str) -> Terminal:
        """Run it on a terminal of its own."""
        environment = {**os.environ, "TERM": "xterm-256color", **variables}
        return Terminal(self.argv(*words, config=config), cwd=Path.cwd(), env=environment)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[There]:
    """An account there, for all of these tests."""
    with closing(There(tmp_path_factory.mktemp("there"))) as opened:
        yield opened


def running_there(words: str) -> bool:
    """Whether a program runs whose command line has these words."""
    return any(words in " ".join(each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"]))


# -- on a terminal ---------------------------------------------------------------------------------


def test_a_shell(there: There) -> None:
    """The account's login shell, on a terminal with our TERM and our size; it echoes, ours does not."""
    with there.on_terminal() as terminal:
        before = terminal.modes
        terminal.send("echo $0 $TERM; stty size\n")
        terminal.expect(r"-\w+ xterm-256color\s+50 400\s")
        assert not terminal.echoes
        terminal.send("exit 5\n")
        assert terminal.wait() == 5
        assert terminal.modes == before


def test_the_window_is_resized(there: There) -> None:
    """The program there hears of it, as often as it happens."""
    script = "trap 'stty size' WINCH; echo ready; while :; do read -r -t 1 x; done"
    with there.on_terminal("--", "bash", "-c", script) as terminal:
        terminal.expect("ready")
        for columns, rows in ((91, 31), (92, 32)):
            resize(terminal._master, columns, rows)
            terminal.expect(f"{rows} {columns}")


def test_ctrl_c_and_ctrl_z_are_the_program_s(there: There) -> None:
    """A shell there has its job control; nothing of it concerns the shell here."""
    with there.on_terminal("--", "PS1='$ ' bash --norc -i") as terminal:
        terminal.expect(r"\$ ")
        terminal.send("sleep 1000\n")
        terminal.expect("1000")
        until(lambda: running_there("sleep 1000"))
        terminal.send("\x1a")
        terminal.expect(r"Stopped[^$]*\$ ")
        terminal.send("fg\n")
        terminal.expect("fg\r\n.*sleep 1000\r\n")
        terminal.send("\x03")
        terminal.expect(r"\^C[^$]*\$ ")
        terminal.send("exit 0\n")
        assert terminal.wait() == 0


def test_vim(there: There) -> None:
    """A full-screen editor: it opens, takes its keys, and leaves the terminal as it was."""
    file = there.directory / "poem"
    with there.on_terminal("--", "vim", "--clean", str(file)) as terminal:
        before = terminal.modes
        terminal.expect("\x1b\\[\\?1049h")
        terminal.send("ihello\x1b:wq\r")
        assert terminal.wait() == 0
        terminal.expect("\x1b\\[\\?1049l")
        assert file.read_text() == "hello\n"
        assert before == terminal.modes


def test_less(there: There) -> None:
    """A pager, with its keys."""
    with there.on_terminal("--", "seq 1 500 | less") as terminal:
        terminal.expect("^49")
        terminal.send("G")
        terminal.expect("^500")
        terminal.send("q")
        assert terminal.wait() == 0


def test_tmux(there: There) -> None:
    """A terminal multiplexer, which asks the terminal what it is."""
    tmux = ("tmux", "-S", str(there.directory / "tmux"), "-f", "/dev/null")
    with there.on_terminal("--", *tmux, "new", "echo in tmux; cat") as terminal:
        terminal.expect("\x1b\\[\\?1049h")
        terminal.expect("in tmux")
        terminal.send("typed\r")
        terminal.expect("typed")
        terminal.send("\x04")
        terminal.expect("\x1b\\[\\?1049l")
        terminal.expect("exited")
        assert terminal.wait() == 0


def test_a_menu(there: There) -> None:
    """The arrow keys choose."""
    with there.on_terminal("--", "python3", "-c", MENU) as terminal:
        terminal.expect("> red")
        terminal.send("\x1b[B")
        terminal.expect("> green")
        terminal.send("\x1b[B")
        terminal.expect("> blue")
        terminal.send("\r")
        terminal.expect("chose blue")
        assert terminal.wait() == 0


def test_a_question_to_the_terminal_is_answered_by_the_person_s(there: There) -> None:
    """What it is: the program hears what the person's terminal says, and nothing from us."""
    script = "stty raw -echo; printf '\\033[c'; head -c 7 | od -An -c"
    with there.on_terminal("--", "sh", "-c", script) as terminal:
        terminal.expect("\x1b\\[c")
        terminal.send("\x1b[?62;c")
        terminal.expect(r"033   \[   \?   6   2   ;   c")
        assert terminal.wait() == 0


def test_the_terminal_is_set_alike(there: There) -> None:
    """The characters and flags of the person's terminal are those of the program's (RFC 4254 section 8)."""
    with Terminal(
        ["sh", "-c", 'stty erase ^H intr ^G -ixon; exec "$@"', "sh", *there.argv("--", "stty -a")],
        cwd=Path.cwd(),
        env={**os.environ, "TERM": "xterm"},
    ) as terminal:
        assert terminal.wait() == 0
        assert "erase = ^H" in terminal.output
        assert "intr = ^G" in terminal.output
        assert "-ixon" in terminal.output


def test_suspend(there: There) -> None:
    """~^Z: the terminal is the shell's and as it was, until fg; then it is raw again, and the program there
    hears the size that the window has meanwhile.
    """
    shell = ["bash", "--norc", "-i"]
    with Terminal(shell, cwd=Path.cwd(), env={**os.environ, "PS1": "here> ", "TERM": "xterm"}) as terminal:
        terminal.expect("here> ")
        command = "trap 'stty size' WINCH; echo ready; while :; do read -r -t 1 x && echo got $x; done"
        argv = there.argv("--", "bash", "-c", command)
        (there.directory / "go").write_text(f"exec {shlex.join(argv)}\n")
        terminal.send(f"sh {there.directory / 'go'}\n")
        terminal.expect("ready")
        terminal.send("\r~\x1a")
        terminal.expect("Stopped")
        terminal.expect("here> ")
        resize(terminal._master, 93, 33)
        terminal.send("echo mine\n")
        terminal.expect("mine\r\n.*mine\r\n")
        terminal.send("fg\n")
        terminal.expect("33 93")
        terminal.send("again\r")
        terminal.expect("got again")
        terminal.send("\r~.")
        terminal.expect("ended by ~.")
        terminal.send("echo status $?\n")
        terminal.expect("status 4")


def test_escapes(there: There) -> None:
    """~? lists, ~~ types the character, ~. ends the connection: 4, in words; the terminal is as before."""
    with there.on_terminal("--", "echo up; cat") as terminal:
        before = terminal.modes
        terminal.expect("up")
        terminal.send("~?")
        terminal.expect("~.  +end")
        terminal.expect("beginning of a line only")
        terminal.send("~~x\r")
        terminal.expect("~x\r\n~x")
        terminal.send("~.")
        assert terminal.wait() == 4
        terminal.expect(
            "^hermes-tunnel: error: the connection to .* was ended by ~.\r\nhermes-tunnel: hint: "
        )
        assert terminal.modes == before


def test_no_escape_character(there: There) -> None:
    """EscapeChar none: a tilde is a tilde; and another one is another one."""
    with there.on_terminal("--", "echo up; cat", config="EscapeChar none") as terminal:
        terminal.expect("up")
        terminal.send("~.\r\x04")
        assert terminal.wait() == 0
        assert "~.\r\n~." in terminal.output
    with there.on_terminal("--", "echo up; cat", config="EscapeChar ^]") as terminal:
        terminal.expect("up")
        terminal.send("~.\r")
        terminal.expect("~.\r\n~.")
        terminal.send("\x1d.")
        assert terminal.wait() == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal(there: There, number: signal.Signals) -> None:
    """The terminal is as before, the program there has ended, and the status is 128 and the signal."""
    sleep = f"sleep 1000.{number.value}"
    with there.on_terminal("--", f"echo up; exec {sleep}") as terminal:
        before = terminal.modes
        terminal.expect("up")
        until(lambda: running_there(sleep))
        terminal.process.send_signal(number)
        assert terminal.wait() == 128 + number
        assert terminal.modes == before
        until(lambda: not running_there(sleep))


@pytest.mark.parametrize("options", [[], ["-tt"]], ids=["pipes", "terminal"])
def test_a_signal_while_nobody_reads(there: There, options: list[str]) -> None:
    """The output waits for a reader that has stopped; the end does not."""
    with subprocess.Popen(
        there.argv(*options, "--", "yes 1000.78"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        until(lambda: running_there("yes 1000.78"))
        assert process.stdout is not None
        process.stdout.read(10)
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(SECONDS) == 128 + signal.SIGTERM
    until(lambda: not running_there("yes 1000.78"))


HEEDS = "import os, signal, sys; signal.signal(int(sys.argv[1]), 0); os.execv(sys.argv[2], sys.argv[2:])"
"""Tests may run where a signal is ignored, as in the background of a script; a program inherits that."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda one: one.name)
def test_a_signal_without_a_terminal(number: signal.Signals) -> None:
    """It is passed on, because the program has no terminal that hangs up."""
    signals: list[str] = []

    def sleep(process: RemoteProcess) -> int:
        process.print("up")
        try:
            process.wait_for(lambda: False)
        finally:
            signals.extend(process.signals)
        return 0

    with Stage(around=lambda _: sleep) as stage:
        argv = [*ARGV, "run", HOST, "-F", str(stage.config_file), "--", "sleep"]
        heeding = [sys.executable, "-c", HEEDS, str(int(number)), *argv]
        with subprocess.Popen(heeding, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            process.send_signal(number)
            assert process.wait(SECONDS) == 128 + number
        until(lambda: signals == [number.name.removeprefix("SIG")])


def test_a_lost_connection(there: There) -> None:
    """4, in words at the beginning of a line, and the terminal as before: out of the editor's screen."""
    with there.on_terminal("--", "vim", "--clean", "-c", "set mouse=a") as terminal:
        before = terminal.modes
        terminal.expect("VIM|~")
        there.server.close_sessions()
        assert terminal.wait() == 4
        terminal.expect("\x1b\\[\\?1049l")
        terminal.expect("^hermes-tunnel: error: the connection to .* was lost")
        assert terminal.modes == before


@pytest.mark.parametrize(
    ("command", "status"),
    [("exit 0", 0), ("exit 7", 7), ("exit 255", 255), ("kill -9 $$", 137), ("nope", 127)],
)
def test_the_status_is_the_program_s(there: There, command: str, status: int) -> None:
    """Its own, or 128 and the signal that ended it; with a terminal and without."""
    with there.on_terminal("--", command) as terminal:
        assert terminal.wait() == status
        assert "hermes-tunnel" not in terminal.output
    assert there.run("--", command).returncode == status


def test_a_program_that_fails_is_not_spoken_for(there: There) -> None:
    """A port was open for its login; still, its standard error has what it said, and nothing of ours."""
    page = "https://auth.example.com/a?client_id=c&state=s&redirect_uri=http://localhost:1987/cb"
    done = there.run("--", f"echo '{page}'; sleep 1; echo no >&2; exit 3")
    assert (done.returncode, done.stderr) == (3, b"no\n")


def test_a_server_without_terminals(tmp_path: Path) -> None:
    """The program runs without one, and the person is told; their own terminal stays as it is."""
    with closing(There(tmp_path)) as there:
        config = there.server.directory / "sshd_config"
        config.write_text(f"PermitTTY no\n{config.read_text()}")
        subprocess.run(["kill", "-HUP", str(there.server._process.pid)], check=True)
        there.server.wait_for("Received SIGHUP")
        with there.on_terminal("--", "tty; exit 3") as terminal:
            assert terminal.wait() == 3
            assert "runs without a terminal" in terminal.output
            assert "not a tty" in terminal.output


def test_an_address_to_be_opened_is_not_folded(there: There) -> None:
    """It has a line to itself, with its state, however narrow the window is."""
    url = "https://auth.example.com/a?client_id=c&state=MYSTATE&redirect_uri=http://localhost:1988/callback"
    with there.on_terminal("--no-browser", "--", f"echo '{url}'; cat") as terminal:
        resize(terminal._master, 50, 20)
        terminal.expect("type ~o 1\r\n")
        terminal.send("~o 1\r")
        terminal.expect(f"yourself:\\s+{re.escape(url)}\r\n")
        terminal.send("\x04")
        assert terminal.wait() == 0


# -- without a terminal ----------------------------------------------------------------------------


def test_byte_for_byte(there: There) -> None:
    """Standard input, output and error pass unchanged and apart; the end of the input is passed on."""
    data = bytes(range(256)) * 4096
    done = there.run("--", "tee /dev/stderr", given=data)
    assert (done.returncode, done.stdout, done.stderr) == (0, data, data)


def test_input_that_nobody_reads(there: There) -> None:
    """A program may end without reading it."""
    assert there.run("--", "true", given=b"x" * 5_000_000).returncode == 0


def test_output_of_what_is_left_running(there: There) -> None:
    """As with ssh, the output lasts until everybody has closed it."""
    done = there.run("--", "(sleep 2; echo late) & echo soon")
    assert done.stdout == b"soon\nlate\n"


def test_a_reader_that_goes_away(there: There) -> None:
    """The program there ends as in a local pipe, and so do we."""
    process = subprocess.Popen(
        there.argv("--", "yes 1000.77"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.read(10)
    process.stdout.close()
    assert process.wait(SECONDS) == 128 + signal.SIGPIPE
    until(lambda: not running_there("yes 1000.77"))


def test_a_reader_of_scrubbed_output_that_goes_away(there: There) -> None:
    """With --json that is on standard error; the same holds for it."""
    process = subprocess.Popen(
        there.argv("--json", "--", "yes 1000.76"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    process.stderr.read(10)
    process.stderr.close()
    assert process.wait(SECONDS) == 128 + signal.SIGPIPE
    until(lambda: not running_there("yes 1000.76"))


def test_a_port_to_forward_is_a_port(there: There) -> None:
    """Anything else is an error of usage."""
    done = there.run("--forward", "99999", "--", "true")
    assert done.returncode == 2
    assert b"'99999'" in done.stderr


def test_no_terminal_here_none_there(there: There) -> None:
    """Unless it is forced; and with one here, -T has none there."""
    assert there.run("--", "tty").stdout == b"not a tty\n"
    assert there.run("-t", "--", "tty").stdout == b"not a tty\n"
    assert there.run("-tt", "--", "tty").stdout.startswith(b"/dev/")
    words = shlex.join(there.argv("-tt", "--", "tty; exit 3"))
    closed = subprocess.run(["bash", "-c", f"{words} <&-"], capture_output=True, timeout=SECONDS, check=False)
    assert (closed.returncode, closed.stdout[:5], closed.stderr) == (3, b"/dev/", b"")
    with there.on_terminal("-T", "--", "tty") as terminal:
        assert terminal.wait() == 1
        assert "not a tty" in terminal.output


@pytest.mark.parametrize(
    ("config", "options", "here", "expected"),
    [
        ("RequestTTY no", [], True, False),
        ("RequestTTY no", ["-t"], True, True),
        ("RequestTTY yes", [], True, True),
        ("RequestTTY yes", [], False, False),
        ("RequestTTY force", [], False, True),
        ("RequestTTY force", ["-T"], True, False),
    ],
)
def test_request_tty(there: There, config: str, options: list[str], here: bool, expected: bool) -> None:
    """As ssh_config says, unless an option says otherwise."""
    words = [*options, "--", "tty"]
    if here:
        with there.on_terminal(*words, config=config) as terminal:
            terminal.wait()
            assert ("not a tty" not in terminal.output) == expected
    else:
        assert (b"not a tty" not in there.run(*words, config=config).stdout) == expected


def test_environment(there: There) -> None:
    """SetEnv, and what SendEnv names of ours, as far as the server accepts it."""
    done = there.run(
        "--",
        "echo $RUN_A,$RUN_B,$LC_RUN,$OTHER",
        config="SetEnv RUN_A=one RUN_B=two\nSendEnv LC_* RUN_A OTHER",
        env={**os.environ, "LC_RUN": "three", "RUN_A": "ours", "OTHER": "four"},
    )
    assert done.stdout == b"one,two,three,\n"


def test_remote_command(there: There) -> None:
    """It takes the shell's place, its tokens replaced; beside a typed command it is an error, as in ssh."""
    assert there.run(config="RemoteCommand echo at %n").stdout == b"at box\n"
    done = there.run("--", "true", config="RemoteCommand echo at %n")
    assert done.returncode == 3
    assert b"RemoteCommand=none" in done.stderr
    assert there.run("-o", "RemoteCommand=none", "--", "true", config="RemoteCommand x").returncode == 0


def test_what_ssh_config_asks_for_and_is_not_done(there: There) -> None:
    """It is said once, in one line on standard error."""
    config = "ForwardAgent yes\nLocalForward 7 box:1\nRemoteForward 7 box:1\nDynamicForward 8"
    done = there.run("--", "true", config=config)
    names = b"ForwardAgent, LocalForward, RemoteForward, DynamicForward"
    assert done.stderr == b"ssh_config asks for " + names + b", which run does not do.\n"
    assert there.run("--", "true").stderr == b""


def test_json(there: There) -> None:
    """The events on standard output; the program's output, scrubbed, behind a margin on standard error."""
    done = there.run(
        "--json", "--", "printf 'a\\033]0;t\\ab\\nhermes-tunnel: error: x\\n'; echo err >&2; exit 3"
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["event"] for each in events] == ["connected", "command_started", "finished"]
    assert (events[-1]["exit_status"], events[-1]["remote_exit_status"], done.returncode) == (3, 3, 3)
    lines = done.stderr.decode().splitlines()
    assert sorted(line.strip(" |") for line in lines) == ["ab", "err", "hermes-tunnel: error: x"]
    assert not [line for line in lines if line.startswith("hermes-tunnel")]


def test_a_command_needs_its_hyphens(there: There) -> None:
    """Words behind the host may be options of ours: what to type is said."""
    done = there.run("codex", "login")
    assert done.returncode == 2
    assert b"hermes-tunnel run [USER@]HOST -- COMMAND..." in done.stderr
