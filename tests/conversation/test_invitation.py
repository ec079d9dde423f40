"""Inviting the person: whom they are asked about, how often, and how often a page opens."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from hermes_tunnel import events
from hermes_tunnel.conversation.invitation import Invitations, Wishes
from hermes_tunnel.conversation.mailbox import Mailbox, Opened
from hermes_tunnel.demo.stage import Stage
from hermes_tunnel.errors import Unsafe
from hermes_tunnel.oauth.authorization import Authorization, Mode, assess_authorization
from hermes_tunnel.remote.call import Call
from hermes_tunnel.remote.hermes import provider
from hermes_tunnel.ssh.connection import Connection
from tests.ports.test_room import Person
from tests.ssh.hops import connected

pytestmark = pytest.mark.usefixtures("nothing_left")
MCP = provider("mcp:lab")
URL = "https://mcp.example/authorize?client_id=c&state=STATE&redirect_uri=https%3A%2F%2Fmcp.example%2Fback"
EXTERNAL = assess_authorization(URL, MCP.policy)
ELSEWHERE = assess_authorization(URL.replace("mcp.example%2Fback", "evil.example%2Fback"), MCP.policy)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A connection to a machine that a login could run on."""
    with Stage() as stage, connected(stage) as connection:
        yield connection


class Inviting:
    """Invitations to a person who says the same to every question."""

    def __init__(self, answer: bool, wishes: Wishes) -> None:
        self.person = Person(answer)
        self.mailbox = Mailbox()
        self.told: list[events.Event] = []
        self.invitations = Invitations(
            MCP,
            Call(),
            wishes,
            console=self.person,
            emit=self.told.append,
            mailbox=self.mailbox,
            type_in=lambda _: False,
        )


def test_what_was_agreed_to_is_not_asked_again(connection: Connection) -> None:
    """The command starts over; another place for the answer is another question."""
    inviting = Inviting(True, Wishes(open_page=None))
    for again, authorization in enumerate((EXTERNAL, replace(EXTERNAL, state="another"), ELSEWHERE)):
        inviting.invitations.invite(authorization, connection, again=again > 0)
    inviting.invitations.close()
    assert inviting.person.asked == ["Is that where you want to sign in?"] * 2
    shown = inviting.person.shown.getvalue()
    assert shown.splitlines()[:4] == [
        "demo@hermes-demo asks you to sign in at:",
        "    mcp.example",
        "and the answer will go from your browser to:",
        "    mcp.example",
    ]
    assert "    evil.example\n" in shown


def test_without_a_yes_nothing_opens(connection: Connection) -> None:
    """And --allow-host vouches for an issuer, not for where its answer goes."""
    inviting = Inviting(False, Wishes(open_page=lambda _: True, allowed_hosts=frozenset({"mcp.example"})))
    with pytest.raises(Unsafe, match="is not known to belong to the MCP server lab"):
        inviting.invitations.invite(EXTERNAL, connection, again=False)
    inviting.invitations.close()
    assert inviting.told == []
    device = Authorization(Mode.DEVICE, "https://mcp.example/device", "mcp.example", user_code="ABCD")
    inviting.invitations.invite(device, connection, again=False)
    inviting.invitations.close()
    assert [type(event) for event in inviting.told] == [events.AuthorizationAsked, events.Browser]


def test_a_page_opens_once_more_and_then_no_more(connection: Connection) -> None:
    """In a thread of its own each time: whoever invites does not wait for it."""
    go_on, opened = threading.Event(), list[str]()

    def open_page(url: str) -> bool:
        go_on.wait(5)
        opened.append(url)
        return False

    inviting = Inviting(True, Wishes(open_page=open_page))
    for again in (False, True, True):
        inviting.invitations.invite(EXTERNAL, connection, again=again)
    assert opened == []
    go_on.set()
    for _ in range(2):
        item = inviting.mailbox.get(5)
        assert item == Opened(False)
        inviting.invitations.on_opened(Opened(False))
    inviting.invitations.close()
    assert opened == [EXTERNAL.url] * 2
    assert [event for event in inviting.told if isinstance(event, events.Browser)] == [
        events.Browser(False)
    ] * 2
