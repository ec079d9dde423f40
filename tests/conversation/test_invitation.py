"""Inviting the person: whom they are asked about, how often, and how often a page opens."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from hermes_tunnel import events
from hermes_tunnel.clipboard import NoClipboard
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.invitation import Invitations, Wishes
from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Authorization, Mode, assess_authorization
from hermes_tunnel.question import Question
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.ssh.connection import Connection
from hermes_tunnel.terminal.console import Console
from hermes_tunnel.terminal.keyboard import Keyboard
from tests.ssh.hops import connected
from tests.stage.stage import Stage

pytestmark = pytest.mark.usefixtures("nothing_left")
MCP = provider("mcp:lab")
URL = "https://mcp.example/authorize?client_id=c&state=STATE&redirect_uri=https%3A%2F%2Fmcp.example%2Fback"
EXTERNAL = assess_authorization(URL, MCP.policy)
ELSEWHERE = assess_authorization(URL.replace("mcp.example%2Fback", "evil.example%2Fback"), MCP.policy)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection to a machine on which a login could run."""
    with Stage() as stage, connected(stage) as connection:
        yield connection


class Answering(Console):
    """A console at which somebody gives the same answer to every question; None: at which nobody is."""

    def __init__(self, answer: str | None) -> None:
        self.shown = io.StringIO()
        super().__init__(self.shown, Keyboard(None))
        self._answer = answer
        self.asked: list[str] = []

    def ask(
        self,
        question: Question,
        answered: Callable[[str | None], object],
        again: Callable[[], object] = lambda: None,
    ) -> None:
        """The answer, at once."""
        self.asked.append(question.text)
        answered(self._answer)


class Inviting:
    """Invitations to a person who gives the same answer to every question."""

    def __init__(self, answer: str | None, wishes: Wishes) -> None:
        self.console = Answering(answer)
        self.told: list[events.Event] = []
        self.decider = Decider(self.console, self._record)
        self._invitations = Invitations(MCP, Call(), wishes, self.decider, lambda _: False)

    def offer(self, connection: Connection, url: str, issuer: str) -> None:
        """One page that was not recognised."""
        with self._invitations.open():
            self.decider.follow(self._invitations.offer(url, issuer, connection.destination))

    def _record(self, event: events.Event) -> None:
        if type(event) is not events.Notice:
            self.told.append(event)

    def invite(self, connection: Connection, *authorizations: Authorization) -> None:
        """One invitation after the other."""
        with self._invitations.open():
            for again, authorization in enumerate(authorizations):
                self.decider.follow(self._invitations.invite(authorization, connection, again=again > 0))

    def until(self, kind: type[events.Event]) -> None:
        """Go on until that has happened."""
        while not any(isinstance(event, kind) for event in self.told):
            self.decider.next(0.05)


def test_what_was_agreed_to_is_not_asked_again(connection: Connection) -> None:
    """A command that starts over asks nothing again; a new place for the answer is a new question."""
    inviting = Inviting("y", Wishes(open_page=None))
    inviting.invite(connection, EXTERNAL, replace(EXTERNAL, state="another"), ELSEWHERE)
    assert (
        inviting.console.asked
        == ["Is that where you want to sign in? (Enter: no, and the login ends) [y/N]"] * 2
    )
    shown = inviting.console.shown.getvalue()
    assert shown.splitlines()[:4] == [
        "demo@hermes-demo asks you to sign in at:",
        "    mcp.example",
        "and the answer will go from your browser to:",
        "    mcp.example",
    ]
    assert "    evil.example\n" in shown


def test_without_a_yes_nothing_opens(connection: Connection) -> None:
    """Nor does --allow-host help: it vouches for an issuer, not for where its answer goes."""
    wishes = Wishes(open_page=lambda _: True, allowed_hosts=frozenset({"mcp.example"}))
    inviting = Inviting("no", wishes)
    with pytest.raises(Unsafe, match="is not known to belong to the MCP server lab"):
        inviting.invite(connection, EXTERNAL)
    assert inviting.told == []
    device = Authorization(Mode.DEVICE, "https://mcp.example/device", "mcp.example", user_code="ABCD")
    inviting.invite(connection, device)
    assert [type(event) for event in inviting.told] == [events.AuthorizationAsked, events.Browser]


OPENROUTER = (
    "https://openrouter.ai/auth?callback_url=https%3A%2F%2Fhermes.example%2Fcode&code_challenge=c&state=s"
)
NAMES_NOBODY = assess_authorization(OPENROUTER, MCP.policy)


