"""The person's terminal. Its rules:

- everything goes to standard error; standard output is for results;
- what the remote said is scrubbed, dimmed and marked at the margin, so that it cannot pass for ours;
- the authorization URL stands whole on a line of its own, never wrapped, never in a box;
- a question says who asks; without a terminal the answer is no, and nothing waits for one;
- nothing moves where standard error is no terminal; no escape sequence is written there or under NO_COLOR.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TextIO

import click

from hermes_tunnel import events
from hermes_tunnel.local.keyboard import Keyboard
from hermes_tunnel.local.words import Look, Sentence, sentences
from hermes_tunnel.oauth.pasted import may_be_a_word
from hermes_tunnel.text import plain, redact, wrapped

_MARGIN = "  | "
_STYLES: dict[Look, dict[str, Any]] = {Look.STRONG: {"bold": True}, Look.REMOTE: {"dim": True}}
_USUAL_COLUMNS = 80
_FEWEST_COLUMNS = 12  # in less, a margin and a word do not fit


@dataclass(frozen=True)
class _Pasting:
    """What the person may, or has to, paste."""

    take: Callable[[str], str]
    needed: bool
    nobody: Callable[[], object]


class Console:
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
        self._stream = stream
        self._keyboard = keyboard
        self._verbosity = verbosity
        self._is_seen = stream.isatty()
        self._moves = moves and self._is_seen
        self._color = color and self._is_seen
        self._status = ""
        self._question = ""
        self._waited_for = ""
        self._held: list[events.Event] = []
        self._asking: threading.Thread | None = None
        self._pasting: _Pasting | None = None
        self.secrets: set[str] = set()
        """Values that must not be shown: answers that the person gave."""

    @property
    def is_terminal(self) -> bool:
        """Whether somebody can be asked: both ends are a terminal."""
        return self._keyboard.is_terminal and self._is_seen

    # -- showing -------------------------------------------------------------------------------------

    def show(self, event: events.Event) -> None:
        """Tell the person, in words.

        An invitation is held back while the command goes on talking, so that it stands last, where it
        is looked for; ``quiet`` says that the talking is over, and so does whatever else happens.
        """
        if isinstance(event, events.AuthorizationAsked) or (self._held and isinstance(event, events.Browser)):
            self._held.append(event)
            return
        if not isinstance(event, events.RemoteLine):
            self.quiet()
        self._tell(event)

    def quiet(self) -> None:
        """The command has nothing more to say for now."""
        held, self._held = self._held, []
        for event in held:
            self._tell(event)

    def _tell(self, event: events.Event) -> None:
        for sentence in sentences(event, self._verbosity):
            self._show(sentence)

    def say(self, text: str, *, bold: bool = False) -> None:
        """One sentence of ours; on a terminal, in as many lines as it takes."""
        self._show(Sentence(text, Look.STRONG if bold else Look.OURS))

    def _show(self, sentence: Sentence) -> None:
        self._clear_status()
        style = _STYLES.get(sentence.look, {})
        lines = "".join(self._styled(line, **style) + "\n" for line in self._lines(sentence))
        # An open question moves down; what was typed so far still counts, though it is out of sight.
        self._write(f"\n{lines}{self._question}" if self._question else lines)

    def _lines(self, sentence: Sentence) -> list[str]:
        """In lines that the window does not wrap; the margin stands before each of the remote's."""
        if sentence.look is Look.ADDRESS:
            return [plain(sentence.text)]
        remote = sentence.look is Look.REMOTE
        margin, text = _MARGIN if remote else "", self.safe(sentence.text)
        encoding = self._stream.encoding or "utf-8"  # what it lacks is escaped, and longer for that
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        lines = [text]
        if columns := self._columns:
            lines = wrapped(text, max(columns, _FEWEST_COLUMNS) - len(margin), cut=remote)
        return [margin + line for line in lines]

    @property
    def _columns(self) -> int:
        """The width of the window, which may change at any time; 0 where there is none, or nobody knows."""
        try:
            return os.get_terminal_size(self._stream.fileno()).columns
        except (OSError, ValueError):
            return 0

    def safe(self, text: str) -> str:
        """The text without escape sequences and secrets."""
        return redact(plain(text), self.secrets)

    def waiting(self, what: str, seconds_left: float | None) -> None:
        """Show, or refresh, what is waited for and the time that is left; None for as long as it takes."""
        self.quiet()
        if self._verbosity < 0 or (self._asking is not None and self._pasting is None):
            return
        if not (self._moves and self._keyboard.in_foreground):
            if what != self._waited_for:
                most = "" if seconds_left is None else f", at most {seconds_left:.0f} s"
                self.say(f"Waiting for {what}{most}.")
            self._waited_for = what
            return
        minutes, seconds = divmod(max(0, round(seconds_left or 0)), 60)
        left = "" if seconds_left is None else f", {minutes}:{seconds:02d} left"
        full = f"Waiting for {what}{left} (Ctrl-C stops)"
        room = self._room
        text = next(
            (one for one in (full, f"Waiting for {what}{left}") if len(one) <= room), f"Waiting{left}"
        )
        blanks = " " * (min(len(self._status), room) - len(text))
        self._write("\r" + self._styled(text[:room], dim=True) + blanks)
        self._status = text

    @property
    def _room(self) -> int:
        """For the line that is rewritten: one that wraps could not be."""
        return (self._columns or _USUAL_COLUMNS) - 1

    def done_waiting(self) -> None:
        """Nothing is waited for any more."""
        self._clear_status()

    # -- asking --------------------------------------------------------------------------------------

    def ask(self, prompt: str, hidden: bool) -> str | None:
        """The person's answer to a question of ssh's; None without a terminal or when they gave up."""
        if not self.is_terminal:
            return None
        with self._one_reader():
            return self._read(prompt, hidden)

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

    def take_pasted(self, take: Callable[[str], str], *, needed: bool, nobody: Callable[[], object]) -> None:
        """Hand over what the person pastes, unseen, while the time that is left is shown.

        What may be a word is taken when it comes twice.

        :param take: takes a line; why it could not be used, empty where it was; called in a thread
        :param needed: whether nothing happens without it; else it is an offer
        :param nobody: called in a thread where the input has ended
        """
        self.stop_asking()
        if needed:
            self.quiet()
            self.say("The browser cannot come back here by itself: it will end on a page that does not open.")
            self.say("Paste the address of that page here and press Enter; it stays hidden.", bold=True)
        else:
            offer = "If the page shows a code instead of coming back, paste it here and press Enter."
            self._held.append(events.Notice(offer))
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

    def _read(self, prompt: str, hidden: bool) -> str | None:
        self.quiet()
        *above, question = prompt.split("\n")
        for line in above:
            self.say(line)
        self._clear_status()
        shown = self._styled(self.safe(question), bold=True)
        answer: str | None = None
        try:
            answer = self._keyboard.read_line(hidden=hidden, ready=lambda: self._put(shown))
        finally:
            self._question = ""
            if hidden or answer is None:
                self._write("\n")
        if hidden and answer:
            self.secrets.add(answer)
        return answer

    def _put(self, question: str) -> None:
        self._write(question)
        self._question = question if self._moves else ""

    # -- writing -------------------------------------------------------------------------------------

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._color and style else text

    def _clear_status(self) -> None:
        if self._status and self._keyboard.in_foreground:  # else the line is the shell's by now
            self._write("\r" + " " * min(len(self._status), self._room) + "\r")
        self._status = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more; the login goes on
            click.echo(text, file=self._stream, nl=False, color=self._color)
