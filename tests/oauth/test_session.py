"""The table of a login's states: each event in each state, and the rules that need a history."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from itertools import islice, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hermes_tunnel.deadlines import ASK, BEGIN, END, FINISH, GO_ON
from hermes_tunnel.errors import (
    Failure,
    NeverBegan,
    NobodyAnswered,
    Refused,
    RemoteCommandFailure,
    Unsafe,
)
from hermes_tunnel.oauth import failures
from hermes_tunnel.oauth.authorization import Mode, Policy
from hermes_tunnel.oauth.callback import Amiss
from hermes_tunnel.oauth.effects import (
    Allow,
    AskPerson,
    CloseListener,
    Conclude,
    DeliverTo,
    Effect,
    Invite,
    Offer,
    Outcome,
    Proof,
    StopAsking,
)
from hermes_tunnel.oauth.failures import unproven
from hermes_tunnel.oauth.said import (
    AuthorizationRequest,
    Begun,
    DeviceAuthorization,
    FailureMark,
    Line,
    Listening,
    PageShown,
    PasteOffered,
    Prompt,
    Remark,
    Success,
    Withdrawn,
)
from hermes_tunnel.oauth.session import TABLE, Session, rows
from hermes_tunnel.oauth.states import (
    Answered,
    Delivered,
    Event,
    Exited,
    NobodyPasted,
    NoDelivery,
    PersonTime,
    State,
    Strayed,
    TimeUp,
    Tried,
    Undelivered,
)
from tests.oauth.replay import followed

POLICY = Policy(frozenset({"auth.x.ai", "accounts.x.ai"}), frozenset({"console.x.ai"}))


def request(state: str, issuer: str = "auth.x.ai", redirect: str = "http://127.0.0.1:56121/cb") -> Event:
    """An authorization request."""
    return AuthorizationRequest(f"https://{issuer}/a?client_id=c&redirect_uri={redirect}&state={state}")


PASTE = request("p", redirect="https://console.x.ai/code")
PAGE = PageShown("https://page.example/sign-in")
DEVICE = DeviceAuthorization("https://auth.x.ai/device", "AAAA-BBBB")
BEGUN = Begun(("begin", "lab", "/home/lab", "/bin/hermes"))
DENIED = Delivered("access_denied", 200)

EVENTS: dict[str, Event] = {
    "begun": BEGUN,
    "missing": Begun(("missing", "hermes", "PATH")),
    "line": Line("something"),
    "time-out": Line("it timed out"),
    "request": request("new"),
    "device": DeviceAuthorization("https://auth.x.ai/device", "CCCC-DDDD"),
    "unsafe device": DeviceAuthorization("http://auth.x.ai/device", "CCCC-DDDD"),
    "page": PageShown("https://page.example/another"),
    "page again": PAGE,
    "unsafe page": PageShown("https://user@page.example/"),
    "listening": Listening(4711),
    "prompt": Prompt("Token:"),
    "stalled": Prompt("Loading nvm ..."),
    "success": Success(),
    "mark": FailureMark("✗ no"),
    "delivered": Delivered("", 200),
    "repeated": request("old"),
    "unsafe": request("new", "evil.test", "http://127.0.0.1:22/cb"),
    "denied": DENIED,
    "nobody listens": Undelivered(NoDelivery.NOBODY_LISTENS, "connection refused"),
    "prohibited": Undelivered(NoDelivery.FORBIDDEN, "administratively prohibited"),
    "lost": Undelivered(NoDelivery.LOST, "it did not answer"),
    "lost under way": Undelivered(NoDelivery.LOST_UNDER_WAY, "no answer"),
    "stray": Strayed(),
    "nobody pasted": NobodyPasted(),
    "paste offered": PasteOffered(),
    "withdrawn": Withdrawn(),
    "answered": Answered(),
    "nobody": Answered(nobody=True),
    "time up": TimeUp(),
    "remark": Remark(("wrapper", "exec docker exec -it box hermes")),
    "another ran": Tried(runs=True),
    "none runs": Tried(runs=False),
    "exit 0": Exited(0),
    "exit 1": Exited(1),
    "signal": Exited(-1),
}
WAY: dict[State, list[Event]] = {
    State.CONNECTED: [],
    State.QUESTIONED: [Prompt("New password:")],
    State.STARTING: [BEGUN],
    State.SHOWN: [BEGUN, PAGE],
    State.ASKING: [BEGUN, Prompt("Client ID:")],
    State.DESERTED: [BEGUN, Prompt("Client ID:"), Answered(nobody=True)],
    State.AWAITING_CALLBACK: [BEGUN, request("old")],
    State.AWAITING_APPROVAL: [BEGUN, DEVICE],
    State.AWAITING_ANSWER: [BEGUN, PASTE],
    State.ANSWERED: [BEGUN, PASTE, Prompt("Token:"), Answered()],
    State.CALLBACK_DELIVERED: [BEGUN, request("old"), Delivered("", 200)],
    State.DENIED: [BEGUN, request("old"), DENIED],
    State.ANNOUNCED: [BEGUN, request("old"), Success()],
    State.ENDED: [BEGUN, request("old"), Exited(0)],
}
# What comes of an event: the state after it and the effects, or the exit status of the failure.
Result = tuple[State, list[type]] | int | None
RUNNING: dict[str, Result] = {
    "success": (State.ANNOUNCED, [CloseListener, Allow]),
    "mark": None,
    "time up": 10,
    "exit 0": (State.ENDED, [Conclude]),
    "exit 1": 9,
    "signal": 9,
}
INVITED: dict[str, Result] = {
    "request": (State.AWAITING_CALLBACK, [Invite, Allow]),
    "repeated": (State.AWAITING_CALLBACK, [Invite, Allow]),
    "unsafe": 11,
}
DEVICES: dict[str, Result] = {"device": (State.AWAITING_APPROVAL, [Invite, Allow]), "unsafe device": 11}
BEFORE: dict[str, Result] = {
    "begun": (State.STARTING, [Allow]),
    "missing": 8,
    "prompt": (State.QUESTIONED, [Allow]),
    "answered": (State.CONNECTED, [Allow]),
    "nobody": 10,
    "time up": 10,
    "exit 0": 8,
    "exit 1": 8,
    "signal": 8,
}
SHOWN: dict[str, Result] = {"page": (State.SHOWN, [Offer, Allow])}
ASKED: dict[str, Result] = {"prompt": (State.ASKING, [AskPerson, Allow])}
ASKED["stalled"] = ASKED["prompt"]  # any line that stays is a prompt once the command runs
ASKED_AGAIN: dict[str, Result] = {"prompt": (State.AWAITING_ANSWER, [AskPerson, Allow])}
ASKED_AGAIN["stalled"] = ASKED_AGAIN["prompt"]
# An event that is not in a state's row changes nothing there.
EXPECTED: dict[State, dict[str, Result]] = {
    State.CONNECTED: {**BEFORE, "another ran": (State.QUESTIONED, [Allow]), "none runs": 8},
    State.QUESTIONED: {**BEFORE, "time up": 8, "withdrawn": (State.CONNECTED, [Allow])},
    State.STARTING: {
        **RUNNING,
        **INVITED,
        **ASKED,
        **DEVICES,
        **SHOWN,
        "page again": (State.SHOWN, [Offer, Allow]),
        "exit 0": 8,
    },
    State.SHOWN: {**RUNNING, **INVITED, **ASKED, **DEVICES, **SHOWN},
    State.ASKING: {
        **RUNNING,
        **INVITED,
        **ASKED,
        **DEVICES,
        "withdrawn": (State.STARTING, [StopAsking, Allow]),
        "answered": (State.STARTING, [Allow]),
        "nobody": (State.DESERTED, [Allow]),
        "exit 0": 8,
    },
    State.DESERTED: {**RUNNING, "withdrawn": (State.STARTING, [StopAsking, Allow]), "exit 0": 8},
    State.AWAITING_CALLBACK: {
        **RUNNING,
        **INVITED,
        "repeated": None,
        "listening": (State.AWAITING_CALLBACK, [DeliverTo]),
        "delivered": (State.CALLBACK_DELIVERED, [CloseListener, Allow]),
        "denied": (State.DENIED, [CloseListener, Allow]),
        "nobody listens": 9,
        "prohibited": 7,
        "lost": 4,
        "lost under way": 4,
        "nobody pasted": 10,
    },
    State.AWAITING_APPROVAL: {**RUNNING, **INVITED, **DEVICES},
    State.AWAITING_ANSWER: {
        **RUNNING,
        **INVITED,
        **ASKED_AGAIN,
        "withdrawn": (State.AWAITING_ANSWER, [StopAsking, Allow]),
        "answered": (State.ANSWERED, [Allow]),
        "nobody": (State.DESERTED, [Allow]),
    },
    State.ANSWERED: {**RUNNING, **INVITED, **ASKED_AGAIN},
    State.CALLBACK_DELIVERED: {**RUNNING, "request": 9, "repeated": 9, "unsafe": 9},
    State.DENIED: dict.fromkeys(
        ["request", "repeated", "unsafe", "time up", "exit 0", "exit 1", "signal"], 9
    ),
    State.ANNOUNCED: {**RUNNING, "success": None, "time up": (State.ENDED, [Conclude])},
    State.ENDED: {},
}


def fed(
    *events: Event, time: PersonTime | None = None, policy: Policy = POLICY
) -> tuple[Session, list[Effect]]:
    """A session after some events, and what the last of them led to."""
    session = Session(policy, time or PersonTime())
    effects = session.start()
    for event in events:
        effects = session.feed(event)
    return session, effects


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("state", State, ids=lambda state: state.name)
def test_table(state: State, name: str) -> None:
    """Each event in each state leads where the table says, or nowhere."""
    session, _ = fed(*WAY[state])
    assert session.state is state
    expected = EXPECTED[state].get(name)
    if isinstance(expected, int):
        with pytest.raises(Failure) as caught:
            session.feed(EVENTS[name])
        assert caught.value.status == expected
        assert caught.value.hint
        assert session.state is State.ENDED
    else:
        effects = session.feed(EVENTS[name])
        after, kinds = expected or (state, [])
        assert (session.state, [type(one) for one in effects]) == (after, kinds)


EXTERNAL = request("e", redirect="https://elsewhere.test/cb")
ASKS_OTHERS = replace(POLICY, external_redirects=True)
ASKED_AFTERWARDS: list[Event] = [BEGUN, PAGE, Prompt("Client ID:")]
CODE_ASKED_AFTERWARDS: list[Event] = [BEGUN, PAGE, Prompt("Paste it:")]
NOBODY = Answered(nobody=True)
DESERTED_AFTERWARDS: list[Event] = [BEGUN, PASTE, Prompt("Code:"), Answered(), Prompt("..."), NOBODY]


@given(st.lists(st.sampled_from([*EVENTS.values(), PASTE, EXTERNAL])))
def test_the_table_alone_decides(events: list[Event]) -> None:
    """Whatever comes, in whatever order, the state is the table's, and nothing happens after the end."""
    session = Session(ASKS_OTHERS)
    with suppress(Failure):
        for event in events:
            followed(session, event)
    if session.state is State.ENDED:
        assert [session.feed(event) for event in events] == [[]] * len(events)


