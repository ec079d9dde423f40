"""Signals in every phase: everything is undone, the terminal is as it was, the status says which one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.cli.program import ARGV
from tests.ssh.sshd import PROGRAM, Sshd
from tests.stage.ssh_server import Account
from tests.stage.stage import HOST, USER, Stage
from tests.stage.variations import stays
from tests.terminal.pseudo_terminal import until

if sys.platform == "win32" or shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.lab.terminal import Terminal

pytestmark = pytest.mark.slow

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
# Phase: the options that lead there, and what the terminal shows once it is reached.
PHASES = {
    "connecting": (["-p", "SILENT"], ""),
    "host key": (
        ["-o", "UserKnownHostsFile=/dev/null", "-o", "StrictHostKeyChecking=ask"],
        r"fingerprint\]\)\? ",
    ),
    "password": (["-o", "PubkeyAuthentication=no"], r"assword: "),
    "waiting": ([], "Waiting for Hermes there to start"),
}


@contextmanager
def running(phase: str) -> Iterator[tuple[Terminal, Stage]]:
    """A login that has reached a phase."""
    account = Account(USER, password="open sesame")
    with (
        Stage(login=lambda _: stays(), account=account) as stage,
        socket.create_server(("127.0.0.1", 0)) as silent,
    ):
        silent.settimeout(10)
        options, seen = PHASES[phase]
        port = str(silent.getsockname()[1])
        words = [port if word == "SILENT" else word for word in options]
        argv = [*ARGV, "login", "xai-oauth", HOST, "-F", str(stage.config_file), *words]
        with Terminal(argv, cwd=Path.cwd(), env={**os.environ, "TERM": "xterm"}) as terminal:
            if phase == "connecting":
                silent.accept()[0].detach()
            else:
                terminal.expect(seen)
            yield terminal, stage


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_one_signal_unwinds(phase: str, number: signal.Signals) -> None:
    """The terminal echoes again, nothing runs there any more, and the status is 128 plus the signal."""
    with running(phase) as (terminal, stage):
        if phase == "password":
            assert not terminal.echoes
        terminal.process.send_signal(number)
        assert terminal.wait(10) == STATUS[number], terminal.output
        assert terminal.echoes
        assert stage.server.running == []
        assert "fault" not in terminal.output
        said = terminal.output.rstrip().endswith("Stopped. Hermes there was ended.")
        assert said == (phase == "waiting")


@pytest.mark.skipif(PROGRAM is None, reason="there is no sshd on this machine")
@pytest.mark.parametrize(
    ("question", "status", "words"),
    [("fingerprint", 4, "was lost"), ("assword: ", 6, "stopped waiting for the answer")],
)
def test_a_server_that_stops_waiting_ends_the_question(
    question: str, status: int, words: str, tmp_path: Path
) -> None:
    """LoginGraceTime passes while the person thinks: no key needs pressing, and the echo is back on.

    Before a credential is asked for, nobody can be too slow with one: the connection was lost.
    """
    server = Sshd(tmp_path / "sshd", "LoginGraceTime 2", "PasswordAuthentication yes")
    known_hosts = tmp_path / "known_hosts"
    known_hosts.write_text("" if question == "fingerprint" else server.known_hosts_line())
    options = ["-F", os.devnull, "-o", f"UserKnownHostsFile={known_hosts}", "-o", "IdentityFile=none"]
    argv = [*ARGV, "login", "xai-oauth", "127.0.0.1", "-p", str(server.port), *options]
    environment = {**os.environ, "TERM": "xterm", "SSH_AUTH_SOCK": ""}
    try:
        with Terminal(argv, cwd=Path.cwd(), env=environment) as terminal:
            terminal.expect(question)
            assert terminal.wait(10) == status, terminal.output
            assert words in terminal.output
            assert terminal.echoes
    finally:
        server.close()


def test_ctrl_d_at_a_password() -> None:
    """Whoever gives no answer at a terminal is not told to use a terminal."""
    with running("password") as (terminal, _):
        terminal.send("\x04")
        assert terminal.wait(10) == 6
        assert "hint: answer it, or use a key: -i FILE, or ssh-add" in terminal.output
        assert terminal.echoes


def test_ctrl_c_while_the_browser_is_waited_for() -> None:
    """The demo ends with 130, and its port is free at once."""
    with Terminal(
        [*ARGV, "demo"], cwd=Path.cwd(), env={**os.environ, "TERM": "xterm", "BROWSER": ""}
    ) as terminal:
        port = int(terminal.expect(r"The tunnel is open: port (\d+)")[1])
        terminal.expect("Waiting for your browser, 2:5")
        terminal.send("\x03")
        assert terminal.wait(10) == 130
        assert "Stopped. The port is closed, and Hermes there was ended." in terminal.output
        socket.create_server(("127.0.0.1", port)).close()


def test_a_terminal_that_is_gone_does_not_change_the_status() -> None:
    """When a window closes on a job that ignores it (nohup(1)), what cannot be shown is not a fault."""
    master, slave = os.openpty()
    with socket.create_server(("127.0.0.1", 0)) as server:
        arguments = ["login", "xai-oauth", "127.0.0.1", "-p", str(server.getsockname()[1]), "-F", "none"]
        argv = ["setsid", "--ctty", "sh", "-c", 'trap "" HUP; exec "$@"', "sh", *ARGV, *arguments]
        with subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave) as process:
            os.close(slave)
            connection, _ = server.accept()
            os.close(master)
            connection.close()
            assert process.wait(20) == 4


def test_a_second_signal_leaves_no_key_behind(tmp_path: Path) -> None:
    """It ends the program at once, with no time to unwind; the demo's directory still goes."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "BROWSER": "", "TERM": "xterm"}
    with Terminal([*ARGV, "demo"], cwd=Path.cwd(), env=environment) as terminal:
        terminal.expect("Waiting for your browser, 2:5")
        assert list(tmp_path.glob("hermes-tunnel-demo-*/id_ed25519"))
        for number in (signal.SIGTERM, signal.SIGINT):
            terminal.process.send_signal(number)
        assert terminal.wait(10) in (130, 143)
        assert terminal.echoes
    assert list(tmp_path.iterdir()) == []


