"""The person at the terminal: what is shown there, and what is asked.

A question says who asks. Without a terminal the answer is no, and nothing waits for one. One thread at a
time reads what is typed.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from hermes_tunnel import events
from hermes_tunnel.oauth.pasted import may_be_a_word
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.terminal.screen import Screen


@dataclass(frozen=True)
class _Pasting:
    """What the person may, or has to, paste."""

    take: Callable[[str], str]
    needed: bool
    nobody: Callable[[], object]


class Console(Screen):
    """Shows what happens and asks what has to be asked.

    :param stream: standard error
    :param keyboard: standard input
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether styles may be used
    :param moves: whether a line may be rewritten, where the stream is a terminal
    """

    def __init__(
        self,
        stream: TextIO,
        keyboard: Keyboard,
        *,
        verbosity: int = 0,
        color: bool = True,
        moves: bool = True,
    ) -> None:
        super().__init__(stream, verbosity=verbosity, color=color, moves=moves)
        self._keyboard = keyboard
        self._asking: threading.Thread | None = None
        self._pasting: _Pasting | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal."""
        return self._keyboard.is_terminal and self._is_seen

    def waiting(self, what: str, seconds_left: float | None) -> None:
        """Show, or refresh, what is waited for, unless a question stands there."""
        self.quiet()
        if self._asking is None or self._pasting is not None:
            super().waiting(what, seconds_left)

    def ask(self, prompt: str, hidden: bool, wanted: Callable[[], bool] = lambda: True) -> str | None:
        """The person's answer to a question of ssh's; None without a terminal or when they gave up.

        :param wanted: whether anybody wants the answer still; if not, the question is given up
        """
        if not self.is_terminal:
            return None
        with self._one_reader():
            return self._read(prompt, hidden, wanted)

    def confirm(self, question: str) -> bool:
        """Yes or no, and no without a terminal."""
        return (self.ask(f"{question} [y/N] ", False) or "").strip().lower() in ("y", "yes")

    @contextlib.contextmanager
    def _one_reader(self) -> Iterator[None]:
        """What may be pasted meanwhile may not be taken for the answer to a question, nor that for it."""
        pasting = self._pasting
        self.stop_asking()
        yield
        if pasting is not None:
            self._begin(pasting)

    def ask_meanwhile(self, prompt: str, hidden: bool, answered: Callable[[str | None], None]) -> None:
        """Ask for one line while other things happen; ``answered`` is called in a thread.

        Without a terminal the line is taken from standard input as it is.
        """
        self.stop_asking()
        read = threading.Thread(
            target=lambda: answered(self._read(prompt, hidden)), name="prompt", daemon=True
        )
        self._asking = read
        read.start()

    def take_pasted(
        self,
        take: Callable[[str], str],
        *,
        needed: bool,
        nobody: Callable[[], object],
        code: bool = True,
    ) -> None:
        """Hand over what the person pastes, unseen, while the time that is left is shown.

        What may be a word is taken when it comes twice.

        :param take: takes a line; why it could not be used, empty where it was; called in a thread
        :param needed: whether nothing happens without it; else it is an offer
        :param nobody: called in a thread where the input has ended
        :param code: whether a code is of use by itself; else only the address of a page is
        """
        self.stop_asking()
        if needed:
            self.quiet()
            self.say("The browser cannot come back here by itself: it will end on a page that does not open.")
            self.say("Paste the address of that page here and press Enter; it stays hidden.", bold=True)
        else:
            if code:
                where, what = "the page shows a code instead of coming back", "it"
            else:
                where, what = "the browser ends on a page that does not open", "its address"
            self._held.append(events.Notice(f"If {where}, paste {what} here and press Enter."))
        self._begin(_Pasting(take, needed, nobody))

    def _begin(self, pasting: _Pasting) -> None:
        self._pasting = pasting
        self._asking = threading.Thread(target=self._read_pasted, args=(pasting,), name="paste", daemon=True)
        self._asking.start()

    def _read_pasted(self, pasting: _Pasting) -> None:
        with contextlib.closing(self._keyboard.read_hidden_lines(offered=not pasting.needed)) as lines:
            before = ""
            for line in filter(None, map(str.strip, lines)):
                if not self._is_wanted():
                    return
                if may_be_a_word(line) and line != before:
                    before = line
                    self.say("That could be a word. If it is the code, paste it once more.")
                    continue
                self.secrets.add(line)
                reason = pasting.take(line)
                if not reason or not self._is_wanted():
                    return
                self.say(f"That is not it: {reason}.")
        if self._is_wanted():
            pasting.nobody()

    def _is_wanted(self) -> bool:
        """Whether the line that this thread reads was not given up meanwhile."""
        return self._asking is threading.current_thread()

    def stop_asking(self) -> None:
        """Give up the question that is open, if one is."""
        asking, self._asking, self._pasting = self._asking, None, None
        if asking is not None:
            self._keyboard.cancel()
            asking.join(1.0)
            self._keyboard.renew()

    def _read(self, prompt: str, hidden: bool, wanted: Callable[[], bool] = lambda: True) -> str | None:
        self.quiet()
        *above, question = prompt.split("\n")
        for line in above:
            self.say(line)
        self._clear_status()
        shown = self._styled(self.safe(question), bold=True)
        answer: str | None = None
        try:
            answer = self._keyboard.read_line(hidden=hidden, ready=lambda: self._put(shown), wanted=wanted)
        finally:
            stands, self._question = bool(self._question), ""
            if stands and (hidden or answer is None or not self._keyboard.is_terminal):
                self._write("\n")
        if hidden and answer:
            self.secrets.add(answer)
        return answer

    def _put(self, question: str) -> None:
        self._write(question)
        self._question = question