@pytest.mark.slow
def test_each_row_of_the_table_is_taken() -> None:
    """Every row can be taken; where several states share a row, one that takes it is enough."""
    every = {id(row) for state in State for kind in TABLE[state] for row in rows(state, kind).values()}
    taken = set()
    asked = (ASKED_AFTERWARDS, CODE_ASKED_AFTERWARDS, DESERTED_AFTERWARDS)
    deserted = [[*way, NOBODY] for way in (ASKED_AFTERWARDS, WAY[State.AWAITING_ANSWER])]
    for way in (*WAY.values(), *asked, *deserted):
        for events in product((*EVENTS.values(), PASTE, EXTERNAL), repeat=2):
            session = fed(*way, policy=ASKS_OTHERS)[0]
            for event in events:
                guarded = rows(session.state, type(event)).items()
                fitting = (row for guard, row in guarded if guard(session.memory, event))
                taken |= {id(row) for row in islice(fitting, 1)}
                with suppress(Failure):
                    session.feed(event)
    assert taken == every


def test_start() -> None:
    """At the start the shell has half a minute to say something."""
    assert fed()[1] == [Allow(BEGIN.seconds)]


@pytest.mark.parametrize(
    ("event", "mode", "seconds"),
    [(request("s"), Mode.LOOPBACK, 1), (DEVICE, Mode.DEVICE, 2), (PASTE, Mode.PASTE, 3)],
)
def test_person_time(event: Event, mode: Mode, seconds: float) -> None:
    """An invitation starts the person's time for that kind of login."""
    _, (invite, allow) = fed(BEGUN, event, time=PersonTime(1, 2, 3))
    assert isinstance(invite, Invite)
    assert (invite.authorization.mode, invite.again) == (mode, False)
    assert allow == Allow(seconds, person=True)


