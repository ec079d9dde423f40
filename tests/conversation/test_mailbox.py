"""The mailbox: what happens comes out in an order that makes sense, whichever thread was faster."""

from __future__ import annotations

import threading
from collections.abc import Callable

from hermes_tunnel.conversation.mailbox import Item, Mailbox
from hermes_tunnel.oauth.states import Delivered, Exited, NoDelivery, Strayed, Undelivered
from hermes_tunnel.remote.command import Output
from tests.interrupted import interrupted, needs_a_signal

BEFORE, AFTER, END = Output(b"before"), Output(b"after"), Exited(0)


def read(mailbox: Mailbox) -> list[Item]:
    """Everything that is there to be read."""
    return list(iter(lambda: mailbox.get(0), None))


def before_request(mailbox: Mailbox, meanwhile: Callable[[], object]) -> None:
    """Announce a request in a thread, as the gate does, while somebody reads."""
    announcing = threading.Thread(target=mailbox.before_request)
    announcing.start()
    while announcing.is_alive():
        meanwhile()
    announcing.join()


def test_the_news_of_a_callback_come_before_what_it_led_to() -> None:
    """The command goes on, and ends, while nobody knows yet what became of the request."""
    mailbox, seen = Mailbox(), list[Item | None]()
    mailbox.hear(BEFORE)
    before_request(mailbox, lambda: seen.append(mailbox.get(0.01)))
    mailbox.hear(AFTER)
    mailbox.hear(END)
    assert mailbox.request_under_way
    assert [item for item in seen if item] == [BEFORE]
    assert read(mailbox) == []
    news = Delivered("", 200)
    mailbox.put(news)
    assert not mailbox.request_under_way
    assert read(mailbox) == [news, AFTER, END]


def test_a_request_that_could_not_be_delivered_lets_the_words_go_too() -> None:
    """And a stray, which never was under way, does not."""
    mailbox = Mailbox()
    before_request(mailbox, lambda: mailbox.get(0.01))
    mailbox.hear(AFTER)
    stray, news = Strayed(), Undelivered(NoDelivery.NOBODY_LISTENS, "nobody")
    mailbox.put(stray)
    assert read(mailbox) == [stray]
    mailbox.put(news)
    assert read(mailbox) == [news, AFTER]


def test_another_way_is_tried_only_when_what_was_said_has_been_read() -> None:
    """The command may have said meanwhile that it takes the answer at a prompt."""
    mailbox, seen = Mailbox(), list[Item | None]()
    before_request(mailbox, lambda: mailbox.get(0.01))
    mailbox.hear(BEFORE)
    before_request(mailbox, lambda: seen.append(mailbox.get(0.01)))
    assert [item for item in seen if item] == [BEFORE]
    mailbox.hear(AFTER)
    assert read(mailbox) == []


def test_without_a_request_everything_comes_as_it_was_put() -> None:
    """Also when nothing comes for a while."""
    mailbox = Mailbox()
    assert mailbox.get(0.01) is None
    mailbox.hear(BEFORE)
    mailbox.put(stray := Strayed())
    mailbox.hear(AFTER)
    assert read(mailbox) == [BEFORE, stray, AFTER]


@needs_a_signal
def test_a_wait_is_over_in_time_also_after_a_signal_that_took_longer() -> None:
    """As when the program was stopped and goes on: the time that is left is shown again."""
    mailbox = Mailbox()
    with interrupted(lambda: mailbox.put(Strayed())):
        assert mailbox.get(0.3) is None
