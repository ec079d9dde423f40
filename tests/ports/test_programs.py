"""What a program is, judging by its command line."""

import pytest

from hermes_tunnel.ports.programs import Role, base_name, role_of


@pytest.mark.parametrize(
    ("argv", "role"),
    [
        (["/usr/bin/ssh", "-N", "-L", "1:h:1", "hermes"], Role.SSH_FORWARD),
        (["C:\\Windows\\System32\\OpenSSH\\ssh.exe", "-L", "1:h:1"], Role.SSH_FORWARD),
        (["/venv/bin/python", "/venv/bin/hermes", "auth", "add", "spotify"], Role.HERMES),
        (["python3.12", "-X", "dev", "-u", "-m", "hermes_cli.main"], Role.HERMES),
        (["python3", "-m", "hermes_tunnel", "login", "spotify", "h"], Role.HERMES_TUNNEL),
        (["C:\\v\\python.exe", "C:\\v\\Scripts\\hermes-tunnel.exe", "login"], Role.HERMES_TUNNEL),
        (["node", "/usr/lib/node_modules/@openai/codex/bin/codex", "login"], Role.CODEX),
        (["codex-x86_64-unknown-linux-musl", "login"], Role.CODEX),
        (["/home/ana/.vscode-server/bin/1/node", "--x", "out/server-main.js"], Role.EDITOR),
        (["Code Helper (Plugin)"], Role.EDITOR),
        (["Google Chrome Helper"], Role.BROWSER),
        (["wslrelay.exe"], Role.CONTAINER),
        (["svchost.exe"], Role.SERVICE),
        (["/usr/bin/python3", "-c", "ssh"], Role.OTHER),
        (["python3", "/home/hermes/server.py"], Role.OTHER),
        (["python3"], Role.OTHER),
        (["codecov"], Role.OTHER),
        (["vim", "hermes"], Role.OTHER),
    ],
)
def test_role(argv: list[str], role: Role) -> None:
    """What counts is the program, or what an interpreter runs, not other arguments or folders."""
    assert role_of(base_name(argv[0]), argv) is role


def test_role_behind_a_title() -> None:
    """A program that has a title for a command line, like ssh's master, is known by its name."""
    assert role_of("ssh", ["ssh: /home/ana/.ssh/mux [mux]"]) is Role.SSH_FORWARD


def test_role_without_a_command_line() -> None:
    """If the system withholds the command line, the name has to do."""
    assert role_of("wslrelay.exe", []) is Role.CONTAINER
    assert role_of("", []) is Role.OTHER