def test_same_request_twice() -> None:
    """An address that is printed twice is one invitation."""
    assert fed(BEGUN, request("s"), request("s"))[1] == []


def test_new_code_for_the_same_page() -> None:
    """A device code that replaces another is a new invitation, though its page has the same address."""
    _, effects = fed(BEGUN, DEVICE, EVENTS["device"])
    assert isinstance(effects[0], Invite)
    assert effects[0].again
    assert effects[0].authorization.user_code == "CCCC-DDDD"


def test_restarts() -> None:
    """A new request before any callback replaces the old one; a fifth is refused."""
    session, effects = fed(BEGUN, *[request(f"s{number}") for number in range(4)])
    assert isinstance(effects[0], Invite)
    assert effects[0].again
    assert session.memory.authorization is not None
    assert session.memory.authorization.state == "s3"
    with pytest.raises(Unsafe, match="asked for a sign-in 5 times"):
        session.feed(request("s4"))


@pytest.mark.parametrize("issuer", ["accounts.x.ai", "evil.test"])
def test_other_issuer(issuer: str) -> None:
    """A second request that names another issuer ends the login, even if the policy knows that issuer."""
    session, _ = fed(BEGUN, request("one"))
    with pytest.raises(Unsafe, match=f"began at 'auth.x.ai' and now asks for '{issuer}'"):
        session.feed(request("two", issuer))


