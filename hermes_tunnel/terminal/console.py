"""The person at the terminal: what they are shown, and what they are asked.

The thread that calls writes everything that is written to the screen. Another thread reads what is typed, and
writes nothing.
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


class Console(Screen):
    """Shows what happens, and asks questions, one at a time.

    :param stream: standard error
    :param keyboard: standard input
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether styles may be used
    :param moves: whether a line may be rewritten, where the stream is a terminal
    :param links: whether an address may be a link, where styles may be used
    """

    def __init__(
        self,
        stream: TextIO,
        keyboard: Keyboard,
        *,
        verbosity: int = 0,
        color: bool = True,
        moves: bool = True,
        links: bool = False,
    ) -> None:
        super().__init__(stream, verbosity=verbosity, color=color, moves=moves, links=links)
        self._keyboard = keyboard

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both standard input and standard error are a terminal."""
        return self._keyboard.is_terminal and self._is_seen

    def ask(self, question: Question, answered: Took, again: Callable[[], object] = lambda: None) -> None:
        """Put a question on the screen and start reading its answer; an earlier one is given up.

        :param answered: called once, with the line, or with None at the end of the input; in the reading
            thread, and never after ``stop_asking``. If nobody can be asked, because there is no terminal and
            the answer may not be ``piped``, it is called at once, with None
        :param again: called in the reading thread when ``redraw`` is due, because the program was stopped
        """
        self.stop_asking()
        if not self.is_terminal and not question.piped:
            answered(None)
            return
        for sentence in asking(question, self._layout.fits):
            self.note(sentence.text)
        standing = Standing()

        def show() -> None:
            *above, last = asking(question, self._layout.fits)
            for sentence in above:
                self._show(sentence)
            self._status.clear()
            *lines, line = self._layout.lines(last)
            standing.prompt = self._layout.styled([*lines, f"{line} "], last.look)
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

    def take_lines(self, took: Took, *, offered: bool, again: Callable[[], object] = lambda: None) -> None:
        """Start reading hidden lines, one after the other, without a prompt; an earlier question is given up.

        :param took: called with each line, and with None at the end of the input; in the reading thread, and
            never after ``stop_asking``
        :param offered: whether the person may just as well type nothing
        :param again: as for ``ask``
        """
        self.stop_asking()
        self._keyboard.read(took, hidden=True, many=True, offered=offered, again=again)

    def stop_asking(self) -> None:
        """Give up the question. On return the terminal's mode is restored, and nothing is called any more."""
        self._keyboard.stop()
        self._drop_question()

    def redraw(self) -> None:
        """Show the question that is open, if there is one, once more."""
        self._settle()
        if self._question is not None:
            self._write(self._question.prompt)
            self._question.ends_a_line = False
