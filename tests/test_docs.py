"""The pages say what the code does."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from hermes_tunnel import errors, events
from hermes_tunnel.cli.verbs import cli
from hermes_tunnel.errors import ExitStatus, Failure
from hermes_tunnel.oauth.effects import Outcome
from tests import diagram

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hermes_tunnel"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("tests/**/*.md")])
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
REFERENCE = (ROOT / "docs" / "reference.md").read_text("utf-8")
HOW_IT_WORKS = (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
SIGNALS = {129, 130, 143}  # 128 and SIGHUP, SIGINT, SIGTERM

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def without_code(text: str) -> str:
    """The prose: no fenced block, no code span."""
    return re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def anchors(text: str) -> set[str]:
    """The fragments that a Markdown viewer assigns to the headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    """The file is there, and the heading in it, if one is named."""
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text("utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, fragment = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        assert not fragment or fragment in anchors(target.read_text("utf-8")), link


@by_name
def test_every_file_that_is_named_exists(document: Path) -> None:
    """A path in a code span is in the repository or the package."""
    for path in re.findall(
        r"`((?:[\w.-]+/)*[\w-]+\.(?:py|sh|toml|lock|md)|scripts/[a-z-]+)`", document.read_text("utf-8")
    ):
        assert (ROOT / path).exists() or (PACKAGE / path).exists(), path


def help_of(*verb: str) -> str:
    """What --help prints."""
    return CliRunner().invoke(cli, [*verb, "--help"]).output


HELP = {
    verb: help_of(verb)
    for verb in re.findall(r"^  ([a-z]+)  ", help_of().partition("Verbs:")[2], re.MULTILINE)
}


def is_option(option: str, text: str) -> bool:
    """Whether a help text lists the option."""
    return re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", text) is not None


@by_name
def test_every_verb_and_option_that_is_named_exists(document: Path) -> None:
    """In one of our command lines the verb has the option; an option by itself belongs to some verb."""
    text = document.read_text("utf-8")
    for verb, rest in re.findall(r"(?:\$ |`|hint:.*: )hermes-tunnel ([a-z]+)\b([^`;\n]*)", text):
        assert verb in HELP, verb
        for option in re.findall(r"(?<=\s)--?[a-zA-Z][\w-]*", rest.partition(" -- ")[0]):
            assert is_option(option, HELP[verb]), f"{verb} {option}"
    for option in re.findall(r"`(--?[a-zA-Z][\w-]*)(?: [^`]*)?`", text):
        assert is_option(option, "".join(HELP.values())), option


def literals(node: ast.expr) -> Iterator[str]:
    """The fixed parts of a message, in order, without those that are there only sometimes."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        for value in node.values:
            yield from literals(value)
    elif isinstance(node, ast.BinOp):
        yield from literals(node.left)
        yield from literals(node.right)


def messages() -> Iterator[tuple[ExitStatus, tuple[str, ...]]]:
    """The exit status of every failure that the package makes, and the fixed parts of its message.

    A ``Refusal`` will be a ``NoWayBack``; a ``partial`` makes the failure that is its first argument.
    """
    kinds = {
        name: kind.status
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, Failure)
    }
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                if node.func.id in kinds:
                    for message in alternatives(node.args[0]):
                        yield kinds[node.func.id], parts(message)
                elif node.func.id == "Refusal":
                    yield ExitStatus.NO_WAY_BACK, parts(node.args[1])
                elif node.func.id == "partial" and ast.unparse(node.args[0]) in kinds:
                    yield kinds[ast.unparse(node.args[0])], parts(node.args[1])


def alternatives(node: ast.expr) -> list[ast.expr]:
    """The messages that an argument may be."""
    return [node.body, node.orelse] if isinstance(node, ast.IfExp) else [node]


def parts(node: ast.expr) -> tuple[str, ...]:
    """The fixed parts of a message that contain a word."""
    return tuple(part.strip() for part in literals(node) if re.search(r"\w{2}", part))


MESSAGES = sorted({(status, fixed) for status, fixed in messages() if fixed})
FAULT = "a fault of this program:"  # the only error that is no Failure


def sections() -> dict[int, str]:
    """The section of the troubleshooting for each exit status, without its heading."""
    found = re.split(r"^## (?:(\d+): )?.*$", TROUBLESHOOTING, flags=re.MULTILINE)
    return {int(number): text for number, text in zip(found[1::2], found[2::2], strict=True) if number}


def says(text: str, fixed: tuple[str, ...]) -> bool:
    """Whether one heading or paragraph of a text has all fixed parts of a message, in order."""
    pattern = ".*".join(map(re.escape, fixed))
    paragraphs = re.sub("[`*]", "", text).split("\n\n")
    return any(re.search(pattern, " ".join(paragraph.split())) for paragraph in paragraphs)


@pytest.mark.parametrize(("status", "fixed"), MESSAGES, ids=lambda value: str(value)[:60])
def test_every_error_is_explained(status: ExitStatus, fixed: tuple[str, ...]) -> None:
    """Its message is in the troubleshooting, under its exit status."""
    assert says(sections()[status], fixed), " ... ".join(fixed)


def test_every_explained_error_exists() -> None:
    """Each heading under an exit status is a message that ends with that status."""
    for status, text in sections().items():
        fixed = [each for kind, each in MESSAGES if kind == status] + [(FAULT,)] * (
            status == ExitStatus.INTERNAL
        )
        for heading in re.findall(r"^### .*$", text, re.MULTILINE):
            assert any(says(heading, each) for each in fixed), heading
    assert FAULT in (PACKAGE / "cli" / "exit.py").read_text("utf-8")


def test_the_exit_statuses_are_those_of_the_program() -> None:
    """The table has them all, and those of signals; a section explains each failure's."""
    rows = re.findall(r"^\| ([\d, ]+) \|", TROUBLESHOOTING, re.MULTILINE)
    assert [int(number) for row in rows for number in row.split(", ")] == sorted({*ExitStatus, *SIGNALS})
    assert list(sections()) == sorted({*ExitStatus} - {ExitStatus.OK})


def test_the_events_are_those_of_the_program() -> None:
    """The page describes each, with its members, in the order that the JSON has."""
    rows = re.findall(r"^\| `([a-z_]+)` \| (`.+`) \|$", REFERENCE, re.MULTILINE)
    kinds = [kind for kind in events.Event.__subclasses__() if kind.public]
    objects = [events.as_json(kind(*(None for _ in fields(kind)))) for kind in kinds]
    told = [[name, *re.findall("[a-z_]+", members)] for name, members in rows]
    assert told == [[each.pop("event"), *each] for each in objects]
    for name, *members in told:
        (said,) = re.findall(rf"^- `{name}`: (.+?)\n(?:- |\n)", REFERENCE, re.MULTILINE | re.DOTALL)
        assert [each for each in members if f"`{each}`" not in said] == []


def test_the_outcomes_are_those_of_the_program() -> None:
    """There are those of a good end, one for each other exit status, and that of signals."""
    rows = re.findall(r"^\| `([a-z_]+)` \| ([\d, ]+) \|", REFERENCE, re.MULTILINE)
    good = [*(each.value for each in Outcome), "delivered", "dry_run"]
    bad = [(each.name.lower(), str(int(each))) for each in ExitStatus if each]
    assert rows == [*((each, "0") for each in good), *bad, ("interrupted", "129, 130, 143")]
    words = {
        node.value.value
        for path in (PACKAGE / "cli").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant)
    }
    assert {each for each in words if isinstance(each, str)} <= {*good, ""}


