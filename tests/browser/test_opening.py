"""Opening a browser, with real scripts in its place."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import hermes_tunnel
from hermes_tunnel.browser.machine import Machine
from hermes_tunnel.browser.opening import open_browser
from hermes_tunnel.text import quote

if sys.platform == "win32":
    pytest.skip("starts scripts of sh", allow_module_level=True)

ROOT = str(Path(hermes_tunnel.__file__).parents[1])
URL = "https://auth.x.ai/a?b=1&c=%20$(touch%20x)'&state=s"
elsewhere = pytest.mark.skipif(sys.platform == "darwin", reason="it needs no display, and has open(1)")
TALKS = 'echo NOISE; echo NOISE >&2; read line; printf "%s\\n" "$line" "$@" > "$0.told"'


def script(path: Path, body: str = TALKS) -> Path:
    """A program that prints, tries to read, and then writes into a pipe how it was called."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    os.mkfifo(f"{path}.told")
    return path


def told(path: Path) -> list[str]:
    """What the program wrote, once it has: what it read, then its words."""
    return Path(f"{path}.told").read_text().splitlines()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("", [URL]),
        ("--new-window", ["--new-window", URL]),
        ("'two words'", ["two words", URL]),
        ("--app=%s --quiet", [f"--app={URL}", "--quiet"]),
        ("-x %s %s", ["-x", URL, URL]),
    ],
)
def test_command(tmp_path: Path, words: str, expected: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    """The person's command gets the URL for %s or last, and has no terminal; its output goes nowhere."""
    program = script(tmp_path / "my browser")
    assert open_browser(URL, f"'{program}' {words}")
    assert told(program) == ["", *expected]
    assert capfd.readouterr() == ("", "")


def program(path: Path, body: str) -> Path:
    """A program."""
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o700)
    return path


def opened(command: str, seconds: float = 5.0) -> tuple[bool, list[str]]:
    """Whether commands opened a browser, and what was told meanwhile."""
    words: list[str] = []
    return open_browser(URL, command, tell=words.append, seconds=seconds), words


@pytest.mark.slow
def test_command_that_stays(tmp_path: Path) -> None:
    """A browser that does not exit holds nobody up, may print what it likes, and leaves no zombie."""
    talk = 'dd if=/dev/zero bs=65536 count=4 >&2 && echo "$$" > "$0.told"; read go < "$0.told"'
    path = script(tmp_path / "stays", f"sleep 0.3; {talk}; exit 3")
    assert opened(str(path), 0.1) == (True, [])
    pipe = Path(f"{path}.told")
    process = psutil.Process(int(pipe.read_text()))
    assert os.getsid(process.pid) == process.pid != os.getsid(0)
    pipe.write_text("on\n")
    while psutil.pid_exists(process.pid):  # a zombie that nobody waits for does exist
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("missing", "No such file or directory"),
        ("a folder", "Permission denied"),
        ("not executable", "Permission denied"),
        ("no program", "Exec format error"),
        ("fails at once", "it ended with status 3"),
    ],
)
def test_no_such_command(tmp_path: Path, what: str, reason: str) -> None:
    """A command that cannot be started, or fails at once, is named in the reason."""
    path = tmp_path / "browser"
    if what == "a folder":
        path.mkdir()
    elif what == "not executable":
        path.write_text("#!/bin/sh\n")
    elif what == "no program":
        path.write_bytes(b"\0")
        path.chmod(0o700)
    elif what == "fails at once":
        program(path, "exit 3")
    assert opened(str(path)) == (False, [f"{quote(str(path))} could not be started: {reason}."])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo first >&2; echo; echo 'no display.' >&2; echo >&2; exit 1", "ended with status 1: no display"),
        ("printf 'no\\033[2J\\033]0;x\\007 display' >&2; exit 1", "ended with status 1: no display"),
        ('echo "cannot open $1" >&2; exit 4', f"ended with status 4: cannot open {URL[:-1]}[hidden]"),
        (
            'yes "$1" | head -c 200000 >&2; echo >&2; echo "x=$1" >&2; exit 4',
            f"status 4: x={URL[:-1]}[hidden]",
        ),
        ("yes x | tr -d '\\n' | head -c 100000 >&2; exit 4", f"status 4: {'x' * 200}"),
        ("kill -9 $$", "signal 9 ended it"),
    ],
)
def test_a_command_that_fails_gives_its_reason(tmp_path: Path, body: str, reason: str) -> None:
    """The last line of its errors, without escapes and secrets; what it prints else is not shown."""
    found, (words,) = opened(str(program(tmp_path / "browser", body)))
    assert not found
    assert words.endswith(f"{reason}.")


@pytest.mark.slow
def test_the_next_is_tried(tmp_path: Path) -> None:
    """Until one opens; those after it are left alone."""
    fails = program(tmp_path / "fails", "echo no >&2; exit 1")
    opens = program(tmp_path / "opens", 'echo "$1" > "$0.url"')
    never = program(tmp_path / "never", 'touch "$0.ran"')
    assert opened(f"{tmp_path}/missing:{fails} -x:{opens}:{never}") == (
        True,
        [
            f"'{tmp_path}/missing' could not be started: No such file or directory.",
            f"'{fails}' could not be started: it ended with status 1: no.",
        ],
    )
    assert Path(f"{opens}.url").read_text() == f"{URL}\n"
    assert not Path(f"{never}.ran").exists()


