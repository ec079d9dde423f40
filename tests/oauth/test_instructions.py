"""Which lines of a command's need not be shown, because we do or tell what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from hermes_tunnel.oauth.instructions import Instructions
from hermes_tunnel.oauth.said import Line
from hermes_tunnel.oauth.transcript import Transcript
from tests.oauth.replay import BEGIN, MARKER, RECORDINGS, Cut, as_it_came, byte_by_byte, read, whole

APPROVED = sorted(RECORDINGS.glob("*-approved.jsonl"))
# What the person is shown of a login that succeeds; of all others nothing.
SHOWN = {"spotify": ["Make sure this redirect URI is allow-listed in your Spotify app settings."]}
URL = "https://auth.x.ai/authorize?client_id=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A56121%2Fcallback&state=s"


def heard(spells: list[list[bytes]], cut: Cut = as_it_came) -> list[Line]:
    """The lines of an output in spells, with a silence after each, in the order in which they are due."""
    transcript, instructions = Transcript(MARKER), Instructions()
    due = instructions.hear(transcript.receive(BEGIN))
    for spell in spells:
        for data in cut(spell):
            due += instructions.hear(transcript.receive(data))
        due += instructions.hear(transcript.silence()) + instructions.silence()
    due += instructions.hear(transcript.end())
    return [*due, *instructions.end()]


def shown(*spells: str) -> list[str]:
    """What the person is shown of an output, without blank lines."""
    lines = heard([[spell.encode()] for spell in spells])
    return [line.text for line in lines if line.text.strip() and not line.told]


@pytest.mark.parametrize("cut", [as_it_came, whole, byte_by_byte])
@pytest.mark.parametrize("path", APPROVED, ids=lambda path: path.stem)
def test_of_a_recorded_login_only_what_we_do_not_say_is_shown(path: Path, cut: Cut) -> None:
    """Addresses, codes and instructions are left out, whatever release printed them."""
    recording = read(path)
    lines = heard(recording.spells, cut)
    assert [line.text for line in lines if line.text.strip() and not line.told] == SHOWN.get(
        recording.provider, []
    )
    assert any(line.told for line in lines)


@pytest.mark.parametrize("path", sorted(RECORDINGS.glob("*-denied.jsonl")), ids=lambda path: path.stem)
def test_why_a_login_failed_is_shown(path: Path) -> None:
    """It comes after the instructions, and is none."""
    lines = heard(read(path).spells)
    said = [line.text for line in lines if not line.told]
    assert any("said no" in text or "rror" in text or "denied" in text for text in said), said


def test_without_a_sign_in_everything_is_shown() -> None:
    """In its order, when the command asks something, or ends."""
    before = "Starting Example login...\nSomething new\nOpen this URL in your browser:\n"
    assert shown(f"{before}Your name: ") == [*before.splitlines(), "Your name: "]
    assert shown(f"{before}Login failed\n") == [*before.splitlines(), "Login failed"]


def test_what_is_new_is_shown_in_time_though_an_instruction_waits() -> None:
    """The command may take its time after it; instructions alone wait until we know better."""
    spells = ["Starting Example login...\n", "Something new\n", f"{URL}\n"]
    assert shown(*spells) == ["Starting Example login...", "Something new"]
    assert shown(spells[0], spells[2]) == []


def test_what_we_do_not_say_is_shown_beside_a_sign_in() -> None:
    """Before the address and after it, and also after a block of advice that has ended."""
    advice = "Remote session detected\nforward the port:\n  ssh -N -L 1:127.0.0.1:1 h\nSee: https://h.test/oauth-over-ssh\n"
    text = f"A word first\nOpen this URL:\n{URL}\nOne more\n{advice}And this\n"
    assert shown(text) == ["A word first", "One more", "And this"]


@pytest.mark.parametrize("line", ["Traceback (most recent call last):", "✗ It failed"])
def test_a_failure_ends_a_block_of_advice(line: str) -> None:
    """Even one whose end is not recognised."""
    assert shown(f"{URL}\nRemote session detected\nadvice\n{line}\nmore\n") == [line, "more"]


def test_a_block_of_advice_ends_with_a_silence() -> None:
    """Then the command waits, and what it says next is news."""
    assert shown(f"{URL}\nRemote session detected\nadvice\n", "news\n") == ["news"]


def test_what_belongs_to_a_success_is_left_out() -> None:
    """The lines that are indented below it say more about it; others are shown."""
    assert shown(f"{URL}\nSpotify login successful!\n  Auth state: a.json\nBye\n") == ["Bye"]