def test_the_variables_are_those_of_the_program() -> None:
    """The page has each with its option and the verbs that take it."""
    rows = re.findall(r"^\| `(HERMES_TUNNEL_\w+)` \| `(-[\w-]+)` \| (.+) \|$", REFERENCE, re.MULTILINE)
    verbs: dict[tuple[str, str], list[str]] = {}
    for verb in HELP:
        command = getattr(importlib.import_module(f"hermes_tunnel.cli.{verb}"), verb)
        for each in command.params:
            if isinstance(each, click.Option) and each.envvar:
                verbs.setdefault((str(each.envvar), each.opts[-1]), []).append(verb)
    assert rows == [(*each, ", ".join(having)) for each, having in verbs.items()]


def test_the_diagram_of_states_is_the_table_of_the_code() -> None:
    """The page shows the states as ``scripts/diagram`` would draw them."""
    assert diagram.page() == HOW_IT_WORKS
    assert diagram.diagram()[1] == "stateDiagram-v2"


def test_each_promise_has_a_test_that_keeps_it() -> None:
    """Each test that the page on security names exists, in the file that it names."""
    table = (ROOT / "docs" / "security.md").read_text("utf-8").partition("## What keeps these promises")[2]
    named = re.findall(r"`((?:\w+/)*test_\w+\.py)(?:::(test_\w+))?`", table)
    assert len(named) > 30
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / "tests" / path).read_text("utf-8") or not name, (path, name)


def test_no_file_names_a_place_of_the_machine_it_was_written_on() -> None:
    """There is no path of a checkout, a home or a tool's directory."""
    places = re.compile(rb"(?<![\w.~-])/(?:%s)/" % b"|".join((b"work", b"root", b"Users", b"private")))
    folders = (ROOT / name for name in (".ci", "docs", "hermes_tunnel", "scripts", "tests"))
    found = [*ROOT.iterdir(), *(path for folder in folders for path in folder.rglob("*"))]
    files = [path for path in found if path.is_file() and path.suffix != ".pyc"]
    assert len(files) > 100
    assert [str(file) for file in files if places.search(file.read_bytes())] == []
