"""What the person pastes in the browser's place: the address that it ended on, or a code."""

from __future__ import annotations

from functools import partial

from hermes_tunnel import events
from hermes_tunnel.conversation.decider import Decider
from hermes_tunnel.conversation.tasks import Task
from hermes_tunnel.oauth.callback import Deliver
from hermes_tunnel.oauth.pasted import may_be_a_word
from hermes_tunnel.oauth.states import NobodyPasted
from hermes_tunnel.steps import Pause, Steps, work
from hermes_tunnel.way_back.entrance import Entrance
from hermes_tunnel.way_back.gate import Gate

_ONE_PASTE_SECONDS = 0.2  # lines that come within this time are one paste: mail programs break addresses
_MOST_LINES = 256  # of one paste, so that a program that writes lines for ever is not read for ever


def one_paste(decider: Decider) -> str:
    """What the person pastes, hidden; lines that come together belong together.

    Whoever writes to a standard input that is no terminal may keep it open: we do not wait for its end.
    """
    lines: list[str | None] = []

    def took(line: str | None) -> None:
        if line is None or line.strip():
            lines.append(line)

    decider.questions.offer(took, needed=True)
    try:
        heard = 0
        while None not in lines and (heard < len(lines) < _MOST_LINES or not lines):
            heard = len(lines)
            decider.next(_ONE_PASTE_SECONDS)
    finally:
        decider.questions.withdraw_offer()
    return "\n".join(line for line in lines if line is not None)


class Pasting:
    """Takes what is pasted while the login waits for its callback; what may be a word must come twice.

    :param entrance: judges it; if it does not listen, the login depends on it
    """

    def __init__(self, decider: Decider, entrance: Entrance) -> None:
        self._decider = decider
        self._entrance = entrance
        self._before = ""
        self._lines: list[str] = []
        self._gathering: Task | None = None

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
        else:
            self._decider.emit(events.PasteOffered(code))
        self._before = ""
        self._decider.questions.offer(self._took, needed=not self._entrance.listens)

    def stop(self) -> None:
        """Take nothing more."""
        self._decider.questions.withdraw_offer()
        if self._gathering is not None:
            self._decider.tasks.drop(self._gathering)
        self._lines, self._gathering = [], None

    def _took(self, line: str | None) -> None:
        if line is None:
            taken = self._judge()
            if not taken and not self._entrance.listens:
                self._decider.mailbox.put(NobodyPasted())
        elif line.strip():
            self._lines.append(line.strip())
            if self._gathering is None or self._gathering.over:
                self._gathering = self._decider.begin(self._gather())

    def _gather(self) -> Steps[None]:
        """Wait until no further line comes, and judge what came."""
        heard = 0
        while heard < len(self._lines) < _MOST_LINES:
            heard = len(self._lines)
            yield Pause(_ONE_PASTE_SECONDS)
        self._judge()

    def _judge(self) -> bool:
        """Deliver what was pasted, or say why not; returns whether it is on its way.

        Several lines are one broken address, or else each is a try of its own.
        """
        lines, self._lines = self._lines, []
        gate = self._entrance.gate
        if gate is None:
            return False
        if len(lines) > 1:
            whole = gate.judge_pasted("\n".join(lines))
            if not isinstance(whole, str):
                self._decider.console.secrets.update(lines)
                return self._deliver(gate, whole)
        return any(self._judge_line(gate, line) for line in lines)

    def _judge_line(self, gate: Gate, line: str) -> bool:
        if may_be_a_word(line) and line != self._before:
            self._before = line
            self._decider.say("That could be a word. If it is the code, paste it once more.")
            return False
        self._decider.console.secrets.add(line)
        verdict = gate.judge_pasted(line)
        if isinstance(verdict, str):
            self._decider.say(f"That is not it: {verdict}.")
            return False
        return self._deliver(gate, verdict)

    def _deliver(self, gate: Gate, verdict: Deliver) -> bool:
        self._decider.questions.withdraw_offer()
        self._decider.begin(work(partial(gate.deliver_pasted, verdict)))
        return True
