"""What the person pastes in the browser's place: the address that it ended on, or a code."""

from __future__ import annotations

from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.oauth.pasted import may_be_a_word
from hermes_tunnel.oauth.states import NobodyPasted
from hermes_tunnel.steps import work
from hermes_tunnel.way_back.entrance import Entrance


class Pasting:
    """Takes what is pasted while the login waits for its callback; what may be a word must come twice.

    :param entrance: judges it; if it does not listen, the login depends on it
    """

    def __init__(self, decider: Decider, entrance: Entrance) -> None:
        self._decider = decider
        self._entrance = entrance
        self._before = ""

    def start(self, *, code: bool = True) -> None:
        """Begin, if a callback is expected and there is someone to paste it.

        :param code: whether a bare code will do; if not, only the address of a page does
        """
        gate, console = self._entrance.gate, self._decider.console
        if gate is None or (self._entrance.listens and not console.is_terminal):
            return  # standard input may be meant for something else
        if not self._entrance.listens:
            self._decider.emit(events.Prompt("the address that the browser ended on", secret=True))
            self._decider.say(
                "The browser cannot come back here by itself: it will end on a page that does not open."
            )
            self._decider.say("Paste the address of that page here and press Enter; it stays hidden.")
        elif code:
            self._offer("the page shows a code instead of coming back", "it")
        else:
            self._offer("the browser ends on a page that does not open", "its address")
        self._before = ""
        self._decider.questions.offer(self._took, needed=not self._entrance.listens)

    def stop(self) -> None:
        """Take nothing more."""
        self._decider.questions.withdraw_offer()

    def _offer(self, where: str, what: str) -> None:
        self._decider.emit(events.Notice(f"If {where}, paste {what} here and press Enter."))

    def _took(self, line: str | None) -> None:
        gate, console = self._entrance.gate, self._decider.console
        if line is None and not self._entrance.listens:
            self._decider.mailbox.put(NobodyPasted())
        line = (line or "").strip()
        if not line or gate is None:
            return
        if may_be_a_word(line) and line != self._before:
            self._before = line
            self._decider.say("That could be a word. If it is the code, paste it once more.")
            return
        console.secrets.add(line)
        verdict = gate.judge_pasted(line)
        if isinstance(verdict, str):
            self._decider.say(f"That is not it: {verdict}.")
            return
        self.stop()
        self._decider.begin(work(partial(gate.deliver_pasted, verdict)))