def test_unsafe_replacement() -> None:
    """A new request goes through the same checks as the first."""
    session, _ = fed(BEGUN, request("one"))
    with pytest.raises(Unsafe, match="leads to port 22"):
        session.feed(request("two", redirect="http://127.0.0.1:22/cb"))


def test_denied_opens_nothing() -> None:
    """After a denial a new request ends the login: declined, with the provider's word for it."""
    session, _ = fed(*WAY[State.DENIED])
    with pytest.raises(Refused, match=r"declined at the provider \(access_denied\)"):
        session.feed(request("again"))


@pytest.mark.parametrize(
    ("before", "last"),
    [
        ([request("s")], Exited(0)),
        ([request("s"), Success()], Exited(0)),
        ([request("s"), Success()], TimeUp()),
        ([], Exited(0)),
    ],
)
def test_failure_mark(before: list[Event], last: Event) -> None:
    """A line with the mark of failure is a failure, even with exit status 0 or a success line."""
    session, _ = fed(BEGUN, *before, FailureMark("✗ Authentication failed"))
    with pytest.raises(Refused, match="command failed: ✗ Authentication failed"):
        session.feed(last)


def test_nothing_recognised() -> None:
    """Exit status 0 with nothing recognised is no success; the failure quotes the last words."""
    session, _ = fed(BEGUN, Line("The 'hermes login' command has been removed."))
    with pytest.raises(
        RemoteCommandFailure, match=r"no sign-in was recognised; its last words: .*been removed"
    ):
        session.feed(Exited(0))


def test_success_without_exit() -> None:
    """A success line closes the listener; a command that then stays has to be proven by its credential."""
    session, effects = fed(BEGUN, request("s"), Success())
    assert effects == [CloseListener(), Allow(END.seconds)]
    assert session.feed(TimeUp()) == [
        Conclude(Outcome.LOGGED_IN, Proof.REQUIRED, announced=True, ended=False)
    ]


def test_success_lines_without_end_give_no_time() -> None:
    """The five seconds run from the first; a command that goes on claiming success gets no more."""
    session, _ = fed(BEGUN, request("s"), Success())
    assert session.feed(Success()) == []


ANSWERED = [BEGUN, PASTE, Prompt("Code:"), Answered()]
CALLED_BACK = [BEGUN, request("s"), Delivered("", 200)]
NOT_TAKEN = [BEGUN, request("s"), Delivered("", 400)]


