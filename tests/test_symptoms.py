"""What people see: each entry has a cause and a command, and the words are those that are really said."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import pytest

import hermes_tunnel
from hermes_tunnel.symptoms import SYMPTOMS, Speaker, Symptom

PACKAGE = Path(hermes_tunnel.__file__).parent
RECORDINGS = sorted((Path(__file__).parent / "recordings").glob("*.jsonl"))
PROGRAMS = {"hermes-tunnel", "pipx", "ssh", "ssh-keyscan"}
KNOWN_TO_THE_PERSON = {
    "HOST",
    "USER",
    "PROVIDER",
    "PORT",
    "NAME",
    "FILE",
    "BASTION",
    "ID",
    "PYTHON",
    "COMMAND",
}
UNRECORDED = {
    "Could not open the browser automatically": "a recording is of an ssh session, where Hermes opens none",
    "The 'hermes login' command has been removed": "no login begins",
    "unrecognized arguments: --manual-paste": "no login begins",
    "non-interactive environment and no cached tokens found": "a recording has a terminal",
    "requires an interactive terminal": "a recording has a terminal",
    "... requires HTTP transport but ...": "what is recorded has the extra",
    "pip install 'hermes-agent[mcp]'": "what is recorded has the extra",
    "Timed out waiting for xAI device authorization": "it takes half an hour",
    "Spotify setup cancelled": "the person of a recording answers",
    "CERTIFICATE_VERIFY_FAILED": "the lab's certificates are trusted",
    "discovery failed: ...": "the lab's providers answer",
    "discovery returned status ...": "the lab's providers answer",
    "not logged in, though the login succeeded": "nobody says it in words",
    "logged out": "hermes auth status says it, which is no login",
    "Permission denied: '.../auth.json'": "the home is the person's own",
}
"""Words of Hermes that no recording has, and why not."""

by_words = pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda each: each.words[0])


def pattern(words: str) -> re.Pattern[str]:
    """Finds the words, whatever stands for ``...``."""
    return re.compile("[^\n]*".join(map(re.escape, words.split("..."))))


def recorded() -> str:
    """All that Hermes said in the recordings."""
    parts = (
        base64.b64decode(json.loads(line)["data"])
        for file in RECORDINGS
        for line in file.read_text("ascii").splitlines()[1:]
    )
    return b"".join(parts).decode(errors="replace")


@by_words
def test_each_has_a_cause_and_a_command(symptom: Symptom) -> None:
    """The cause is a sentence, the command one line for a shell, and its capitals are what a person knows."""
    assert symptom.words
    assert all(words.strip() == words != "" for words in symptom.words)
    assert re.fullmatch(r"\S[^\n]*[.]", symptom.cause)
    assert re.fullmatch(r"(\S[^\n]*[.])?", symptom.then)
    assert symptom.command.split()[0] in PROGRAMS
    assert "\n" not in symptom.command
    capitals = re.sub(r"\$USER|SSL_CERT_FILE|HERMES_HOME", "", symptom.command)
    assert {*re.findall(r"\b[A-Z]{2,}\b", capitals)} <= KNOWN_TO_THE_PERSON


@by_words
def test_none_only_says_to_try_again(symptom: Symptom) -> None:
    """Somebody who does the same once more sees the same once more."""
    assert re.search(r"(?i)\btry again\b|\bonce more\b", f"{symptom.cause} {symptom.then}") is None


def test_no_words_have_two_causes() -> None:
    """Whoever looks them up finds one entry."""
    words = [words for symptom in SYMPTOMS for words in symptom.words]
    assert len(words) == len({each.lower() for each in words})


def test_hermes_really_says_so() -> None:
    """Its words are in a recording of real Hermes, or it is known why they cannot be."""
    said = recorded()
    of_hermes = {words for each in SYMPTOMS if each.speaker is Speaker.HERMES for words in each.words}
    assert {words for words in of_hermes if not pattern(words).search(said)} == {*UNRECORDED}


def test_we_really_say_so() -> None:
    """Our own notices, and the titles of the pages that our browser shows, are in the package."""
    sources = (path for path in PACKAGE.rglob("*.py") if path.name != "symptoms.py")
    said = re.sub(r'"\s*f?"', "", "\n".join(path.read_text("utf-8") for path in sources))
    ours = [words for each in SYMPTOMS if each.speaker is Speaker.NOTICE for words in each.words]
    assert [
        words
        for words in [*ours, "Back to your terminal", "Not this login"]
        if not pattern(words).search(said)
    ] == []
