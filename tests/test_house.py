"""The layering rules of CONTRIBUTING.md, read from the imports."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import hermes_tunnel

ROOT = Path(hermes_tunnel.__file__).parent
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
TREES = {name.removesuffix(".__init__"): ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
PURE = "oauth text events errors question steps symptoms deadlines __init__"
# Which rooms, or modules of a room, a room may import besides itself, in the order of the floors: nothing
# knows what is above it. The command line is at the top, and may import everything.
EVERYTHING = "cli"
ARROWS = {
    "demo": "",
    "login": (
        "conversation errors events oauth remote ssh.config.chain ssh.connection ssh.dial way_back.delivery"
    ),
    "run": (
        "conversation errors events remote ssh.config.chain ssh.connection ssh.dial terminal.escapes "
        "terminal.raw"
    ),
    "tunnel": "conversation errors events oauth ports.person question remote ssh.config.chain steps way_back",
    "conversation": (
        "browser clipboard deadlines errors events oauth ports.person ports.taken question remote "
        "ssh.config.chain ssh.connect ssh.connection ssh.dial steps terminal text watching way_back"
    ),
    "watching": "oauth text",
    "way_back": "deadlines errors events oauth ports remote.call ssh.connection ssh.forward steps",
    "ports": "errors question steps text",
    "remote": "deadlines errors oauth question ssh.connection text",
    "terminal": "errors events question text",
    "browser": "errors text",
    "clipboard": "",
    "log_file": "errors text",
    "ssh": "deadlines errors events question text",
    "oauth": "deadlines errors text",
    "steps": "question",
    "events": "text",
    "symptoms": "",
    "question": "",
    "deadlines": "",
    "errors": "",
    "text": "",
    "__init__": "",
}
ONLY = {
    "paramiko": "ssh demo",
    "sshtunnel": "ssh.forward",
    "psutil": "ports ssh.child ssh.dial",
    "click": "cli terminal.layout terminal.screen",
    "segno": "terminal.qr",
    "pyte": "watching.emulator",
    "wcwidth": "watching.emulator",
}
NOT_PURE = {"asyncio", "http", "io", "os", "pathlib", "select", "shutil", "signal", "socket", "subprocess"}
NOT_PURE |= {"tempfile", "threading", "time"}


def imports(tree: ast.Module) -> set[str]:
    """The full names of all that a module imports, anywhere in it; the package's own without the package."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {one.removeprefix("hermes_tunnel.") for one in found if one.startswith("hermes_tunnel.")}
    rooms = {one if one in TREES else one.rpartition(".")[0] or "__init__" for one in ours}
    return rooms | {one.partition(".")[0] for one in found} - {"hermes_tunnel"}


def forbidden(trees: dict[str, ast.Module]) -> set[tuple[str, str]]:
    """The imports that ARROWS does not allow."""
    found = set()
    for name, tree in trees.items():
        room = name.partition(".")[0]
        if room not in (EVERYTHING, "__main__"):
            allowed = f"{room} {ARROWS[room]}"
            found |= {(name, one) for one in imports(tree) & set(TREES) if not within(one, allowed)}
    return found


def within(name: str, rooms: str) -> bool:
    """Whether a module is one of the rooms, or inside one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms.split())


def test_arrows_point_down_without_circles() -> None:
    """A room imports only allowed rooms below it, and no module imports itself by a detour."""
    assert forbidden(TREES) == set()
    rooms = list(ARROWS)
    for room, others in ARROWS.items():
        assert all(rooms.index(one.partition(".")[0]) > rooms.index(room) for one in others.split())
    TopologicalSorter({name: imports(TREES[name]) & set(TREES) - {name} for name in TREES}).prepare()


def test_no_arrow_is_allowed_that_nobody_needs() -> None:
    """A leftover permission would let a wrong import pass."""
    for room, others in ARROWS.items():
        used = set().union(*(imports(tree) for name, tree in TREES.items() if within(name, room)))
        assert [one for one in others.split() if not any(within(each, one) for each in used)] == []


@pytest.mark.parametrize(
    ("room", "line"),
    [
        ("terminal.screen", "from hermes_tunnel.ssh import connect"),
        ("ssh.dial", "from hermes_tunnel.oauth.states import State"),
        ("demo.stage", "from hermes_tunnel.login import login"),
        ("ports.room", "import hermes_tunnel.terminal.console"),
        ("way_back.gate", "from hermes_tunnel.conversation.decider import Decider"),
        ("conversation.link", "from hermes_tunnel.ssh.transport import Transport"),
    ],
)
def test_a_wrong_arrow_is_found(room: str, line: str) -> None:
    """The rules do find one."""
    assert [name for name, _ in forbidden({room: ast.parse(line)})] == [room]


def test_pure_modules() -> None:
    """The pure modules import no third party, nothing that does I/O, and no clock."""
    for name in (name for name in TREES if within(name, PURE)):
        assert imports(TREES[name]) - set(TREES) <= sys.stdlib_module_names - NOT_PURE


def test_own_rooms() -> None:
    """A library with opinions is imported only in its own room."""
    for library, rooms in ONLY.items():
        users = {name for name in TREES if library in imports(TREES[name])}
        assert users
        assert all(within(name, rooms) for name in users)


def test_demo_origin() -> None:
    """Only the demo sets the one exact origin that is not https."""
    for name, tree in TREES.items():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        setters = {
            ast.unparse(call.func) for call in calls if "origin" in {word.arg for word in call.keywords}
        }
        setters |= {ast.unparse(call.func) for call in calls} & {"with_origin"}
        allowed = {"demo": {"with_origin"}, "cli.demo": {"with_origin"}, "remote.hermes": {"replace"}}
        assert setters - {"response.page_response"} <= allowed.get(name, set())


def test_exits() -> None:
    """Only the command line exits."""
    for name, tree in TREES.items():
        calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
        exits = calls & {"sys.exit", "os._exit", "exit", "quit", "SystemExit"}
        assert within(name, "cli __main__") or not exits