@pytest.mark.parametrize(
    ("before", "last", "proof"),
    [
        # We saw the sign-in being answered.
        (CALLED_BACK, Exited(0), Proof.NEEDLESS),
        ([*CALLED_BACK, Success()], Exited(0), Proof.NEEDLESS),
        ([*CALLED_BACK, Success()], TimeUp(), Proof.WANTED),
        (ANSWERED, Exited(0), Proof.NEEDLESS),
        ([*ANSWERED, Success()], Exited(0), Proof.NEEDLESS),
        ([*ANSWERED, Success()], TimeUp(), Proof.WANTED),
        ([BEGUN, request("s"), Success(), Delivered("", None)], Exited(0), Proof.NEEDLESS),
        # It was not answered, or the answer was not taken, or was one to an earlier request.
        ([BEGUN, request("s")], Exited(0), Proof.REQUIRED),
        ([BEGUN, request("s"), Success()], Exited(0), Proof.REQUIRED),
        ([BEGUN, request("s"), Success()], TimeUp(), Proof.REQUIRED),
        (NOT_TAKEN, Exited(0), Proof.REQUIRED),
        ([*NOT_TAKEN, Success()], Exited(0), Proof.REQUIRED),
        ([BEGUN, request("s"), Success(), DENIED], Exited(0), Proof.REQUIRED),
        ([BEGUN, PASTE], Exited(0), Proof.REQUIRED),
        ([BEGUN, PASTE, Success()], Exited(0), Proof.REQUIRED),
        ([BEGUN, Prompt("Client ID:"), Answered(), PASTE], Exited(0), Proof.REQUIRED),
        ([*ANSWERED, request("new")], Exited(0), Proof.REQUIRED),
        # It is answered where we cannot see it.
        ([BEGUN, DEVICE], Exited(0), Proof.REQUIRED),
        ([BEGUN, DEVICE, Success()], Exited(0), Proof.WANTED),
        ([BEGUN, DEVICE, Success()], TimeUp(), Proof.WANTED),
        ([BEGUN, EXTERNAL], Exited(0), Proof.REQUIRED),
        ([BEGUN, EXTERNAL, Success()], Exited(0), Proof.WANTED),
        # A page that was not recognised: what it gives is a code, if that is asked for.
        ([BEGUN, PAGE], Exited(0), Proof.REQUIRED),
        ([*ASKED_AFTERWARDS, Answered(), Success()], Exited(0), Proof.REQUIRED),
        ([*CODE_ASKED_AFTERWARDS, Answered()], Exited(0), Proof.NEEDLESS),
    ],
)
def test_a_sign_in_that_was_not_seen_to_be_answered_has_to_be_proven(
    before: list[Event], last: Event, proof: Proof
) -> None:
    """Exit status 0 is believed after an answer; no line that reports success replaces the answer."""
    announced, ended = Success() in before, isinstance(last, Exited)
    assert fed(*before, last, policy=ASKS_OTHERS)[1] == [
        Conclude(Outcome.LOGGED_IN, proof, announced=announced, ended=ended)
    ]


def test_imported() -> None:
    """A success line without any request is an import, and the credential has to prove it."""
    for last, ended in ((Exited(0), True), (TimeUp(), False)):
        assert fed(BEGUN, Success(), last)[1] == [
            Conclude(Outcome.IMPORTED, Proof.REQUIRED, announced=True, ended=ended)
        ]


@pytest.mark.parametrize(
    ("proof", "changed", "unchanged", "unseen"),
    [
        (Proof.NEEDLESS, True, True, True),
        (Proof.WANTED, True, False, True),
        (Proof.REQUIRED, True, False, False),
    ],
)
def test_a_proof(proof: Proof, *, changed: bool, unchanged: bool, unseen: bool) -> None:
    """A changed credential proves everything; if nobody can look, what requires proof is not believed."""
    assert [proof.is_met(seen) for seen in (True, False, None)] == [changed, unchanged, unseen]


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ([Exited(0)], "hermes exited with 0 but reported no success and left no new credential"),
        ([Success(), Exited(0)], "hermes reported success but left no new credential"),
        ([Success(), TimeUp()], "hermes reported success but did not exit and left no new credential"),
    ],
)
def test_the_words_for_an_unproven_success(last: list[Event], words: str) -> None:
    """What the command did, and what is missing; "nobody could look" is not reported as "nothing found"."""
    _, (conclusion,) = fed(BEGUN, request("s"), *last)
    assert isinstance(conclusion, Conclude)
    failure = unproven(conclusion, "hermes", "hermes auth status xai-oauth")
    assert (failure.status, failure.message) == (8, words)
    assert failure.hint.endswith(": hermes auth status xai-oauth")
    unseen = unproven(conclusion, "hermes", "hermes auth status xai-oauth", not_seen="sudo: no")
    assert "left no new" not in unseen.message
    assert unseen.message.endswith("; whether it left a new credential could not be checked (sudo: no)")