@pytest.mark.slow
@pytest.mark.parametrize("nothing", ["none", "true", "echo"])
def test_what_opens_nothing_is_not_said_to_have_opened(
    tmp_path: Path, nothing: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """It ends the search, and nothing of it reaches the screen."""
    never = program(tmp_path / "never", 'touch "$0.ran"')
    words = [f"Nothing was opened: '{nothing}' opens no browser."]
    assert opened(f"{nothing}:{never}") == (False, words)
    missing = f"{tmp_path}/missing"
    assert opened(f"{missing}:{nothing}")[1][1:] == words
    assert capfd.readouterr() == ("", "")
    assert not Path(f"{never}.ran").exists()


@pytest.mark.slow
def test_a_command_that_hands_over_and_ends_has_opened_a_browser(tmp_path: Path) -> None:
    """Many commands do so if their browser already runs."""
    assert opened(str(program(tmp_path / "browser", "exit 0"))) == (True, [])


@pytest.mark.slow
def test_explorer_always_ends_with_1(tmp_path: Path) -> None:
    """In WSL people have it in ``$BROWSER``."""
    assert opened(str(program(tmp_path / "explorer.exe", "exit 1"))) == (True, [])


@pytest.mark.slow
def test_no_command_gets_our_terminal(tmp_path: Path) -> None:
    """Not even one that insists, as a text browser behind a script does."""
    insists = program(tmp_path / "insists", "echo no > /dev/tty; echo $? > $0.told; echo no; echo no >&2")
    opens = f"from hermes_tunnel.browser.opening import open_browser; print(open_browser('x', '{insists}'))"
    code = f"import pty, sys; pty.spawn([sys.executable, '-c', {opens!r}])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": ROOT, "PATH": os.environ["PATH"]},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert done.stdout == b"True\r\n"
    assert Path(f"{insists}.told").read_text() != "0\n"


@pytest.mark.slow
def test_a_named_text_browser_is_not_started_here(tmp_path: Path) -> None:
    """It is told why, and the next is tried."""
    text = program(tmp_path / "w3m", 'touch "$0.ran"')
    opens = program(tmp_path / "opens", "exit 0")
    words: list[str] = []
    there = Machine(environment={"PATH": os.defpath})
    assert open_browser(URL, f"{text}:{opens}", tell=words.append, machine=there)
    assert words == [f"'{text}' could not be started: it is a text browser, and this terminal is taken."]
    assert not Path(f"{text}.ran").exists()


def in_environment(**environment: str) -> bool:
    """Whether a process that has only these variables opened a browser."""
    code = f"from hermes_tunnel.browser.opening import open_browser; print(open_browser({URL!r}))"
    found = {"PYTHONPATH": ROOT, **environment}
    done = subprocess.run([sys.executable, "-c", code], env=found, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert done.stdout in ("True\n", "False\n")
    return done.stdout == "True\n"


@pytest.mark.slow
def test_variable(tmp_path: Path) -> None:
    """Without a command, BROWSER is honoured."""
    program = script(tmp_path / "browser")
    with subprocess.Popen(["cat", f"{program}.told"], stdout=subprocess.PIPE, text=True) as reader:
        assert in_environment(BROWSER=str(program), PATH=os.defpath)
        assert reader.stdout is not None
        assert reader.stdout.read().splitlines() == ["", URL]


@pytest.mark.slow
@elsewhere
def test_no_browser(tmp_path: Path) -> None:
    """Without a display nothing is opened, not even a browser that would take over the terminal."""
    assert not in_environment(PATH=str(tmp_path))
    program = script(tmp_path / "w3m")
    assert not in_environment(PATH=f"{tmp_path}:{os.defpath}")
    assert not in_environment(PATH=os.defpath, BROWSER=str(program))


@pytest.mark.slow
@elsewhere
def test_of_the_system(tmp_path: Path) -> None:
    """What the system has for it opens; it looks for browsers with a window only, and not for itself."""
    opens = program(tmp_path / "xdg-open", 'echo "$1 $BROWSER" > "$0.told"')
    path = f"{tmp_path}:{os.defpath}"
    for variable in ("", str(opens)):
        assert in_environment(PATH=path, DISPLAY=":0", BROWSER=variable)
        url, browsers = Path(f"{opens}.told").read_text().split()
        assert url == URL
        assert browsers.startswith("x-www-browser:firefox:")
        Path(f"{opens}.told").unlink()
    assert not in_environment(PATH=path)
    program(opens, "echo no >&2; exit 3")
    program(tmp_path / "x-www-browser", 'echo "$1" > "$0.told"')
    assert in_environment(PATH=path, DISPLAY=":0")
    assert Path(f"{tmp_path}/x-www-browser.told").read_text() == f"{URL}\n"
