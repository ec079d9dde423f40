"""What the person sees. Its rules:

- everything goes to standard error; standard output is for results;
- what the remote said is scrubbed, dimmed and kept behind a margin, so that it cannot pass for ours; a
  sentence of ours that quotes it is indented from its second line on;
- the authorization URL stands on a line of its own, whole: never folded, never in a box;
- nothing moves if standard error is no terminal; no escape sequence is written there or under NO_COLOR;
- the only sequences beside styles offer the terminal's clipboard a user code, encoded, if that is wanted, and
  make a link of an address that we have judged, on terminals that have links.
"""

from __future__ import annotations

import contextlib
import math
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TextIO

import click

from hermes_tunnel import events
from hermes_tunnel.errors import ExitStatus
from hermes_tunnel.terminal.links import link
from hermes_tunnel.terminal.mode import columns_of, in_foreground
from hermes_tunnel.terminal.traceback import Folding
from hermes_tunnel.terminal.words import (
    NO_OTHER_TUNNEL,
    Look,
    Sentence,
    offers,
    sentences,
    tunnel_advised,
    waiting,
)
from hermes_tunnel.text import folded, narrowed, one_line, plain, redact, wrapped

_AROUND_THE_END = (events.RemoteLine, events.CommandEnded, events.CommandStopped, events.Finished)
_MARGIN = "  | "
_STYLES: dict[Look, dict[str, Any]] = {
    Look.STRONG: {"bold": True},
    Look.RESULT: {"bold": True},
    Look.REMOTE: {"dim": True},
    Look.QR_CODE: {"fg": "black", "bg": "bright_white"},
}
_SYMBOLS: dict[Look, tuple[str, str]] = {
    Look.DONE: ("\u2713", "green"),
    Look.RESULT: ("\u2713", "green"),
    Look.WARNING: ("!", "yellow"),
}
_USUAL_COLUMNS = 80
_FEWEST_COLUMNS = 12  # fewer have no room for the margin and a word
_LAST_LINES = 8


@dataclass
class _Run:
    """One run of the command: what it said last, which tunnel it asked for, which one it has.

    :param unseen: its last lines, if they were not shown
    :param last: its last line, which is shown when another comes: an error may quote it
    :param denied: whether the provider said no; what the command makes of that is the same fact again
    :param beside: what the person may paste, in words to stand beside what is waited for
    :param advised: the port that it told the person to forward
    :param forwarded: the port that is forwarded
    :param waited_for: what the person was last told to wait for
    """

    unseen: deque[str] = field(default_factory=lambda: deque(maxlen=_LAST_LINES))
    last: tuple[str, str] | None = None
    denied: bool = False
    beside: tuple[str, ...] = ()
    advised: int | None = None
    forwarded: int | None = None
    waited_for: str = ""
    tracebacks: Folding = field(default_factory=Folding)


@dataclass
class Standing:
    """A question on the screen. The reading thread writes nothing there, but notes here that it was answered.

    :param prompt: as it is shown
    :param ends_a_line: whether the cursor is at the beginning of a new line
    """

    prompt: str = ""
    answered: bool = False
    ends_a_line: bool = False


