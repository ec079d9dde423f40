"""The last way of a callback: typed at the command's own prompt, where it says that it has one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.work import Reply
from hermes_tunnel.deadlines import OFFER


@dataclass(frozen=True)
class TypeIn:
    """An address is to be typed.

    :param typed: is told whether it was
    """

    address: str = field(repr=False)
    typed: Reply[bool]


class OwnPrompt:
    """Whether the command has a prompt may be said after the browser has come: that is waited for a little.

    :param send: types a line there
    """

    def __init__(self, decider: Decider, send: Callable[[str], object]) -> None:
        self._decider = decider
        self._send = send
        self._item: TypeIn | None = None
        self._until = 0.0

    def type_in(self, address: str) -> bool:
        """Whether the address could be typed. For the gate's thread, which can wait."""
        typed = Reply[bool]()
        self._decider.mailbox.put(TypeIn(address, typed))
        return bool(typed.wait(self._decider.wanted))

    def invited(self) -> None:
        """The person has just been invited: the command may say for a while what it offers."""
        self._until = time.monotonic() + OFFER.seconds

    def take(self, item: TypeIn) -> None:
        """Type it as soon as there is a prompt."""
        self._item = item

    @property
    def due(self) -> float | None:
        """When an address has waited long enough for a prompt; None where none waits."""
        return None if self._item is None else self._until

    def settle(self, *, offered: bool) -> bool:
        """Type what waits if a prompt is offered, or say that there is none; whether anything was typed."""
        item, self._item = self._item, None
        if item is None:
            return False
        if offered:
            self._decider.console.secrets.add(item.address)
            self._send(item.address)
        item.typed.give(offered)
        return offered