def test_output_that_stalls_after_the_code_was_given() -> None:
    """Once the line goes on, the command's time runs again, and its exit status is believed."""
    session, effects = fed(*ANSWERED, Prompt("Exchanging the code ..."), Withdrawn())
    assert (session.state, effects) == (State.ANSWERED, [StopAsking(), Allow(FINISH.seconds)])
    session, effects = fed(*ANSWERED, Prompt("Exchanging ..."), Answered(nobody=True), Withdrawn())
    assert (session.state, effects) == (State.ANSWERED, [StopAsking(), Allow(FINISH.seconds)])
    session, effects = fed(BEGUN, PASTE, Prompt("Co"), Answered(nobody=True), Withdrawn())
    assert session.state is State.AWAITING_ANSWER


def test_a_port_named_before_a_request_counts_for_that_request_alone() -> None:
    """If the remote first says where it listens, the callback goes there; a new request starts afresh."""
    session, effects = fed(BEGUN, Listening(4711), request("s"))
    assert [type(one) for one in effects] == [Invite, DeliverTo, Allow]
    assert effects[1] == DeliverTo(4711)
    assert DeliverTo not in [type(one) for one in session.feed(request("t"))]
    assert session.feed(Listening(4712)) == [DeliverTo(4712)]


def test_the_answer_to_another_login_is_remembered() -> None:
    """If the right answer never came, but a wrong one did, the person is told so."""
    for amiss, failure in failures.ONLY_CAME.items():
        session, _ = fed(BEGUN, request("s"), Strayed(amiss))
        with pytest.raises(NobodyAnswered) as ending:
            session.feed(TimeUp())
        assert (ending.value.message, ending.value.hint) == (failure().message, failure().hint)
    assert set(failures.ONLY_CAME) == set(Amiss)


def test_a_prompt_of_the_command_s_own_is_remembered() -> None:
    """The prompt counts for the request that it was offered for, and no longer."""
    session, _ = fed(BEGUN, request("s"), PasteOffered())
    assert session.takes_paste
    session.feed(request("t"))
    assert not session.takes_paste


def test_the_first_line_that_sudo_prints_is_the_reason() -> None:
    """So it is before the command begins; the shell's other output is not the reason."""
    with pytest.raises(
        RemoteCommandFailure, match=r"did not switch to the other account: sudo: unknown user x$"
    ):
        fed(Line("hello"), Line("sudo: unknown user x"), Line("sudo: error in a plugin"), Exited(1))


def test_what_failed_after_the_callback_is_not_blamed_on_the_tunnel() -> None:
    """If the command fails after the callback was delivered, the hint says so."""
    for events, blamed in (((), False), ((Delivered("", 200),), True)):
        with pytest.raises(Refused) as refused:
            fed(BEGUN, request("s"), *events, Line("token exchange failed"), Exited(1))
        assert refused.value.message == "the remote command failed: token exchange failed (exit status 1)"
        assert ("the tunnel is not the cause" in refused.value.hint) is blamed


def test_a_container_that_cannot_be_entered() -> None:
    """The engine's own words are the reason."""
    with pytest.raises(RemoteCommandFailure, match=r"cannot be entered: Error: no such container: x$"):
        fed(Begun(("no-container", "Error", " no such container", " x")))


def test_an_error_in_several_lines() -> None:
    """It is told from its first, with the address in it, also if the command exited with 0."""
    url = "https://auth.x.ai/oauth2/token?audience=" + "a" * 80
    said = [Line(f"Error: cannot reach {url}"), Line("see the log")]
    with pytest.raises(
        Refused, match=r"^the remote command failed: Error: cannot reach https:\S+ see the log"
    ):
        fed(BEGUN, *said, Exited(1))
    with pytest.raises(RemoteCommandFailure, match=rf"last words: 'Error: cannot reach {re.escape(url)} see"):
        fed(BEGUN, *said, Exited(0))


