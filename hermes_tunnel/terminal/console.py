"""The person at the terminal: what is shown there, and what is asked.

A question says who asks. Without a terminal the answer is no, and nothing waits for one. All that is written
to the screen is written by the thread that calls; what is typed is read by another, which writes nothing.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import TextIO, overload

from hermes_tunnel.oauth.pasted import may_be_a_word
from hermes_tunnel.question import Question
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.terminal.screen import Screen, Standing
from hermes_tunnel.terminal.words import asking

Took = Callable[["str | None"], object]
"""Gets a line, or None at the end of the input."""


def _nothing() -> None:
    """Nobody has to be told."""


def _always() -> bool:
    return True


class Console(Screen):
    """Shows what happens and asks what has to be asked; one question stands at a time.

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
        self._pasting: _Pasting | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal."""
        return self._keyboard.is_terminal and self._is_seen

    @overload
    def ask(self, question: Question, answered: Took, again: Callable[[], object] = ...) -> None: ...

    @overload
    def ask(self, question: str, answered: bool, again: Callable[[], bool] = ...) -> str | None: ...

    def ask(
        self, question: Question | str, answered: Took | bool, again: Callable[[], object] = _nothing
    ) -> str | None:
        """Put a question on the screen and begin to read its answer; what stands is given up.

        :param answered: called once, in the reading thread, with the line, or None at the end of the input
            and where nobody can be asked; not after ``stop_asking``. Without a terminal nobody can be asked,
            unless the answer may be ``piped``
        :param again: called in the reading thread when the question has to be shown again (``redraw``),
            because the program was stopped
        """
        if isinstance(question, str):
            return self._wait_for_an_answer(question, bool(answered), _always if again is _nothing else again)
        assert not isinstance(answered, bool)  # noqa: S101 - by the overloads
        self._put(question, answered, again)
        return None

    def take_lines(self, took: Took, *, offered: bool, again: Callable[[], object] = _nothing) -> None:
        """Read line after line, none of them shown, while other things are; what stands is given up.

        :param took: called in the reading thread with each line as it is typed, and with None at the end of
            the input; not after ``stop_asking``
        :param offered: whether nothing depends on them
        :param again: as of ``ask``
        """
        self.stop_asking()
        self._keyboard.read(took, hidden=True, many=True, offered=offered, again=again)

    def stop_asking(self) -> None:
        """Give up what stands. When this returns the terminal is as it was, and nobody is called any more."""
        self._stop_pasting()
        self._keyboard.stop()
        self._drop_question()

    def redraw(self) -> None:
        """Show again the question that stands, if one does."""
        self._settle()
        if self._question is not None:
            self._write(self._question.prompt)
            self._question.ends_a_line = False

    def _put(self, question: Question, answered: Took, again: Callable[[], object]) -> None:
        self.stop_asking()
        if not self.is_terminal and not question.piped:
            answered(None)
            return
        standing = Standing()

        def show() -> None:
            *above, last = asking(question, self._fits)
            for sentence in above:
                self._show(sentence)
            self._clear_status()
            *lines, line = self._lines(last)
            standing.prompt = self._text([*lines, f"{line} "], last.look)
            self._write(standing.prompt)
            self._question = standing

        def took(line: str | None) -> None:
            if question.hidden and line:
                self.secrets.add(line)
            if line is not None and not question.hidden and self._keyboard.is_terminal:
                standing.ends_a_line = True  # by Enter
            standing.answered = True
            answered(line)

        self._keyboard.read(took, hidden=question.hidden, ready=show, again=again)

    # -- for callers that wait, or are called back in a thread; they go with the last of them ----------------

    def confirm(self, question: str) -> bool:
        """Yes or no, and no without a terminal."""
        return (self._wait_for_an_answer(f"{question} [y/N] ", False) or "").strip().lower() in ("y", "yes")

    def ask_meanwhile(self, prompt: str, hidden: bool, answered: Took) -> None:
        """Ask for one line while other things happen."""
        question = Question(prompt.removesuffix(" "), hidden=hidden, piped=True)
        self._put(question, answered, self.redraw)

    def take_pasted(
        self,
        take: Callable[[str], str],
        *,
        needed: bool,
        nobody: Callable[[], object],
        code: bool = True,
    ) -> None:
        """Hand over what the person pastes, unseen, while the time that is left is shown."""
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
            self.say(f"If {where}, paste {what} here and press Enter.")
        self._begin(_Pasting(take, needed, nobody))

    def _begin(self, pasting: _Pasting) -> None:
        self.take_lines(pasting.lines.put, offered=not pasting.needed)
        self._pasting = pasting
        threading.Thread(target=self._read_pasted, args=(pasting,), name="paste", daemon=True).start()

    def _stop_pasting(self) -> None:
        if self._pasting is not None:
            self._pasting.lines.put(_STOP)
            self._pasting = None

    def _read_pasted(self, pasting: _Pasting) -> None:
        before = ""
        while (line := pasting.lines.get()) is not None:
            if line is _STOP or self._pasting is not pasting:
                return
            line = line.strip()
            if may_be_a_word(line) and line != before:
                before = line
                self.say("That could be a word. If it is the code, paste it once more.")
            elif line:
                self.secrets.add(line)
                reason = pasting.take(line)
                if not reason or self._pasting is not pasting:
                    return
                self.say(f"That is not it: {reason}.")
        if self._pasting is pasting:
            pasting.nobody()

    def _wait_for_an_answer(
        self, prompt: str, hidden: bool, wanted: Callable[[], object] = _always
    ) -> str | None:
        if not self.is_terminal:
            return None
        pasting, said = self._pasting, queue.Queue[Callable[[], "str | None"]]()
        *above, text = prompt.removesuffix(" ").split("\n")
        self.stop_asking()
        for line in above:
            self.say(line)
        try:
            self._put(
                Question(text, hidden=hidden),
                lambda line: said.put(lambda: line),
                lambda: said.put(self.redraw),
            )
            while wanted():
                with contextlib.suppress(queue.Empty):
                    what = said.get(timeout=_LOOK_SECONDS)
                    if what != self.redraw:
                        return what()
                    self.redraw()
            return None
        finally:
            self.stop_asking()
            if pasting is not None:
                self._begin(pasting)


_LOOK_SECONDS = 0.2
_STOP = "\0"


class _Pasting:
    """What the person may, or has to, paste."""

    def __init__(self, take: Callable[[str], str], needed: bool, nobody: Callable[[], object]) -> None:
        self.take = take
        self.needed = needed
        self.nobody = nobody
        self.lines: queue.Queue[str | None] = queue.Queue()
