"""Opening a browser, with real scripts in its place."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import hermes_tunnel
from hermes_tunnel.browser import NotStarted, check_command, open_browser
from hermes_tunnel.errors import UsageFailure

if sys.platform == "win32":
    pytest.skip("starts scripts of sh", allow_module_level=True)

URL = "https://auth.x.ai/a?b=1&c=%20$(touch%20x)'&state=s"
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


@pytest.mark.slow
def test_command_that_stays(tmp_path: Path) -> None:
    """A browser that does not exit holds nobody up."""
    program = script(tmp_path / "stays", 'read go < "$0.told"; echo "$go" > "$0.told"')
    assert open_browser(URL, str(program))
    pipe = Path(f"{program}.told")
    pipe.write_text("on\n")
    assert pipe.read_text() == "on\n"


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
    """A command that cannot be started, or fails at once, is named in the error."""
    path = tmp_path / "browser"
    if what == "a folder":
        path.mkdir()
    elif what == "not executable":
        path.write_text("#!/bin/sh\n")
    elif what == "no program":
        path.write_bytes(b"\0")
        path.chmod(0o700)
    elif what == "fails at once":
        path.write_text("#!/bin/sh\nexit 3\n")
        path.chmod(0o700)
    with pytest.raises(NotStarted, match=f"^'{path}' could not be started: {reason}$"):
        open_browser(URL, str(path))


@pytest.mark.slow
def test_a_command_that_hands_over_and_ends_has_opened_a_browser(tmp_path: Path) -> None:
    """Many commands do so if their browser already runs."""
    path = tmp_path / "browser"
    path.write_text("#!/bin/sh\nexit 0\n")
    path.chmod(0o700)
    assert open_browser(URL, str(path))


def in_environment(**environment: str) -> bool:
    """Whether a process that has only these variables opened a browser."""
    code = f"from hermes_tunnel.browser import open_browser; print(open_browser({URL!r}))"
    found = {"PYTHONPATH": str(Path(hermes_tunnel.__file__).parents[1]), **environment}
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
def test_no_browser(tmp_path: Path) -> None:
    """Without a display nothing is opened, not even a browser that would take over the terminal."""
    assert not in_environment(PATH=str(tmp_path))
    program = script(tmp_path / "w3m")
    assert not in_environment(PATH=f"{tmp_path}:{os.defpath}")
    assert not in_environment(PATH=os.defpath, BROWSER=str(program))


@pytest.mark.parametrize("command", ["", "  ", "firefox 'a", 'x "'])
def test_check_command(command: str) -> None:
    """Anything but a command line is refused before anything starts."""
    with pytest.raises(UsageFailure, match="is not a command"):
        check_command(command)


def test_check_good_command() -> None:
    """A command line is accepted, installed or not."""
    check_command("firefox --new-window '%s'")