def test_last_words() -> None:
    """A failure quotes the command's last line, without the exception's name, and its exit status."""
    session, _ = fed(
        BEGUN, Line("Traceback ..."), Line("hermes_cli.auth.AuthError: no such client"), Line("  ")
    )
    with pytest.raises(Refused, match=r"^the remote command failed: no such client \(exit status 1\)$"):
        session.feed(Exited(1))


def test_words_before_the_beginning() -> None:
    """What an account without a shell says is quoted; after the begin marker it is forgotten."""
    with pytest.raises(RemoteCommandFailure, match="This account is currently not available"):
        fed(Line("This account is currently not available."), Exited(1))
    with pytest.raises(Refused, match="it said nothing"):
        fed(Line("Last login: yesterday"), BEGUN, Exited(1))


def test_prompt_before_the_beginning() -> None:
    """A question before our command is never answered; it gets a moment to go away, then it is quoted."""
    session, effects = fed(Prompt("New password:"))
    assert effects == [Allow(GO_ON.seconds)]
    with pytest.raises(RemoteCommandFailure, match="the remote machine asked 'New password:'"):
        session.feed(TimeUp())


def test_a_shell_that_waits_in_place_of_the_command() -> None:
    """It gets the same moment, since its prompt may be a stalled line; then it is reported for what it is."""
    session, effects = fed(Prompt("me@box ~#", taken=True))
    assert effects == [Allow(GO_ON.seconds)]
    with pytest.raises(NeverBegan, match=r"a shell .* took the terminal and waits at 'me@box ~#'") as caught:
        session.feed(TimeUp())
    assert "~/.bashrc" in caught.value.hint
    assert "case $- in *i*) exec fish;; esac" in caught.value.hint
    with pytest.raises(NeverBegan, match=r"took the terminal$"):
        fed(Prompt("", taken=True), TimeUp())
    assert fed(Prompt("50%", taken=True), Withdrawn())[1] == [Allow(BEGIN.seconds)]
    with pytest.raises(NeverBegan, match="open terminal failed"):
        fed(Line("open terminal failed: not a terminal"), Exited(1))


def test_a_shell_that_runs_something_else_in_silence() -> None:
    """Another command shows it: it runs, and ours may never; or it does not either."""
    session, effects = fed(Tried(runs=True))
    assert effects == [Allow(GO_ON.seconds)]
    for tried in (session, fed(Line("Welcome"))[0]):
        with pytest.raises(NeverBegan, match="runs something else in place of the command") as caught:
            tried.feed(TimeUp() if tried is session else Tried(runs=False))
    assert caught.value.said == ("Welcome",)
    assert fed(Tried(runs=True), BEGUN)[0].state is State.STARTING


@pytest.mark.parametrize(
    ("words", "container"),
    [
        ("hermes is aliased to `docker exec -it box hermes'", "box"),
        ("hermes: \t aliased to podman exec -it -u 1000 --env A=b my.box hermes", "my.box"),
        ('exec /usr/bin/docker exec -i "box" hermes "$@"', "box"),
        ("sudo docker exec --user=me box hermes", "box"),
        ("docker exec -it $(docker ps -q) hermes", ""),
        ("docker compose exec hermes hermes", "hermes"),
        ("docker run -it image hermes", ""),
        ("exec ssh far hermes", ""),
        ("docker exec -u", ""),
        ("", ""),
    ],
)
def test_the_container_that_a_name_leads_into(words: str, container: str) -> None:
    """It is named in the hint where the command line names it."""
    with pytest.raises(RemoteCommandFailure, match="is not a program") as alias:
        fed(Begun(("alias", "hermes", words)))
    with pytest.raises(Refused, match="nothing listens") as wrapper:
        fed(BEGUN, Remark(("wrapper", words)), request("s"), EVENTS["nobody listens"])
    for failure in (alias.value, wrapper.value):
        assert f"--container {container or 'NAME'}" in failure.hint


