"""The sentences in which an event or a question is put."""

from __future__ import annotations

import pytest

from hermes_tunnel import events
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.words import Look, Sentence, asking, sentences


def test_what_one_has_to_know_stands_above_the_question() -> None:
    """It is in our own words, and so not behind the remote's margin."""
    question = Question("Continue (yes/no)?", above=("It cannot be known.", "Its fingerprint is F."))
    assert list(asking(question, lambda _: True)) == [
        Sentence("It cannot be known."),
        Sentence("Its fingerprint is F."),
        Sentence("Continue (yes/no)?", Look.STRONG),
    ]


@pytest.mark.parametrize("name", events.PHASES)
def test_the_phases_of_a_hop_are_for_the_curious(name: str) -> None:
    """Each phase gets a line when it has ended, with its time; only dialling is announced."""
    begun, ended = events.Phase("me@box", name, detail="here"), events.Phase("me@box", name, 1.5, "here")
    for verbosity in (-1, 0):
        assert [*sentences(begun, verbosity), *sentences(ended, verbosity)] == []
    before = [Sentence("Connecting to me@box at here")] if name == "dial" else []
    assert list(sentences(begun, 1)) == before
    (told,) = sentences(ended, 1)
    assert "me@box" in told.text
    assert told.text.endswith(" (1.50 s)")


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (0, "The command ended with exit status 0"),
        (-15, "The command ended by signal 15"),
        (events.NO_STATUS, "The command ended; the server did not say how"),
    ],
)
def test_how_the_command_ended(status: int, text: str) -> None:
    """For the curious: an exit status, a signal, or that the server did not say."""
    assert list(sentences(events.CommandEnded(status), 1)) == [Sentence(text)]
    assert list(sentences(events.CommandEnded(status), 0)) == []
