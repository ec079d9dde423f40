"""The layering rules of CONTRIBUTING.md, read from the imports."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import hermes_tunnel

ROOT = Path(hermes_tunnel.__file__).parent
FILES = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in ROOT.rglob("*.py")}
TREES = {name.removesuffix(".__init__"): ast.parse(path.read_text("utf-8")) for name, path in FILES.items()}
PURE = "oauth text events errors symptoms question steps deadlines __init__"
FLOORS = [
    "cli __main__",
    "demo",
    "login tunnel",
    "conversation",
    "way_back",
    "ports",
    "terminal browser ssh remote",
    PURE,
]
ONLY = {
    "paramiko": "ssh demo way_back.channel way_back.relay",
    "sshtunnel": "ssh.forward",
    "psutil": "ports ssh.dial",
    "webbrowser": "browser",
    "click": "cli terminal.screen",
}
NOT_PURE = {"asyncio", "http", "io", "os", "pathlib", "select", "shutil", "signal", "socket", "subprocess"}
NOT_PURE |= {"tempfile", "threading", "time"}


def imports(name: str) -> set[str]:
    """Whole names of what a module imports, anywhere in it; the package's own without the package."""
    found = set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    ours = {one.removeprefix("hermes_tunnel.") for one in found if one.startswith("hermes_tunnel.")}
    rooms = {one if one in TREES else one.rpartition(".")[0] or "__init__" for one in ours}
    return rooms | {one.partition(".")[0] for one in found} - {"hermes_tunnel"}


def within(name: str, rooms: str) -> bool:
    """Whether a module is one of the rooms, or in one."""
    return any(name == room or name.startswith(f"{room}.") for room in rooms.split())


def test_arrows_point_down_without_circles() -> None:
    """A module imports from its own floor or those below it, and never itself by a detour."""
    floors = {name: [within(name, rooms) for rooms in FLOORS].index(True) for name in TREES}
    arrows = {name: imports(name) & set(TREES) - {name} for name in TREES}
    assert not [(name, one) for name in TREES for one in arrows[name] if floors[one] < floors[name]]
    TopologicalSorter(arrows).prepare()


def test_pure_modules() -> None:
    """The pure modules import nothing third-party, nothing that does I/O, and no clock."""
    for name in (name for name in TREES if within(name, PURE)):
        assert imports(name) - set(TREES) <= sys.stdlib_module_names - NOT_PURE


def test_own_rooms() -> None:
    """A library with an opinion is imported in its own room only."""
    for library, rooms in ONLY.items():
        users = {name for name in TREES if library in imports(name)}
        assert users
        assert all(within(name, rooms) for name in users)


def test_demo_origin() -> None:
    """The one exact origin that is no https page is set by the demo, and by nothing else."""
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