@pytest.mark.parametrize("answer", ["y", "", None])
def test_a_request_that_names_nobody_is_shown_whole_and_opened_only_after_a_yes(
    connection: Connection, answer: str | None
) -> None:
    """Without one the login goes on: the person may open the page, which they see, themselves."""
    opened = list[str]()

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    inviting = Inviting(answer, Wishes(open_page=open_page))
    inviting.invite(connection, NAMES_NOBODY)
    assert inviting.console.asked == ["Open it in your browser? (Enter: do not open it) [y/N]"]
    head, issuer, _, address, *rest = inviting.console.shown.getvalue().splitlines()
    assert (head, issuer) == ("demo@hermes-demo asks you to sign in at:", "    openrouter.ai")
    assert address == OPENROUTER
    assert OPENROUTER not in rest
    told = [events.PageShown, events.AuthorizationAsked, events.Browser]
    assert [type(event) for event in inviting.told] == (told if answer == "y" else told[:1])
    assert opened == ([OPENROUTER] if answer == "y" else [])


def test_a_vouched_for_request_that_names_nobody_is_opened_unasked(connection: Connection) -> None:
    """As any other."""
    wishes = Wishes(open_page=lambda _: True, allowed_hosts=frozenset({"openrouter.ai"}))
    inviting = Inviting("no", wishes)
    inviting.invite(connection, NAMES_NOBODY)
    assert inviting.console.asked == []
    assert inviting.told == [
        events.AuthorizationAsked(
            "paste", OPENROUTER, "", "openrouter.ai", title="the MCP server lab", opens_in="your browser"
        ),
        events.Browser(opened=True),
    ]


def test_a_page_that_is_not_recognised_is_always_asked_about(connection: Connection) -> None:
    """Also at a known host, for it may be any page. What is secret in its address is opened, not shown."""
    opened = list[str]()

    def open_page(url: str) -> bool:
        opened.append(url)
        return True

    url = "https://mcp.example/activate?state=s1234567&token=S3CRET"
    wishes = Wishes(open_page=open_page, allowed_hosts=frozenset({"mcp.example"}))
    for answer, pages in (("no", []), ("y", [url])):
        inviting = Inviting(answer, wishes)
        inviting.offer(connection, url, "mcp.example")
        assert inviting.console.asked == ["Open it in your browser? (Enter: do not open it) [y/N]"]
        shown = inviting.console.shown.getvalue()
        assert "S3CRET" not in shown
        assert shown.splitlines()[:2] == [
            "demo@hermes-demo shows a page that may be for your sign-in. It is at:",
            "    mcp.example",
        ]
        assert opened == pages
    unopened = Inviting("y", Wishes(open_page=None))
    unopened.offer(connection, url, "mcp.example")
    assert unopened.console.asked == []


def test_a_page_opens_again_only_once(connection: Connection) -> None:
    """Each time a new thread opens it: the invitation does not wait."""
    go_on, opened = threading.Event(), list[str]()

    def open_page(url: str) -> bool:
        go_on.wait(5)
        opened.append(url)
        return False

    inviting = Inviting("y", Wishes(open_page=open_page))
    threading.Timer(0.2, go_on.set).start()
    inviting.invite(connection, EXTERNAL, EXTERNAL, EXTERNAL)
    asked = [
        index for index, event in enumerate(inviting.told) if isinstance(event, events.AuthorizationAsked)
    ]
    assert asked == [0, 1, 2]
    assert inviting.told[3:] == [events.Browser(False)] * 2
    assert opened == [EXTERNAL.url] * 2


DEVICE = Authorization(Mode.DEVICE, "https://mcp.example/device", "mcp.example", user_code="ABCD-EFGH")


def test_a_user_code_is_copied_where_that_is_wanted(connection: Connection) -> None:
    """The person is told what became of it; a login without a code copies nothing."""
    copied: list[str] = []
    inviting = Inviting("y", Wishes(open_page=None, copy_code=copied.append))
    inviting.invite(connection, EXTERNAL)
    assert copied == []
    inviting.invite(connection, DEVICE)
    inviting.until(events.CodeCopied)
    assert copied == ["ABCD-EFGH"]
    assert inviting.console.shown.getvalue().endswith("The code is on the clipboard.\n")


def test_why_a_user_code_was_not_copied(connection: Connection) -> None:
    """The login goes on, with the reason and what helps."""

    def copy(_: str) -> None:
        raise NoClipboard("there is no program for it")

    inviting = Inviting("y", Wishes(open_page=None, copy_code=copy))
    inviting.invite(connection, DEVICE)
    inviting.until(events.CodeCopied)
    assert inviting.console.shown.getvalue().endswith(
        "The code was not copied (there is no program for it).\n"
    )


def test_the_page_of_a_device_login_is_shown_as_a_qr_code_where_that_is_wanted(
    connection: Connection,
) -> None:
    """Right after the address; a phone could not bring the answer of any other login back."""
    inviting = Inviting("y", Wishes(open_page=None, qr=True))
    inviting.invite(connection, EXTERNAL, DEVICE)
    first, second, code = inviting.told
    assert isinstance(first, events.AuthorizationAsked)
    assert isinstance(second, events.AuthorizationAsked)
    assert code == events.QrCode(DEVICE.url)