class Screen:
    """Shows what happens. For one thread only.

    :param stream: standard error
    :param verbosity: -1 quiet, 0 as usual, 1 and more for ``-v``
    :param color: whether to use styles, if the stream is a terminal
    :param moves: whether a line may be rewritten, if the stream is a terminal
    :param links: whether an address may be a link (OSC 8), where styles may be used
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        verbosity: int = 0,
        color: bool = True,
        moves: bool = True,
        links: bool = False,
    ) -> None:
        self._stream = stream
        self._verbosity = verbosity
        self._is_seen = stream.isatty()
        self._moves = moves and self._is_seen
        self._color = color and self._is_seen
        self._links = links and self._color
        self._status = ""
        self._question: Standing | None = None
        self._speaker = ""
        self._run = _Run()
        self.secrets: set[str] = set()
        """Values that must not be shown, such as the person's hidden answers."""
        self.log: Callable[[str], object] | None = None
        """Takes each line that ``-v`` would show, whatever is shown; may raise ``OSError``."""

    @property
    def is_curious(self) -> bool:
        """Whether the person wants to know it all (``-v``)."""
        return self._verbosity > 0

    @property
    def is_quiet(self) -> bool:
        """Whether they want to know only what they need (``-q``)."""
        return self._verbosity < 0

    def show(self, event: events.Event) -> None:
        """Tell the person what happened, at once; a line of the command's, when it is not its last."""
        if isinstance(event, events.SessionLine):
            self._tell(event)
            return
        if isinstance(event, events.Connected):
            self._run = _Run()
        if not isinstance(event, _AROUND_THE_END):
            self.quiet()
        for sentence in sentences(event, max(self._verbosity, 1)):
            self.note(sentence.text)
        if isinstance(event, events.RemoteLine):
            self._hear(event)
            return
        if isinstance(event, events.Callback):
            self._run.denied = event.outcome == "denied"
        if isinstance(event, events.AuthorizationAsked):
            self._run.beside = ()
        if isinstance(event, events.Finished):
            self._tell_unseen(event)
        if isinstance(event, events.PasteOffered) and self._takes_offer(event):
            return
        self._tell(event)
        if isinstance(event, events.QrCode):
            self._show_qr_code(event.url)
        if isinstance(event, events.Forwarding):
            self._run.forwarded = event.port
            self.quiet()

    def _hear(self, line: events.RemoteLine) -> None:
        """Show a line of the command's, or the one before it."""
        run = self._run
        if self.is_curious or not line.detail:
            run.advised = tunnel_advised(line.text) or run.advised
        if self.is_curious:
            self._tell(line)
        elif not (line.detail or run.denied):
            shown = run.tracebacks.take(line.text)
            if shown is not None and shown.strip():
                self._tell_last()
                run.last = (shown, line.text)

    def _tell_last(self) -> None:
        last, self._run.last = self._run.last, None
        if last is not None:
            self._run.unseen.append(last[0])
            self._tell(events.RemoteLine(last[0]))

    def _takes_offer(self, offer: events.PasteOffered) -> bool:
        """Whether an offer will stand beside what is waited for: if the window has room for it."""
        beside = next(waiting("your browser", ", 59:59 left", offers(offer)[-1:]))
        if self._verbosity < 0 or not self._moves or len(beside) > self._room:
            return False
        self._run.beside = offers(offer)
        return True

    def quiet(self) -> None:
        """The command has finished talking for now. If it asked for an SSH tunnel, the person is told that
        there is one.
        """
        self._tell_last()
        if self._run.advised is not None and self._run.advised == self._run.forwarded:
            self._run.advised = None
            self.note(NO_OTHER_TUNNEL)
            self._tell(events.Notice(NO_OTHER_TUNNEL))

    def _tell_unseen(self, finished: events.Finished) -> None:
        """After a failure, show the command's last lines if they were not shown: they have the reason, unless
        that is in the error.
        """
        run = self._run
        if (cut_off := run.tracebacks.end()) is not None:
            self._tell_last()
            run.last = (cut_off, cut_off)
        if run.last is not None:
            words = self.safe(run.last[1].strip().rstrip(".")).rpartition("Error: ")[2]
            if words in finished.message:
                run.last = None
        self._tell_last()
        if self._verbosity < 0 and finished.exit_status in {*ExitStatus} - {ExitStatus.OK}:
            for line in run.unseen:
                self._show(Sentence(line, Look.REMOTE))
        run.unseen.clear()

    def _tell(self, event: events.Event) -> None:
        speaker = event.who if isinstance(event, events.ServerSaid) else ""
        goes_on = speaker and speaker == self._speaker
        for sentence in list(sentences(event, self._verbosity))[1 if goes_on else 0 :]:
            self._show(sentence)
            self._speaker = speaker

    def _show_qr_code(self, address: str) -> None:
        """Show a QR code on a terminal, if it is wide enough."""
        if not self._is_seen:
            return
        from hermes_tunnel.terminal.qr import BLOCKS, rows

        code = rows(address, blocks=self._shown(BLOCKS) == BLOCKS, inverted=not self._color)
        if len(code[0]) > self._room:
            self.say(f"The QR code needs a window of more than {len(code[0])} columns.")
        else:
            self._show(Sentence("\n".join(code), Look.QR_CODE))

    def say(self, text: str) -> None:
        """Tell one sentence of ours. It may quote others: it is scrubbed, and folded on a terminal."""
        self.note(text)
        self._show(Sentence(text, Look.OURS))

    def conclude(self, result: str, more: str = "") -> None:
        """Tell what has been reached, so that it cannot be missed.

        :param more: what else is known of it; on a line of its own, for it may be long
        """
        self._show(Sentence(result, Look.RESULT))
        if more:
            self._show(Sentence(f"  {more}"))

    def note(self, text: str) -> None:
        """Put a line into the log, if there is one: scrubbed, and whole; no address is opened from there."""
        log, line = self.log, redact(one_line(text), self.secrets, to_open=False)
        if log is None or not line.strip():
            return
        try:
            log(line)
        except OSError as problem:  # the login is more important than its log
            self.log = None
            self.say(f"The log file cannot be written any more: {problem.strerror}.")

    def _show(self, sentence: Sentence) -> None:
        self._settle()
        self._clear_status()
        self._speaker = ""
        lines = self._text(self._lines(sentence), sentence.look) + "\n"
        question = self._question
        if question is None or question.ends_a_line:
            self._write(lines)
        elif self._moves:  # the prompt moves down; what was typed so far counts, though it is out of sight
            self._write(f"\n{lines}{question.prompt}")
        else:
            self._write(f"\n{lines}")
            question.ends_a_line = True

    def _lines(self, sentence: Sentence) -> list[str]:
        """The sentence in lines that the window does not wrap, behind the margin if it is the remote's."""
        if sentence.look in (Look.ADDRESS, Look.LINK):
            return [plain(sentence.text)]
        if sentence.look is Look.QR_CODE:
            return sentence.text.split("\n")
        text, columns = self._shown(sentence.text), self._columns
        if sentence.look in _SYMBOLS and self._has_symbols:
            text = f"{_SYMBOLS[sentence.look][0]} {text}"
        if sentence.look is not Look.REMOTE:
            lines = folded(text, columns)
        else:
            room = columns - len(_MARGIN)
            lines = wrapped(narrowed(text, room), room, cut=True) if columns else [text]
            lines = [_MARGIN + line for line in lines]
        return lines

    def _text(self, lines: list[str], look: Look) -> str:
        if look is Look.LINK and self._links:
            lines = [link(line) for line in lines]
        style, symbol = _STYLES.get(look, {}), ""
        if look in _SYMBOLS and self._has_symbols:
            symbol, color = _SYMBOLS[look]
            lines = [lines[0].removeprefix(symbol), *lines[1:]]
            symbol = self._styled(symbol, fg=color, **style)
        return symbol + "\n".join(self._styled(line, **style) for line in lines)

    @property
    def _has_symbols(self) -> bool:
        """Whether a symbol may stand before a sentence: on a terminal that has them all."""
        return self._is_seen and (self._stream.encoding or "").lower().replace("-", "") == "utf8"

    def _fits(self, text: str) -> bool:
        """Whether a text fits on one line, with some room left for an answer."""
        return len(wrapped(self._shown(text), (self._columns or _USUAL_COLUMNS) - 2, cut=True)) == 1

    def _shown(self, text: str) -> str:
        encoding = (
            self._stream.encoding or "utf-8"
        )  # characters that it lacks are escaped, which takes more room
        return self.safe(text).encode(encoding, "backslashreplace").decode(encoding)

    def _settle(self) -> None:
        """End the line of a question that has been answered meanwhile."""
        if self._question is not None and self._question.answered:
            self._drop_question()

    def _drop_question(self) -> None:
        question, self._question = self._question, None
        if question is not None and not question.ends_a_line:
            self._write("\n")

    @property
    def _is_ours(self) -> bool:
        """Whether the line may be rewritten: in the background it is the shell's."""
        return not self._is_seen or in_foreground(self._stream.fileno())

    @property
    def _columns(self) -> int:
        """The width to fold at; 0 for not at all."""
        columns = columns_of(self._stream)
        return max(columns, _FEWEST_COLUMNS) if columns else 0

    def safe(self, text: str) -> str:
        """The text as one line, without escape sequences and secrets."""
        return redact(one_line(text), self.secrets)

    def waiting(self, what: str, seconds_left: float | None, *, briefly: bool = False) -> None:
        """Show, or refresh, what we are waiting for, unless a question is open.

        :param what: in words that follow "Waiting for"
        :param seconds_left: None if there is no limit
        :param briefly: whether it is not worth a line that stays
        """
        if not briefly:
            self.quiet()
        self._settle()
        if self._verbosity < 0 or self._question is not None:
            return
        if not (self._moves and self._is_ours):
            if briefly:
                return
            if what != self._run.waited_for:
                most = "" if seconds_left is None else f", at most {math.ceil(seconds_left)} s"
                self.say(f"Waiting for {what}{most}")
            self._run.waited_for = what
            return
        minutes, seconds = divmod(max(0, round(seconds_left or 0)), 60)
        left = "" if seconds_left is None else f", {minutes}:{seconds:02d} left"
        room = self._room
        forms = list(waiting(what, left, self._run.beside))
        text = next((one for one in forms if len(one) <= room), forms[-1])
        blanks = " " * (min(len(self._status), room) - len(text))
        self._write("\r" + self._styled(text[:room], dim=True) + blanks)
        self._status = text

    @property
    def _room(self) -> int:
        """The columns for a line that is rewritten; it must not wrap."""
        return (columns_of(self._stream) or _USUAL_COLUMNS) - 1

    def to_clipboard(self, text: str) -> bool:
        """Offer a text to the terminal's own clipboard (OSC 52), from where it may also come through ssh.

        Encoded in base64, it can hold no sequence of its own. No terminal says whether it took it.

        :return: whether it was offered: only to a terminal, and not under NO_COLOR
        """
        if self._color:
            self._write(f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07")
        return self._color

    def done_waiting(self) -> None:
        """We are not waiting any more."""
        self._clear_status()

    def _styled(self, text: str, **style: Any) -> str:
        return click.style(text, **style) if self._color and style else text

    def _clear_status(self) -> None:
        if self._status and self._is_ours:
            self._write("\r" + " " * min(len(self._status), self._room) + "\r")
        self._status = ""

    def _write(self, text: str) -> None:
        with contextlib.suppress(OSError):  # nobody reads it any more, but the login goes on
            click.echo(text, file=self._stream, nl=False, color=self._color)
