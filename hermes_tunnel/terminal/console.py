"""The person at the terminal: what is shown there, and what is asked.

A question says who asks. Without a terminal the answer is no, and nothing waits for one. All that is written
to the screen is written by the thread that calls; what is typed is read by another, which writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

from hermes_tunnel.question import Question
from hermes_tunnel.terminal.keyboard import Keyboard
from hermes_tunnel.terminal.screen import Screen, Standing
from hermes_tunnel.terminal.words import asking

Took = Callable[["str | None"], object]
"""Gets a line, or None at the end of the input."""


def _nothing() -> None:
    """Nobody has to be told."""


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

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal."""
        return self._keyboard.is_terminal and self._is_seen

    def ask(self, question: Question, answered: Took, again: Callable[[], object] = _nothing) -> None:
        """Put a question on the screen and begin to read its answer; what stands is given up.

        :param answered: called once, in the reading thread, with the line, or None at the end of the input
            and where nobody can be asked; not after ``stop_asking``. Without a terminal nobody can be asked,
            unless the answer may be ``piped``
        :param again: called in the reading thread when the question has to be shown again (``redraw``),
            because the program was stopped
        """
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
        self._keyboard.stop()
        self._drop_question()

    def redraw(self) -> None:
        """Show again the question that stands, if one does."""
        self._settle()
        if self._question is not None:
            self._write(self._question.prompt)
            self._question.ends_a_line = False