def test_both_hints_name_a_container() -> None:
    """Also where nothing is known of one."""
    for events in ([EVENTS["missing"]], [BEGUN, request("s"), EVENTS["nobody listens"]]):
        with pytest.raises(Failure) as failure:
            fed(*events)
        assert "--container NAME" in failure.value.hint


def test_a_start_up_file_that_is_slow() -> None:
    """A shell that only stalled gets its full time, even if the stall looked like a question."""
    assert fed(Prompt("Loading nvm ..."))[1] == []
    assert fed(Prompt("Loading nvm ..."), Withdrawn())[1] == []
    session, effects = fed(Prompt("Update? [y/N]"), Withdrawn())
    assert effects == [Allow(BEGIN.seconds)]
    with pytest.raises(NobodyAnswered, match="the remote shell did not start the command"):
        session.feed(TimeUp())


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Password:", True),
        ("Enter passphrase for key:", True),
        ("Authorization code:", True),
        ("API key:", True),
        ("Client secret:", True),
        ("Paste it here:", True),
        ("Callback URL:", True),
        ("The address you were redirected to:", True),
        ("Import these credentials? [Y/n]:", False),
        ("Spotify Client ID:", False),
    ],
)
def test_secret_prompts(text: str, secret: bool) -> None:
    """An answer to a prompt for a password, passphrase, secret, token, key or code is not shown."""
    assert fed(BEGUN, Prompt(text))[1][0] == AskPerson(text, secret)


def test_a_paste_login_hides_whatever_it_asks_for() -> None:
    """Until it has its code, which a prompt may call anything; what it asks then may be seen."""
    session, effects = fed(BEGUN, PASTE, Prompt("Continue:"))
    assert effects[0] == AskPerson("Continue:", secret=True)
    session.feed(Answered())
    assert session.feed(Prompt("Label:"))[0] == AskPerson("Label:", secret=False)


def test_a_page_is_offered_once_and_four_at_most() -> None:
    """Before a request; the person's time starts anew with each."""
    pages = [PageShown(f"https://page.example/{number}") for number in range(5)]
    _, effects = fed(BEGUN, pages[0], time=PersonTime(1, 2, 3))
    assert effects == [Offer(pages[0].url, "page.example"), Allow(2, person=True)]
    assert fed(BEGUN, pages[0], pages[0])[1] == []
    assert fed(BEGUN, *pages)[1] == []
    assert fed(BEGUN, request("s"), pages[0])[1] == []
    session, _ = fed(BEGUN, pages[0], request("s", "accounts.x.ai"))
    assert session.state is State.AWAITING_CALLBACK


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([Prompt("Loading ..."), Withdrawn()], State.SHOWN),
        ([Prompt("Label:"), Answered()], State.SHOWN),
        ([Prompt("Loading ..."), Answered(nobody=True), Withdrawn()], State.SHOWN),
        ([Prompt("Code:"), Answered()], State.ANSWERED),
        ([Prompt("Label:"), Answered(), DEVICE], State.AWAITING_APPROVAL),
    ],
)
def test_a_question_after_a_page(events: list[Event], state: State) -> None:
    """A code ends the waiting for the person; any other answer does not."""
    assert fed(BEGUN, PAGE, *events)[0].state is state


def test_a_stalled_line_is_not_a_question() -> None:
    """A line that stalled and went on was not a question, even if nobody was there to answer."""
    session, effects = fed(BEGUN, Prompt("To conti"), Answered(nobody=True), Withdrawn())
    assert (session.state, effects) == (State.STARTING, [StopAsking(), Allow(ASK.seconds)])
    with pytest.raises(NobodyAnswered, match="did not ask for a sign-in"):
        session.feed(TimeUp())


def test_a_question_with_nobody_to_answer() -> None:
    """A prompt that stays ends the login after a moment if nobody is there to answer."""
    session, effects = fed(BEGUN, Prompt("Client ID:"), Answered(nobody=True))
    assert effects == [Allow(END.seconds)]
    with pytest.raises(NobodyAnswered, match="nobody was there to answer"):
        session.feed(TimeUp())


def test_secrets_are_not_in_reprs() -> None:
    """Neither the invitation nor the session shows ``state`` or the URL in its repr."""
    session, effects = fed(BEGUN, request("VERYSECRET"))
    assert "VERYSECRET" not in repr(effects) + repr(session) + repr(request("VERYSECRET"))