def test_a_hang_up_that_is_ignored_stays_so() -> None:
    """Under nohup(1) a hang-up ends nothing."""
    argv = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *ARGV, "demo", "--approve"]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(argv, text=True, stdin=nothing, stdout=nothing, stderr=pipe) as demo:
        assert demo.stderr is not None
        assert demo.stderr.readline().startswith("A demo:")
        demo.send_signal(signal.SIGHUP)
        demo.communicate(timeout=30)
        assert demo.returncode == 0


TWICE = """
import os, signal, sys
from hermes_tunnel.cli.signals import Signals
number = int(sys.argv[1])
signal.signal(number, signal.SIG_DFL)  # it may be ignored where the tests run
with Signals() as signals:
    os.kill(os.getpid(), number)
os.kill(os.getpid(), number)
sys.exit(128 + signals.number)
"""


@pytest.mark.parametrize("number", STATUS)
def test_a_second_signal_after_the_teardown_leaves_the_status(number: signal.Signals) -> None:
    """The first signal's status stands."""
    done = subprocess.run([sys.executable, "-c", TWICE, str(int(number))], check=False)
    assert done.returncode == STATUS[number]


WITHOUT_TERMIOS = """
import sys
from hermes_tunnel.cli.signals import Signals
sys.modules["termios"] = None
sys.platform = "win32"
with Signals():
    pass
"""


def test_signals_are_heard_where_there_is_no_termios() -> None:
    """On Windows the terminal has no mode to note, and signals are heard all the same."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_TERMIOS], check=False, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, b"")


AT_ONCE = """
import os, signal, sys, types
from hermes_tunnel.cli.signals import Signals
if sys.argv[1] == "half imported":
    sys.modules["hermes_tunnel.terminal.mode"] = types.ModuleType("hermes_tunnel.terminal.mode")
