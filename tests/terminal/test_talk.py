"""What is shown of the command's talk, and when."""

from __future__ import annotations

import pytest

from hermes_tunnel import events
from tests.terminal.consoles import URL, without_terminal


@pytest.mark.parametrize(("status", "told"), [(0, False), (8, True), (130, False)])
def test_quiet_tells_the_last_lines_of_what_failed(status: int, told: bool) -> None:
    """At most eight, behind their margin, since they hold the reason; none after a good end or a signal."""
    console, stream = without_terminal(-1)
    for number in range(10):
        console.show(events.RemoteLine(f"line {number}"))
    assert stream.getvalue() == ""
    console.show(events.Finished(status, "words", 1))
    assert stream.getvalue().splitlines() == [f"  | line {number}" for number in range(2, 10)] * told
    console.show(events.Finished(8, "words", None))
    assert stream.getvalue().count("line 9") == told


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize(
    ("line", "advice"),
    [
        ("  ssh -N -L 56121:127.0.0.1:56121 lab@hermes-host", True),
        ("ssh -NL 127.0.0.1:56121:127.0.0.1:56121 -J me@jump lab@hermes-host", True),
        ("run `ssh -p 22 -L56121:localhost:56121 lab@hermes-host`", True),
        ("ssh -N -L 43827:127.0.0.1:43827 lab@hermes-host", False),
        ("an SSH tunnel to 127.0.0.1:56121 is required", False),
    ],
)
def test_a_tunnel_that_the_command_asks_for_is_said_to_be_open(line: str, advice: bool, early: bool) -> None:
    """The command line for the forwarded port tells, wherever it stands; prose does not."""
    console, stream = without_terminal()
    told = [
        events.RemoteLine(line),
        events.Forwarding(56121, ("127.0.0.1",), 56121),
        events.AuthorizationAsked("loopback", URL, "", "auth.x.ai"),
    ]
    for event in told if early else [*told[1:], told[0]]:
        console.show(event)
    console.quiet()
    console.quiet()
    shown = stream.getvalue()
    sentence = "You can ignore what Hermes says above about an SSH tunnel: it is already open\n"
    assert shown.count(sentence) == advice
    if advice:
        words = [line, "The tunnel is open", sentence, "Sign in to"]
        late = ["The tunnel is open", "Sign in to", line, sentence]
        places = [shown.index(each) for each in (words if early else late)]
        assert places == sorted(places)


@pytest.mark.parametrize("verbosity", [-1, 0])
@pytest.mark.parametrize(
    ("lines", "message", "shown"),
    [
        (["a", "b"], "the remote command failed: b (exit status 1)", ["a"]),
        (["a", "b"], "something else", ["a", "b"]),
        (
            ["Traceback (most recent call last):", "  code", "x.AuthError: too late"],
            "the remote command failed: too late (exit status 1)",
            [],
        ),
    ],
)
def test_the_line_that_an_error_quotes_is_not_shown_as_well(
    lines: list[str], message: str, shown: list[str], verbosity: int
) -> None:
    """One that it does not quote is; and with -v all are."""
    for curious in (False, True):
        console, stream = without_terminal(1 if curious else verbosity)
        for line in lines:
            console.show(events.RemoteLine(line))
        console.show(events.CommandEnded(1))
        console.show(events.Finished(9, "refused", 1, message))
        told = [line[4:] for line in stream.getvalue().splitlines() if line.startswith("  | ")]
        assert told == (lines if curious else shown)


@pytest.mark.parametrize(("verbosity", "told"), [(-1, 0), (0, 0), (1, 2)])
def test_a_denial_says_its_fact_once(verbosity: int, told: int) -> None:
    """Neither the callback nor what the command makes of it repeats what the error says; -v tells all."""
    console, stream = without_terminal(verbosity)
    console.show(events.Callback("denied", "access_denied", "forward"))
    console.show(events.RemoteLine("x.AuthError: the person said no"))
    console.show(events.Finished(9, "refused", 1, "the sign-in was declined (access_denied)"))
    assert len(stream.getvalue().splitlines()) == told


@pytest.mark.parametrize(("verbosity", "told"), [(0, False), (1, True)])
def test_what_the_person_can_do_without_is_for_the_curious(verbosity: int, told: bool) -> None:
    """An instruction that we follow ourselves is shown with -v alone."""
    console, stream = without_terminal(verbosity)
    console.show(events.RemoteLine("Open this URL:", detail=True))
    console.quiet()
    assert ("Open this URL:" in stream.getvalue()) is told


def test_a_second_run_is_told_as_the_first() -> None:
    """What the first run advised, got and waited for ends with it."""
    console, stream = without_terminal()
    for _ in range(2):
        console.show(events.Connected("me@host"))
        console.show(events.RemoteLine("ssh -N -L 56121:127.0.0.1:56121 me@host"))
        console.waiting("the browser to come back", 60)
        console.show(events.Forwarding(56121, ("127.0.0.1",), 56121))
        console.show(events.Finished(10, "nobody_answered", None))
    first, second = (f"Connected{run}" for run in stream.getvalue().split("Connected")[1:])
    assert second == first
    assert first.index("Waiting") < first.index("The tunnel is open") < first.index("You can ignore")
