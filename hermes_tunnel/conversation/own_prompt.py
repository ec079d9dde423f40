"""The last resort for a callback: typing it at the command's own prompt, if it has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.work import Reply
from hermes_tunnel.deadlines import OFFER


@dataclass(frozen=True)
class TypeIn:
    """A request to type an address.

    :param typed: is told whether it was typed
    """

    address: str = field(repr=False)
    typed: Reply[bool]


class OwnPrompt:
    """The command may mention its prompt only after the browser has come back, so we wait a little for that.

    :param send: types a line
    """

    def __init__(self, decider: Decider, send: Callable[[str], object]) -> None:
        self._decider = decider
        self._send = send
        self._item: TypeIn | None = None
        self._until = 0.0

    def type_in(self, address: str) -> bool:
        """Type an address if there is a prompt; returns whether it was. For a thread that can wait."""
        typed = Reply[bool]()
        self._decider.mailbox.put(TypeIn(address, typed))
        return bool(typed.wait(self._decider.wanted))

    def invited(self) -> None:
        """The person has just been invited: from now on the command has a while to mention its prompt."""
        self._until = time.monotonic() + self._decider.seconds_of(OFFER)

    def take(self, item: TypeIn) -> None:
        """Keep an address until there is a prompt."""
        self._item = item

    @property
    def due(self) -> float | None:
        """When an address has waited long enough for a prompt; None if none is waiting."""
        return None if self._item is None else self._until

    def settle(self, *, offered: bool) -> bool:
        """Type a waiting address if a prompt is offered, or give up on it; returns whether it was typed."""
        item, self._item = self._item, None
        if item is None:
            return False
        if offered:
            self._decider.console.secrets.add(item.address)
            self._send(item.address)
        item.typed.give(offered)
        return offered