else:
    master, slave = os.openpty()
    os.dup2(slave, 0)
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it may be ignored where the tests run
with Signals():
    if sys.argv[1] == "hung up":
        os.close(master)
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.parametrize("moment", ["half imported", "hung up"])
def test_nothing_prevents_a_second_signal(moment: str) -> None:
    """It ends the program even in the middle of the imports, and when the terminal is gone."""
    argv = ["setsid", sys.executable, "-c", AT_ONCE, moment]
    done = subprocess.run(argv, check=False, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (143, b"")


def test_a_second_signal_ends_a_program_that_cannot_print_its_error() -> None:
    """Nobody reads the full pipe: a second signal ends the program, with the status that it had reached."""
    read, write = os.pipe()
    os.set_blocking(write, False)
    with suppress(BlockingIOError):
        while True:
            os.write(write, b" ")
    os.set_blocking(write, True)
    with socket.create_server(("127.0.0.1", 0)) as closing:
        arguments = ["127.0.0.1", "-p", str(closing.getsockname()[1]), "-F", "none", "-q", "--json"]
        argv = ["env", "--default-signal=INT,TERM", *ARGV, "login", "xai-oauth", *arguments]
        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        with subprocess.Popen(argv, stdin=nothing, stdout=pipe, stderr=write) as process:
            assert process.stdout is not None
            closing.accept()[0].close()
            said = json.loads(process.stdout.readline())
            for number in (signal.SIGTERM, signal.SIGINT):
                process.send_signal(number)
            try:
                assert process.wait(10) == said["exit_status"] == 4
            finally:
                process.kill()
    os.close(read)
    os.close(write)


HEARD_BEFORE = """
import os, signal, sys
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.cli.verbs import run
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # it may be ignored where the tests run
with Signals() as signals:
    os.kill(os.getpid(), signal.SIGTERM)
    status = run(["port", "50000"], signals)
sys.exit(status)
"""


def test_a_look_at_a_port_hears_a_signal() -> None:
    """A signal during the imports ends even a short look."""
    done = subprocess.run([sys.executable, "-c", HEARD_BEFORE], check=False, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (143, b"", b"")


def children(process: subprocess.Popen[str], name: str) -> list[psutil.Process]:
    """The programs of a name that a process has started."""
    return [one for one in psutil.Process(process.pid).children(recursive=True) if one.name() == name]


@pytest.mark.skipif(shutil.which("ssh") is None, reason="ssh reads the configuration")
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
@pytest.mark.parametrize(
    "line", ['Match exec "sleep 60 & sleep 60; true"', "ProxyCommand sh -c 'sleep 60 & sleep 60; true'"]
)
def test_a_signal_ends_what_ssh_config_runs(
    tmp_path: Path, line: str, number: signal.Signals, status: int
) -> None:
    """What hangs neither keeps the program from ending nor is left behind, with all that it has started."""
    config = tmp_path / "config"
    config.write_text(f"{line}\n  User nobody\n")
    argv = ["env", "--default-signal=TERM,INT", *ARGV, "login", "xai-oauth", "box", "-F", str(config)]
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(argv, text=True, stdin=nothing, stderr=pipe) as process:
        until(lambda: len(children(process, "sleep")) == 2)
        started = children(process, "sleep")
        process.send_signal(number)
        _, said = process.communicate(timeout=10)
        assert (process.returncode, said) == (status, "")
        _, left = psutil.wait_procs(started, 1)
        # A zombie that init has not collected yet has ended, too.
        running = [
            one for one in psutil.process_iter(["status"]) if one.info["status"] != psutil.STATUS_ZOMBIE
        ]
        assert [one for one in left if one in running] == []


TOLD = """
import sys, threading
import click
from hermes_tunnel.cli.options import Output
from hermes_tunnel.cli.report import Report
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.errors import NetworkFailure
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard

class Panic(BaseException): pass

def run(decider):
    if sys.argv[1] == "of a library": raise Panic
    thread = threading.Thread(target=lambda: 1 / 0)
    thread.start()
    thread.join()
    raise NetworkFailure("the connection was lost")

with Signals() as signals, click.Context(click.Command("login"), obj=signals):
    report = Report(Console(sys.stderr, Keyboard(None)), Output(as_json=True))
    sys.exit(report.conclude(run))
"""


@pytest.mark.parametrize(("fault", "name"), [("of a library", "Panic"), ("beside", "ZeroDivisionError")])
def test_a_fault_is_reported_as_one(fault: str, name: str) -> None:
    """Even if it is no ``Exception``, or comes with a failure: the status is 1, and the error names it."""
    done = subprocess.run([sys.executable, "-c", TOLD, fault], check=False, capture_output=True, text=True)
    assert json.loads(done.stdout)["exit_status"] == done.returncode == 1
    assert done.stderr.startswith(f"hermes-tunnel: error: a fault of this program: {name} at ")


def hears_signals(process: subprocess.Popen[str]) -> bool:
    """Whether the process catches SIGTERM (proc(5)), which Python by itself does not, or has ended."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    caught = next((line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:")), "0")
    return bool(int(caught, 16) >> (signal.SIGTERM - 1) & 1) or process.poll() is not None


@contextmanager
def signalled(number: signal.Signals, delay: float, *arguments: str) -> Iterator[tuple[int, str, str]]:
    """A run that gets a signal some seconds after it can hear one: its status, and what it printed."""
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    argv = ["env", "--default-signal=HUP,INT,TERM", *ARGV, *arguments]
    with subprocess.Popen(argv, text=True, stdin=nothing, stdout=pipe, stderr=pipe) as process:
        until(lambda: hears_signals(process))
        threading.Event().wait(delay)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        yield process.returncode, out, err


MOMENTS = [step / 20 for step in range(12)]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="sees in /proc which signals are caught")
@pytest.mark.parametrize("delay", MOMENTS)
def test_a_signal_is_never_lost(delay: float) -> None:
    """During the imports or while connecting, the status is that of the signal, and nothing else is said."""
    number = list(STATUS)[MOMENTS.index(delay) % len(STATUS)]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = str(silent.getsockname()[1])
        arguments = ["login", "xai-oauth", "127.0.0.1", "-p", port, "-F", "none"]
        with signalled(number, delay, *arguments) as (status, out, err):
            assert status == STATUS[number], err
            assert (out, err) == ("", "")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="sees in /proc which signals are caught")
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_last_event_has_the_status_of_the_process(moment: float) -> None:
    """Whenever a signal comes, even at the end: a login that is reported as done ends with that status."""
    number = list(STATUS)[MOMENTS.index(moment) % len(STATUS)]
    with signalled(number, moment + 0.25, "demo", "--approve", "--json") as (status, out, err):
        last = json.loads(out.splitlines()[-1])
        assert last["event"] == "finished"
        assert last["exit_status"] == status
        assert status in (0, STATUS[number])
        assert "Traceback" not in err


FAULT = """
import sys, threading
from hermes_tunnel.cli.signals import Signals
from hermes_tunnel.conversation.decider import Decider, Fault
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
decider = Decider(Console(sys.stderr, Keyboard(None)), lambda _: None)
with Signals() as signals:
    signals.heard_by(lambda _: None, lambda problem: decider.mailbox.put(Fault(problem)))
    threading.Thread(target=lambda: 1 / 0).start()
    try:
        decider.next(20)
    except ZeroDivisionError:
        sys.exit(7)
"""


def test_a_fault_in_a_thread_is_heard_though_sigint_is_ignored() -> None:
    """Even in a script's background job the decider has it at once."""
    program = ["sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", FAULT]
    done = subprocess.run(program, stdin=subprocess.DEVNULL, check=False, timeout=15)
    assert done.returncode == 7
