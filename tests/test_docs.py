"""The pages say what the code does."""

from __future__ import annotations

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from hermes_tunnel import events
from hermes_tunnel.cli.verbs import cli
from hermes_tunnel.errors import ExitStatus
from tests.pages import DRAWN, made, pages, parts
from tests.pages.errors import fixed, messages, says, sections
from tests.pages.events import GOOD, public
from tests.pages.markdown import anchors, headings

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "hermes_tunnel"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("tests/**/*.md")])
TROUBLESHOOTING = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
SIGNALS = {129, 130, 143}  # 128 and SIGHUP, SIGINT, SIGTERM

by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def without_code(text: str) -> str:
    """The prose: no fenced block, no code span."""
    return re.sub(r"`[^`]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


@by_name
def test_every_relative_link_leads_somewhere(document: Path) -> None:
    """The file is there, and the heading in it, if one is named."""
    for link in re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text("utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        name, _, fragment = link.partition("#")
        target = document.parent / name if name else document
        assert target.exists(), link
        assert not fragment or fragment in anchors(headings(target.read_text("utf-8"))), link


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
        ours = re.sub(r"'[^']*'|\"[^\"]*\"", "QUOTED", rest).partition(" -- ")[0]  # a browser has options too
        for option in re.findall(r"(?<=\s)--?[a-zA-Z][\w-]*", ours):
            assert is_option(option, HELP[verb]), f"{verb} {option}"
    for option in re.findall(r"`(--?[a-zA-Z][\w-]*)(?: [^`]*)?`", text):
        assert is_option(option, "".join(HELP.values())), option


MESSAGES = sorted({(status, found) for status, node, _ in messages() if (found := fixed(node))})
FAULT = "a fault of this program:"  # the only error that is no Failure


@pytest.mark.parametrize(("status", "fixed"), MESSAGES, ids=lambda value: str(value)[:60])
def test_every_error_is_explained(status: ExitStatus, fixed: tuple[str, ...]) -> None:
    """Its message is in the troubleshooting, under its exit status."""
    assert says(sections(TROUBLESHOOTING)[status], fixed), " ... ".join(fixed)


def test_every_explained_error_exists() -> None:
    """Each heading under an exit status is a message that ends with that status."""
    for status, text in sections(TROUBLESHOOTING).items():
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
    assert list(sections(TROUBLESHOOTING)) == sorted({*ExitStatus} - {ExitStatus.OK})


def test_each_page_is_what_the_code_makes_of_it() -> None:
    """``scripts/pages`` would write the same, and every part that can be made is on a page."""
    texts = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in pages()}
    assert {name: made(text) for name, text in texts.items()} == texts
    assert sorted(part for text in texts.values() for part in parts(text)) == sorted(DRAWN)


def test_each_event_says_what_its_members_are() -> None:
    """Its docstring, which the page shows, names them all; the phases too are those of the program."""
    for name, kind in public().items():
        assert [each.name for each in fields(kind) if f"``{each.name}``" not in str(kind.__doc__)] == [], name
    assert [name for name in events.PHASES if f"``{name}``" not in str(events.Phase.__doc__)] == []


def test_the_outcomes_are_those_of_the_program() -> None:
    """No run ends with another word than those of the page."""
    words = {
        node.value.value
        for path in (PACKAGE / "cli").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Constant)
    }
    assert {each for each in words if isinstance(each, str)} <= {*GOOD, ""}


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
